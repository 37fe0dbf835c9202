"""Grading of mutants: several in one notebook where none can reach another's questions, and a verdict on each."""

from __future__ import annotations

import ast
import contextlib
import difflib
import json
import time
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from autograder._util.digests import digest
from autograder._util.syntax import parsed
from autograder._util.text import one_line
from autograder.coordinator import batch
from autograder.coordinator.pool import in_processes, prestart_templates
from autograder.exchange.work import Work
from autograder.extensions.trust.audit_records import Loss, MutantVerdict, Result
from autograder.extensions.trust.audit_runs import AuditDisplay, AuditRuns, runs_that_fit, until
from autograder.extensions.trust.mutants import Mutant
from autograder.extensions.trust.mutants.result_forms import AS_FLOATS
from autograder.records.exam import Exam
from autograder.records.failures import NOTES
from autograder.records.grade import Grade, NotGraded
from autograder.records.run import RunStatus

Pack = tuple[Mutant, ...]
"""Mutants of one notebook that is graded: of different answers, which feed no question in common."""
MORE_THAN_FIT = 3
"""A mutant may take less time than the solution: so many times the runs that fit into the time are planned."""
_RAN = frozenset({RunStatus.COMPLETED.value, RunStatus.CELL_ERROR.value})


def packed(mutants: Sequence[Mutant]) -> list[Pack]:
    """Put each mutant into the first pack that it fits into.

    Wrong answers go with wrong ones, and honest ones with honest ones. The beginning of a list is always packed in the
    same way.
    """
    packs: list[list[Mutant]] = []
    for mutant in mutants:
        fitting = (pack for pack in packs if all(_are_apart(mutant, other) for other in pack))
        pack = next(fitting, None)
        if pack is None:
            packs.append([mutant])
        else:
            pack.append(mutant)
    return [tuple(pack) for pack in packs]


def _are_apart(first: Mutant, second: Mutant) -> bool:
    if first.notebook != second.notebook:
        return first.is_honest == second.is_honest
    return (
        first.is_honest == second.is_honest
        and first.cell != second.cell
        and not set(first.feeds.every) & set(second.feeds.every)
    )


def graded(
    mutants: Sequence[Mutant], solution: Grade, runs: AuditRuns, display: AuditDisplay, deadline: float
) -> tuple[Result, ...]:
    """Grade as many mutants as the time allows, in their order."""
    seconds_per_run = max(0.1, sum(book.wall_seconds for book in solution.notebooks))
    seconds_left = deadline - time.monotonic()
    if seconds_left <= 0 or not mutants:
        return ()
    endless = [mutant for mutant in mutants if may_be_endless(mutant)]
    apart = [*packed([mutant for mutant in mutants if mutant not in endless]), *packed(endless)]
    packs = apart[: MORE_THAN_FIT * runs_that_fit(seconds_left, seconds_per_run, runs.options.workers or 2)]
    names = [mutant.id for pack in packs for mutant in pack]
    results: dict[str, Result] = {}
    doubtful: list[Mutant] = []
    with display.running(names, runs.options.workers or 2, seconds_left) as advance:

        def take(pack: Pack, outcome: Grade | NotGraded) -> None:
            for mutant in pack:
                result = judged(mutant, outcome, solution, runs.complete.exams)
                if result.verdict is MutantVerdict.SURVIVED and raises(
                    mutant, runs.folder / _name(pack) / "autograded"
                ):
                    result = _raised_alone(result)
                if len(pack) > 1 and needs_a_run_alone(result, outcome):
                    doubtful.append(mutant)
                else:
                    results[mutant.id] = result
                    advance(mutant.id, result)

        _grade(packs, runs, deadline, take)
        _grade([(mutant,) for mutant in doubtful], runs, deadline, take)
    return tuple(results[name] for name in names if name in results)


def may_be_endless(mutant: Mutant) -> bool:
    """Tell whether a wrong answer may loop for ever, as a line of a ``while`` was changed."""
    if mutant.is_honest or (tree := parsed(mutant.before)) is None:
        return False
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.While)]
    if not loops:
        return False
    matcher = difflib.SequenceMatcher(None, mutant.before.split("\n"), mutant.after.split("\n"), autojunk=False)
    changed = [(start + 1, max(start + 1, end)) for tag, start, end, *_ in matcher.get_opcodes() if tag != "equal"]
    return any(first <= (node.end_lineno or 0) and last >= node.lineno for node in loops for first, last in changed)


def needs_a_run_alone(result: Result, outcome: Grade | NotGraded) -> bool:
    """Tell whether a result may be another mutant's fault in its pack: a broken run, an honest loss."""
    if isinstance(outcome, NotGraded) or result.verdict in (MutantVerdict.LOST, MutantVerdict.ASKED):
        return True
    return any(book.status not in _RAN for book in outcome.notebooks)


def _grade(
    packs: Sequence[Pack], runs: AuditRuns, deadline: float, take: Callable[[Pack, Grade | NotGraded], None]
) -> None:
    """Grade packs; those with a current grade are not run again."""
    by_name = {_name(pack): pack for pack in packs}
    works = [runs.work(name, _answers(pack)) for name, pack in by_name.items()]
    current = {work.student: grade for work in works if (grade := batch.current(work)) is not None}
    for name, grade in current.items():
        take(by_name[name], grade)
    due = [work for work in works if work.student not in current]
    if due:
        with _templates(due, runs.options.execute):
            batch.run(
                due,
                workers=runs.options.workers or batch.worker_count(works),
                progress=lambda name, outcome: take(by_name[name], outcome),
                execute=until(deadline, runs.options.execute),
            )


def _name(pack: Pack) -> str:
    return pack[0].id if len(pack) == 1 else f"pack-{digest([one.id for one in pack])[:12]}"


def _answers(pack: Pack) -> Mapping[tuple[str, str], str]:
    return {(one.notebook, one.cell): one.after for one in pack}


def _templates(due: Sequence[Work], execute: batch.Execute) -> contextlib.AbstractContextManager[object]:
    """Start templates for all runs, where processes do the work."""
    return prestart_templates(due) if execute is in_processes else contextlib.nullcontext()


def judged(mutant: Mutant, outcome: Grade | NotGraded, solution: Grade, exams: Sequence[Exam]) -> Result:
    """Compare a mutant's grade with the solution's; the exams tell which lines of tests students have."""
    if isinstance(outcome, NotGraded):
        return Result(mutant, MutantVerdict.NOT_GRADED, reason=one_line(outcome.reason, 300))
    losses = tuple(_losses(mutant, outcome, solution, _shown_lines(mutant, exams)))
    raised = bool(losses) and all(_raised(loss.question, outcome) for loss in losses)
    if losses and mutant.is_another_form and all(loss.is_shown for loss in losses):
        return Result(mutant, MutantVerdict.WITHDRAWN, losses, raised, reason=_FORM_IS_SHOWN)
    if raised and mutant.is_honest and mutant.operator == AS_FLOATS:
        return Result(mutant, MutantVerdict.WITHDRAWN, losses, raised, reason=_ARE_PLACES)
    if mutant.is_honest:
        if losses and mutant.is_question:
            return Result(mutant, MutantVerdict.ASKED, losses, raised, reason=_IS_FIXED.format(mutant.asks))
        return Result(mutant, MutantVerdict.LOST if losses else MutantVerdict.SPARED, losses, raised)
    if losses and mutant.family != "cheat" and all(_ends_with(_MISSING, loss.question, outcome) for loss in losses):
        return Result(mutant, MutantVerdict.MISSING, losses, raised, reason=_ONLY_MISSING)
    return Result(mutant, MutantVerdict.CAUGHT if losses else MutantVerdict.SURVIVED, losses, raised)


_FORM_IS_SHOWN = "a visible test shows students that another form is wanted"
_IS_FIXED = (
    "Does your task fix {}? If it does, say so in its text; if not, let the test allow both, or name "
    "the change under `right` in course.yaml."
)
_ARE_PLACES = "these numbers are used as places or lengths, which floats cannot be"
_MISSING = frozenset({"NameError", "UnboundLocalError", "AttributeError"})
_ONLY_MISSING = "it is caught only because a name or an attribute is missing"


def raises(mutant: Mutant, graded: Path) -> bool:
    """Tell whether the mutant's own cell raised, by the notebook that grading wrote to the folder ``graded``."""
    try:
        cells = json.loads((graded / f"{mutant.notebook}.ipynb").read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError):
        return False
    metadata = [
        cell["metadata"] for cell in cells if cell["metadata"].get("nbgrader", {}).get("grade_id") == mutant.cell
    ]
    return any(one.get("autograder", {}).get("run") == "error" for one in metadata)


def _raised_alone(result: Result) -> Result:
    """Note that a survivor's cell raises; withdraw cheats, which only append to the right answer."""
    if result.mutant.family == "cheat":
        return replace(result, verdict=MutantVerdict.WITHDRAWN, reason=_NO_CHEAT)
    return replace(result, reason=_RAISES)


_NO_CHEAT = "the cheat itself raises an error here, after the right answer was made"
_RAISES = "its cell raises an error, and no question loses points by it"


def _shown_lines(mutant: Mutant, exams: Sequence[Exam]) -> dict[str, frozenset[str]]:
    """Return question → lines of its test that students have, in a mutant's notebook."""
    cells = [cell for exam in exams if exam.notebook == mutant.notebook for cell in exam.cells]
    return {str(cell.grade_id): frozenset(map(str.strip, cell.released.splitlines())) - {""} for cell in cells}


def _losses(mutant: Mutant, grade: Grade, solution: Grade, shown_lines: Mapping[str, frozenset[str]]) -> Iterator[Loss]:
    """Yield what a mutant lost on the questions that its answer feeds."""
    for book, right in zip(grade.notebooks, solution.notebooks, strict=True):
        wanted = {question.id: question.score for question in right.questions}
        for question in book.questions if book.notebook == mutant.notebook else ():
            lost = wanted[question.id] - question.score
            if question.id in mutant.feeds.every and lost > 1e-9:
                ends = (one.code.strip() for one in question.failures if one.kind not in NOTES and not one.leads_on)
                is_shown = next(ends, "") in shown_lines.get(question.id, frozenset())
                yield Loss(question.id, lost, one_line(question.message, 500), is_shown)


def _raised(question: str, grade: Grade) -> bool:
    """Tell whether points were lost by an exception, and not because a result was wrong."""
    error = _error(question, grade)
    return error not in ("", "AssertionError")


def _ends_with(errors: Container[str], question: str, grade: Grade) -> bool:
    return _error(question, grade) in errors


def _error(question: str, grade: Grade) -> str:
    """Return the name of the exception that a question ended with; empty without one."""
    graded = next((q for book in grade.notebooks for q in book.questions if q.id == question), None)
    types = [failure.type for failure in graded.failures if failure.type] if graded is not None else []
    return types[-1].rpartition(".")[2] if types else ""
