"""The page "Write an extension": its examples, installed as packages outside of the tree."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from helpers import tiny
from helpers.commands import commands
from helpers.installed import installed
from helpers.kernels import InProcessKernel
from helpers.remote_models import recorded
from helpers.tiny import Here, grade_in_this_process, submit, tiny_course

from autograder import check, cli
from autograder._util import registry
from autograder.course.extension_keys import ExtensionKey
from autograder.extensions.lms.sheet import read_sheet
from autograder.extensions.lms.systems import recognize
from autograder.records.course import Course

PAGE = (Path(__file__).parents[2] / "docs/how-to/write-an-extension.md").read_text(encoding="utf-8")
MODULES = {m[1]: m[2] for m in re.finditer(r"^```python file=(\w+)\.py\n(.*?)^```$", PAGE, re.M | re.S)}
SHEET = "Registration;Account;Points\n0017;ada;\n0018;bob;\n"


def entry_points() -> str:
    """The entry points of the page's pieces of pyproject.toml, as an installer writes them."""
    text = "".join(re.findall(r"^```toml\n(.*?)^```$", PAGE, re.M | re.S))
    groups = tomllib.loads(text)["project"]["entry-points"]
    sections = {
        group: "".join(f"{name} = {value}\n" for name, value in found.items()) for group, found in groups.items()
    }
    return "".join(f"[{group}]\n{lines}" for group, lines in sections.items())


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
    assert len(MODULES) == 4
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
    assert "List students below" in commands()["below"].get_short_help_str()


def test_the_check_is_a_word_of_check() -> None:
    assert recorded(lambda: check.increasing([1.0, 2.0, 5.0])).fraction == 1
    assert recorded(lambda: check.increasing([1.0, 2.0, 2.0])).message == "2 follows 2"


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
