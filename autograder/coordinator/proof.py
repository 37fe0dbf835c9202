"""Proof of a release: the instructor's solution must get full marks, and the unchanged release no points.

Both go through the pipeline of students' submissions. So a hidden test that cannot be examined, a threshold that the
solution itself misses, and points without any work are found before students have the notebook.

The solution runs first with everything allowed, and what it does is observed. Then it runs as a student's, with what
was observed, and is observed again: its generators have other states now, and other seeds than the tests'. The record
has what either run showed. Only if that costs the solution points, there are further runs, with the seeds of the tests
that lost.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autograder._util.text import one_line
from autograder.coordinator import batch, observation
from autograder.coordinator.chance import by_chance
from autograder.coordinator.observed_warnings import observed_warnings
from autograder.coordinator.other_names import untold_names
from autograder.coordinator.pool import in_processes, prestart_templates
from autograder.coordinator.proof_reasons import reason_of, with_remedy
from autograder.coordinator.slow_learners import with_fewer_epochs
from autograder.coordinator.weak_answers import MakeWork, weak_answers
from autograder.errors import HostError, ProofError
from autograder.exchange.work import Work
from autograder.lint.copies import compared_copies
from autograder.records.checks import ASKS_PROBABILITIES, BRANCHES, CONSTANT, Outcome
from autograder.records.course import Assignment, Course
from autograder.records.exam import BRIEF, GIVEN_TAG, RAISES, Exam, ExamCell, Role, has_tag, raises_exception
from autograder.records.failures import FailureKind
from autograder.records.grade import Grade, NotebookGrade, QuestionGrade
from autograder.records.observations import Act, Fact, Observations
from autograder.records.run import RunStatus
from autograder.release.build import placed, solution_texts, write_texts
from autograder.release.explanation import sentence
from autograder.release.formats import is_foreign_test
from autograder.release.record import Release
from autograder.submissions.student_habits import explained
from autograder.syntax.cell_matching import bound_names
from autograder.syntax.names import loaded_names

MAX_DETAIL = 500
"""Characters of a check's detail that a proof prints."""
Say = Callable[[str], None]
"""Called with a short text as each step begins."""


@dataclass(frozen=True)
class Proof:
    """Result of a proof."""

    release: Release
    """The release, with what the solution was seen to do in its exams."""
    warnings: tuple[str, ...]
    has_gifts: bool = False
    """Whether the unchanged release gets points."""


def prove(
    course: Course,
    release: Release,
    *,
    workers: int = 2,
    execute: batch.Execute = in_processes,
    say: Say = lambda step: None,
) -> Proof:
    """Grade the solution and the unchanged release, and compare their points with what a release needs.

    Args:
        course: the course.
        release: the release that is to be written.
        workers: submissions at a time.
        execute: does the work, as for :func:`autograder.coordinator.batch.run`.
        say: called with what is being done.

    Returns:
        The release with the record of observations, which is kept for grading, and warnings. These name the solution's
        cells that raise or are stopped, where no question loses points by it, and tests of zero points that fail. They
        name tests that give full marks to functions which only return None, 0, zeros or their input. They name tests in
        which the solution fails if it is trained again for a third of the epochs. They name tests that see objects as
        they are at the notebook's end, and comparisons that no student's function can fail.

    Raises:
        ProofError: names every question that the solution misses or that needs no work, with the examiner's detail.
        HostError: this machine could not grade them.
    """
    assignment = release.assignment
    folder = proof_folder(course, assignment.name)
    shutil.rmtree(folder, ignore_errors=True)

    def work(name: str, texts: Mapping[str, str]) -> Work:
        return _work(course, release, folder, name, texts)

    release_texts = {f"{n.name}.ipynb": n.text for n in release.notebooks}
    release_texts |= {cell.file: cell.released for exam in release.exams for cell in exam.answer_files}
    first = work("solution", solution_texts(release.exams))
    unchanged = work("unchanged", release_texts)
    with prestart_templates([first, unchanged], force=True) if execute is in_processes else nullcontext():
        say("the solution, to see what it does")
        observed, stopped, first_grade = _observed(release, first, folder, execute)
        release = observation.with_seeds_of(observed)
        say("the solution and the unchanged release")
        began = time.monotonic()
        exams = _brief(release.exams, stopped)
        works = [replace(each, exams=exams) for each in (replace(first, observe=True), unchanged)]
        solution, blank = _graded(assignment, works, workers, execute)
        seconds = time.monotonic() - began
        release, varying = _joined(release, observation.without_seeds(observation.read(works[0])))
        grades = [first_grade, solution]
        if missed := _missed_tests(release.exams, solution):
            say("the solution once more: it missed points")
            lost = [{str(cell.grade_id) for of, cell, _ in missed if of is exam} for exam in release.exams]
            release = observation.with_seeds_of(_observed(release, first, folder, execute)[0], lost)
            again = replace(first, exams=release.exams)
            grades += _graded(assignment, [again], workers, execute)
            solution = grades[-1]
        varying += by_chance(release.exams, grades)
        warnings = _compared(course, release, folder, solution, blank, again=bool(missed))
        say("weak answers (functions that return None, 0, their input)")
        exams = _brief(release.exams, stopped)
        weak = weak_answers(exams, work, solution, seconds, workers, execute)
        weak += untold_names(exams, release.files, work, solution, workers, execute, say)
    slow = _slow_learners(release.exams, work, workers, execute, say)
    shutil.rmtree(first.scratch, ignore_errors=True)
    return Proof(release, (*warnings, *weak, *slow, *varying), any(_given_away(release.exams, blank)))


def _observed(
    release: Release, work: Work, folder: Path, execute: batch.Execute
) -> tuple[Release, Mapping[str, Set[int]], Grade]:
    """Run the solution with everything allowed.

    Returns:
        The release with what it did, beside what is known; notebook → the cells that ran to their limit; its grade.
    """
    observing = observation.observing(replace(work, exams=release.exams), folder / "observed")
    (grade,) = _graded(release.assignment, [observing], 1, execute)
    observed = observation.read(observing)
    ran = {exam.notebook: _cells_of(observing.target / f"{exam.notebook}.ipynb") for exam in release.exams}
    shutil.rmtree(folder / "observed", ignore_errors=True)
    stopped = {name: {i for i, cell in enumerate(cells) if _run_of(cell) == "timed_out"} for name, cells in ran.items()}
    return _joined(release, observed)[0], stopped, grade


def _brief(exams: Sequence[Exam], stopped: Mapping[str, Set[int]]) -> tuple[Exam, ...]:
    """Return the exams with a short time for these cells: what they do in it, they have done."""
    return tuple(
        replace(
            exam,
            cells=tuple(
                replace(cell, metadata={**cell.metadata, "tags": [*cell.metadata.get("tags", ()), BRIEF]})
                if index in stopped[exam.notebook] and cell.role is not Role.TEST
                else cell
                for index, cell in enumerate(exam.cells)
            ),
        )
        for exam in exams
    )


def _cells_of(graded: Path) -> list[dict[str, Any]]:
    """Read the cells of a graded notebook; none if the notebook did not run."""
    cells: list[dict[str, Any]] = json.loads(graded.read_text(encoding="utf-8"))["cells"] if graded.is_file() else []
    return cells


def _run_of(cell: Mapping[str, Any]) -> str:
    return str(cell["metadata"].get("autograder", {}).get("run", ""))


def _joined(release: Release, observed: Sequence[Observations]) -> tuple[Release, list[str]]:
    """Return the release with the facts of one more run, and notes on facts of one run only."""
    joined = observation.joined(release, observed)
    recorded = [set(exam.observations.facts) if exam.observations else set() for exam in release.exams]
    varying = [old ^ set(new.facts) for old, new in zip(recorded, observed, strict=True)]
    return joined, [
        note for exam, facts in zip(joined.exams, varying, strict=True) for note in _in_one_run(exam, facts)
    ]


_IN_BOTH_RUNS = frozenset({Act.CHANGES, Act.GETS, Act.GIVES, Act.QUERIES, Act.WRITES})
"""Facts that both runs record. Others need that everything is allowed, or slow calls down."""


def _in_one_run(exam: Exam, facts: Set[Fact]) -> Iterator[str]:
    """Say what the solution did in one of two runs."""
    varying = sorted(fact for fact in facts if fact.act in _IN_BOTH_RUNS)
    tests = [cell for cell in exam.cells if cell.role is Role.TEST]
    for cell, fact in ((cell, fact) for cell in tests for fact in varying if fact.is_of(str(cell.grade_id))):
        yield (
            f"{exam.notebook}, {cell.grade_id}: {sentence(fact, cell)}, as your solution did in one of two runs; if it "
            "depends on chance, let the test set a seed, so that each release allows the same"
        )


def _graded(assignment: Assignment, works: Sequence[Work], workers: int, execute: batch.Execute) -> tuple[Grade, ...]:
    batch_result = batch.run(works, workers=workers, force=True, execute=execute)
    if batch_result.not_graded:
        raise HostError(f"{assignment.name} cannot be proved: {batch_result.not_graded[0].reason}")
    return batch_result.grades


def _missed_tests(exams: Sequence[Exam], grade: Grade) -> list[tuple[Exam, ExamCell, QuestionGrade]]:
    return [each for each in _tests(exams, grade) if each[2].score < each[1].points - 1e-9]


def _compared(
    course: Course, release: Release, folder: Path, solution: Grade, unchanged: Grade, *, again: bool
) -> tuple[str, ...]:
    """Compare the points of both runs with what a release needs, and return warnings; see :func:`prove`.

    Args:
        course: the course.
        release: the release.
        folder: what the runs left.
        solution: the solution's grade.
        unchanged: the grade of the unchanged release.
        again: whether the solution was run once more, because it had missed points.
    """
    assignment, exams = release.assignment, release.exams
    limit = assignment.limits.cell_seconds
    ran = [_Ran(exam, folder / "solution" / "autograded" / f"{exam.notebook}.ipynb", limit) for exam in exams]
    gifts = [(exam, text) for exam, text in _given_away(exams, unchanged)]
    faults = [*_missed(exams, solution, ran), *(text for exam, text in gifts if not _is_otters(exam))]
    if faults:
        ended = all(notebook.status == RunStatus.COMPLETED for notebook in solution.notebooks)
        twice = [_TWICE] if again and ended and _missed_tests(exams, solution) else []
        listed = "".join(f"\n  - {fault}" for fault in [*faults, *twice])
        report_folder = folder.relative_to(course.root) if folder.is_relative_to(course.root) else folder
        raise ProofError(
            f"{assignment.name} does not prove itself:{listed}\nBoth runs, with all details: {report_folder}/"
        )
    observation.keep(course, release)
    return (
        *(f"{each.exam.notebook}: {said}; {_HARMLESS}" for each in ran for said in each.failed),
        *_failing_without_points(exams, solution),
        *(text for exam, text in gifts if _is_otters(exam)),
        *_states_of_the_end(exams, solution),
        *_branching(exams, solution),
        *_asking_probabilities(exams, solution),
        *_near_thresholds(exams, solution),
        *_met_by_one_answer(exams, solution),
        *(text for exam in exams for text in placed(exam, compared_copies(exam))),
        *(text for exam in exams for text in observed_warnings(exam, assignment.limits)),
    )


def _work(course: Course, release: Release, folder: Path, student: str, texts: Mapping[str, str]) -> Work:
    submission = folder / student / "submitted"
    submission.mkdir(parents=True)
    write_texts(submission, texts)
    target = folder / student / "autograded"
    work = batch.submission_work(course, release, student, {"proof": student}, submission=submission, target=target)
    return replace(work, scratch=folder / "work")


def _slow_learners(
    exams: Sequence[Exam], work: MakeWork, workers: int, execute: batch.Execute, say: Say
) -> Iterator[str]:
    """Train the solution's networks again with a third of the epochs; name the tests in which they lose points."""
    changed = [with_fewer_epochs(exam) for exam in exams]
    if not any(tests for _, tests in changed):
        return
    say("the solution, trained again for a third of the epochs")
    fewer = tuple(exam for exam, _ in changed)
    slow = work("slow", solution_texts(exams))
    grades = batch.run([replace(slow, exams=fewer)], workers=workers, force=True, execute=execute).grades
    shutil.rmtree(slow.submission.parent, ignore_errors=True)
    for exam, cell, question in (missed for grade in grades for missed in _missed_tests(fewer, grade)):
        if any(exam is of and str(cell.grade_id) in tests for of, tests in changed):
            short = "; ".join(check.message for check in question.checks if check.fraction < 1) or question.message
            yield (
                f"{exam.notebook}, {cell.grade_id}: with a third of the epochs the solution would lose points "
                f"({short}), and so would an honest network that learns more slowly; train longer, or ask for less"
            )


def _is_otters(exam: Exam) -> bool:
    """Tell whether the exam is of an otter notebook, whose visible tests often pass before there is an answer."""
    return any(is_foreign_test(cell.source) for cell in exam.cells if cell.role is Role.TEST)


def _states_of_the_end(exams: Sequence[Exam], grade: Grade) -> Iterator[str]:
    """Name the tests that found objects as they are at the end of the notebook."""
    for exam, notebook in zip(exams, grade.notebooks, strict=True):
        for question in notebook.questions:
            for failure in (one for one in question.failures if one.kind is FailureKind.AT_END):
                reason = " ".join(failure.said)
                finding = "it finds objects as they are at the end of the notebook"
                todo = "if a later cell changes what it reads, let that cell work on a copy, or under another name"
                yield f"{exam.notebook}, {question.id}: {finding}, because {reason}; {todo}"


def _branching(exams: Sequence[Exam], grade: Grade) -> Iterator[str]:
    """Name the tests of layers in which the solution's network has branches: a pattern is one of several orders."""
    for exam, cell, question in _tests(exams, grade):
        if any(check.evidence.get(BRANCHES) is True for check in question.checks):
            free = "students may write the layers of its branches in another order, and what is joined once or apart"
            yield f"{exam.notebook}, {cell.grade_id}: the network of your solution branches: {free}"


def _asking_probabilities(exams: Sequence[Exam], grade: Grade) -> Iterator[str]:
    """Name the tests that ask for probabilities, if one forgotten softmax costs points in several."""
    for exam in exams:
        asking: dict[str, float] = {}
        for of, cell, question in _tests(exams, grade):
            shares = [check.weight for check in question.checks if check.evidence.get(ASKS_PROBABILITIES) is True]
            if of is exam and shares:
                asking[question.id] = cell.points * sum(shares) / sum(check.weight for check in question.checks)
        if len(asking) > 1:
            yield (
                f"{exam.notebook}: a network that ends in scores, without softmax or sigmoid, would lose points in "
                f"{', '.join(asking)} ({sum(asking.values()):g} of {exam.max_score:g}); ask for it once, and rank the "
                "scores elsewhere (check.accuracy), or take them (from_logits=True)"
            )


def _near_thresholds(exams: Sequence[Exam], grade: Grade) -> Iterator[str]:
    """Name the checks whose full credit the solution reaches by less than the noise of the rows."""
    for exam, cell, question in _tests(exams, grade):
        for check in question.checks:
            evidence = check.evidence
            value = evidence.get("loss", evidence.get("accuracy"))
            best, noise = evidence.get("threshold"), evidence.get("standard_error")
            if not all(isinstance(number, float | int) for number in (value, best, noise)) or not noise:
                continue
            if abs(value - best) < _CLOSE * noise:
                yield (
                    f"{exam.notebook}, {cell.grade_id}: {check.name}: the solution reaches {value:.4g}, and full "
                    f"credit begins at {best:g}, nearer than the noise of the rows ({noise:.2g}) shows; "
                    f"`autograder calibrate {exam.assignment}` measures how often chance costs points"
                )


_CLOSE = 2.0
"""Standard errors of the rows within which a threshold is close."""


def _met_by_one_answer(exams: Sequence[Exam], grade: Grade) -> Iterator[str]:
    """Name the checks whose full credit one and the same answer for every row gets."""
    for exam, cell, question in _tests(exams, grade):
        for check in question.checks:
            reached, best = check.evidence.get(CONSTANT), check.evidence.get("threshold")
            sign = 1 if check.evidence.get("higher_is_better") else -1
            if reached is not None and best is not None and sign * reached >= sign * best:
                yield (
                    f"{exam.notebook}, {cell.grade_id}: {check.name}: the same answer for every row reaches "
                    f"{reached:.4g}, and full credit begins at {best:g}, so a network that learned nothing may get it; "
                    "ask for more"
                )


def _failing_without_points(exams: Sequence[Exam], grade: Grade) -> Iterator[str]:
    """Name the tests of zero points that the solution fails: no score tells of them."""
    for exam, cell, question in _tests(exams, grade, worthless=True):
        if question.outcome not in (Outcome.PASSED, Outcome.PARTIAL):
            reason = reason_of(question.failures) or question.message or question.outcome.value
            yield f"{exam.notebook}, {cell.grade_id}: the solution fails this test, which has no points ({reason})"


def _tests(
    exams: Sequence[Exam], grade: Grade, *, worthless: bool = False
) -> Iterator[tuple[Exam, ExamCell, QuestionGrade]]:
    for exam, notebook in zip(exams, grade.notebooks, strict=True):
        questions = {q.id: q for q in notebook.questions}
        for cell in exam.cells:
            if cell.role is Role.TEST and (cell.points > 0) is not worthless:
                yield exam, cell, questions[str(cell.grade_id)]


class _Ran:
    """The cells of a solution that failed, each in words, except those that are meant to."""

    def __init__(self, exam: Exam, graded: Path, seconds: float) -> None:
        self.exam = exam
        self.failed: list[str] = []
        self.lacks_file = False
        """Whether a cell did not find a file or a module."""
        self.to_its_end = True
        """Whether every cell had its turn."""
        for number, (cell, ran) in enumerate(zip(exam.cells, _cells_of(graded), strict=False), 1):
            did = _run_of(ran)
            label = f"cell {number}" + (f" ({cell.grade_id!r})" if cell.grade_id else "")
            if did == "timed_out":
                self.failed.append(f"{label} runs longer than {seconds:g} s and is stopped")
            elif did == "error" and cell.role is not Role.TEST and not raises_exception(cell.metadata):
                self.failed.append(f"{label} raises {_error_of(ran)}")
                self.lacks_file |= any(output.get("ename") in _OF_FILES for output in ran["outputs"])
            self.to_its_end = self.to_its_end and did != "not_run"


_OF_FILES = ("FileNotFoundError", "ModuleNotFoundError")


def _error_of(ran: Mapping[str, Any]) -> str:
    errors = [explained(f"{o['ename']}: {o['evalue']}") for o in ran["outputs"] if o["output_type"] == "error"]
    return one_line(errors[0] if errors else "an error", 300).rstrip(".: ")


def _stopping(notebook: NotebookGrade, cells: _Ran, *, losing: bool) -> str:
    """Return why the solution did not run to its end; empty if it did, or if that costs no points."""
    is_whole = notebook.status == RunStatus.TIMED_OUT and cells.failed and cells.to_its_end
    if notebook.status == RunStatus.CELL_ERROR or is_whole:
        return with_remedy("; ".join(cells.failed) or notebook.message, notebook.status) if losing else ""
    is_complete = notebook.status == RunStatus.COMPLETED
    return "" if is_complete else with_remedy(notebook.message or notebook.status, notebook.status)


def _missed(exams: Sequence[Exam], grade: Grade, ran: Sequence[_Ran]) -> Iterator[str]:
    """Say what the solution misses. A cell that failed is a fault only with a question that loses points."""
    missed = _missed_tests(exams, grade)
    losing = {exam.notebook for exam, _, _ in missed}
    stopped = set()
    for exam, notebook, cells in zip(exams, grade.notebooks, ran, strict=True):
        if reason := _stopping(notebook, cells, losing=exam.notebook in losing):
            stopped.add(exam.notebook)
            lost = [question.id for of, _, question in missed if of is exam and _lacks_name(question)]
            cost = f"; it costs {', '.join(lost)}" if lost else ""
            beside = f"source/{exam.assignment}/, beside the notebook"
            todo = f"; notebooks run with what is released: put the file into {beside}" if cells.lacks_file else ""
            yield f"{exam.notebook}: the solution does not run to its end: {reason}{cost}{todo}"
    for exam, cell, question in missed:
        if exam.notebook in stopped and (_lacks_name(question) or question.outcome is Outcome.SKIPPED):
            continue  # a consequence of the cell that stopped
        of_otter = _is_otters(exam)  # a case of otter's has messages that say nothing of what is wrong
        # The solution is the author's own: a message to a student may be silent where the detail is not.
        short = [(c.name, one_line(c.detail or c.message, MAX_DETAIL)) for c in question.checks if c.fraction < 1]
        checks = "; ".join(f"{name}: {text}" if of_otter else text for name, text in short)
        reason = checks or reason_of(question.failures) or one_line(question.detail, MAX_DETAIL) or question.message
        reason = reason or "nothing failed: the number at the test's end is the score"
        points = f"{question.score:g} of {cell.points:g} points"
        below = _bound_below(exam, cell) if _lacks_name(question) else ()
        reason = "; ".join(filter(None, [reason, *below]))
        yield f"{exam.notebook}, {cell.grade_id}: the solution gets {points} ({reason})"


def _bound_below(exam: Exam, test: ExamCell) -> Iterator[str]:
    """Say which names of a test only a later cell binds."""
    position = exam.cells.index(test)
    bound = [bound_names(cell.source) or frozenset() for cell in exam.cells]
    with suppress(SyntaxError):
        for name in sorted(loaded_names(test.source) - frozenset().union(*bound[: position + 1])):
            later = next((number for number in range(position, len(bound)) if name in bound[number]), None)
            if later is not None:
                yield f"`{name}` is bound in cell {later + 1}, below: move the test behind it"


def _lacks_name(question: QuestionGrade) -> bool:
    return any(failure.kind is FailureKind.UNBOUND for failure in question.failures)


def _given_away(exams: Sequence[Exam], grade: Grade) -> Iterator[tuple[Exam, str]]:
    for exam, cell, question in _tests(exams, grade):
        if question.score > 0 and not has_tag(cell.metadata, GIVEN_TAG):
            points = f"the unchanged release gets {question.score:g} of {cell.points:g} points"
            todo = "let the test need the student's work" + (
                "" if _is_otters(exam) else f", or tag the cell {GIVEN_TAG!r}"
            )
            todo += "".join(
                f"; `{name}` comes from cell {number}, which students get as it is: mark it as an autograded answer"
                for name, number in _of_given_cells(exam, cell)
            )
            yield exam, f"{exam.notebook}, {cell.grade_id}: {points}; {todo}"


def _of_given_cells(exam: Exam, test: ExamCell) -> Iterator[tuple[str, int]]:
    """Yield functions that a test asks, with the cells that define them for everybody, if no answer is asked."""
    names_read: frozenset[str] = frozenset()
    with suppress(SyntaxError):
        names_read = loaded_names(test.source)
    bound = [(number, cell, bound_names(cell.source) or frozenset()) for number, cell in enumerate(exam.cells, 1)]
    if not any(names_read & names for _, cell, names in bound if cell.role is Role.ANSWER):
        for number, cell, names in bound:
            if cell.role is Role.FREE and cell.cell_type == "code":
                yield from ((name, number) for name in sorted(names_read & names) if f"def {name}" in cell.source)


_TWICE = (
    "the solution was run once more, and missed points again; if chance is in it, set a seed in the cell that draws or "
    "trains, and `autograder calibrate` measures how often it misses"
)
_HARMLESS = f"no question loses points by it; mend it, or tag the cell {RAISES!r} (as Jupyter does) if it is meant to"


def proof_folder(course: Course, assignment: str) -> Path:
    """Return the folder with the two runs of the last proof."""
    return course.state / "proof" / assignment
