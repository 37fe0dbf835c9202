"""Audit of an assignment's tests: do they catch wrong answers, and spare right ones?

Mutants of the instructor's answers are graded as students' submissions are: the same plan, sandboxes, templates and
recordings. A mutant that loses points on a question that its answer feeds is caught. One that keeps them is compared
with the solution (:mod:`autograder.extensions.trust.audit_equivalence`): if it behaves the same, it counts nowhere;
else it has survived, and the tests are weak there. Grades stay in ``.autograder/audit/``, so that an audit that was
stopped goes on where it was.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from autograder._util.yaml_record import suggest
from autograder.coordinator import batch
from autograder.coordinator.observation import is_observed
from autograder.errors import CourseError, UsageError
from autograder.extensions.trust.audit_equivalence import ALIKE, DIFFERENT, Comparison, compare, in_sandbox
from autograder.extensions.trust.audit_grading import graded
from autograder.extensions.trust.audit_records import Audit, MutantVerdict, QuestionTally, Result
from autograder.extensions.trust.audit_runs import AuditDisplay, AuditOptions, AuditRuns
from autograder.extensions.trust.audit_training import is_trained, retrained
from autograder.extensions.trust.audit_words import advice, with_remarks
from autograder.extensions.trust.course_keys import audit_floor
from autograder.extensions.trust.mutants import FAMILIES, Mutant, mutants
from autograder.extensions.trust.mutants.feeds import is_tested
from autograder.records.course import Course
from autograder.records.exam import Exam
from autograder.release.record import Release
from autograder.results.report.headings import headings
from autograder.syntax.names import vocabulary

MINUTES, MINUTES_WITH_NETWORKS = 2.0, 10.0
"""Default budgets: of an assignment without networks, and of one that imports a library for them."""
NETWORKS = frozenset({"keras", "tensorflow", "torch", "jax", "pytensor", "lightning"})
SHARE_OF_RUNS, SHARE_OF_COMPARISONS = 0.65, 0.8
"""Shares of the budget at which runs end, and comparisons; the rest is for repeated trainings."""
MIN_SHARE_LEFT = 0.1
"""Share of the budget that must be left, after trainings, for more runs."""
Results = tuple[Result, ...]


def audit(course: Course, release: Release, options: AuditOptions, display: AuditDisplay) -> Audit:
    """Grade mutants of the instructor's answers, and tally which ones each question catches.

    Raises:
        CourseError: no question is graded by tests, or the solution itself loses points.
        UsageError: no question has that id.
        HostError: this machine could not grade the solution.
    """
    began = time.monotonic()
    check(release, options)
    minutes = options.minutes or default_minutes(release)
    with batch.exclusive(course, reads_submissions=False):
        runs = AuditRuns(course, release, options)
        display.says(f"Running the solution of {release.assignment.name}…")
        solution, spent = runs.solution()
        floor = audit_floor(release.assignment)
        answers = mutants(release.exams, options.families, options.questions, options.seed, floor.right, floor.wrong)
        end = began + 60 * minutes
        results = graded(answers, solution, runs, display, began + 60 * minutes * SHARE_OF_RUNS)
        results = _compared(results, runs, display, began + 60 * minutes * SHARE_OF_COMPARISONS)
        results = retrained(results, solution, runs, display, end)
        if len(results) < len(answers) and time.monotonic() < end - 60 * minutes * MIN_SHARE_LEFT:
            earlier = {result.mutant.id: result for result in results}
            more = graded(answers, solution, runs, display, end - 60 * minutes * MIN_SHARE_LEFT / 2)
            results = _compared(tuple(earlier.get(r.mutant.id, r) for r in more), runs, display, end)
    notes = [*_notes(answers, results, minutes, spent, release)]
    if set(options.families) == set(FAMILIES) and not options.questions:
        notes += [*_unknown_changes(answers, "right", floor.right), *_unknown_changes(answers, "wrong", floor.wrong)]
    tallies = tuple(with_remarks(release.exams, _tallies(release.exams, results, options.questions), results))
    return Audit(
        assignment=release.assignment.name,
        seed=options.seed,
        minutes=minutes,
        seconds=time.monotonic() - began,
        made=len(answers),
        results=results,
        questions=tallies,
        notes=tuple(notes),
        floor=floor.caught,
    )


def check(release: Release, options: AuditOptions) -> None:
    """Refuse an assignment that has nothing to audit, and questions that it has not.

    Raises:
        CourseError, UsageError: as for :func:`audit`.
    """
    name = release.assignment.name
    question_ids = [str(cell.grade_id) for exam in release.exams for cell in exam.cells if is_tested(cell)]
    if not question_ids:
        raise CourseError(
            f"{name}: no test cell has points, so there is nothing to audit; "
            "write a test (docs/how-to/write-hidden-tests.md) and give it points"
        )
    for question in options.questions:
        if question not in question_ids:
            raise UsageError(f"{name} has no question {question!r} with tests{suggest(question, question_ids)}")


def default_minutes(release: Release) -> float:
    """Return the default budget in minutes."""
    libraries = {name.split(".")[0] for exam in release.exams for name in vocabulary(exam).modules}
    return MINUTES_WITH_NETWORKS if libraries & NETWORKS else MINUTES


def _compared(results: Results, runs: AuditRuns, display: AuditDisplay, deadline: float) -> Results:
    """Compare survivors, and honest rewrites that lost points, with the solution."""
    open_verdicts = (MutantVerdict.SURVIVED, MutantVerdict.LOST)
    # What course.yaml calls right or wrong is so, and a result in another form differs from the solution's.
    doubtful = [
        result.mutant
        for result in results
        if result.verdict in open_verdicts and not result.is_decided and not _is_given(result.mutant)
    ]
    if not doubtful or time.monotonic() >= deadline:
        return results
    display.says(f"Comparing {len(doubtful)} answers with the solution…")
    start = runs.options.start or partial(in_sandbox, runs.course, runs.complete)
    comparisons = compare(runs.complete, doubtful, start, deadline, runs.options.seed)
    return tuple(_decided(result, comparisons.get(result.mutant.id)) for result in results)


def _is_given(mutant: Mutant) -> bool:
    """Tell whether the worth of an answer is known without a comparison."""
    return mutant.is_allowed or mutant.is_forbidden or mutant.is_right_as_made


def _decided(result: Result, comparison: Comparison | None) -> Result:
    """Add to a result what a comparison with the solution showed."""
    if comparison is None or result.verdict not in (MutantVerdict.SURVIVED, MutantVerdict.LOST):
        return result
    if result.verdict is MutantVerdict.LOST:
        is_wrong = comparison.verdict == DIFFERENT and not is_trained(result.mutant)
        return replace(result, verdict=MutantVerdict.WITHDRAWN, reason=comparison.why) if is_wrong else result
    if comparison.verdict == ALIKE:
        return replace(result, verdict=MutantVerdict.EQUIVALENT, reason=comparison.why)
    is_decided = comparison.verdict == DIFFERENT and not is_trained(result.mutant)
    return replace(
        result,
        reason=comparison.why if is_decided else result.reason,
        is_decided=is_decided,
        advice=advice(result.mutant, comparison),
    )


def _tallies(exams: Sequence[Exam], results: Sequence[Result], only: Sequence[str]) -> Iterator[QuestionTally]:
    for exam in exams:
        titles = headings((cell.cell_type, cell.source, cell.grade_id) for cell in exam.cells)
        for cell in exam.cells:
            name = str(cell.grade_id)
            if not is_tested(cell) or (only and name not in only):
                continue
            fed = [r for r in results if r.mutant.notebook == exam.notebook and name in r.mutant.feeds.direct]
            caught = [r for r in fed if r.verdict is MutantVerdict.CAUGHT]
            honest = [r for r in fed if r.verdict in (MutantVerdict.SPARED, MutantVerdict.LOST)]
            yield QuestionTally(
                id=name,
                notebook=exam.notebook,
                title=titles.get(name, ""),
                points=cell.points,
                caught=sum(r.is_caught_by(name) for r in caught),
                by_others=sum(not r.is_caught_by(name) for r in caught),
                survived=sum(r.verdict is MutantVerdict.SURVIVED for r in fed),
                honest=len(honest),
                lost=sum(r.is_caught_by(name) for r in honest),
            )


def _unknown_changes(answers: Sequence[Mutant], key: str, changes: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Name what course.yaml calls right or wrong, and no operator makes."""
    for answer, entries in changes.items():
        of_answer = [mutant for mutant in answers if mutant.cell == answer]
        for entry in entries:
            if not any(mutant.is_named(entry) for mutant in of_answer):
                near = suggest(entry, {mutant.operator for mutant in of_answer})
                yield f"{key!r} in 'audit' of course.yaml: nothing makes {entry!r} of {answer!r}{near}"


def _notes(
    answers: Sequence[Mutant], results: Sequence[Result], minutes: float, seconds: float, release: Release
) -> Iterator[str]:
    """Say what the audit left out, and why."""
    if not answers:
        yield "no operator applies to the answers: nothing was tried"
    elif not results:
        yield (
            f"{minutes:g} minutes are too few: the solution alone takes {seconds:.0f} s, and none of {len(answers)} "
            "answers was run; allow more with --minutes"
        )
    elif len(results) < len(answers):
        yield (
            f"{len(results)} of {len(answers)} answers were run in {minutes:g} minutes, a sample of all families, "
            "answers and operators; with more --minutes, the next audit goes on from there"
        )
    yield from unobserved(release)
    tests = [cell for exam in release.exams for cell in exam.cells if is_tested(cell)]
    visible = [str(cell.grade_id) for cell in tests if cell.source == cell.released and not cell.file]
    if len(visible) == len(tests):
        yield "no test is hidden: students see all tests, and can write answers for these cases alone"
    elif visible:
        yield f"no part of {', '.join(visible)} is hidden: students can write answers for these cases alone"
    undecided = sum(result.verdict is MutantVerdict.SURVIVED and not result.is_decided for result in results)
    if undecided:
        yield (
            f"of {undecided} survivors it is not known whether they behave as the solution does: nothing that "
            "tests measure tells, or there was no time to train them again; they count as survivors"
        )
    not_graded = [result for result in results if result.verdict is MutantVerdict.NOT_GRADED]
    if not_graded:
        yield f"{len(not_graded)} answers could not be graded on this machine: {not_graded[0].reason}"


def unobserved(release: Release) -> Iterator[str]:
    """Say where no types of results are known, so that none is tried in another form."""
    if not is_observed(release.exams):
        yield (
            "the solution was not seen running, so the types of its results are not known: no result was tried in "
            "another form, and of models, tables and numbers there are no cheats"
        )
        return
    tests = [cell for exam in release.exams for cell in exam.cells if is_tested(cell)]
    if in_kernel := [str(cell.grade_id) for cell in tests if cell.in_kernel]:
        verb = "runs" if len(in_kernel) == 1 else "run"
        yield (
            f"{', '.join(in_kernel)} {verb} in the student's kernel, where no types of results are observed: none was "
            "tried in another form"
        )
