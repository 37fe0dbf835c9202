"""Acceptance tests 32 to 37: texts that libraries run, files that configure them, SQL and paths, in hidden tests."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from helpers.pipeline import Graded, grade
from helpers.tiny import cell, notebook, observe_here

from autograder.course.configuration import load_course
from autograder.records.course import Course
from autograder.release.build import build, write

PLANTED = f"/tmp/planted-texts-{os.getpid()}"
"""What the cheats' texts make: in a kernel this is the sandbox's own /tmp."""
RUNS = f"os.system('touch {PLANTED}')"
QUERY = f"@pd.io.common.{RUNS} == 0"
RCFILE = "lines.linewidth: 77\n" + "#" * (2 << 20)


@dataclass(frozen=True)
class Case:
    """One question: the value that a cheat and an honest student bind, and the hidden test of it."""

    cheat: str
    honest: str
    test: str
    harm: str = f"__import__('os').path.exists({PLANTED!r})"
    """What is true after the cheat's value met the test in one process."""
    decided: bool = True
    """The honest value gives the points; else nobody but a person can decide."""


def table(answer: str, taken: str, query: str = QUERY, honest: str = "a > 1", method: str = "query") -> Case:
    """A condition that comes in some container and goes to a table."""
    test = (
        "import re\nimport pandas as pd\ntable = pd.DataFrame({'a': [1, 2, 3]})\n"
        f"found = table.{method}({taken}, engine='python')\nassert len(found) > 1"
    )
    return Case(answer.format(query), answer.format(honest), test)


def database(query: str, honest: str, harm: str, where: str = "':memory:'", then: str = "assert True") -> Case:
    test = f"import sqlite3\nfrom autograder import check\nc = sqlite3.connect({where})\ngot = c.execute(value).fetchall()\nc.commit()\n{then}"
    return Case(repr(query), repr(honest), test, harm)


def counted(path: Path) -> str:
    return f"__import__('sqlite3').connect({str(path)!r}).execute('SELECT n FROM points').fetchone() != (10,)"


def cases(folder: Path, hidden: Path) -> dict[str, Case]:
    """The questions; ``book.db`` in the folder is no business of any test, ``hidden`` has one to look at."""
    victim = str(folder / "book.db")
    proxy = "__import__('types').MappingProxyType({{'p': {!r}}})"
    looks = "check.hidden_data('book.db')"
    return {
        "32-mapping-proxy": table("__import__('types').MappingProxyType({{'q': {!r}}})", "value['q']"),
        "32-chain-map": table("__import__('collections').ChainMap({{'q': {!r}}})", "value['q']"),
        "32-view": table("{{'q': {!r}}}.values()", "list(value)[0]"),
        "32-table": table("__import__('pandas').DataFrame({{'q': [{!r}]}})", "value.q[0]"),
        "32-pattern": table(
            "__import__('re').compile(__import__('re').escape({!r}))", "re.sub(r'\\\\(.)', r'\\1', value.pattern)"
        ),
        "32-dtype": table("__import__('numpy').dtype([({!r}, 'i4')])", "value.names[0]"),
        "33-and": table("{!r}", "value", f"(a > 1) & ({QUERY})", "(a > 1) & (a < 9)"),
        "33-or": table("{!r}", "value", f"(a > 9) | ({QUERY})", "(a > 2) | (a < 2)"),
        "33-equals": table("{!r}", "value", f"c = @pd.io.common.{RUNS}", "a > 1", "eval"),
        "34-template": Case(
            repr(f"{{{{ cycler.__init__.__globals__.{RUNS} }}}}"),
            "'Ann'",
            "import jinja2\nassert len(jinja2.Template(value).render()) == 3",
            decided=False,  # an honest page is a text as well
        ),
        "34-template-of-the-test": Case(
            repr(f"{{{{ cycler.__init__.__globals__.{RUNS} }}}}"),
            "'Ann'",
            "import jinja2\nassert jinja2.Template('Hello, {{ name }}.').render(name=value) == 'Hello, Ann.'",
            harm="",
        ),
        "35-settings": Case(
            "'own.csv'",
            "'own.csv'",
            "import matplotlib\nassert open(value).read() == 'x'\nwidth = matplotlib.rcParams['lines.linewidth']\nassert width != 77",
            harm="width == 77",
        ),
        "36-attach": database(f"ATTACH '{victim}' AS g", "SELECT 1", "'book' in str(c.execute('PRAGMA database_list').fetchall())"),
        "36-update": database(
            "WITH w AS (SELECT 16 AS n) UPDATE points SET n = (SELECT n FROM w)",
            "WITH w AS (SELECT n FROM points) SELECT max(n) FROM w",
            counted(hidden / "book.db"), looks, "assert got == [(10,)]",
        ),
        "36-vacuum": database(f"VACUUM INTO '{PLANTED}'", "VACUUM", Case.harm),
        "36-path": Case(
            proxy.format(victim), proxy.format(":memory:"),
            "import sqlite3\nc = sqlite3.connect(value['p'])\nc.execute('CREATE TABLE IF NOT EXISTS points (n)')\n"
            "c.execute('DELETE FROM points')\nc.commit()",
            counted(folder / "book.db"),
        ),
        "37-writes": Case(
            proxy.format(victim), proxy.format("own.txt"),
            "path = value['p']\nwith open(path, 'w') as file:\n    file.write('x')\nassert open(path).read() == 'x'",
            f"open({victim!r}).read() == 'x'",
        ),
        "37-removes": Case(
            proxy.format(victim), proxy.format("own.csv"),
            "import pathlib\npath = pathlib.Path(value['p'])\npath.unlink()\nassert not path.exists()",
            f"not __import__('os').path.exists({victim!r})",
        ),
    }  # fmt: skip


def books(*folders: Path) -> None:
    """A database in each folder, with ten points in it."""
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        made = sqlite3.connect(folder / "book.db")
        made.executescript("CREATE TABLE points (n); INSERT INTO points VALUES (10)")
        made.close()


def points(path: Path) -> int:
    made = sqlite3.connect(path)
    try:
        return int(made.execute("SELECT n FROM points").fetchone()[0])
    finally:
        made.close()


def cells(all_cases: dict[str, Case], honest: bool) -> list[dict[str, object]]:
    made = []
    for name, case in all_cases.items():
        source = f"value = {case.honest if honest else case.cheat}"
        made.append(cell(source, f"answer-{name}", solution=True))
        test = f"### BEGIN HIDDEN TESTS\n{case.test}\n### END HIDDEN TESTS"
        made.append(cell(test, name, grade=True, locked=True, points=1))
    return made


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    root = tmp_path_factory.mktemp("texts") / "course"
    source = root / "source/hw"
    books(root, source / "hidden")
    (source / "nb.ipynb").write_text(notebook(*cells(cases(root, source / "hidden"), honest=True)))
    (root / "course.yaml").write_text("course: texts\nassignments:\n  hw: {hidden: [book.db]}\n")
    made = load_course(root)
    assignment = made.assignments["hw"]
    write(made, assignment, build(made, assignment))
    observe_here(made)
    return made


@pytest.fixture(scope="module")
def graded(course: Course) -> Graded:
    questions = cases(course.root, course.source("hw") / "hidden")
    for student in ("cheat", "honest"):
        folder = course.submitted(student, "hw")
        folder.mkdir(parents=True)
        (folder / "nb.ipynb").write_text(notebook(*cells(questions, honest=student == "honest")))
        (folder / "own.csv").write_text("x")
        (folder / "matplotlibrc").write_text(RCFILE)
    return grade(course, name="hw")


def of(*numbers: int) -> list[str]:
    return [name for name in cases(Path(), Path()) if name.startswith(tuple(f"{n}-" for n in numbers))]


def outcomes(graded: Graded, student: str, names: list[str]) -> dict[str, tuple[float, str]]:
    (done,) = graded.grades[student].notebooks
    return {q.id: (q.score, q.outcome.value) for q in done.questions if q.id in names}


def assert_held(course: Course, graded: Graded, number: int) -> None:
    """The cheat has no point of these questions, and the honest student has those that a machine can give."""
    questions = cases(Path(), Path())
    assert {name: score for name, (score, _) in outcomes(graded, "cheat", of(number)).items()} == {
        name: float(name == "35-settings") for name in of(number)
    }
    for name, (score, outcome) in outcomes(graded, "honest", of(number)).items():
        assert (score, outcome) == ((1.0, "passed") if questions[name].decided else (0.0, "broken")), name
    assert not Path(PLANTED).exists()
    assert points(course.root / "book.db") == points(course.source("hw") / "hidden/book.db") == 10


@pytest.mark.sandbox
def test_32_no_text_in_a_container_is_run(course: Course, graded: Graded) -> None:
    assert_held(course, graded, 32)


@pytest.mark.sandbox
def test_33_no_text_that_pandas_rewrites_is_run(course: Course, graded: Graded) -> None:
    assert_held(course, graded, 33)


@pytest.mark.sandbox
def test_34_no_text_of_another_language_is_run(course: Course, graded: Graded) -> None:
    assert_held(course, graded, 34)


@pytest.mark.sandbox
def test_35_no_file_that_was_handed_in_configures_a_library(course: Course, graded: Graded) -> None:
    assert_held(course, graded, 35)


@pytest.mark.sandbox
def test_36_no_statement_reaches_another_database(course: Course, graded: Graded) -> None:
    assert_held(course, graded, 36)


@pytest.mark.sandbox
def test_37_no_path_in_a_container_is_opened_or_removed(course: Course, graded: Graded) -> None:
    assert_held(course, graded, 37)


FORKS = """
import json, os, sys
import pandas  # once, before the forks
for name, folder, program in json.load(sys.stdin):
    if os.fork() == 0:
        os.chdir(folder)
        names = {}
        exec(program, names)
        print("HARMED", name, names["harmed"], flush=True)
        os._exit(0)
    os.wait()
"""


def harmed_in_one_process(names: list[str], folder: Path) -> list[str]:
    """Return the questions whose cheat's value does its harm where the test runs in the same process."""
    programs = []
    for name in names:
        own = folder / name
        books(own, own / "hidden")
        (own / "own.csv").write_text("x")
        (own / "matplotlibrc").write_text(RCFILE)
        case = cases(own, own / "hidden")[name]
        program = f"import pathlib\npathlib.Path({PLANTED!r}).unlink(missing_ok=True)\nvalue = {case.cheat}\ntry:\n"
        program += "\n".join(f"    {line}" for line in case.test.splitlines())
        programs.append((name, str(own), f"{program}\nexcept Exception:\n    pass\nharmed = bool({case.harm})"))
    try:
        done = subprocess.run(
            [sys.executable, "-c", FORKS],
            input=json.dumps(programs),
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
    finally:
        Path(PLANTED).unlink(missing_ok=True)
    told = (line.split() for line in done.stdout.splitlines() if line.startswith("HARMED "))
    return [name for _, name, harmed in told if harmed == "True"]


def assert_works(number: int, folder: Path) -> None:
    harmful = [name for name in of(number) if cases(Path(), Path())[name].harm]
    assert harmed_in_one_process(harmful, folder) == harmful


@pytest.mark.integration
def test_32_control_it_is_run_where_the_test_is_not_examined(folder: Path) -> None:
    assert_works(32, folder)


@pytest.mark.integration
def test_33_control_it_is_run_where_the_test_is_not_examined(folder: Path) -> None:
    assert_works(33, folder)


def test_34_control_it_is_run_where_the_test_is_not_examined(folder: Path) -> None:
    assert_works(34, folder)


def test_35_control_matplotlib_reads_it_in_the_working_folder(folder: Path) -> None:
    assert_works(35, folder)


@pytest.mark.integration
def test_36_control_a_plain_connection_reaches_them(folder: Path) -> None:
    assert_works(36, folder)


def test_37_control_it_is_opened_and_removed_in_one_process(folder: Path) -> None:
    assert_works(37, folder)
