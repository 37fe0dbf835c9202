"""Proof of a release: the instructor's solution must get full marks, and the unchanged release no points.

Both go through the pipeline of students' submissions. So a hidden test that cannot be examined, a threshold that the
solution itself misses, and points without any work are found before students have the notebook.

The solution runs first with everything allowed, and what it does is observed. Then it runs as a student's, with what
was observed, and is observed again: its generators have other states now. The record has what either run showed. Only
if chance costs the solution points, there are further runs.
"""

from __future__ import annotations

import itertools
import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from autograder._util.text import one_line
from autograder.coordinator import batch, observation
from autograder.coordinator.mutants import Mutant, mutants, tests_of
from autograder.coordinator.pool import in_processes, prestart_templates
from autograder.coordinator.slow_learners import with_fewer_epochs
from autograder.errors import CourseError, HostError, ProofError
from autograder.exchange.work import Work
from autograder.lint.copies import compared_copies
from autograder.records.checks import AT_END, Outcome
from autograder.records.course import Assignment, Course
from autograder.records.exam import RAISES, Exam, ExamCell, Role, raises_exception
from autograder.records.grade import Grade, QuestionGrade
from autograder.records.observations import WIDE, Act, Fact, Observations
from autograder.records.run import RunStatus
from autograder.release.build import notebook_text
from autograder.release.exam import solution_notebook
from autograder.release.explanation import sentence
from autograder.release.formats import is_foreign_test
from autograder.release.record import Release
from autograder.submissions.surroundings import explained

MAX_SOLUTION_SECONDS = 20.0
"""Longest run of the solution after which weak answers are tried; there are at most four more runs."""
UNCHANGED_GETS = "the unchanged release gets"
"""Words of a warning about points without work."""
GIVEN = "given"
"""Tag of a test cell whose points the unchanged release may get."""


@dataclass(frozen=True)
class Proof:
    """Result of a proof."""

    release: Release
    """The release, with what the solution was seen to do in its exams."""
    warnings: tuple[str, ...]


def prove(course: Course, release: Release, *, workers: int = 2, execute: batch.Execute = in_processes) -> Proof:
    """Grade the solution and the unchanged release, and compare their points with what a release needs.

    Args:
        course: the course.
        release: the release that is to be written.
        workers: submissions at a time.
        execute: does the work, as for :func:`autograder.coordinator.batch.run`.

    Returns:
        The release with the record of observations, which is kept for grading, and warnings. These name the solution's
        cells that raise, where no question loses points by it, and tests of zero points that fail. They name tests that
        give full marks to functions which only return None, 0, zeros or their input. They name tests in which the
        solution fails if it is trained again for a third of the epochs. They name tests that see objects as they are at
        the notebook's end, and comparisons that no student's function can fail.

    Raises:
        ProofError: names every question that the solution misses or that needs no work, with the examiner's detail.
        HostError: this machine could not grade them.
    """
    assignment = release.assignment
    folder = proof_folder(course, assignment.name)
    shutil.rmtree(folder, ignore_errors=True)
    solution_texts = {n.name: notebook_text(solution_notebook(n.exam)) for n in release.notebooks}
    release_texts = {n.name: n.text for n in release.notebooks}
    first = _work(course, release, folder, "solution", solution_texts)
    unchanged = _work(course, release, folder, "unchanged", release_texts)
    with prestart_templates([first, unchanged], force=True) if execute is in_processes else nullcontext():
        release = _observed(release, first, folder, execute)
        works = [replace(work, exams=release.exams) for work in (replace(first, observe=True), unchanged)]
        solution, blank = _graded(assignment, works, workers, execute)
        release, varying = _joined(release, observation.read(works[0]))
        if _missed_tests(release.exams, solution):
            release = _observed(release, first, folder, execute)
            again = replace(first, exams=release.exams)
            (solution,) = _graded(assignment, [again], workers, execute)
        proof = _proof(course, release, folder, solution, blank, workers, execute)
        return replace(proof, warnings=(*proof.warnings, *varying))


def _observed(release: Release, work: Work, folder: Path, execute: batch.Execute) -> Release:
    """Run the solution with everything allowed; return the release with what it did, beside what is known."""
    observing = observation.observing(replace(work, exams=release.exams), folder / "observed")
    _graded(release.assignment, [observing], 1, execute)
    observed = observation.read(observing)
    shutil.rmtree(folder / "observed", ignore_errors=True)
    return _joined(release, observed)[0]


def _joined(release: Release, observed: Sequence[Observations]) -> tuple[Release, list[str]]:
    """Return the release with the facts of one more run, and notes on facts of one run only."""
    recorded = [exam.observations or Observations() for exam in release.exams]
    pairs = list(zip(recorded, observed, strict=True))
    joined = observation.with_record(release, [old | new for old, new in pairs])
    varying = [set(old.facts) ^ set(new.facts) for old, new in pairs]
    return joined, [note for exam, facts in zip(joined.exams, varying, strict=True) for note in _by_chance(exam, facts)]


_IN_BOTH_RUNS = frozenset({Act.CHANGES, Act.GETS, Act.GIVES, Act.DRAWS, Act.QUERIES, Act.WRITES})
"""Facts that both runs record. Others need that everything is allowed, or slow calls down."""


def _by_chance(exam: Exam, facts: Set[Fact]) -> Iterator[str]:
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


def _proof(
    course: Course,
    release: Release,
    folder: Path,
    solution: Grade,
    unchanged: Grade,
    workers: int,
    execute: batch.Execute,
) -> Proof:
    """Compare the points of both runs with what a release needs; see :func:`prove`."""
    assignment, exams = release.assignment, release.exams
    raised = [_raised(exam, folder / "solution" / "autograded" / f"{exam.notebook}.ipynb") for exam in exams]
    gifts = [(exam, text) for exam, text in _given_away(exams, unchanged)]
    faults = [*_missed(exams, solution, raised), *(text for exam, text in gifts if not _is_otters(exam))]
    if faults:
        listed = "".join(f"\n  - {fault}" for fault in faults)
        report_folder = folder.relative_to(course.root) if folder.is_relative_to(course.root) else folder
        raise ProofError(
            f"{assignment.name} does not prove itself:{listed}\nBoth runs, with all details: {report_folder}/"
        )
    observation.keep(course, release)
    errors = [(exam.notebook, said) for exam, each in zip(exams, raised, strict=True) for said in each]
    warnings = (
        *(f"{notebook}: {said}; {_HARMLESS}" for notebook, said in errors),
        *_failing_without_points(exams, solution),
        *(text for exam, text in gifts if _is_otters(exam)),
        *_weak_answers(course, release, folder, solution, workers, execute),
        *_slow_learners(course, release, folder, workers, execute),
        *_states_of_the_end(exams, solution),
        *(f"{exam.notebook}, {finding}" for exam in exams for finding in compared_copies(exam)),
        *(text for exam in exams for text in _wide_integers(exam)),
    )
    return Proof(release, warnings)


def _work(course: Course, release: Release, folder: Path, student: str, texts: Mapping[str, str]) -> Work:
    submission = folder / student / "submitted"
    submission.mkdir(parents=True)
    for name, text in texts.items():
        (submission / f"{name}.ipynb").write_text(text, encoding="utf-8")
    target = folder / student / "autograded"
    return batch.submission_work(course, release, student, {"proof": student}, submission=submission, target=target)


def _weak_answers(
    course: Course, release: Release, folder: Path, solution: Grade, workers: int, execute: batch.Execute
) -> list[str]:
    """Try the solution with functions that do nothing; name the questions whose tests give them full marks."""
    tried = list(mutants(release.exams))
    seconds = sum(book.wall_seconds for book in solution.notebooks)
    if tried and seconds > MAX_SOLUTION_SECONDS:
        limit = (
            f"only where the solution runs in less than {MAX_SOLUTION_SECONDS:g} s, and this one took {seconds:.0f} s"
        )
        return [f"weak answers (functions that return None, 0, their input) were not tried: {limit}"]
    works = []
    for number, mutant in enumerate(tried):
        texts = {exam.notebook: notebook_text(solution_notebook(exam)) for exam in mutant.exams}
        works.append(_work(course, release, folder, f"weak-{number}", texts))
    batch_result = batch.run(works, workers=workers, force=True, execute=execute)
    graded = {grade.student: grade for grade in batch_result.grades}
    gifts: list[str] = []
    for number, mutant in enumerate(tried):
        if (grade := graded.get(f"weak-{number}")) is not None:
            gifts += _unnoticed(release.exams, mutant, grade)
        shutil.rmtree(folder / f"weak-{number}", ignore_errors=True)
    return gifts


def _slow_learners(course: Course, release: Release, folder: Path, workers: int, execute: batch.Execute) -> list[str]:
    """Train the solution's networks again with a third of the epochs; name the tests in which they lose points."""
    changed = [with_fewer_epochs(exam) for exam in release.exams]
    if not any(tests for _, tests in changed):
        return []
    texts = {exam.notebook: notebook_text(solution_notebook(exam)) for exam in release.exams}
    exams = tuple(exam for exam, _ in changed)
    work = replace(_work(course, release, folder, "slow", texts), exams=exams)
    batch_result = batch.run([work], workers=workers, force=True, execute=execute)
    shutil.rmtree(folder / "slow", ignore_errors=True)
    warnings = []
    for exam, cell, question in (missed for grade in batch_result.grades for missed in _missed_tests(exams, grade)):
        if any(exam is other and str(cell.grade_id) in tests for other, tests in changed):
            short = "; ".join(check.message for check in question.checks if check.fraction < 1) or question.message
            warnings.append(
                f"{exam.notebook}, {cell.grade_id}: with a third of the epochs the solution would lose points "
                f"({short}), and so would an honest network that learns more slowly; train longer, or ask for less"
            )
    return warnings


def _unnoticed(exams: Sequence[Exam], mutant: Mutant, grade: Grade) -> Iterator[str]:
    """Name the functions of a mutant whose tests all give full marks."""
    for exam, book, functions in zip(exams, grade.notebooks, mutant.functions, strict=True):
        scores = {question.id: question.score for question in book.questions}
        for function in sorted(functions):
            tests = tests_of(exam, function)
            is_gift = any(GIVEN in cell.metadata.get("tags", ()) for cell in tests)
            if not is_gift and all(scores[str(cell.grade_id)] >= cell.points - 1e-9 for cell in tests):
                test_names = ", ".join(str(cell.grade_id) for cell in tests)
                yield (
                    f"{exam.notebook}, {test_names}: an answer whose {function}() only {mutant.kind} gets full marks; "
                    "let a test call it with something for which that is wrong"
                )


def _is_otters(exam: Exam) -> bool:
    """Tell whether the exam is of an otter notebook, whose visible tests often pass before there is an answer."""
    return any(is_foreign_test(cell.source) for cell in exam.cells if cell.role is Role.TEST)


def _wide_integers(exam: Exam) -> Iterator[str]:
    """Name the tests in which answers may have integers that wrap, because the solution's are as large."""
    facts = exam.observations.facts if exam.observations is not None else ()
    wide = [fact for fact in facts if fact.act is Act.GIVES and fact.value == WIDE]
    for cell in exam.cells:
        if any(fact.is_of(str(cell.grade_id)) for fact in wide):
            yield (
                f"{exam.notebook}, {cell.grade_id}: the solution has numbers beyond 2**31 here, so an answer may, too; "
                "differences and squares of numpy's 64 bits wrap, so compare with ==, or as floats"
            )


def _states_of_the_end(exams: Sequence[Exam], grade: Grade) -> Iterator[str]:
    """Name the tests that found objects as they are at the end of the notebook."""
    for exam, notebook in zip(exams, grade.notebooks, strict=True):
        for question in notebook.questions:
            if question.detail.startswith(AT_END):
                reason = question.detail.partition("\n")[0].removeprefix(AT_END).rstrip(".")
                finding = "it finds objects as they are at the end of the notebook"
                yield f"{exam.notebook}, {question.id}: {finding}, because {reason}"


def _failing_without_points(exams: Sequence[Exam], grade: Grade) -> Iterator[str]:
    """Name the tests of zero points that the solution fails: no score tells of them."""
    for exam, cell, question in _tests(exams, grade, worthless=True):
        if question.outcome not in (Outcome.PASSED, Outcome.PARTIAL):
            reason = _reason(question.detail) or question.message or question.outcome.value
            yield f"{exam.notebook}, {cell.grade_id}: the solution fails this test, which has no points ({reason})"


def _tests(
    exams: Sequence[Exam], grade: Grade, *, worthless: bool = False
) -> Iterator[tuple[Exam, ExamCell, QuestionGrade]]:
    for exam, notebook in zip(exams, grade.notebooks, strict=True):
        questions = {q.id: q for q in notebook.questions}
        for cell in exam.cells:
            if cell.role is Role.TEST and (cell.points > 0) is not worthless:
                yield exam, cell, questions[str(cell.grade_id)]


def _raised(exam: Exam, graded: Path) -> list[str]:
    """Say which cells raise, each with its error, that are not marked as meant to."""
    cells = json.loads(graded.read_text(encoding="utf-8"))["cells"] if graded.is_file() else []
    raising = []
    for number, (cell, ran) in enumerate(zip(exam.cells, cells, strict=False), 1):
        did = ran["metadata"].get("autograder", {}).get("run")
        if did == "error" and cell.role is not Role.TEST and not raises_exception(cell.metadata):
            errors = [explained(f"{o['ename']}: {o['evalue']}") for o in ran["outputs"] if o["output_type"] == "error"]
            label = f"cell {number}" + (f" ({cell.grade_id!r})" if cell.grade_id else "")
            raising.append(f"{label} raises {one_line(errors[0] if errors else 'an error', 300).rstrip('.: ')}")
    return raising


def _missed(exams: Sequence[Exam], grade: Grade, raised: list[list[str]]) -> Iterator[str]:
    """Say what the solution misses. A cell that raises is a fault only with a question that loses points."""
    missed = _missed_tests(exams, grade)
    losing = {exam.notebook for exam, _, _ in missed}
    stopped = set()
    for exam, notebook, cells in zip(exams, grade.notebooks, raised, strict=True):
        if notebook.status == RunStatus.CELL_ERROR and exam.notebook in losing:
            stopped.add(exam.notebook)
            yield f"{exam.notebook}: the solution does not run to its end: {'; '.join(cells) or notebook.message}"
        elif notebook.status not in (RunStatus.COMPLETED, RunStatus.CELL_ERROR):
            stopped.add(exam.notebook)
            yield f"{exam.notebook}: the solution does not run to its end: {notebook.message or notebook.status}"
    for exam, cell, question in missed:
        if exam.notebook in stopped and _UNBOUND in question.detail:
            continue  # a consequence of the cell that stopped
        of_otter = _is_otters(exam)  # a case of otter's has messages that say nothing of what is wrong
        short = [c for c in question.checks if c.fraction < 1]
        checks = "; ".join(f"{c.name}: {one_line(c.detail, 300)}" if of_otter else c.message for c in short)
        reason = checks or _reason(question.detail) or question.message
        points = f"{question.score:g} of {cell.points:g} points"
        yield f"{exam.notebook}, {cell.grade_id}: the solution gets {points} ({reason})"


def _given_away(exams: Sequence[Exam], grade: Grade) -> Iterator[tuple[Exam, str]]:
    for exam, cell, question in _tests(exams, grade):
        if question.score > 0 and GIVEN not in cell.metadata.get("tags", ()):
            points = f"{UNCHANGED_GETS} {question.score:g} of {cell.points:g} points"
            todo = "let the test need the student's work" + ("" if _is_otters(exam) else f", or tag the cell {GIVEN!r}")
            yield exam, f"{exam.notebook}, {cell.grade_id}: {points}; {todo}"


def _reason(detail: str) -> str:
    """Return the line of the test that ended it, and why.

    For example: ``line 2: assert f(1) == 3: AssertionError; f(1) is 2``.
    """
    first = detail[detail.find(_TRACEBACK) :].split(f"\n{_TRACEBACK}")[0].strip().splitlines()
    frames = [index for index, line in enumerate(first) if line.startswith('  File "')]
    position = next((f"line {m[1]}: {first[i + 1].strip()}: " for i in frames if (m := _IN_TEST.match(first[i]))), "")
    ending = [line for line in first[frames[-1] + 1 :] if not line.startswith(" ")] if frames else first[-2:]
    message = "; ".join(itertools.takewhile(bool, ending)).removeprefix(_COURSE_ERROR)
    if refused := _REFUSED_IN_SQL.search(detail):  # SQLite's own exception does not say which code was refused
        message = refused[1]
    return position + (message if len(message) <= 500 else message[:499] + "…")


_HARMLESS = f"no question loses points by it; mend it, or tag the cell {RAISES!r} (as Jupyter does) if it is meant to"
_UNBOUND = "\nNameError: name "
_TRACEBACK = "Traceback (most recent call last):"
_IN_TEST = re.compile(r'  File "<test [^"]*>", line (\d+)')
_REFUSED_IN_SQL = re.compile(r"^(.* is refused in SQL: .*)$", re.MULTILINE)
_COURSE_ERROR = f"{CourseError.__module__}.{CourseError.__qualname__}: "


def proof_folder(course: Course, assignment: str) -> Path:
    """Return the folder with the two runs of the last proof."""
    return course.state / "proof" / assignment
