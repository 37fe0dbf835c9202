"""A course with a teaching library, as in Data 8: all questions about a `Table`, from the source to the scores."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers import datascience_like
from helpers.installed import installed
from helpers.otter import block, code, config, course, question, text
from helpers.pipeline import Graded, grade
from helpers.tiny import Here, grade_in_this_process

from autograder.cli import main
from autograder.course.configuration import load_course

pytestmark = pytest.mark.integration

LIBRARY = Path(datascience_like.__file__)
BIRDS = """\
birds = Table().with_columns(
    "species", make_array("adelie", "gentoo", "adelie", "gentoo"),
    "length", make_array(181, 211, 195, 230),
    "depth", make_array(18.7, 13.2, 17.1, 16.3))"""
SOLUTIONS = {
    "column": 'lengths = birds.column("length") # SOLUTION',
    "table": 'def with_ratio(table):\n    return table.with_columns("ratio", table.column("length") / table.column("depth")) # SOLUTION',
    "where": 'gentoos = birds.where("species", "gentoo") # SOLUTION',
    "apply": 'def size(length):\n    return "large" if length > 200 else "small" # SOLUTION',
    "number": 'average = np.average(birds.column("length")) # SOLUTION',
    "minimum": (
        'def loss(slope):\n    return np.mean((birds.column("length") - slope * birds.column("depth")) ** 2) # SOLUTION\n'
        "best = minimize(loss) # SOLUTION"
    ),
}
ONE_BIRD = 'Table().with_columns("length", make_array(6), "depth", make_array(4))'
TESTS = {
    "column": [code("len(lengths)", "4"), code("int(sum(lengths))", "817")],
    "table": [
        code("with_ratio(birds).labels", "('species', 'length', 'depth', 'ratio')"),
        code(f'# HIDDEN\nwith_ratio({ONE_BIRD}).column("ratio")', "array([ 1.5])"),
    ],
    "where": [code("gentoos.num_rows", "2"), code('gentoos.column("length")', "array([211, 230])")],
    "apply": [code('birds.apply(size, "length")', "array(['small', 'large', 'small', 'large'],\n      dtype='<U5')")],
    "number": [code("round(average, 2)", "204.25")],
    "minimum": [code("round(best, 3)", "12.249"), code("round(minimize(loss), 3)", "12.249")],
}
CELLS = [
    code(f"import numpy as np\nfrom datascience_like import *\n{BIRDS}"),
    *(
        question(f"name: {name}\npoints: 2", text("?"), block("solution", code(solution)), block("tests", *TESTS[name]))
        for name, solution in SOLUTIONS.items()
    ),
]
RIGHT = {name: solution.replace(" # SOLUTION", "") for name, solution in SOLUTIONS.items()}
UNUSUAL = {
    "column": "lengths = [int(birds.take(row).column(1).item(0)) for row in range(birds.num_rows)]",
    "table": (
        'def with_ratio(table):\n    ratios = [length / depth for length, depth in zip(table["length"], table["depth"])]\n'
        '    table = table.copy()\n    table.append_column("ratio", ratios)\n    return table'
    ),
    "where": 'is_gentoo = lambda species: species.startswith("g")\ngentoos = birds.where("species", is_gentoo)',
    "apply": 'class Size:\n    def __call__(self, length):\n        return ["small", "large"][int(length > 200)]\nsize = Size()',
    "number": "average = birds.apply(lambda length: length / birds.num_rows, 'length').sum()",
    "minimum": (
        "rows = list(zip(birds['length'], birds['depth']))\nloss = lambda slope: sum((l - slope * d) ** 2 for l, d in rows)\n"
        "best = sum(l * d for l, d in rows) / sum(d * d for l, d in rows)"
    ),
}
WRONG = {
    "column": 'lengths = birds.column("depth")',
    "table": 'def with_ratio(table):\n    return table.with_columns("ratio", table.column("depth") / table.column("length"))',
    "where": 'gentoos = birds.where("species", "adelie")',
    "apply": 'def size(length):\n    return "large" if length > 220 else "small"',
    "number": "average = np.median(birds.column('length'))",
    "minimum": "def loss(slope):\n    return abs(slope - 3)\nbest = minimize(loss)",
}
CLASS = {"solution": RIGHT, "unusual": UNUSUAL, "wrong": WRONG}


@contextmanager
def written(home: str, root: Path) -> Iterator[None]:
    """Write a course whose library is installed, graded in this process, or its own file, graded in the real sandbox."""
    source = LIBRARY.read_text()
    if home == "beside the notebook":
        course(root, config(f"files: [{LIBRARY.name}]"), *CELLS)
        (root / "source/hw" / LIBRARY.name).write_text(source)
        yield
    else:
        course(root, config(), *CELLS)
        with (
            installed(root / "site-packages", "datascience-like", {LIBRARY.stem: source}, ""),
            pytest.MonkeyPatch.context() as patch,
        ):
            grade_in_this_process(patch, Here())
            yield


@pytest.fixture(scope="module", params=["installed", pytest.param("beside the notebook", marks=pytest.mark.sandbox)])
def graded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graded]:
    """The course released, with its proof, and its class graded."""
    root = tmp_path_factory.mktemp("birds")
    with written(request.param, root):
        released = CliRunner().invoke(main, ["release", "hw", "--course", str(root)])
        assert released.exit_code == 0, released.output
        assert "proved: the solution gets full marks" in released.output
        for student, answers in CLASS.items():
            hand_in(root, student, answers)
        yield grade(load_course(root), name="hw")


def hand_in(root: Path, student: str, answers: dict[str, str]) -> None:
    notebook = json.loads((root / "release/hw/nb.ipynb").read_text())
    sources = {f"{name}-answer": answer for name, answer in answers.items()}
    for cell in notebook["cells"]:
        cell["source"] = sources.get(cell["metadata"].get("nbgrader", {}).get("grade_id"), cell["source"])
    folder = root / "submitted" / student / "hw"
    folder.mkdir(parents=True)
    (folder / "nb.ipynb").write_text(json.dumps(notebook))


@pytest.mark.parametrize("student", ["solution", "unusual"])
def test_right_answers_get_all_points(graded: Graded, student: str) -> None:
    assert graded.points(student) == dict.fromkeys(SOLUTIONS, 2.0)


def test_wrong_answers_get_what_their_cases_are_worth(graded: Graded) -> None:
    assert graded.points("wrong") == dict.fromkeys(SOLUTIONS, 0.0) | {"column": 1.0, "table": 1.0, "where": 1.0}
