"""An otter course from source to grades in the real sandbox: released, proved, graded, regraded, and attacked."""

from __future__ import annotations

import copy
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from helpers.otter import SQUARE, block, code, config, course, notebook, question, release_of, text
from helpers.pipeline import grade
from helpers.tiny import Here, grade_in_this_process, observe_here

from autograder.cli import main
from autograder.coordinator.proof import prove
from autograder.course.configuration import load_course
from autograder.errors import ProofError
from autograder.exchange.result_json import from_json
from autograder.extensions.otter.recorded_outputs import update_source
from autograder.release.build import write

pytestmark = pytest.mark.sandbox

CELLS = [
    config("name: hw\ngenerate: {seed: 42}"),
    code("import numpy as np"),
    SQUARE,
    question(
        "name: q2",
        text("Draw."),
        block("solution", code("np.random.seed(42) # SEED\ndrawn = np.random.normal(size=3) # SOLUTION")),
        block("tests", code("len(drawn) == 3", "True"), code("# HIDDEN\nround(drawn[0], 3)", "0.497")),
    ),
    question("name: q3\nmanual: true\npoints: 2", text("Why?"), block("solution", text("Because."))),
]
RIGHT = {
    "def square(x):\n    ...": "def square(x):\n    return x * x",
    "drawn = ...": "drawn = np.random.normal(size=3)",
    "_Type your answer here, replacing this text._": "It is so.",
}
WRONG = RIGHT | {"def square(x):\n    ...": "def square(x):\n    return 3 * x", "drawn = ...": "drawn = [1, 2]"}
"""A visible case of two points is right by chance, and nothing else."""

Edit = Callable[[dict[str, Any]], None]


def front(source: str) -> Edit:
    """Put a cell at the top of the notebook."""
    return lambda notebook: notebook["cells"].insert(0, code(source))


def without_marks(notebook: dict[str, Any]) -> None:
    """What a student has who got the notebook from ``otter assign``."""
    for cell in notebook["cells"]:
        cell["metadata"].pop("nbgrader", None)


def with_own_cells(notebook: dict[str, Any]) -> None:
    without_marks(notebook)
    answer = next(n for n, c in enumerate(notebook["cells"]) if "def square" in "".join(c["source"]))
    notebook["cells"].insert(answer, code("helper = 2"))
    notebook["cells"].insert(answer + 2, code('square(4)\ngrader.check("q1")'))
    notebook["cells"].append(code("print('done')"))


def with_lost_anchors(notebook: dict[str, Any]) -> None:
    """A student has deleted the cells that call otter-grader, and one has come twice."""
    without_marks(notebook)
    calls = [cell for cell in notebook["cells"] if "grader" in "".join(cell["source"])]
    notebook["cells"] = [cell for cell in notebook["cells"] if cell not in calls]
    notebook["cells"].append(code('grader.check("q2")'))
    notebook["cells"].append(code('grader.check("q2")'))


def with_other_tests(notebook: dict[str, Any]) -> None:
    notebook["metadata"]["otter"]["tests"] = {"q1": {"name": "q1", "points": 9, "suites": []}}
    for cell in notebook["cells"]:
        if "grader.check" in "".join(cell["source"]):
            cell["source"] = "pass"
            cell["metadata"]["nbgrader"]["points"] = 99.0


def of_another_assignment(notebook: dict[str, Any]) -> None:
    notebook["metadata"]["otter"]["assignment_name"] = "hw9"


CHEATS = {
    "check": front("import otter\notter.Notebook.check = lambda *a, **k: True\notter.Notebook.score = 1.0"),
    "grader": front(
        "import sys\nclass grader:\n    check = staticmethod(lambda q: 'all passed')\nsys.modules['otter'] = grader"
    ),
    "metadata": with_other_tests,
    "builtins": front(
        "import builtins, numpy as np\nbuiltins.isinstance = lambda *a: True\nnp.round = lambda *a: 0.497"
    ),
    "doctest": front("import doctest, sys\ndoctest.DocTestRunner.run = lambda *a, **k: None\nsys.displayhook = print"),
    "results": front("open('results.json', 'w').write('{\"score\": 100}')\nopen('.OTTER_LOG', 'wb').write(b'x')"),
}
STUDENTS: dict[str, tuple[dict[str, str], Edit | None]] = {
    "right": (RIGHT, None),
    "wrong": (WRONG, None),
    "untouched": ({}, None),
    "unmarked": (RIGHT, without_marks),
    "busy": (RIGHT, with_own_cells),
    "anchorless": (RIGHT, with_lost_anchors),
    "other": (RIGHT, of_another_assignment),
    **{f"cheat-{name}": (WRONG, edit) for name, edit in CHEATS.items()},
    "cheat-tests": (WRONG, None),
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory):
    """The course, and its class, graded once."""
    root = course(tmp_path_factory.mktemp("otter"), *CELLS)
    found = load_course(root)
    release = release_of(root)
    prove(found, release, execute=Here())
    write(found, found.assignments["hw"], release)
    released = json.loads(release.notebooks[0].text)
    for name, (answers, edit) in STUDENTS.items():
        notebook = copy.deepcopy(released)
        for cell in notebook["cells"]:
            source = "".join(cell["source"])
            cell["source"] = answers.get(source, source)
        if edit:
            edit(notebook)
        folder = root / "submitted" / name / "hw"
        folder.mkdir(parents=True)
        (folder / "nb.ipynb").write_text(json.dumps(notebook))
    tests = root / "submitted/cheat-tests/hw/tests"
    tests.mkdir()
    (tests / "q1.py").write_text("OK_FORMAT = True\ntest = {'name': 'q1', 'points': 9, 'suites': [{'cases': []}]}\n")
    return root, grade(found, name="hw")


def test_right_and_wrong_answers_get_what_they_are_worth(graded) -> None:
    _, done = graded
    assert done.exit_code == 0
    assert done.points("right") == {"q1": 4.0, "q2": 1.0, "q3": 0.0}
    assert done.points("wrong") == {"q1": 2.0, "q2": 0.0, "q3": 0.0}
    assert done.points("untouched") == {"q1": 0.0, "q2": 0.0, "q3": 0.0}
    assert done.grades["right"].status == "completed"


def test_what_is_given_for_otter_does_nothing_in_the_sandbox(graded) -> None:
    root, _ = graded
    notebook = json.loads((root / "autograded/right/hw/nb.ipynb").read_text())
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", ())]
    assert [output for output in outputs if output["output_type"] == "error"] == []


def test_a_written_answer_waits_for_a_person(graded) -> None:
    _, done = graded
    waiting = {q.id for n in done.grades["right"].notebooks for q in n.questions if q.needs_manual_grade}
    assert waiting == {"q3"}


@pytest.mark.parametrize("name", ["unmarked", "busy", "anchorless"])
def test_a_notebook_of_otters_own_is_graded_like_ours(graded, name: str) -> None:
    _, done = graded
    assert done.points(name) == done.points("right")


def test_a_notebook_of_another_assignment_is_not_graded(graded) -> None:
    _, done = graded
    (notebook,) = done.grades["other"].notebooks
    assert (notebook.status, notebook.score) == ("invalid", 0.0)
    assert notebook.message.startswith("This notebook is of another assignment")


@pytest.mark.parametrize("name", [*(f"cheat-{name}" for name in CHEATS), "cheat-tests"])
def test_a_trick_gains_no_point(graded, name: str) -> None:
    _, done = graded
    wrong = done.points("wrong")
    assert all(points <= wrong[question] for question, points in done.points(name).items())
    assert done.grades[name].max_score == 7.0


def test_a_changed_test_is_graded_from_the_recordings(graded) -> None:
    root, _ = graded
    path = root / "source/hw/nb.ipynb"
    path.write_text(
        path.read_text().replace("points: 4", "points: 6").replace('"text/plain": "4"', '"text/plain": "5"')
    )
    changed = load_course(root)
    observe_here(changed)
    done = grade(changed, "--student", "right", "--student", "wrong", name="hw")
    assert done.points("right") == {"q1": 3.0, "q2": 1.0, "q3": 0.0}
    assert done.points("wrong") == {"q1": 3.0, "q2": 0.0, "q3": 0.0}
    result = json.loads((root / "autograded/right/hw/result.json").read_text())
    assert from_json(result).notebooks[0].replayed


def test_visible_tests_that_pass_without_an_answer_are_a_warning(tmp_path: Path) -> None:
    """Otter's courses have many of them; a course of nbgrader's is refused."""
    solved = block("solution", code("x = 1 # SOLUTION"))
    root = course(tmp_path, question("name: q", text("?"), solved, block("tests", code("'x' is not None", "True"))))
    warnings = prove(load_course(root), release_of(root), execute=Here()).warnings
    (warning,) = [text for text in warnings if text.startswith("nb, q: ")]  # otter's stand-in is not in this process
    assert warning.startswith("nb, q: the unchanged release gets 1 of 1 points")


def test_a_stale_saved_output_is_found_by_the_proof(tmp_path: Path) -> None:
    solved = block("solution", code("x = 1 # SOLUTION"))
    root = course(tmp_path, question("name: q", text("?"), solved, block("tests", code("x", "2"))))
    with pytest.raises(ProofError, match=r"nb, q: the solution gets 0 of 1 points \(q - 1: shows 1, expected '2'\)"):
        prove(load_course(root), release_of(root), execute=Here())


STALE = [
    question(
        "name: q\nall_or_nothing: true",
        text("?"),
        block("solution", code("import numpy as np\nx = np.float64(1.5) # SOLUTION")),
        block(
            "tests",
            code("x", "1.5"),
            code("print(x)\n[x] * 3"),
            code('""" # BEGIN TEST CONFIG\nhidden: true\n""" # END TEST CONFIG\n2 * x', "5"),
            code("y = x + 1", "2.5"),
        ),
    ),
    question("name: r", text("?"), block("solution", code("z = 1 # SOLUTION")), block("tests", code("1 / 0", "1"))),
]


def test_update_outputs_saves_what_the_solution_gives(tmp_path: Path) -> None:
    root = course(tmp_path, *STALE)
    path = root / "source/hw/nb.ipynb"
    before = json.loads(path.read_text())
    updates = [str(update) for update in update_source(load_course(root), release_of(root))["nb"]]
    assert updates[:3] == [
        "cell 8 (q - 2): nothing is now '1.5\\n[np.float64(1.5), np.float64(1.5), np.float64(1.5)]'",
        "cell 9 (q - 3): '5' is now 'np.float64(3.0)'",
        "cell 10 (q - 4): '2.5' is now nothing",
    ]
    assert updates[3].startswith("cell 19 (r - 1): not updated: 1 / 0: ZeroDivisionError")
    after = json.loads(path.read_text())
    changed = [n for n, (old, new) in enumerate(zip(before["cells"], after["cells"], strict=True), 1) if old != new]
    assert changed == [8, 9, 10]
    assert after["cells"][9]["outputs"] == []
    assert update_source(load_course(root), release_of(root))["nb"][0].name == "r - 1"


def test_a_release_with_update_outputs_is_proved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grade_in_this_process(monkeypatch, Here())
    root = course(tmp_path, STALE[0])
    told = CliRunner().invoke(main, ["release", "hw", "--course", str(root), "--update-outputs"])
    assert told.exit_code == 0, told.output
    assert "source/hw/nb.ipynb: cell 9 (q - 3): '5' is now 'np.float64(3.0)'" in told.output
    assert "proved: the solution gets full marks" in told.output
    again = CliRunner().invoke(main, ["release", "hw", "--course", str(root), "--update-outputs", "--no-prove"])
    assert "source/hw/nb.ipynb: all saved outputs are right" in again.output


# --- a zip of otter's alone --------------------------------------------------------------------------

OF_A_ZIP = """\
OK_FORMAT = True

test = {"name": "%s", "points": 2, "suites": [{"type": "doctest", "scored": True, "setup": "", "teardown": "", "cases": [
    {"code": ">>> %s(3)\\n%s", "hidden": False, "locked": False},
    {"code": ">>> %s(-2)\\n%s", "hidden": True, "locked": False}]}]}
"""


def test_a_zip_alone_is_a_course_whose_submissions_are_graded(tmp_path: Path) -> None:
    """Of the notebooks nothing is known but where they check their questions, here the second one first."""
    (tmp_path / "course.yaml").write_text("course: small\n")
    head = code('# Initialize Otter\nimport numpy as np\nimport otter\ngrader = otter.Notebook("lab.ipynb")')
    answers = {
        "right": ("def square(x):\n    return x * x", "def cube(x):\n    return x ** 3"),
        "half": ("def square(x):\n    return 3 * x", "def cube(x):\n    return x ** 3"),
        "none": ("def square(x):\n    ...", "def cube(x):\n    ..."),
        "cheat": ("def square(x):\n    ...\nnp.abs = lambda x: 27", "def cube(x):\n    ..."),
    }
    for student, (square, cube) in answers.items():
        checks = code('grader.check("z")'), code('grader.check("a")'), code("grader.check_all()")
        cells = [head, text("Square."), code(square), checks[0], text("Cube."), code(cube), checks[1], checks[2]]
        folder = tmp_path / f"submitted/{student}/hw"
        folder.mkdir(parents=True)
        (folder / "lab.ipynb").write_text(json.dumps(notebook(*cells)))
    with zipfile.ZipFile(tmp_path / "autograder.zip", "w") as archive:
        archive.writestr("tests/z.py", OF_A_ZIP % ("z", "square", 9, "square", 4))
        archive.writestr("tests/a.py", OF_A_ZIP % ("a", "int(np.abs(cube(3))) + 0 * abs", 27, "cube", -8))
    told = CliRunner().invoke(main, ["import-otter", "hw", str(tmp_path / "autograder.zip"), "--course", str(tmp_path)])
    assert told.exit_code == 0, told.output
    assert "4 of 4 submissions check them: z, a" in told.output
    assert "Not proved: there is no solution" in told.output
    assert "Tests need import numpy as np: it stands in the source's first cell." in told.output
    assert "Tests take from the notebook, as students bind it: cube, square." in told.output
    assert "Warning" not in told.output
    assert "2 questions, 4 points\nAdd `hw: {}` to the assignments of course.yaml" in told.output
    (tmp_path / "course.yaml").write_text("course: small\nassignments:\n  hw: {}\n")
    done = grade(load_course(tmp_path), name="hw")
    assert done.points("right") == {"z": 2.0, "a": 2.0}
    assert done.points("half") == {"z": 1.0, "a": 2.0}
    assert done.points("none") == done.points("cheat") == {"z": 0.0, "a": 0.0}
    refused = CliRunner().invoke(main, ["release", "hw", "--course", str(tmp_path)])
    assert refused.exit_code != 0
    assert "nothing in the notebook binds 'square'" in refused.output
