"""The files that a test opens: those of its working folder, its own temporary ones, hidden data, and what it names."""

from __future__ import annotations

import sys

import pytest
from helpers.examination import graded, outcome
from helpers.exams import exam_of
from helpers.workspaces import graded as with_files

from autograder.records.checks import Outcome
from autograder.records.exam import Role

HELD = {
    "a mapping proxy": ("import types\nheld = types.MappingProxyType({{'p': {!r}}})", "held['p']"),
    "a view of a dict": ("held = {{'p': {!r}}}.values()", "list(held)[0]"),
    "a table": ("import pandas as pd\nheld = pd.DataFrame({{'p': [{!r}]}})", "held.p[0]"),
    "an array": ("import numpy as np\nheld = np.array([{!r}])", "str(held[0])"),
    "its letters": ("held = list({!r})", "''.join(held)"),
    "a path": ("import pathlib\nheld = pathlib.Path({!r})", "held"),
    "a symbolic link's way": ("held = '/proc/self/cwd/' + {!r}", "held"),
}
OPENS = {
    "reads": "assert open({}).read() == 'points'",
    "writes": "open({}, 'w').write('')",
    "removes": "import os\nos.remove({})",
    "moves": "import os\nos.rename({}, 'x')",
    "links": "import os\nos.link({}, 'x')",
    "reads through a link": "import os\nos.symlink({}, 'x')\nassert open('x').read() == 'points'",
    "writes through a link": "import os\nos.symlink({}, 'x')\nopen('x', 'w').write('')",
    "removes the folder": "import os, shutil\nshutil.rmtree(os.path.dirname({}))",
    "lists the folder": "import os\nassert os.listdir(os.path.dirname({}))",
    "reads as a table": "import pandas as pd\nassert len(pd.read_csv({}, header=None))",
    "reads as an address": "import urllib.request\nassert urllib.request.urlopen('file://' + str({})).read()",
}


@pytest.mark.parametrize("held", HELD)
@pytest.mark.parametrize("opens", OPENS)
@pytest.mark.parametrize("names_files", [True, False])
def test_a_path_of_the_students_leads_nowhere(held, opens, names_files, kernel, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    victim = tmp_path / "gradebook.db"
    victim.write_text("points")
    answer, taken = HELD[held]
    answer = answer.format(victim.name if "cwd" in answer else str(victim))
    test = OPENS[opens].format(taken)
    cells = (Role.ANSWER, answer), (Role.TEST, test)
    (result,) = with_files(kernel, *cells, released="") if names_files else [outcome(answer, test, released="")]
    assert victim.read_text() == "points"
    assert result.fraction == 0


def test_nor_does_a_number_that_may_be_one_of_the_graders_files():
    result = outcome("def f(): return 2", "open(f(), closefd=False).read()", released="")
    assert result.outcome is Outcome.BROKEN


def test_a_path_that_nobody_gave_is_a_matter_for_a_person(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").write_text("x")
    test = "name = ''.join(['da', 'ta.csv'])\nassert open(name).read() == f('x')"
    result = outcome("def f(x): return x", test, released="")
    assert result.outcome is Outcome.BROKEN
    assert "take it from check.hidden_data" in result.detail


F = "def f(x): return x"
FINE = {
    "a file that stands in the test": "assert open('{folder}/data.csv').read() == f('x')",
    "a file in a folder that stands in the test": "import pathlib\nassert (pathlib.Path('{folder}') / 'data.csv').read_text() == f('x')",
    "a file by its name alone": "assert open('data.csv').read() == f('x')",
    "hidden data": "from autograder import check\nassert open(check.hidden_data('hidden.txt')).read() == f('h')",
    "temporary files": "import os, tempfile\nwith tempfile.TemporaryDirectory() as d:\n    p = os.path.join(d, 'a')\n    open(p, 'w').write('1')\n"
    "    os.rename(p, p + 'b')\n    assert os.listdir(d) == ['ab']\nwith tempfile.NamedTemporaryFile('w+') as t:\n    t.write(f('x'))\n    t.flush()\n"
    "    assert open(t.name).read() == 'x'\nwith tempfile.TemporaryFile() as t:\n    t.write(b'x')",
    "folders in temporary folders": "import os, shutil, tempfile\nd = tempfile.mkdtemp()\nos.makedirs(os.path.join(d, 'a', 'b'))\n"
    "open(os.path.join(d, 'a', 'b', 'c'), 'w').close()\nassert len(list(os.fwalk(d))) == f(3)\nshutil.rmtree(d)\nassert not os.path.exists(d)",
    "the system's files": "import datetime, zoneinfo\nzoneinfo.ZoneInfo('Europe/Rome')\nassert open('/proc/cpuinfo').read() and f(1)",
    "data of libraries": "from sklearn.datasets import load_iris\nassert load_iris().data.shape[1] == f(4)",
    "nothing": "import os\nwith open(os.devnull, 'w') as n:\n    n.write(f('x'))",
}


@pytest.mark.parametrize("test", FINE)
def test_files_of_the_tests_own_are_opened(test, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").write_text("x")
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden/hidden.txt").write_text("h")
    test = FINE[test].format(folder=tmp_path) if "{folder}" in FINE[test] else FINE[test]
    result = outcome(F, test, released="", hidden=tmp_path / "hidden", seconds=60.0)
    assert result.fraction == 1, result.detail


def test_a_module_of_the_courses_reads_what_lies_beside_it(tmp_path, monkeypatch):
    (tmp_path / "rows_of_course.csv").write_text("1\n")
    lines = [
        "from pathlib import Path",
        "def rows():",
        "    return Path(__file__).with_name('rows_of_course.csv').read_text()",
    ]
    (tmp_path / "module_of_course.py").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(str(tmp_path))
    exam = exam_of(
        (Role.READ_ONLY, "from module_of_course import rows"),
        (Role.ANSWER, "def f(): return '1\\n'"),
        (Role.TEST, "assert rows() == f()"),
    )
    (result,) = graded(exam)
    sys.modules.pop("module_of_course", None)
    assert result.fraction == 1, result.detail


# --- what libraries read by themselves ------------------------------------------------------------------


def test_a_library_that_is_imported_reads_no_file_of_the_working_folder(kernel, tmp_path, monkeypatch):
    library = tmp_path / "site-packages"
    library.mkdir()
    (library / "reads_settings.py").write_text(
        "try:\n    FOUND = open('settings.cfg').read()\nexcept OSError:\n    FOUND = ''\n"
    )
    monkeypatch.syspath_prepend(str(library))
    from autograder.examiner.student_text import callers

    callers.library_folders.cache_clear()
    answer = "open('settings.cfg', 'w').write('the student')"
    test = "import os\nfrom reads_settings import FOUND\nassert FOUND == ''\nassert open('settings.cfg').read()"
    (result,) = with_files(kernel, (Role.ANSWER, answer), (Role.TEST, test), released="")
    callers.library_folders.cache_clear()
    sys.modules.pop("reads_settings", None)
    assert result.fraction == 1, result.detail


@pytest.mark.parametrize("size", [100, 2 << 20])
def test_a_file_by_which_a_library_is_configured_is_not_there_handed_in_or_written(size, kernel, tmp_path):
    (tmp_path / "matplotlibrc").write_text("lines.linewidth: 77\n" + "#" * size)
    (tmp_path / "own.csv").write_text("x")
    files = {name: tmp_path / name for name in ("matplotlibrc", "own.csv")}
    test = "import os\nassert os.listdir('.') == ['own.csv']"
    (result,) = with_files(
        kernel, (Role.ANSWER, "open('matplotlibrc', 'w').write('')"), (Role.TEST, test), handed_in=files
    )
    assert result.fraction == 1, result.detail
