"""The kit's side of the comparison: its commands, on a course of one notebook."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from autograder.course.nbgrader_config import NBGRADER_CONFIG
from conformance.corpus import ASSIGNMENT, Unit, lay_out, notebook_name


def grade(unit: Unit, scratch: Path, submitted: Path, seconds: int, audit_minutes: float = 0) -> dict[str, Any]:
    """Release with proof and grade what was handed in to nbgrader, in ``scratch``; audit its tests, if there is time.

    Returns:
        ``audit``, what an audit says (:func:`audited`), and
        ``proved``, the ``reason`` if it is not, whether it was ``released`` without proof, and by student and test
        ``score``, ``outcome``, ``manual`` and ``message``.
    """
    lay_out(unit, scratch)
    use_own_gradebook(scratch)
    code, said = _autograder(scratch, seconds, "release", ASSIGNMENT)
    result: dict[str, Any] = {"proved": code == 0, "reason": "" if code == 0 else said, "graded": {}}
    released = code == 0
    if not released:
        code, said = _autograder(scratch, seconds, "release", ASSIGNMENT, "--no-prove")
        released = code == 0
    result["released"] = released
    if released:
        shutil.copytree(submitted, scratch / "submitted")
        report = scratch / "grades.json"
        options = ("--workers", "1", "--quiet", "--json", str(report))
        code, said = _autograder(scratch, seconds, "grade", ASSIGNMENT, *options)
        result["graded"] = _questions(report, notebook_name(unit)) if report.is_file() else {}
        result["not_graded"] = said if code else ""
    if result["proved"] and audit_minutes:
        report = scratch / "audit.json"
        options = ("--workers", "1", "--minutes", f"{audit_minutes:g}", "--quiet", "--json", str(report))
        _autograder(scratch, seconds + int(60 * audit_minutes), "audit", ASSIGNMENT, *options)
        result["audit"] = audited(json.loads(report.read_text(encoding="utf-8"))) if report.is_file() else []
    return result


def audited(audit: dict[str, Any]) -> list[str]:
    """List how many wrong answers are caught, right answers that lose points, and remarks about weak tests."""
    lost = [one for one in audit["results"] if one["verdict"] == "lost"]
    return [
        f"{audit['caught']} of {audit['wrong']} wrong answers caught",
        *(f"right, and loses points: {one['cell']}: {one['operator']}" for one in lost),
        *(f"{question['id']}: {remark}" for question in audit["questions"] for remark in question["remarks"]),
    ]


def use_own_gradebook(scratch: Path) -> None:
    """Keep a stranger's configuration from naming the database."""
    config = scratch / NBGRADER_CONFIG
    if config.is_file():
        with config.open("a", encoding="utf-8") as stream:
            stream.write(f"\nc.CourseDirectory.db_url = 'sqlite:///{scratch}/gradebook.db'\n")


def _autograder(scratch: Path, seconds: int, *arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "autograder", *arguments, "--course", str(scratch)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=seconds, check=False, cwd=scratch
        )
    except subprocess.TimeoutExpired:
        return 124, f"the kit needs more than {seconds} s"
    said = re.sub(r"\x1b\[[0-9;]*m", "", done.stderr or done.stdout)
    return done.returncode, said[max(said.find("error: "), 0) :][:6000]


def _questions(report: Path, notebook: str) -> dict[str, dict[str, Any]]:
    content = json.loads(report.read_text(encoding="utf-8"))
    found: dict[str, dict[str, Any]] = {}
    for row in content["grades"]:
        rows = [q for q in row["questions"] if q["notebook"] == notebook]
        found[row["student"]] = {
            q["id"]: {
                "score": q["score"],
                "outcome": q["outcome"],
                "manual": q["needs_manual_grade"],
                "message": (q.get("detail") or q.get("message") or "")[-600:],
            }
            for q in rows
        }
    return found
