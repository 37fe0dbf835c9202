"""Visible tests as ``otter assign`` writes them into a notebook's metadata, or into files."""

from __future__ import annotations

import ast
import copy
import pprint
import re
from collections.abc import Sequence
from typing import Any

from autograder.extensions.otter.case_reader import Case, function_of
from autograder.extensions.otter.otter_settings import OtterSettings, QuestionSettings

_CONTINUES = re.compile(r"except[\s\w]*:|elif |else:|finally:|[ \t]")


def visible_test(
    question: QuestionSettings, cases: Sequence[Case], outputs: Sequence[str], *, ok_format: bool
) -> dict[str, Any] | str:
    """Return the test of a question without its hidden cases: otter's dictionary, or the source of its functions.

    Args:
        question: its settings.
        cases: all its cases, with the points that the source gives them.
        outputs: the text that otter expects of each case.
        ok_format: as doctests; else as functions.
    """
    points: Any = question.points
    if isinstance(points, dict):
        points = points["each"] * len(cases)
    elif isinstance(points, list):
        points = [own for own, case in zip(points, cases, strict=True) if not case.hidden]
    visible = [(case, output) for case, output in zip(cases, outputs, strict=True) if not case.hidden]
    if not ok_format:
        return _functions(question, points, [case for case, _ in visible])
    test: dict[str, Any] = {"name": question.name, "points": points}
    if question.all_or_nothing:
        test["all_or_nothing"] = True
    cases_written = [_ok_case(case, output) for case, output in visible]
    return test | {"suites": [{"cases": cases_written, "scored": True, "setup": "", "teardown": "", "type": "doctest"}]}


def file_text(test: dict[str, Any] | str) -> str:
    """Return the content of a test's file."""
    if isinstance(test, str):
        return test
    return f"OK_FORMAT = True\n\ntest = {pprint.pformat(test, indent=4, width=200)}\n"


def notebook_metadata(settings: OtterSettings, tests: dict[str, Any]) -> dict[str, Any]:
    """Return what otter writes under its name into a notebook's metadata."""
    metadata: dict[str, Any] = {}
    if settings.name:
        metadata["assignment_name"] = settings.name
    if settings.export_cell and settings.export_cell.require_no_pdf_ack:
        metadata["require_no_pdf_confirmation"] = True
        if settings.export_cell.no_pdf_message is not None:
            metadata["export_pdf_failure_message"] = settings.export_cell.no_pdf_message
    if not settings.test_files:
        metadata |= {"OK_FORMAT": settings.ok_format, "tests": tests}
    return metadata


def saved_output(case: Case) -> str:
    """Return the text that otter expects: all texts of the saved outputs, one after the other."""
    text = ""
    for output in case.piece.cell.get("outputs", ()):
        text += output.get("text", "") or ""
        text += output.get("data", {}).get("text/plain", "")
    return text


def _ok_case(case: Case, output: str) -> dict[str, Any]:
    written_case: dict[str, Any] = {"code": _as_doctest(case.tree, output), "hidden": False, "locked": False}
    if case.points is not None:
        written_case["points"] = case.points
    if case.success:
        written_case["success_message"] = case.success
    if case.failure:
        written_case["failure_message"] = case.failure
    return written_case


def _as_doctest(tree: ast.Module, output: str) -> str:
    lines: list[str] = []
    for line in filter(None, ast.unparse(_without_annotations(tree)).split("\n")):
        continues = _CONTINUES.match(line) or (lines and lines[-1].strip().endswith("\\"))
        lines.append(("... " if continues else ">>> ") + line)
    return "\n".join([*lines, *output.split("\n")])


def _without_annotations(tree: ast.Module) -> ast.Module:
    plain = copy.deepcopy(tree)
    for node in ast.walk(plain):
        for name in ("annotation", "returns"):
            if getattr(node, name, None) is not None and not isinstance(node, ast.AnnAssign):
                setattr(node, name, None)
    return plain


def _functions(question: QuestionSettings, points: Any, cases: Sequence[Case]) -> str:
    lines = ["from otter.test_files import test_case", "", "OK_FORMAT = False", "", f'name = "{question.name}"']
    lines.append(f"points = {points}")
    lines += ["all_or_nothing = True"] if question.all_or_nothing else []
    lines.append("")
    for case in cases:
        options = [f"points={case.points}", f"hidden={case.hidden}"]
        options += [f"\n    success_message={case.success!r}"] if case.success else []
        options += [f"\n    failure_message={case.failure!r}"] if case.failure else []
        lines += [f"@test_case({', '.join(options)})", ast.unparse(function_of(case)), ""]
    return "\n".join(lines)
