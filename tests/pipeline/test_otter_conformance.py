"""The same sources and submissions with otter-grader itself (``otter assign``, ``otter run``) and with this kit.

OTTER_PYTHON names the Python of an environment with otter-grader 7; ``make test-otter`` makes one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from helpers.otter import course, release_of
from helpers.otter_attacks import AGREES, CELLS, RIGHT, TRICKS, WRONG, poisoned_log
from helpers.otter_sources import FUNCTION_STUDENTS, FUNCTIONS, SCORED, STUDENTS, answered
from helpers.pipeline import grade

from autograder.coordinator.proof import prove
from autograder.course.configuration import load_course
from autograder.extensions.otter.conversion import import_zip
from autograder.release.build import write

PYTHON = os.environ.get("OTTER_PYTHON", "")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.sandbox,
    pytest.mark.skipif(not PYTHON, reason="OTTER_PYTHON names no Python with otter-grader 7"),
]
SOURCES = {"doctests": (SCORED, STUDENTS), "functions": (FUNCTIONS, FUNCTION_STUDENTS)}

RUN = """
import json, os, shutil, sys, tempfile
from otter.run import main

archive, folder = sys.argv[1:]
scores = {}
for name in sorted(os.listdir(folder)):
    work = tempfile.mkdtemp()
    path = os.path.join(folder, name)
    os.chdir(work)
    try:
        results = main(path, autograder=archive, output_dir=None, no_logo=True)
        tests = results.to_gradescope_dict(__import__("otter").run.run_autograder.autograder_config.AutograderConfig())
        scores[name.partition(".")[0]] = {
            t["name"]: [t["score"], t["max_score"]] for t in tests["tests"] if t.get("max_score") is not None
        }
    finally:
        os.chdir("/")
        shutil.rmtree(work, ignore_errors=True)
print("SCORES" + json.dumps(scores))
"""
CHECK = """
import json, os, sys
import otter

os.chdir(sys.argv[1])
grader = otter.Notebook("nb.ipynb")
print("SCORES" + json.dumps([case.passed for case in grader.check("q1", global_env={"x": 3}).test_case_results]))
"""


def of_otter(script: str, *arguments: str | Path) -> dict | list:
    """What a script says that runs where otter-grader is installed."""
    done = subprocess.run([PYTHON, "-c", script, *arguments], capture_output=True, text=True, timeout=1_200, cwd="/")
    lines = [line for line in done.stdout.splitlines() if line.startswith("SCORES")]
    assert lines, done.stdout[-2_000:] + done.stderr[-4_000:]
    return json.loads(lines[-1].removeprefix("SCORES"))


def assigned(root: Path) -> tuple[Path, Path]:
    """Run ``otter assign`` on the course's source; its zip, and the notebook for students."""
    out = root / "otter"
    command = Path(PYTHON).with_name("otter"), "assign", "--no-pdfs", root / "source/hw/nb.ipynb", out
    path = f"{Path(PYTHON).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=1_200, cwd=root, env=os.environ | {"PATH": path}
    )
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-4_000:]
    (archive,) = (out / "autograder").glob("*.zip")
    return archive, out / "student/nb.ipynb"


@dataclass
class Both:
    """A class that both have graded."""

    theirs: dict
    """Student → question → [score, maximum]."""
    ours: dict
    root: Path
    archive: Path
    students: Path
    """The notebook that otter gives students."""


@pytest.fixture(scope="module", params=SOURCES)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Both:
    cells, students = SOURCES[request.param]
    root = course(tmp_path_factory.mktemp(request.param), *cells)
    archive, notebook = assigned(root)
    found = load_course(root)
    release = release_of(root)
    prove(found, release)
    write(found, found.assignments["hw"], release)
    folder = root / "theirs"
    folder.mkdir()
    for student, answers in students.items():
        text = json.dumps(answered(json.loads(notebook.read_text()), answers))
        (folder / f"{student}.ipynb").write_text(text)
        (root / f"submitted/{student}/hw").mkdir(parents=True)
        (root / f"submitted/{student}/hw/nb.ipynb").write_text(text)
    done = grade(found, name="hw")
    ours = {s: {q.id: [q.score, q.max_score] for n in g.notebooks for q in n.questions} for s, g in done.grades.items()}
    return Both(of_otter(RUN, archive, folder), ours, root, archive, notebook)


def rounded(scores: dict) -> dict:
    return {s: {q: [round(x, 5) for x in pair] for q, pair in each.items()} for s, each in scores.items()}


def test_students_get_the_same_points_and_maxima(both: Both) -> None:
    assert rounded(both.ours) == rounded(both.theirs)
    assert len({json.dumps(one) for one in both.theirs.values()}) >= 3


@pytest.mark.parametrize("with_notebook", [True, False], ids=["with the notebook", "alone"])
def test_otters_zip_gives_the_same_points(both: Both, tmp_path: Path, with_notebook: bool) -> None:
    (tmp_path / "course.yaml").write_text("course: small\n")
    shutil.copytree(both.root / "submitted", tmp_path / "submitted")
    import_zip(load_course(tmp_path), "hw", both.archive, both.students if with_notebook else None)
    (tmp_path / "course.yaml").write_text("course: small\nassignments:\n  hw: {}\n")
    done = grade(load_course(tmp_path), name="hw")
    ours = {s: {q.id: [q.score, q.max_score] for n in g.notebooks for q in n.questions} for s, g in done.grades.items()}
    assert rounded(ours) == rounded(both.theirs)


# --- controls of the attacks -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What otter-grader gives the notebooks of ``security/test_63_otter.py``."""
    root = course(tmp_path_factory.mktemp("attacks"), *CELLS)
    archive, students = assigned(root)
    folder = root / "theirs"
    folder.mkdir()
    tried = {"right": ("", RIGHT), "wrong": ("", WRONG), "agrees": ("", AGREES)}
    tried |= {name: (trick, WRONG) for name, trick in TRICKS.items()}
    for name, (front, answer) in tried.items():
        notebook = json.loads(students.read_text())
        for cell in notebook["cells"]:
            cell["source"] = "".join(cell["source"]).replace("x = ...", answer)
        # Otter's own first cell is put above all; the trick comes right behind it.
        first = {"cell_type": "code", "metadata": {}, "source": front, "outputs": [], "execution_count": None}
        notebook["cells"].insert(0, first)
        (folder / f"{name}.ipynb").write_text(json.dumps(notebook))
    return {name: one["q1"][0] for name, one in of_otter(RUN, archive, folder).items()}


def test_right_and_wrong_answers_are_told_apart_by_otter(attacked: dict) -> None:
    assert (attacked["right"], attacked["wrong"]) == (2, 0)


@pytest.mark.parametrize("name", [*TRICKS, "agrees"])
def test_a_trick_wins_all_points_of_otter(attacked: dict, name: str) -> None:
    assert attacked[name] == 2


@pytest.mark.parametrize("how", ["metadata", "folder"])
def test_otter_on_the_students_side_believes_tests_that_are_handed_in(tmp_path: Path, how: str) -> None:
    nothing = {"name": "q1", "points": 2, "suites": [{"cases": [], "scored": True, "setup": "", "teardown": "", "type": "doctest"}]}  # fmt: skip
    notebook = json.loads(release_of(course(tmp_path, *CELLS)).notebooks[0].text)
    (tmp_path / "nb.ipynb").write_text(json.dumps(notebook))
    assert False in of_otter(CHECK, tmp_path)
    if how == "metadata":
        notebook["metadata"]["otter"]["tests"]["q1"] = nothing
        (tmp_path / "nb.ipynb").write_text(json.dumps(notebook))
    else:
        (tmp_path / "tests").mkdir()
        (tmp_path / "tests/q1.py").write_text(f"OK_FORMAT = True\ntest = {nothing!r}\n")
    assert False not in of_otter(CHECK, tmp_path)


def test_otter_runs_what_a_log_holds(tmp_path: Path) -> None:
    (tmp_path / ".OTTER_LOG").write_bytes(poisoned_log(str(tmp_path / "unpickled")))
    script = (
        "import sys\nfrom otter.check.logs import Log\n"
        "try:\n    Log.from_file(sys.argv[1])\nexcept Exception:\n    pass\nprint('SCORES[]')"
    )
    of_otter(script, tmp_path / ".OTTER_LOG")
    assert (tmp_path / "unpickled").exists()
