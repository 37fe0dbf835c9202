"""Conformance of answer files with pytest: hand-ins of public courses' assignments, with known truth.

``python -m conformance.answer_files FOLDER [--only NAME] [--most 25]``: FOLDER holds a checkout of each repository that
:mod:`conformance.answer_courses` names, as ``owner+name``. Nothing of a course is changed. Its hand-ins are the
solution, the release, each block that students write left out, and blocks with slips. The truth is what plain pytest
says of the same tests in the same folder.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import itertools
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from click.testing import CliRunner

from autograder.cli import main as autograder
from conformance.answer_course_list import COURSES
from conformance.answer_courses import OWN, AnswerCourse, Place

SLIPS = [
    (" + ", " - "), (" - ", " + "), (" * ", " + "), ("axis=1", "axis=0"), ("axis=0", "axis=1"), (".T", ""), (" > 0", " < 0"),
    ("maximum", "minimum"), (" / ", " * "), (".sum(", ".max("), (" @ ", " * "), ("-=", "+="), ("+=", "-="), ("dim=-1", "dim=0"),
    (" + 1", ""), ("return -", "return "), (" < ", " <= "), (" - 1", ""), ("True", "False"), ("(1 - ", "(1 + "), ("** 2", "** 3"),
]  # fmt: skip


def main() -> None:
    """Compare the points of all hand-ins with pytest's verdicts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--most", type=int, default=25, help="hand-ins of a course")
    parser.add_argument("--beside", type=Path, help="folder whose files go beside each assignment: missing libraries")
    parser.add_argument("--keep", type=Path, help="folder for the courses that are made")
    options = parser.parse_args()
    for name, course in COURSES.items():
        if options.only in ("", name):
            with tempfile.TemporaryDirectory() as temporary:
                root = (options.keep or Path(temporary)) / name
                shutil.rmtree(root, ignore_errors=True)
                lay_out(options.folder, name, course, root, options.beside)
                compare(name, course, root, options.most)


# --- the course -----------------------------------------------------------------------------------------


def lay_out(checkouts: Path, name: str, course: AnswerCourse, root: Path, beside: Path | None) -> None:
    """Make a course of the assignment's folder."""
    source, solved = root / "source/hw", _place(checkouts, course.solved)
    skeleton = _place(checkouts, course.skeleton) if course.skeleton else solved
    source.mkdir(parents=True)
    if beside:
        shutil.copytree(beside, source, dirs_exist_ok=True)
    for pattern in (*course.answers, *course.given, *([course.tests] if course.tests != OWN else [])):
        copy(skeleton, source, pattern)
    for pattern in course.answers if course.skeleton or course.cut else ():
        copy(solved, source / "solution", pattern)
    for file in _files(source / "solution", *course.answers):  # students choose these modules
        if not (source / file).exists():
            (source / file).write_text("")
    for file in _files(source, *course.answers) if course.cut else ():
        (source / file).write_text(_without_bodies((source / file).read_text(), course.cut))
    if course.tests == OWN:
        (source / "tests").mkdir(exist_ok=True)
        shutil.copyfile(Path(__file__).parent / f"answer_tests/{name}.py", source / "tests/test_all.py")
    for path in (source / "tests").rglob("test_*.py"):
        path.write_text(_without(path.read_text(), course.leave_out))
    if course.marks[0]:
        (root / "nbgrader_config.py").write_text(
            f"c = get_config()\nc.ClearSolutions.begin_solution_delimeter = {course.marks[0]!r}\n"
            f"c.ClearSolutions.end_solution_delimeter = {course.marks[1]!r}\n"
            f"c.ClearSolutions.code_stub = {{'python': {course.stub!r}}}\n"
        )
    (root / "course.yaml").write_text(
        f"course: conformance\nassignments:\n  hw:\n    answers: [{', '.join(course.answers)}]\n"
    )


def _place(checkouts: Path, place: Place) -> Path:
    return checkouts / place.repository.replace("/", "+") / place.folder


def copy(origin: Path, target: Path, pattern: str) -> None:
    """Copy the files that a pattern names."""
    for path in sorted(origin.glob(pattern)):
        files = path.rglob("*") if path.is_dir() else [path]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                place = target / file.relative_to(origin)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, place)


def _without(text: str, names: Mapping[str, str]) -> str:
    """Leave test functions out; lines stay."""
    lines = text.split("\n")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.name in names:
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            lines[first - 1 : node.end_lineno] = [""] * ((node.end_lineno or first) - first + 1)
    return "\n".join(lines)


def _without_bodies(text: str, names: tuple[str, ...]) -> str:
    """Let the functions of these names raise NotImplementedError, behind their docstrings."""
    lines = text.split("\n")
    functions = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef) and n.name in names]
    for node in sorted(functions, key=lambda node: -node.lineno):
        first = node.body[1] if ast.get_docstring(node) is not None and len(node.body) > 1 else node.body[0]
        lines[first.lineno - 1 : node.end_lineno] = [" " * first.col_offset + "raise NotImplementedError"]
    return "\n".join(lines)


# --- the hand-ins ---------------------------------------------------------------------------------------


def hand_ins(released: Path, solution: Path, files: list[str], most: int) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Make hand-ins: name → the files that differ from the solution; of each block one after the other."""
    yield "solution", {}
    by_block = [
        _of_block(name, (released / name).read_text(), (solution / name).read_text(), block)
        for name in files
        for block in blocks((released / name).read_text(), (solution / name).read_text())
    ]
    in_turns = (one for turn in itertools.zip_longest(*by_block) for one in turn if one)
    seen = {(name, (solution / name).read_text()) for name in files}
    for label, name, text in in_turns:
        if (name, text) not in seen and most > 2:
            seen.add((name, text))
            most -= 1
            yield label, {name: text}


def blocks(released: str, solved: str) -> list[tuple[int, int, int, int]]:
    """Find the lines that differ: those of the release, and those of the solution."""
    matcher = difflib.SequenceMatcher(None, released.split("\n"), solved.split("\n"), autojunk=False)
    return [tuple(numbers) for kind, *numbers in matcher.get_opcodes() if kind != "equal"]  # type: ignore[misc]


def _of_block(
    name: str, released: str, solved: str, block: tuple[int, int, int, int]
) -> Iterator[tuple[str, str, str]]:
    first, last, begin, end = block
    lines = solved.split("\n")
    label = f"{name.replace('/', '-').removesuffix('.py')}-{begin + 1}"
    blank = "\n".join([*lines[:begin], *released.split("\n")[first:last], *lines[end:]])
    if _is_python(blank):
        yield f"{label}-blank", name, blank
    count = 0
    for number in range(begin, end):
        for old, new in SLIPS:
            if old in lines[number] and not lines[number].lstrip().startswith("#"):
                text = "\n".join([*lines[:number], lines[number].replace(old, new, 1), *lines[number + 1 :]])
                if _is_python(text):
                    count += 1
                    yield f"{label}-slip{count}", name, text


def _is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


# --- the comparison -------------------------------------------------------------------------------------


def truth(folder: Path) -> dict[str, float] | None:
    """Ask plain pytest: question → the share of its cases that pass; None if it does not end."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-rA",
        "-c/dev/null",
        "--rootdir=.",
        "tests",
    ]
    try:
        said = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120).stdout
    except subprocess.TimeoutExpired:
        return None
    cases: dict[str, list[bool]] = {}
    for word, test in re.findall(r"^(PASSED|FAILED|ERROR) (tests/[^\s\[]+::[^\s\[]+)", said, re.MULTILINE):
        cases.setdefault(test, []).append(word == "PASSED")
    return {test: sum(passed) / len(passed) for test, passed in cases.items()}


def run(*arguments: str) -> str:
    """Run a command of the kit."""
    result = CliRunner().invoke(autograder, arguments)
    if result.exit_code:
        raise SystemExit(f"{result.output}\n{result.stderr}\n{result.exception!r}")
    return result.output


def compare(name: str, course: AnswerCourse, root: Path, most: int) -> None:
    """Release with proof, grade all hand-ins, and print what differs from pytest."""
    print(f"== {name}", flush=True)
    source, released = root / "source/hw", root / "release/hw"
    print(run("release", "hw", "--course", str(root)), flush=True)
    solution = root / "solution"
    shutil.copytree(released, solution)
    answers = _files(source, *course.answers)
    for file in answers:
        with_solution = source / "solution" / file
        shutil.copyfile(with_solution if with_solution.is_file() else source / file, solution / file)
    wanted: dict[str, dict[str, float]] = {}
    made = [*hand_ins(released, solution, answers, most)]
    for student, files in [*made, ("release", {file: (released / file).read_text() for file in answers})]:
        target = root / f"submitted/{student}/hw"
        shutil.copytree(solution, target)
        for path, text in files.items():
            (target / path).write_text(text)
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("solution", "*.ipynb"))
            shutil.copytree(target, folder, dirs_exist_ok=True)
            answer = truth(Path(folder))
        if answer is None:
            print(f"{student} is left out: pytest does not end")
            shutil.rmtree(target.parent)
        else:
            wanted[student] = answer
    run("grade", "hw", "--course", str(root), "--workers", "1")
    questions, wrong, right, differences, by_person = 0, 0, 0, [], 0
    everything = set(wanted["solution"])
    for student, truths in wanted.items():
        result = json.loads((root / f"autograded/{student}/hw/result.json").read_text())
        differs = []
        for question in result["questions"]:
            share = truths.get(question["id"], 0.0)
            questions += 1
            wrong += share < 1
            by_person += question["needs_manual_grade"]
            if question["id"] not in everything or abs(question["score"] - share * question["max_score"]) > 0.006:
                why = "person" if question["needs_manual_grade"] else ""
                differs.append((student, question["id"], question["score"], share, why, question["message"][:150]))
        right += not differs
        differences += differs
    print(
        f"{name}: {right} hand-ins of {len(wanted)} right; {questions} questions, {wrong} wrong; {by_person} for a person"
    )
    for difference in differences:
        print("  ", *difference)


def _files(source: Path, *patterns: str) -> list[str]:
    """List the modules that patterns and folders name."""
    paths = [path for pattern in patterns for path in source.glob(pattern)]
    files = [file for path in paths for file in (path.rglob("*.py") if path.is_dir() else [path])]
    return sorted({path.relative_to(source).as_posix() for path in files})


if __name__ == "__main__":
    main()
