"""Exams of one answer and its tests, run and examined without a sandbox."""

from __future__ import annotations

import dataclasses

from autograder.examiner.ended_cells import ended_cells
from autograder.examiner.exam_run import ExamRun
from autograder.examiner.namespace import Answers
from autograder.examiner.origin import Origins, asked_names
from autograder.examiner.permissions import Observer, Permissions
from autograder.examiner.remote.proxy import Remote
from autograder.examiner.wording import Wording, public_words
from autograder.execution.capture import ExtraCaptures
from autograder.execution.freezing import following
from autograder.execution.notebook_run import NAMES_ONLY, execute
from autograder.records.exam import Role
from autograder.records.limits import Limits
from autograder.syntax.names import needs, vocabulary
from helpers.exams import composed_of, exam_of
from helpers.kernels import InProcessKernel


def no_models(claim, weights):
    raise ValueError("no models here")


def graded(
    exam,
    kernel=InProcessKernel,
    hidden=None,
    seconds=5.0,
    total_seconds=60.0,
    waited=lambda: 0.0,
    limits=None,
    honest=None,
    **answers,
):
    """Run and examine; the list of the test cells' results.

    Unless the exam says what its solution was seen to do, the solution runs first: in ``honest``, if ``kernel`` lies.
    """
    more = {"hidden": hidden, "seconds": seconds, "total_seconds": total_seconds, "waited": waited, "limits": limits}
    if exam.observations is None:
        exam = dataclasses.replace(exam, observations=_observed_once(exam, kernel=honest or kernel, **more))
    return examined(exam, Permissions(exam.observations), kernel=kernel, **more, **answers)


_seen = {}
"""What solutions were seen to do, by their exams and how they ran: many answers to one exam need one run of it."""


def _observed_once(exam, **more):
    key = (repr(exam), *more.values())
    if key not in _seen:
        _seen[key] = observed(exam, **more)
    return _seen[key]


def observed(exam, allowed=None, **more):
    """What the exam's solution is seen to do, if everything is allowed, or only what is in ``allowed``."""
    observer = Observer(allowed)
    solutions = {str(cell.grade_id): cell.source for cell in exam.cells if cell.role in (Role.ANSWER, Role.MANUAL)}
    examined(exam, observer, **more, **solutions)
    return observer.observations


def examined(
    exam,
    permissions,
    *,
    kernel=InProcessKernel,
    hidden=None,
    seconds=5.0,
    total_seconds=60.0,
    waited=None,
    limits=None,
    rebuild=None,
    tells_ended=False,
    **answers,
):
    """Run and examine with permissions; the list of the test cells' results.

    ``rebuild`` makes networks of what tests look at; without it there are none. With ``tells_ended``, messages say which
    cell ended before it made a name.
    """
    known = vocabulary(exam)
    tests = [(i, c) for i, c in enumerate(exam.cells) if c.role is Role.TEST]
    composed = composed_of(exam, **answers)
    wanted = {i: needs(c.source, known) for i, c in tests}
    extras = ExtraCaptures(networks=frozenset(wanted)) if rebuild else NAMES_ONLY
    executed = execute(kernel, Remote, composed, wanted, limits or Limits(), extras)
    executed.remote.permissions = permissions
    answers_ = Answers(executed.remote, known.modules, rebuild or no_models)
    answers_.following = following(composed, wanted)
    pairs = [(c, executed.captures.get(i)) for i, c in tests]
    ended = {"ended": ended_cells(composed.cells, executed.run.cells)} if tells_ended else {}
    wording = Wording(Origins(composed.cells, asked_names(exam)), public_words(exam).__contains__, **ended)
    try:
        return ExamRun(
            pairs, known, answers_, hidden, seconds, total_seconds, wording, waited=waited or (lambda: 0.0)
        ).results()
    finally:
        executed.close()


def outcome(answer, test, points=1.0, released=None, **more):
    """What one test says of one answer; ``released`` is what the student has of the test (all of it by default)."""
    exam = exam_of((Role.ANSWER, answer), (Role.TEST, test, points))
    if released is not None:
        cells = (exam.cells[0], dataclasses.replace(exam.cells[1], released=released))
        exam = dataclasses.replace(exam, cells=cells)
    return graded(exam, **more)[0]
