"""A class that is graded in this process with other words in sentences of the kit, and all that was decided.

``python -m helpers.other_words FOLDER [FILE:LINE:COLUMN ...]`` prints ``{"decisions": …, "texts": […]}``; the sentences
at these places say the same words in the reverse order.
"""

from __future__ import annotations

import ast
import importlib.machinery
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[2] / "autograder"
MIN_WORDS = 4
ANSWERS = {
    "right": "def double(x):\n    return 2 * x\nrows = [1, 2, 3]",
    "wrong": "def double(x):\n    return 3 * x\nrows = [1, 2]",
    "raises": "def double(x):\n    raise ValueError(x)\nrows = 1 / 0",
    "empty": "pass",
    "unread": "def double(x):\n    return 2 * x\nrows = type('Rows', (list,), {'__len__': lambda self: 3})()",
    "ends": "def double(x):\n    raise SystemExit\nrows = [None]",
}
TESTS = {
    "value": "assert double(1) == 2\n### BEGIN HIDDEN TESTS\nassert double(21) == 42\n### END HIDDEN TESTS",
    "checks": "check.close(double(4), 8)\ncheck.close(rows, [1, 2, 3])",
    "broken": "import no_such_module",
    "needs": "check.requires('value')\ncheck.close(rows, [1, 2, 3])",
    "undecided": "check.report('rows', 0.5, 'Nobody knows what this is.', undecided=True)",
    "time": "import time\nbegan = time.time()\ndouble(1)\nassert time.time() - began < 0",
    "points": "1.5 if double(2) == 4 else float('nan')",
}
IMPORT = "from autograder import check"


def sentences(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the place and the text of each sentence, or part of one, in a module's code."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and id(node) not in docstrings else None
        if isinstance(text, str) and len(text.split()) >= MIN_WORDS:
            yield f"{path.relative_to(PACKAGE)}:{node.lineno}:{node.col_offset}", text  # type: ignore[attr-defined]


def reworded(text: str) -> str:
    """Say the words of a text in the reverse order, between the same blanks."""
    inner = text.strip()
    return text.replace(inner, " ".join(reversed(inner.split())))


class _Rewording(ast.NodeTransformer):
    def __init__(self, places: set[str]) -> None:
        self.places = places

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        if f"{node.lineno}:{node.col_offset}" in self.places and isinstance(node.value, str):
            return ast.copy_location(ast.Constant(reworded(node.value)), node)
        return node


def reword(places: Sequence[str]) -> None:
    """Change sentences of modules that are not imported yet."""
    loader: Any = importlib.machinery.SourceFileLoader
    plain, changed = loader.get_code, defaultdict[str, set[str]](set)
    for place in places:
        file, _, position = place.partition(":")
        changed[str(PACKAGE / file)].add(position)

    def get_code(self: Any, name: str) -> Any:
        if self.path not in changed:
            return plain(self, name)
        tree = _Rewording(changed[self.path]).visit(ast.parse(Path(self.path).read_text(encoding="utf-8")))
        return compile(ast.fix_missing_locations(tree), self.path, "exec", dont_inherit=True)

    loader.get_code = get_code


def _course(folder: Path) -> Any:
    from autograder.course.configuration import load_course
    from helpers.tiny import YAML, cell, notebook

    source = folder / "source/hw"
    source.mkdir(parents=True)
    tests = [cell(text, name, grade=True, locked=True, points=2) for name, text in TESTS.items()]
    essay = cell("Why?", "essay", "markdown", grade=True, solution=True, points=3)
    answer = cell(f"### BEGIN SOLUTION\n{ANSWERS['right']}\n### END SOLUTION", "answer", solution=True)
    (source / "nb.ipynb").write_text(notebook(cell(IMPORT, "begin", locked=True), answer, *tests, essay))
    (folder / "course.yaml").write_text(YAML.replace("_seconds: ", "_seconds: 10"))  # times must decide nothing here
    for student, text in ANSWERS.items():
        submitted = folder / "submitted" / student / "hw"
        submitted.mkdir(parents=True)
        written = cell("Because.", "essay", "markdown", grade=True, solution=True, points=3)
        (submitted / "nb.ipynb").write_text(
            notebook(cell(IMPORT, "begin", locked=True), cell(text, "answer", solution=True), written)
        )
    for student, file, text in (("missing", "other.txt", ""), ("invalid", "nb.ipynb", "no JSON")):
        (folder / "submitted" / student / "hw").mkdir(parents=True)
        (folder / "submitted" / student / "hw" / file).write_text(text)
    return load_course(folder)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def _of_question(row: dict[str, Any]) -> list[Any]:
    failures = [[one["line"], one["kind"], one["type"], one["leads_on"]] for one in row["failures"]]
    checks = [[one["outcome"], one["fraction"], one["waits"], one["weight"], one["bonus"]] for one in row["checks"]]
    return [row["id"], row["score"], row["outcome"], row["waits"], failures, checks]


def class_of(folder: Path) -> tuple[dict[str, Any], list[str]]:
    """Grade the class; return all that was decided, and all that was said."""
    from autograder.coordinator import batch, proof
    from autograder.coordinator.submission_grading import ending_of
    from autograder.errors import BusyError, CourseError, HostError, ProofError, SubmissionError
    from autograder.exchange import result_json
    from autograder.extensions.platforms import gradescope_results, junit_results, prairielearn_results
    from autograder.extensions.platforms.package_settings import PackageSettings
    from autograder.lint import exam_findings
    from autograder.records.grade import Grade
    from autograder.results import report
    from helpers.tiny import Here, tiny_release

    course = _course(folder)
    release = tiny_release(course)
    decisions: dict[str, Any] = {}
    texts: list[str] = []
    for student in sorted([*ANSWERS, "missing", "invalid"]):
        submitted = course.submitted(student, "hw")
        work = batch.submission_work(course, release, student, {}, submission=submitted)
        done = batch.run([work], execute=Here())
        if not done.grades:
            decisions[student] = [[one.ending.kind, one.ending.whose] for one in done.not_graded]
            texts += [one.reason for one in done.not_graded]
            continue
        grade: Grade = result_json.read(work.target / result_json.NAME, work.details)
        plain = result_json.to_json(grade)
        rows = [_of_question(row) for row in plain["questions"]]
        platforms = [
            one.graded(grade, PackageSettings(), [], 1.0, 2) for one in (gradescope_results, prairielearn_results)
        ]
        said = [json.loads(one.results) for one in platforms]
        scores = [[one.get("score"), one.get("gradable"), [t.get("score") for t in one["tests"]]] for one in said]
        steps = junit_results.graded(grade, PackageSettings(), [], 1.0, 2).results.count("<failure")
        decisions[student] = [plain["status"], plain["score"], plain["needs_manual_grade"], rows, scores, steps]
        texts += [*_texts(plain), *_texts(said), report.to_do(grade)]
    for exam in release.exams:
        found = exam_findings.findings(exam)
        decisions["linted"] = [[one.line, one.warning, one.kernel, str(one.missing)] for one in found]
        texts += map(str, found)
    errors = HostError("a"), BusyError("b"), CourseError("c"), SubmissionError("d"), OSError(28, "e"), KeyError("f")
    decisions["endings"] = [[one.kind, one.whose] for one in map(ending_of, errors)]
    try:
        proof.prove(course, release, execute=Here())
    except ProofError as error:
        decisions["proved"] = type(error).__name__
        texts.append(str(error))
    return decisions, texts


if __name__ == "__main__":
    reword(sys.argv[2:])
    decided, said = class_of(Path(sys.argv[1]))
    print(json.dumps({"decisions": decided, "texts": said}))
