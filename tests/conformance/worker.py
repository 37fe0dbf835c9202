"""Runner of nbgrader on a scratch course, inside the sandbox: ``worker.py COURSE ASSIGNMENT NOTEBOOK SOURCE SECONDS``.

Releases the assignment, hands in the solution, the unchanged release and half of the solution, has nbgrader grade
them, and writes ``theirs.json``. It runs strangers' code: whatever it says is read as plain data.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import nbformat


def main(course: Path, assignment: str, notebook: str, source: str, seconds: str) -> None:
    options = [
        f"--CourseDirectory.root={course}",
        f"--CourseDirectory.source_directory={source}",
        f"--CourseDirectory.db_url=sqlite:///{course}/gradebook.db",
        *(f"--CourseDirectory.{kind}_directory={kind}" for kind in ("release", "submitted", "autograded", "feedback")),
        "--CourseDirectory.notebook_id=*",
    ]
    original = course / source / assignment / f"{notebook}.ipynb"
    said = [_nbgrader(course, "update", str(original))] if _is_old(original) else []
    said.append(_nbgrader(course, "generate_assignment", assignment, "--force", *options))
    release = course / "release" / assignment / f"{notebook}.ipynb"
    if not release.is_file():
        _write(course, {"refused": _last(said[-1])})
        return
    answers = hand_in(course, assignment, original, release)
    said.append(_nbgrader(course, "autograde", assignment, "--force", f"--Execute.timeout={seconds}", *options))
    graded = {student: _scores(course, assignment, notebook, student) for student in answers}
    _write(course, {"refused": "", "graded": graded, "answers": answers, "said": _last(said[-1])})


def hand_in(course: Path, assignment: str, original: Path, release: Path) -> dict[str, int]:
    """Write the submissions; return how many answers of the solution each has."""
    solved = {_id(c): c.source for c in nbformat.read(original, 4).cells if _meta(c).get("solution")}
    ids = [_id(c) for c in nbformat.read(release, 4).cells if _meta(c).get("solution") and c.cell_type == "code"]
    written = [_id(c) for c in nbformat.read(release, 4).cells if _meta(c).get("solution") and c.cell_type != "code"]
    chosen = {"solution": {*ids, *written}, "unchanged": set(), "half": half(ids)}
    if len(ids) < 2:
        del chosen["half"]
    for student, answers in chosen.items():
        made = nbformat.read(release, 4)
        for cell in made.cells:
            if _meta(cell).get("solution") and _id(cell) in answers & solved.keys():
                cell.source = solved[_id(cell)]
        folder = course / "submitted" / student / assignment
        folder.mkdir(parents=True, exist_ok=True)
        nbformat.write(made, folder / release.name)
    return {student: len(answers) for student, answers in chosen.items()}


def half(answers: list[str]) -> set[str]:
    """Return every other answer."""
    return set(answers[::2])


def _is_old(path: Path) -> bool:
    """Tell whether nbgrader refuses the notebook's metadata until it is updated."""
    cells = [cell for cell in nbformat.read(path, 4).cells if _meta(cell)]
    return any(_meta(cell).get("schema_version", 0) < 3 for cell in cells)


def _meta(cell: nbformat.NotebookNode) -> dict:
    return cell.metadata.get("nbgrader", {})


def _id(cell: nbformat.NotebookNode) -> str:
    return str(_meta(cell).get("grade_id"))


def _nbgrader(course: Path, *arguments: str) -> str:
    """Run a command of nbgrader in a fork of this process, which has imported it already; return what it said."""
    log = course / ".said.txt"
    child = os.fork()
    if child == 0:
        os.chdir(course)
        with log.open("wb") as stream:
            os.dup2(stream.fileno(), 2)
        sys.argv = ["nbgrader", *arguments]
        try:
            from nbgrader.apps.nbgraderapp import NbGraderApp

            NbGraderApp.launch_instance()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    return log.read_text(errors="replace")[-20_000:]


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if "ERROR" in line or "Error" in line]
    return "\n".join(lines[-4:])[-1500:]


def _scores(course: Path, assignment: str, notebook: str, student: str) -> dict | None:
    """Read what nbgrader gave each automatic test, with the errors; None if it graded nothing."""
    from nbgrader.utils import determine_grade, is_grade, is_solution

    path = course / "autograded" / student / assignment / f"{notebook}.ipynb"
    if not path.is_file():
        return None
    tests, errors = {}, []
    for cell in nbformat.read(path, 4).cells:
        said = [f"{o.ename}: {o.evalue}"[:500] for o in cell.get("outputs", []) if o.output_type == "error"]
        if is_grade(cell) and not is_solution(cell) and cell.cell_type == "code":
            try:
                score, points = determine_grade(cell)
            except Exception as error:  # a number above the points is an error in nbgrader
                score, points, said = None, float(cell.metadata.nbgrader.points), [f"nbgrader: {error}"]
            warned = any(o.output_type == "stream" and o.name == "stderr" for o in cell.outputs)
            tests[_id(cell)] = {"score": score, "points": points, "error": said[:1], "stderr": warned, "ran": True}
            tests[_id(cell)]["ran"] = cell.execution_count is not None
        errors += said
    return {"tests": tests, "errors": errors[:20]}


def _write(course: Path, content: dict) -> None:
    (course / "theirs.json").write_text(json.dumps(content))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
