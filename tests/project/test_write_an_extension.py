"""The page "Write an extension": its examples, installed as packages outside of the tree."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from helpers import tiny
from helpers.installed import installed
from helpers.kernels import InProcessKernel
from helpers.remote_models import answer, recorded
from helpers.tiny import Here, grade_in_this_process, submit, tiny_course

from autograder import check, cli
from autograder._util import kernel_side, registry
from autograder.course.extension_keys import ExtensionKey
from autograder.extensions.lms.sheet import read_sheet
from autograder.extensions.lms.systems import recognize
from autograder.records.course import Course
from autograder.records.waits import Waits

PACKAGE = Path(cli.__file__).parents[1]
PAGE = (Path(__file__).parents[2] / "docs/how-to/write-an-extension.md").read_text(encoding="utf-8")
MODULES = {m[1]: m[2] for m in re.finditer(r"^```python file=([\w/]+)\.py\n(.*?)^```$", PAGE, re.M | re.S)}
SHEET = "Registration;Account;Points\n0017;ada;\n0018;bob;\n"


def entry_points() -> str:
    """The entry points of the page's pieces of pyproject.toml, as an installer writes them."""
    lines: dict[str, str] = {}
    for text in re.findall(r"^```toml\n(.*?)^```$", PAGE, re.M | re.S):
        for group, found in tomllib.loads(text)["project"]["entry-points"].items():
            lines[group] = lines.get(group, "") + "".join(f"{name} = {value}\n" for name, value in found.items())
    return "".join(f"[{group}]\n{entries}" for group, entries in lines.items())


@pytest.fixture(autouse=True)
def examples(tmp_path: Path) -> Iterator[None]:
    with installed(tmp_path / "site", "extension-examples", MODULES, entry_points()):
        yield


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """A course whose batch was graded in this process: ada has all points, bob none."""
    course = tiny_course(tmp_path / "course")
    submit(course, "ada")
    submit(course, "bob", "def double(x):\n    return 2")
    monkeypatch.setattr(tiny, "start_kernel", lambda work: InProcessKernel())
    grade_in_this_process(monkeypatch, Here())
    said = autograder("grade", "hw", "--quiet", "--course", course.root)
    assert said.exit_code == 0, said.output
    return course


def autograder(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, list(map(str, arguments)), catch_exceptions=False, prog_name="autograder")


def test_no_example_is_longer_than_sixty_lines() -> None:
    assert len(MODULES) == 7
    assert all(text.count("\n") <= 60 for text in MODULES.values())


def test_the_learning_systems_file_is_known_and_filled_by_post(course: Course, tmp_path: Path) -> None:
    table = tmp_path / "campus.csv"
    table.write_text(SHEET)
    layout = recognize(read_sheet(table), ["hw"])
    assert (layout.system, layout.people, layout.column.index) == ("Campus", (1, 2), 2)
    said = autograder("post", "hw", "--into", table, "--course", course.root)
    assert said.exit_code == 0, said.output
    assert "Campus, column “Points”: 2 grades written" in said.stdout


def test_a_file_of_nobodys_names_the_registered_system_among_the_others(course: Course, tmp_path: Path) -> None:
    table = tmp_path / "other.csv"
    table.write_text("a,b\n1,2\n")
    said = autograder("post", "hw", "--into", table, "--course", course.root)
    assert said.exit_code == 2
    assert "is no grade file of Blackboard, Brightspace, Canvas, Moodle or Campus" in said.stderr


def test_a_system_without_an_api_takes_files_only(course: Course) -> None:
    path = course.root / "course.yaml"
    text = path.read_text().replace("  hw:\n", "  hw:\n    posted_to: 3\n", 1)
    path.write_text(f"{text}\nlearning_system: {{kind: campus, url: 'https://campus.example', course: 1}}\n")
    said = autograder("post", "hw", "--course", course.root)
    assert said.exit_code == 1
    assert "'campus' in 'learning_system' takes no results by an API; use autograder post --into" in said.stderr


def test_the_command_lists_who_is_below(course: Course) -> None:
    said = autograder("below", "hw", "0.5", "--course", course.root)
    assert re.fullmatch(r"0/\d+  bob\n", said.stdout)
    assert "List students below" in autograder("--help").stdout


def test_the_check_is_a_word_of_check() -> None:
    assert recorded(lambda: check.increasing([1.0, 2.0, 5.0])).fraction == 1
    assert recorded(lambda: check.increasing([1.0, 2.0, 2.0])).message == "2 follows 2"


PREDICTOR = """
import numpy as np

class Model:
    def predict_proba(self, rows):
        return np.where(np.asarray(rows)[:, :1] > 0, [[SURE, 1 - SURE]], [[1 - SURE, SURE]])

model = Model()
"""
ROWS = np.random.default_rng(3).normal(size=(400, 2))
CLASSES = np.where(np.random.default_rng(4).uniform(size=400) < 0.8, ROWS[:, 0] <= 0, ROWS[:, 0] > 0).astype(int)
"""Eight of ten are of the class that the sign of the first column says."""


@pytest.mark.parametrize(("sure", "fraction", "said"), [(0.8, 1, r"0\.0[0-4]\d"), (0.99, 0, r"0\.1[5-9]\d|0\.2\d\d")])
def test_the_check_of_a_model_asks_it_whatever_its_class_is(sure: float, fraction: float, said: str) -> None:
    model = answer(PREDICTOR.replace("SURE", str(sure)))
    result = recorded(lambda: check.calibration_error(model, on=(ROWS, CLASSES), below=0.06))
    assert result.fraction == fraction
    assert re.fullmatch(
        rf"calibration error ({said}), 0\.06 or less asked, predicted in the notebook's kernel", result.message
    )


def test_what_is_no_model_or_gives_no_probabilities_fails_the_check_with_its_sentence() -> None:
    for source, said in [("model = 3", "not a model"), ("model = lambda rows: rows", "must be probabilities")]:
        model = answer(source)
        result = recorded(lambda model=model: check.calibration_error(model, on=(ROWS, CLASSES), below=0.06))
        assert (result.fraction, said in result.message) == (0, True), result.message


def test_a_family_makes_another_librarys_objects_models(monkeypatch: pytest.MonkeyPatch) -> None:
    agent = importlib.import_module("_kernel_agent.kernel.model_family")
    monkeypatch.setattr(agent, "registered", kernel_side.family_modules)
    source = """
import numpy as np
from scipy.interpolate import make_lsq_spline

x = np.linspace(0, 3, 50)
model = make_lsq_spline(x, np.sin(x), [0, 0, 0, 0, 1, 2, 3, 3, 3, 3])
"""
    model, x = answer(source), np.linspace(0.1, 2.9, 20)
    assert recorded(lambda: check.loss(model, on=(x, np.sin(x)), below=0.01, loss="mse")).fraction == 1
    counted = recorded(lambda: check.parameters(model, at_most=6))
    assert counted.waits is Waits.UNDECIDED
    assert counted.detail.startswith("6 parameters (coefficients, as the notebook reports)")


def test_the_examples_build_on_what_stays_alone() -> None:
    allowed = re.compile(r"autograder\.(api\.\w+|testing\.\w+|extensions\.\w+\.api)")
    imported = {
        str(node.module)
        for text in re.findall(r"^```python[^\n]*\n(.*?)^```$", PAGE, re.M | re.S)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("autograder")
    }
    assert len(imported) > 6
    assert {module for module in imported if not allowed.fullmatch(module)} == set()


def test_the_table_of_what_stays_has_every_name() -> None:
    files = [*sorted(PACKAGE.glob("api/[a-z]*.py")), *sorted(PACKAGE.glob("extensions/*/api.py"))]
    modules = [".".join(["autograder", *file.relative_to(PACKAGE).with_suffix("").parts]) for file in files]
    table = dict(re.findall(r"^\| `(autograder\.[\w.]*\bapi[\w.]*)` \| (.+) \|$", PAGE, re.M))
    assert list(table) == modules
    for module in modules:
        assert re.findall(r"`(\w+)`", table[module]) == importlib.import_module(module).__all__


def test_the_key_of_the_page_is_read(course: Course, tmp_path: Path) -> None:
    (example,) = [text for text in re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S) if "HONORS" in text]
    entry = "[autograder.course_keys]\nhonors = honors_key:HONORS\n"
    with installed(tmp_path / "honors", "honors-key", {"honors_key": example}, entry):
        assert isinstance(registry.load(registry.COURSE_KEYS, "honors"), ExtensionKey)
        read = tiny_course(
            tmp_path / "honored", yaml=(course.root / "course.yaml").read_text() + "\nhonors: {share: 0.2}\n"
        )
        assert read.settings["honors"].share == 0.2


def test_every_group_of_the_registry_is_in_the_table() -> None:
    groups = {
        value
        for value in vars(registry).values()
        if isinstance(value, str) and value.startswith("autograder.") and "_util" not in value
    }
    assert groups <= set(re.findall(r"`(autograder\.\w+)`", PAGE.split("## What can")[1].split("\n## ")[0]))


OWN_SANDBOX = """
import os
from dataclasses import replace
from autograder.sandbox.bubblewrap import BubblewrapSandbox

class MySandbox(BubblewrapSandbox):
    name = "mine"

    def start(self, job):
        return super().start(replace(job, env={**HOSTS, **job.env}))
"""
QUICK = "environment_is_the_jobs or supplementary_groups or label_and_reduced"


@pytest.mark.sandbox
@pytest.mark.integration
@pytest.mark.parametrize(
    ("hosts", "failed"), [("{}", 0), ("os.environ", 1)], ids=["holds", "passes on the environment"]
)
def test_another_packages_sandbox_proves_itself_with_the_contract(tmp_path: Path, hosts: str, failed: int) -> None:
    """A part of it: the whole contract takes a minute."""
    (example,) = [
        text for text in re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S) if "SandboxContract" in text
    ]
    (tmp_path / "my_sandbox.py").write_text(OWN_SANDBOX.replace("HOSTS", hosts))
    (tmp_path / "test_my_sandbox.py").write_text(example)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", QUICK]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == failed, done.stdout
    assert ("test_environment_is_the_jobs_alone" in done.stdout) == bool(failed)


FORGETFUL = """
class OneByOne:
    def __init__(self, engine, root):
        pass

    def __call__(self, due, workers):
        from autograder.coordinator.pool import in_processes
        yield from in_processes(due[1:], 1)
"""


@pytest.mark.slow
@pytest.mark.sandbox
@pytest.mark.integration
@pytest.mark.parametrize(("module", "failed"), [(MODULES["one_by_one"], 0), (FORGETFUL, 1)], ids=["holds", "forgets"])
def test_the_pages_executor_proves_itself_with_the_contract(tmp_path: Path, module: str, failed: int) -> None:
    """One that forgets a submission fails it."""
    (example,) = [
        text for text in re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S) if "ExecutorContract" in text
    ]
    (tmp_path / "one_by_one.py").write_text(module)
    (tmp_path / "test_one_by_one.py").write_text(example)
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == failed, done.stdout


def test_the_pages_executor_is_the_engine_of_its_name(course: Course) -> None:
    assert registry.load(registry.EXECUTORS, "one-by-one").__name__ == "OneByOne"
