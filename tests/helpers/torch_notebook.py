"""Notebooks of a PyTorch course, run and examined in this process as they are graded: what their pages say."""

from __future__ import annotations

import dataclasses
import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.examiner.cell_results import Examined
from autograder.examiner.permissions import Observer, Permissions
from autograder.models import rebuild
from autograder.records.checks import is_undecided
from autograder.records.exam import Exam, Role
from autograder.records.limits import Limits
from helpers.examination import examined
from helpers.exams import exam_of
from helpers.kernels import InProcessKernel

BEGIN = """import copy, math
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from autograder import check
torch.set_num_threads(1)
torch.manual_seed(0)
X = torch.randn(64, 12)
y = (X[:, :4] + 0.1 * torch.randn(64, 4)).argmax(1)
"""


class TorchKernel(InProcessKernel):
    """One that watches the calls of modules, and describes them without a fork of this process."""

    def __init__(self) -> None:
        super().__init__()
        importlib.import_module("torch")
        importlib.import_module("_kernel_agent.extensions.pytorch.kernel_side.watch").install()
        self.server.aside = self.server.ask_model


@dataclass(frozen=True)
class Said:
    """What a page says of one test cell."""

    points: float
    message: str
    undecided: bool
    detail: str


def pages(
    answer: str,
    *tests: str,
    begin: str = BEGIN,
    solution: str | None = None,
    hidden: Path | None = None,
    after: str = "",
) -> list[Said]:
    """What the page says of each test of an answer; ``after`` is a last cell, behind the tests."""
    exam = exam_of(
        (Role.READ_ONLY, begin),
        (Role.ANSWER, answer if solution is None else solution),
        *((Role.TEST, test) for test in tests),
        *([(Role.FREE, after)] if after else []),
    )
    hidden_tests = [dataclasses.replace(c, released="") if c.role is Role.TEST else c for c in exam.cells]
    exam = dataclasses.replace(exam, cells=tuple(hidden_tests))
    observer = Observer()
    _graded(exam, observer, hidden, {})
    answers = {} if solution is None else {"cell1": answer}
    return [_said(result) for result in _graded(exam, Permissions(observer.observations), hidden, answers)]


def page(answer: str, test: str, **more: Any) -> Said:
    """What the page says of one test."""
    return pages(answer, test, **more)[0]


def _said(result: Examined) -> Said:
    lines = [check.message for check in result.checks if check.fraction < 1 or len(result.checks) == 1]
    details = "\n".join([*(check.detail for check in result.checks), result.detail])
    undecided = result.undecided or any(map(is_undecided, result.checks))
    return Said(result.fraction, "\n".join(filter(None, [*lines, result.message])), undecided, details)


def _graded(exam: Exam, permissions: Any, hidden: Path | None, answers: dict[str, str]) -> list[Examined]:
    return examined(
        exam,
        permissions,
        kernel=TorchKernel,
        hidden=hidden,
        seconds=120.0,
        total_seconds=300.0,
        limits=Limits(cell_seconds=120, notebook_seconds=300),
        rebuild=rebuild,
        tells_ended=True,
        **answers,
    )
