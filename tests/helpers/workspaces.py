"""Exams whose cells read and write files, run in a folder of their own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from autograder.examiner.exam_run import ExamRun
from autograder.examiner.namespace import Answers
from autograder.examiner.permissions import Permissions
from autograder.examiner.remote.proxy import Remote
from autograder.examiner.workspace import Workspace
from autograder.execution.capture import ExtraCaptures
from autograder.execution.notebook_run import execute
from autograder.records.exam import Role
from autograder.records.limits import Limits
from autograder.syntax.file_paths import looks_at_files, paths_in
from autograder.syntax.names import needs, vocabulary
from autograder.syntax.written_files import written_paths
from helpers.exams import composed_of, exam_of
from helpers.kernels import InProcessKernel, inside

from _kernel_agent.kernel import workfiles  # isort: skip  (the kernel's own copy, as the agent imports it)


class Kernel(InProcessKernel):
    """Runs in a folder of its own, as a sandbox's kernel does; the examiner's folder is another."""

    folder: Path

    def __init__(self) -> None:
        super().__init__()
        workfiles.start(str(self.folder))

    def run(self, source, seconds):
        with inside(self.folder):
            return super().run(source, seconds)

    def exchange(self, *args, **kwargs):
        with inside(self.folder):
            return super().exchange(*args, **kwargs)


def graded(kernel, *cells, given=None, handed_in=None, released=None, written=None, permissions=None):
    """Run and examine; the results of the test cells.

    ``released`` is what students have of each of these; ``written`` are the paths that the instructor's cells write,
    if these are not the given cells. ``permissions`` are what the solution was seen to do; by default, it was not run.
    """
    exam = exam_of(*cells)
    if released is not None:
        hidden = [replace(c, released=released) if c.role is Role.TEST else c for c in exam.cells]
        exam = replace(exam, cells=tuple(hidden))
    known = vocabulary(exam)
    tests = [(i, c) for i, c in enumerate(exam.cells) if c.role is Role.TEST]
    beyond = ExtraCaptures(files=frozenset(i for i, c in tests if looks_at_files(c.source)))
    executed = execute(
        kernel, Remote, composed_of(exam), {i: needs(c.source, known) for i, c in tests}, Limits(), beyond
    )
    executed.remote.permissions = permissions or Permissions()
    answers = Answers(executed.remote, known.modules, lambda claim, weights: None)
    outputs = written_paths(exam) if written is None else frozenset(written)
    workspace = Workspace(given or {}, handed_in or {}, paths_in(exam), executed.files, outputs=outputs)
    pairs = [(c, executed.captures.get(i)) for i, c in tests]
    return ExamRun(pairs, known, answers, None, 20.0, workspace=workspace).results()
