"""Files that a student's code wrote: seen by the tests as they were at the cell, as data, and never run."""

from __future__ import annotations

import os
import pickle
import sqlite3
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from helpers.exams import composed_of, exam_of
from helpers.tiny import tiny_course, tiny_release

from autograder._util.digests import digest
from autograder.coordinator.proof import prove
from autograder.examiner.exam_run import ExamRun
from autograder.examiner.namespace import Answers
from autograder.examiner.permissions import Observer, Permissions
from autograder.examiner.remote.proxy import Remote
from autograder.examiner.student_text.guard import GuardError, guard_folder
from autograder.examiner.workspace import Workspace
from autograder.execution.capture import ExtraCaptures
from autograder.execution.captured_files import FolderCopy
from autograder.execution.notebook_run import execute
from autograder.extensions.pytest_files.pytest_file_reader import read_file
from autograder.kernel import workfiles as probe
from autograder.records.checks import Outcome
from autograder.records.exam import Role
from autograder.records.limits import Limits
from autograder.records.observations import Act, Fact, Observations
from autograder.release import build as releasing
from autograder.syntax.file_paths import looks_at_files
from autograder.syntax.names import needs, vocabulary

from _kernel_agent.kernel import workfiles  # isort: skip  (the kernel's own copy, as the agent imports it)
from helpers.workspaces import graded

SOLUTION = """\
import os
import matplotlib.pyplot as plt

def save(text, path):
    ### BEGIN SOLUTION
    with open(path, "w") as file:
        file.write(text)
    ### END SOLUTION

def draw(title):
    ### BEGIN SOLUTION
    plt.plot([1, 2])
    plt.title(title)
    plt.show()
    ### END SOLUTION

### BEGIN SOLUTION
os.makedirs("results")
save("a,b", "results/out.csv")
os.symlink("/etc/passwd", "link")
os.mkfifo("pipe")
open("evil.pth", "w").write("import os")
draw("shown")
fig, ax = plt.subplots()
ax.bar(["a", "b"], [1, 2])
### END SOLUTION
"""
SANDBOXED = """\
import os
import matplotlib.pyplot as plt
### BEGIN HIDDEN TESTS
assert open("results/out.csv").read() == "a,b"
assert sorted(os.listdir(".")) == ["evil.pth", "results"]
save("new", "results/new.txt")
assert open("results/new.txt").read() == "new"
assert [p.get_height() for p in ax.patches] == [1, 2] and ax.figure is fig and plt.gca() is ax
draw("drawn in the test")
assert plt.gca().get_title() == "drawn in the test"
### END HIDDEN TESTS
assert os.path.exists("results/out.csv")
"""


@pytest.mark.slow
@pytest.mark.sandbox
def test_in_the_sandbox_files_and_figures_of_a_solution_pass_and_those_of_a_blank_do_not(tmp_path) -> None:
    course = tiny_course(tmp_path, solution=SOLUTION, test=SANDBOXED)
    release = tiny_release(course)
    assert [said for said in releasing.check(release) if "are not told the name" not in said] == []
    prove(course, release)


TEMPORARY_FILES = """\
import os, sqlite3, tempfile
from pathlib import Path
### BEGIN HIDDEN TESTS
folder = tempfile.mkdtemp()
save("a", os.path.join(folder, "a.txt"))
assert open(os.path.join(folder, "a.txt")).read() == "a"
with tempfile.TemporaryDirectory() as other:
    save("b", Path(other) / "b.txt")
    assert (Path(other) / "b.txt").read_text() == "b" and load(Path(other) / "b.txt") == "b"
with tempfile.NamedTemporaryFile("w", suffix=".txt", delete=False) as file:
    file.write("c")
assert load(file.name) == "c"
save("d", Path.cwd() / "d.txt")
assert Path("d.txt").read_text() == "d"
add(3)
assert sqlite3.connect("data.db").execute("SELECT count(*) FROM t").fetchone() == (1,)
### END HIDDEN TESTS
assert callable(save)
"""
FUNCTIONS = """\
import sqlite3
def save(text, path):
    ### BEGIN SOLUTION
    with open(path, "w") as file:
        file.write(text)
    ### END SOLUTION
def load(path):
    ### BEGIN SOLUTION
    with open(path) as file:
        return file.read()
    ### END SOLUTION
def add(x):
    ### BEGIN SOLUTION
    base = sqlite3.connect("data.db")
    base.execute("INSERT INTO t VALUES (?)", (x,))
    base.commit()
    base.close()
    ### END SOLUTION
"""


@pytest.mark.sandbox
def test_in_the_sandbox_temporary_files_of_a_test_and_a_released_database_are_the_students_too(tmp_path) -> None:
    course = tiny_course(tmp_path, solution=FUNCTIONS, test=TEMPORARY_FILES)
    base = sqlite3.connect(course.source("hw") / "data.db")
    base.execute("CREATE TABLE t (x)")
    base.commit()
    base.close()
    prove(course, tiny_release(course))


def test_a_temporary_folder_that_a_test_leaves_is_there_for_the_next(kernel) -> None:
    first = "import os, tempfile\nd = tempfile.mkdtemp()\nput(os.path.join(d, 'a.txt'), '1')\nassert os.listdir(d) == ['a.txt']"
    second = "import os\nassert open(os.path.join(d, 'a.txt')).read() == '1'"
    results = graded(kernel, (Role.ANSWER, WRITE), (Role.TEST, first), (Role.TEST, second))
    assert [result.fraction for result in results] == [1, 1], [result.detail for result in results]


@pytest.mark.parametrize("known", [True, False])
def test_a_released_file_is_written_by_a_call_only_where_the_solution_did_so(kernel, tmp_path, known) -> None:
    (tmp_path / "log.txt").write_text("")
    facts = [Fact(Act.WRITES, "cell1", "log.txt")] if known else []
    answer = "def note(x):\n    with open('log.txt', 'a') as f: f.write(x)"
    test = "note('a')\nassert open('log.txt').read() == 'a'"
    given = {"log.txt": tmp_path / "log.txt"}
    permissions = Permissions(Observations.of(facts))
    result = outcome(kernel, answer, test, given=given, written=(), permissions=permissions)
    assert result.fraction == known, result.detail


def outcome(kernel, answer, test, **more):
    return graded(kernel, (Role.ANSWER, answer), (Role.TEST, test), **more)[0]


# --- what a test sees ----------------------------------------------------------------------------------

IMPORTS = "import csv, json, os, sqlite3, zipfile\nfrom pathlib import Path\nimport numpy as np\nimport pandas as pd\n"
SEEN = [
    ("open('out.csv', 'w').write('a,b\\n1,2\\n')", "assert open('out.csv').read() == 'a,b\\n1,2\\n'"),
    ("Path('results').mkdir(); Path('results/x.json').write_text('{\"k\": 1}')", "assert json.load(open('results/x.json')) == {'k': 1}"),
    ("open('fig.png', 'wb').write(b'PNG')", "assert os.path.exists('fig.png') and os.path.getsize('fig.png') == 3"),
    ("open('one.txt', 'w'); open('two.txt', 'w')", "assert sorted(os.listdir('.')) == ['one.txt', 'two.txt']"),
    ("pd.DataFrame({'a': [1, 2]}).to_csv('t.csv', index=False)", "assert pd.read_csv('t.csv')['a'].tolist() == [1, 2]"),
    ("np.save('w.npy', np.arange(3))", "assert np.load('w.npy').tolist() == [0, 1, 2]"),
    ("np.savetxt('w.txt', np.arange(3))", "assert np.loadtxt('w.txt').tolist() == [0, 1, 2]"),
    ("open('r.csv', 'w').write('x;y')", "assert next(csv.reader(open('r.csv'), delimiter=';')) == ['x', 'y']"),
    ("zipfile.ZipFile('a.zip', 'w').writestr('n', b'1')", "assert zipfile.ZipFile('a.zip').namelist() == ['n']"),
    ("c = sqlite3.connect('d.db'); c.execute('create table t as select 5 as n'); c.commit(); c.close()",
     "assert sqlite3.connect('d.db').execute('select n from t').fetchone() == (5,)"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "test"), SEEN, ids=range(len(SEEN)))
def test_a_test_reads_what_the_notebook_wrote(kernel, answer, test) -> None:
    cells = [(Role.FREE, IMPORTS), (Role.ANSWER, answer), (Role.TEST, test)]
    (result,) = graded(kernel, *cells)
    assert result.outcome is Outcome.PASSED, result.detail


def test_files_are_as_they_were_at_the_cell(kernel) -> None:
    cells = [
        (Role.ANSWER, "open('n.txt', 'w').write('1')"),
        (Role.TEST, "assert open('n.txt').read() == '1'"),
        (Role.ANSWER, "import os\nopen('n.txt', 'w').write('2'); open('more.txt', 'w')"),
        (Role.TEST, "import os\nassert open('n.txt').read() == '2' and os.path.exists('more.txt')"),
        (Role.ANSWER, "os.remove('n.txt')"),
        (Role.TEST, "assert not os.path.exists('n.txt')"),
    ]
    assert [r.outcome for r in graded(kernel, *cells)] == [Outcome.PASSED] * 3


def test_files_of_a_kernel_that_died_stay(kernel) -> None:
    cells = [(Role.ANSWER, "open('n.txt', 'w').write('1')"), (Role.TEST, "assert open('n.txt').read() == '1'")]
    (result,) = graded(kernel, *cells, (Role.FREE, "raise Dies"))
    assert result.outcome is Outcome.PASSED, result.detail


def test_a_missing_file_fails_its_test_and_no_other(kernel) -> None:
    (first, second) = graded(kernel, (Role.ANSWER, "x = 1"), (Role.TEST, "open('n.txt')"), (Role.TEST, "assert x == 1"))
    assert (first.outcome, second.outcome) == (Outcome.FAILED, Outcome.PASSED)


def test_the_releases_files_are_the_instructors_and_those_handed_in_are_there(kernel, tmp_path) -> None:
    (tmp_path / "data.csv").write_text("true")
    (tmp_path / "own.csv").write_text("mine")
    answer = "open('data.csv', 'w').write('false')"
    test = "assert open('data.csv').read() == 'true' and open('own.csv').read() == 'mine'"
    files = {"given": {"data.csv": tmp_path / "data.csv"}, "handed_in": {"own.csv": tmp_path / "own.csv"}}
    assert outcome(kernel, answer, test, written=(), **files).outcome is Outcome.PASSED
    assert (tmp_path / "data.csv").read_text() == "true"
    changes = "open('data.csv', 'w').write('changed')"
    outcome(kernel, answer, changes, **files)
    assert (tmp_path / "data.csv").read_text() == "true", "a test has a copy"


OVER = [
    ("open('data.csv', 'w').write('mine')", "assert open('data.csv').read() == 'mine'"),
    ("import matplotlib.pyplot as plt\nname = 'data.csv'\nplt.plot([1])\nplt.savefig(name, format='png')",
     "assert open('data.csv', 'rb').read().startswith(b'\\x89PNG')"),
    ("from pathlib import Path\nPath('data.csv').write_text('mine')", "assert open('data.csv').read() == 'mine'"),
    ("import os\nos.remove('data.csv')", "import os\nassert not os.path.exists('data.csv')"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "test"), OVER, ids=range(len(OVER)))
def test_a_released_file_that_the_instructors_notebook_writes_is_its_output(kernel, tmp_path, answer, test) -> None:
    (tmp_path / "data.csv").write_text("released")
    (kernel.folder / "data.csv").write_text("released")
    result = outcome(kernel, answer, test, given={"data.csv": tmp_path / "data.csv"})
    assert result.outcome is Outcome.PASSED, result.detail


def test_an_output_that_nobody_wrote_is_as_it_was_released(kernel, tmp_path) -> None:
    (tmp_path / "data.csv").write_text("released")
    (kernel.folder / "data.csv").write_text("released")
    answer = "if False: open('data.csv', 'w').write('mine')"
    test = "assert open('data.csv').read() == 'released'"
    result = outcome(kernel, answer, test, given={"data.csv": tmp_path / "data.csv"})
    assert result.outcome is Outcome.PASSED, result.detail


def test_a_student_cannot_write_what_a_test_expects(kernel, tmp_path) -> None:
    """The test reads the released numbers, which the instructor's notebook only reads."""
    (tmp_path / "data.csv").write_text("1,2,3")
    cells = [
        (Role.ANSWER, "open('data.csv', 'w').write('0'); total = 0"),
        (Role.TEST, "assert total == sum(map(int, open('data.csv').read().split(',')))"),
    ]
    (result,) = graded(kernel, *cells, given={"data.csv": tmp_path / "data.csv"}, written=())
    assert result.outcome is Outcome.FAILED


# --- during the test's own calls -----------------------------------------------------------------------


def test_what_a_function_writes_during_a_call_of_the_test_is_seen(kernel) -> None:
    answer = "def save(text, path):\n    with open(path, 'w') as f: f.write(text)"
    test = (
        "save('first', 'x.txt')\nassert open('x.txt').read() == 'first'\n"
        "save('other', 'x.txt')\nassert open('x.txt').read() == 'other'"
    )
    result = outcome(kernel, answer, test)
    assert result.outcome is Outcome.PASSED, result.detail
    assert outcome(kernel, "def save(text, path): pass", test).fraction == 0


WRITE = "def put(path, text):\n    with open(path, 'w') as f: f.write(text)\n"
NAMED = "import uuid\nname = f'{uuid.uuid4()}.txt'\n"


SAVE = f"{WRITE}def save(x): put('out.txt', x)"
EMPTY = "open('out.txt', 'w').close()\nsave('1')"
IN_PLACE = "open({0}, 'w').close()\nput({0}, '1')"
MANY = "for i in range(3):\n    open(f'in_{i}.txt', 'w').close()\n    put(f'in_{i}.txt', '1')"
RANDOM = "import secrets\nd = 'z' + secrets.token_urlsafe(40)\n"
TEMPORARY = "import tempfile\nd = tempfile.mkdtemp(dir='.')\n"
REMOVE = "import os\ndef remove(path): os.remove(path)"


@pytest.mark.parametrize(
    ("solution", "test", "shown"),
    [
        (SAVE, EMPTY, {"out.txt"}),
        (SAVE, "save('1')\nopen('out.txt', 'w').close()\nsave('1')", {"out.txt"}),
        (REMOVE, "open('a.txt', 'w').close()\nremove('a.txt')", {"a.txt"}),
        (WRITE, MANY, {"in_#.txt"}),
        (WRITE, MANY.replace("f'in_{i}.txt'", "'in_%d' % i + '.' + 'txt'"), {"in_#.txt"}),
        (WRITE, IN_PLACE.format("'o' + 'ut' + '.txt'"), {"*.txt"}),
        (WRITE, NAMED + IN_PLACE.format("name"), {"#.txt"}),
        (WRITE, TEMPORARY + IN_PLACE.format("f'{d}/a.txt'"), {"#/a.txt"}),
        (WRITE, RANDOM + IN_PLACE.format("d + '.txt'"), {"*.txt"}),
        (WRITE, f"{RANDOM}import os\nos.mkdir(d)\n" + IN_PLACE.format("f'{d}/a1.txt'"), {"*/a1.txt"}),
        (WRITE, f"{RANDOM}import os\nos.mkdir(d)\n" + IN_PLACE.format("f'{d}/in_{1 + 1}.txt'"), {"*/in_#.txt"}),
    ],
)
def test_the_files_of_the_test_that_calls_write_over_are_facts(kernel, solution, test, shown) -> None:
    observer = Observer()
    outcome(kernel, solution, test, permissions=observer)
    facts = [fact for fact in observer.observations.facts if fact.act is Act.WRITES]
    assert {(fact.subject, fact.value) for fact in facts} == {("cell1", value) for value in shown}


@pytest.mark.parametrize(
    "test",
    [
        "save('1')\nassert open('out.txt').read() == '1'",
        f"{NAMED}put(name, '1')\nassert open(name).read() == '1'",
        "open('in.txt', 'w').write('1')\nput('in.txt', open('in.txt').read())",
        "assert callable(save) and open",
    ],
)
def test_new_files_and_files_as_they_were_are_no_facts(kernel, test) -> None:
    """They need no permission."""
    observer = Observer()
    assert outcome(kernel, SAVE, test, permissions=observer).outcome is Outcome.PASSED
    assert Act.WRITES not in {fact.act for fact in observer.observations.facts}


CONVERT = (
    "def convert(a, b):\n    with open(a) as f: text = f.read()\n    with open(b, 'w') as f: f.write(text.upper())"
)
EMPTIED = "def convert(a, b):\n    for path in (a, b): open(path, 'w').close()"
CONVERTED = (
    "for i in range(3):\n    with open(f'in_{i}.txt', 'w') as f: f.write('abc')\n{before}"
    "    convert(f'in_{i}.txt', f'out_{i}.txt')\n"
    "    assert open(f'out_{i}.txt').read() == open(f'in_{i}.txt').read().upper()"
)


@pytest.mark.parametrize("before", ["", "    open(f'out_{i}.txt', 'w').close()\n"])
def test_a_call_that_fills_files_of_varying_names_does_not_empty_others(kernel, before) -> None:
    """Whether the test has made the file that is to be filled, or not."""
    test, observer = CONVERTED.replace("{before}", before), Observer()
    assert outcome(kernel, CONVERT, test, permissions=observer).fraction == 1
    permissions = Permissions(observer.observations)
    assert outcome(kernel, CONVERT, test, permissions=permissions).fraction == 1
    assert outcome(kernel, EMPTIED, test, permissions=permissions).fraction == 0


@pytest.mark.parametrize("released", [None, "pass"])
def test_what_the_solution_may_write_does_not_depend_on_how_fast_it_runs(kernel, released) -> None:
    """A test that students have runs in the kernel, too, and has just left its files there."""
    test = (
        "open('in.txt', 'w').write('abc')\nconvert('in.txt', 'out.txt')\nassert open('out.txt').read() == 'ABC'\n"
        "open('out.txt', 'w').write('expected')\nconvert('in.txt', 'other.txt')\n"
        "assert open('out.txt').read() == 'expected'"
    )
    observer = Observer()
    cells = [(Role.ANSWER, CONVERT), (Role.TEST, test)]
    (result,) = graded(kernel, *cells, released=released, permissions=observer)
    assert result.outcome is Outcome.PASSED, result.detail
    assert Act.WRITES not in {fact.act for fact in observer.observations.facts}


def writing(*paths):
    """The permissions of answers whose solution was seen to write these files."""
    return Permissions(Observations.of(Fact(Act.WRITES, "cell1", path) for path in paths))


COMPARED = (
    "open('expected.txt', 'w').write('right')\nreport('mine.txt')\n"
    "assert open('mine.txt').read() == open('expected.txt').read()"
)
LIAR = f"{WRITE}def report(path): put(path, 'x'); put('expected.txt', 'x')"


def test_a_call_does_not_write_over_what_the_test_expects(kernel) -> None:
    result = outcome(kernel, LIAR, COMPARED, permissions=writing("mine.txt"))
    assert (result.fraction, result.undecided) == (0, False)
    assert "line 2: the call wrote or removed 'expected.txt', and the test's own file stayed as it was" in result.detail
    assert "`# examine: answers write expected.txt`" in result.detail


def test_a_call_writes_over_it_where_the_solution_did(kernel) -> None:
    assert outcome(kernel, LIAR, COMPARED, permissions=writing("mine.txt", "expected.txt")).fraction == 1


def test_a_call_writes_over_it_where_a_line_says_so(kernel) -> None:
    test = f"{COMPARED}  # examine: answers write expected.txt"
    assert outcome(kernel, LIAR, test, permissions=writing("mine.txt")).fraction == 1


def test_a_call_removes_no_file_of_the_tests(kernel) -> None:
    test = "import os\nopen('own.txt', 'w').close()\nf()\nassert os.path.exists('own.txt')"
    answer = "import os\ndef f():\n    open('own.txt', 'w').close(); os.remove('own.txt')"
    assert outcome(kernel, answer, test, permissions=writing()).fraction == 1


def test_a_file_whose_name_varies_is_written_by_the_call_that_gets_the_name(kernel) -> None:
    test = f"{NAMED}open(name, 'w').write('0')\nput(name, '1')\nassert open(name).read() == '1'"
    assert outcome(kernel, WRITE, test, permissions=writing("#.txt")).fraction == 1
    assert outcome(kernel, WRITE, test, permissions=writing("*.txt")).fraction == 1
    refused = outcome(kernel, WRITE, test, permissions=writing("*.csv"))
    assert (refused.fraction, refused.undecided) == (0, True)  # the answer had a reason to write there
    assert "`# examine: answers write #.txt`" in refused.detail
    assert outcome(kernel, WRITE, f"{test}  # examine: answers write #.txt", permissions=writing()).fraction == 1


def test_a_file_in_a_folder_whose_name_varies_is_written_under_its_own_name(kernel) -> None:
    test = (
        "import tempfile\nd = tempfile.mkdtemp(dir='.')\nopen(f'{d}/a.txt', 'w').close()\nput(f'{d}/a.txt', '1')\n"
        "assert open(f'{d}/a.txt').read() == '1'"
    )
    assert outcome(kernel, WRITE, test, permissions=writing("*/a.txt")).fraction == 1
    assert outcome(kernel, WRITE, test, permissions=writing("*/b.txt")).fraction == 0


def test_an_answer_chooses_the_names_of_new_files(kernel) -> None:
    """Whether the test gives the name or gets it."""
    answer = f"{WRITE}def save(text):\n    put('my own.md', text)\n    put('scratch.tmp', '')\n    return 'my own.md'"
    test = "assert open(save('1')).read() == '1'\nput('theirs.csv', '2')\nassert open('theirs.csv').read() == '2'"
    assert outcome(kernel, answer, test, permissions=writing()).fraction == 1


def test_an_answer_writes_over_its_own_files(kernel) -> None:
    """A log, which the solution does not have, and a result that an earlier call wrote."""
    answer = f"{WRITE}def save(text):\n    put('log.txt', text)\n    put('out.txt', text)"
    test = "for text in ('1', '2'):\n    save(text)\n    assert open('out.txt').read() == text"
    result = outcome(kernel, answer, test, permissions=writing())
    assert (result.fraction, result.detail) == (1, "")


def test_a_call_may_write_a_file_of_the_tests_as_it_was(kernel) -> None:
    answer = f"{WRITE}def count(path):\n    text = open(path).read()\n    put(path, text)\n    return len(text)"
    test = "open('in.txt', 'w').write('abc')\nassert count('in.txt') == 3"
    result = outcome(kernel, answer, test, permissions=writing())
    assert (result.fraction, result.detail) == (1, "")


def test_the_next_call_gets_the_tests_file_as_the_test_wrote_it(kernel) -> None:
    answer = f"{WRITE}def count(path):\n    n = len(open(path).read())\n    put(path, '')\n    return n"
    test = "open('in.txt', 'w').write('abc')\nassert [count('in.txt'), count('in.txt')] == [3, 3]"
    assert outcome(kernel, answer, test, permissions=writing()).fraction == 1


def test_what_the_test_writes_is_seen_by_the_function_it_is_given_to(kernel) -> None:
    answer = "def count_lines(path):\n    with open(path) as f: return len(f.readlines())"
    test = (
        "with open('in.txt', 'w') as f: f.write('a\\nb\\n')\nassert count_lines('in.txt') == 2\n"
        "with open('in.txt', 'a') as f: f.write('c\\n')\nassert count_lines('in.txt') == 3"
    )
    result = outcome(kernel, answer, test)
    assert result.outcome is Outcome.PASSED, result.detail


def test_a_file_with_what_is_expected_does_not_reach_the_kernel(kernel) -> None:
    answer = "import os\ndef cheat(path): return [open(n).read() for n in os.listdir('.')]"
    test = "open('expected.txt', 'w').write('secret')\nopen('in.txt', 'w').write('input')\nassert cheat('in.txt') == ['input']"
    result = outcome(kernel, answer, test)
    assert result.outcome is Outcome.PASSED, result.detail


def test_a_file_that_the_notebooks_own_cells_name_reaches_the_kernel_unasked(kernel) -> None:
    answer = "def settings():\n    with open('settings.ini') as f: return f.read()"
    assert outcome(kernel, answer, "open('settings.ini', 'w').write('new')\nassert settings() == 'new'").fraction == 1


def test_a_function_finds_the_folder_as_it_was_at_the_cell(kernel) -> None:
    cells = [
        (Role.ANSWER, "open('n.txt', 'w').write('1')\ndef read():\n    with open('n.txt') as f: return f.read()"),
        (Role.TEST, "assert read() == '1' and open('n.txt').read() == '1'"),
        (Role.ANSWER, "open('n.txt', 'w').write('2'); open('later.txt', 'w').close()"),
        (Role.TEST, "import os\nassert read() == '2' and open('n.txt').read() == '2' and os.path.exists('later.txt')"),
    ]
    results = graded(kernel, *cells)
    assert [r.outcome for r in results] == [Outcome.PASSED] * 2, [r.detail for r in results]


def test_after_a_test_the_kernels_folder_is_what_it_was_at_the_end(kernel, tmp_path) -> None:
    (tmp_path / "data.csv").write_text("original")
    (kernel.folder / "data.csv").write_text("original")
    cells = [
        (Role.ANSWER, "def touch(path, text):\n    with open(path, 'w') as f: f.write(text)\ntouch('n.txt', '1')"),
        (
            Role.TEST,
            "touch('data.csv', 'by the test')\ntouch('extra.txt', 'by the test')\nassert open('n.txt').read() == '1'",
        ),
        (Role.ANSWER, "touch('later.txt', '2'); touch('n.txt', '2')"),
    ]
    exam_cells = [(*c, 1.0) if c[0] is Role.TEST else c for c in cells]
    released = "assert True"  # what the kernel runs of the test at its place
    exam = exam_of(*exam_cells)
    known = vocabulary(exam)
    composed = composed_of(exam, cell1=released)
    wanted = {1: needs(exam.cells[1].source, known)}
    executed = execute(kernel, Remote, composed, wanted, Limits(), ExtraCaptures(files=frozenset({1})))
    answers = Answers(executed.remote, known.modules, lambda claim, weights: None)
    workspace = Workspace({"data.csv": tmp_path / "data.csv"}, {}, frozenset(), executed.files)
    (result,) = ExamRun(
        [(exam.cells[1], executed.captures[1])], known, answers, None, 20.0, workspace=workspace
    ).results()
    assert result.outcome is Outcome.PASSED, result.detail
    found = {p.name: p.read_text() for p in kernel.folder.iterdir()}
    assert found == {"data.csv": "original", "n.txt": "2", "later.txt": "2"}


def test_a_removed_file_is_removed_on_both_sides(kernel) -> None:
    answer = "import os\nopen('a.txt', 'w'); open('b.txt', 'w')\ndef clean(): os.remove('b.txt'); return sorted(os.listdir('.'))"
    test = "import os\nos.remove('a.txt')\nassert clean() == [] and os.listdir('.') == []"
    result = outcome(kernel, answer, test)
    assert result.outcome is Outcome.PASSED, result.detail


def test_the_working_folder_is_the_tests_alone_and_gone_afterwards(kernel) -> None:
    before = Path.cwd()
    result = outcome(kernel, "open('n.txt', 'w')", "import os\nprint(os.getcwd())\nassert os.listdir('.') == ['n.txt']")
    folder = Path(result.detail.strip())
    assert result.outcome is Outcome.PASSED
    assert folder != before
    assert not folder.exists()
    assert Path.cwd() == before


# --- which cells look at files -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "looks"),
    [
        ("open(name)", True),
        ("Path('x')", True),
        ("os.path.exists(p)", True),
        ("pd.read_csv('out.csv')", True),
        ("np.load(f'{x}.npy'); zipfile.ZipFile(z)", True),
        ("save(model, 'results/model.keras')", True),
        ("assert f(3) == 'yes'", False),
        ("check.hidden_data('holdout.npz')", False),
        ("check.events('logs/yours', scalars=['a'])", False),
        ("assert text == 'Hello, world.'", False),
        ("check.report(True, 'compute with keras.ops')", False),
        ("show('my results.csv')", True),
    ],
)
def test_a_cell_that_may_look_at_files_is_known_by_its_syntax(source, looks) -> None:
    assert looks_at_files(source) is looks


# --- hostile files -------------------------------------------------------------------------------------


def pulled(folder: Path, *wait):
    found = probe.WatchedFolder(str(folder))
    found.seen = {}
    return found.pull()[0]


def test_links_pipes_devices_hidden_files_and_caches_are_not_looked_at(tmp_path) -> None:
    (tmp_path / "secret").write_text("s")
    home = tmp_path / "home"
    home.mkdir()
    (home / "link").symlink_to(tmp_path / "secret")
    (home / "folder").symlink_to(tmp_path)
    os.mkfifo(home / "pipe")
    (home / ".hidden").write_text("h")
    (home / "__pycache__").mkdir()
    (home / "__pycache__/m.pyc").write_text("p")
    (home / "plain").write_text("p")
    assert pulled(home) == {"plain": b"p"}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [("MAX_FILES", 3, "3 files"), ("MAX_BYTES", 3 * 2**20, "3 MiB"), ("MAX_ENTRIES", 3, "3 files and folders")],
)
def test_too_many_and_too_large_is_told(tmp_path, monkeypatch, name, value, words) -> None:
    for number in range(4):
        (tmp_path / str(number)).write_bytes(bytes(2**20))
    monkeypatch.setattr(probe, name, value)
    with pytest.raises(ValueError, match=words):
        pulled(tmp_path)


def test_a_sparse_file_of_a_terabyte_costs_nothing(tmp_path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(ValueError, match="64 MiB"):
        pulled(tmp_path)


def test_folders_deeper_than_eight_are_not_looked_into(tmp_path) -> None:
    deep = tmp_path / "/".join("abcdefghij")
    deep.mkdir(parents=True)
    (deep / "f").write_text("f")
    (tmp_path / "a/b/f").write_text("f")
    assert pulled(tmp_path) == {"a/b/f": b"f"}


def test_a_file_that_changes_within_one_tick_of_the_clock_is_read_again(tmp_path) -> None:
    folder = probe.WatchedFolder(str(tmp_path))
    path = tmp_path / "n"
    path.write_text("1")
    assert folder.pull()[0] == {"n": b"1"}
    status = path.stat()
    path.write_text("2")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert folder.pull()[0] == {"n": b"2"}


def test_contents_decide_where_the_clock_is_too_coarse(tmp_path, monkeypatch) -> None:
    """Also after the file was sent: a call writes it anew within the same tick, in the same length."""
    monkeypatch.setattr(probe, "_signature", lambda status: (status.st_size, time.time_ns()))
    monkeypatch.setattr(time, "time_ns", lambda: 1)
    folder = probe.WatchedFolder(str(tmp_path))
    folder.push({"n": b"1"}, [])
    assert folder.pull() == ({}, [])
    for text in ("2", "3"):
        (tmp_path / "n").write_text(text)
        assert folder.pull() == ({"n": text.encode()}, [])
        assert folder.pull() == ({}, [])


def test_files_that_are_read_again_and_are_the_same_count_for_no_limit(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(probe, "MAX_FILES", 2)
    monkeypatch.setattr(probe, "MAX_BYTES", 3)
    folder = probe.WatchedFolder(str(tmp_path))
    folder.push({"a": b"12", "b": b"3"}, [])
    (tmp_path / "c").write_text("4")
    (tmp_path / "d").write_text("5")
    assert folder.pull() == ({"c": b"4", "d": b"5"}, [])


def test_past_the_limits_the_test_fails_with_that_sentence(kernel, monkeypatch) -> None:
    monkeypatch.setattr(workfiles, "MAX_FILES", 3)
    result = outcome(kernel, "for n in range(9): open(f'{n}.txt', 'w')", "assert open('1.txt')")
    assert result.outcome is Outcome.FAILED
    assert result.message == "The notebook's files cannot be examined: more than 3 files."


LIES = [
    None,
    7,
    "many",
    ({}, {}),
    ([], []),
    ({"../up": b"x"}, []),
    ({"/etc/passwd": b"x"}, []),
    ({"a/../../b": b"x"}, []),
    ({"a\0b": b"x"}, []),
    ({"a//b": b"x"}, []),
    ({"": b"x"}, []),
    ({"\udcff": b"x"}, []),
    ({".pth": b"x", ".git/config": b"x", "matplotlibrc": b"x"}, []),
    ({"text": "not bytes", 7: b"x", b"name": b"x"}, []),
    ({"a/" * 40 + "b": b"x"}, []),
    ({}, ["../up", 7, None]),
]


@pytest.mark.parametrize("answer", LIES, ids=range(len(LIES)))
def test_names_that_leave_the_folder_and_answers_of_other_shapes_are_dropped(answer) -> None:
    kept = FolderCopy()
    contents, gone = kept.pull(lambda *_: answer)
    assert (contents, gone, kept.contents, kept.gone) == ({}, [], {}, set())


def test_of_names_that_collide_the_first_stays_and_bytes_are_bounded(monkeypatch) -> None:
    answer = ({"A.txt": b"1", "a.txt": b"2", "\u00e9": b"3", "e\u0301": b"4"}, [])
    assert FolderCopy().pull(lambda *_: answer)[0] == {"A.txt": b"1", "\u00e9": b"3"}
    monkeypatch.setattr("autograder.execution.captured_files.MAX_BYTES", 5)
    assert list(FolderCopy().pull(lambda *_: ({"a": b"123", "b": b"456"}, []))[0]) == ["a"]


def test_a_file_where_another_has_a_folder_is_left_out(tmp_path) -> None:
    probe.WatchedFolder(str(tmp_path)).push({"a": b"1", "a/b": b"2", "c/d": b"3"}, ["nowhere", "../up"])
    assert pulled(tmp_path) == {"a": b"1", "c/d": b"3"}


# --- nothing is run ------------------------------------------------------------------------------------


class Bomb:
    def __reduce__(self):
        return (exec, ("import builtins; builtins.exploded = True",))


EXPLODES = "import builtins\nbuiltins.exploded = True\n"
PLANTED = {
    "numpy.py": EXPLODES.encode(),
    "colorsys.py": EXPLODES.encode(),
    "sitecustomize.py": EXPLODES.encode(),
    "usercustomize.py": EXPLODES.encode(),
    "evil.pth": b"import builtins; builtins.exploded = True\n",
    "m.pkl": pickle.dumps(Bomb()),
    "conftest.py": EXPLODES.encode(),
}


@pytest.fixture
def planted(tmp_path, monkeypatch):
    """A folder with traps, which is the working folder; with an old object array among them."""
    folder = tmp_path / "planted"
    folder.mkdir()
    for name, data in PLANTED.items():
        (folder / name).write_bytes(data)
    np.save(folder / "w.npy", np.array([Bomb()], dtype=object), allow_pickle=True)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", ["", ".", str(folder), *sys.path])
    monkeypatch.delattr("builtins.exploded", raising=False)
    yield folder
    import builtins

    assert not hasattr(builtins, "exploded")
    sys.modules.pop("colorsys", None)


def attempt(source: str):
    exec(compile(source, "<test t>", "exec"), {})


REFUSED = [
    "import pickle\nwith open('m.pkl', 'rb') as f: pickle.load(f)",
    "import pickle\nwith open('m.pkl', 'rb') as f: pickle._Unpickler(f).load()",
    "import numpy as np\nnp.load('w.npy', allow_pickle=True)",
    "import pandas as pd\npd.read_pickle('m.pkl')",
    "import runpy\nrunpy.run_path('colorsys.py')",
    "import importlib.util as u\ns = u.spec_from_file_location('m', 'colorsys.py')\ns.loader.exec_module(u.module_from_spec(s))",
    "exec(compile(open('colorsys.py').read(), 'colorsys.py', 'exec'))",
    "import subprocess\nsubprocess.run(['true'])",
    "import os\nos.system('true')",
    "import ctypes\nctypes.CDLL('./m.pkl')",
    "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import colorsys'])",
    "import subprocess\nsubprocess.run('uname; sh evil.pth', shell=True)",
    "import subprocess\nsubprocess.run(['gcc', 'm.pkl'])",
    "import os\nos.execv('/bin/true', ['true'])",
    "import os\nos.posix_spawn('/bin/true', ['true'], {})",
]  # fmt: skip


@pytest.mark.parametrize("source", REFUSED, ids=range(len(REFUSED)))
def test_nothing_of_the_folder_is_unpickled_imported_or_run(planted, source) -> None:
    sys.modules.pop("colorsys", None)
    path = list(sys.path)
    with guard_folder(planted), pytest.raises((GuardError, pickle.UnpicklingError)):
        attempt(source)
    assert sys.path == path


@pytest.mark.parametrize("entry", ["''", "os.getcwd()", "'./code'", "os.path.abspath('code')"])
def test_a_path_into_the_folder_finds_nothing_there(planted, entry) -> None:
    """As tests write that are started in the assignment's folder; what is elsewhere on the path is found."""
    sys.modules.pop("colorsys", None)
    (planted / "code").mkdir()
    for name in ("code/colorsys.py", "code/only_there.py"):
        (planted / name).write_bytes(PLANTED["colorsys.py"])
    with guard_folder(planted):
        attempt(f"import os, sys\nsys.path.insert(0, {entry})\nimport colorsys\nassert colorsys.rgb_to_hsv(0, 0, 0)")
        with pytest.raises(ModuleNotFoundError):
            attempt(f"import os, sys\nsys.path.insert(0, {entry})\nimport only_there")


@pytest.mark.parametrize(
    "source", ["import numpy as np\nnp.load('w.npy')", "import json\njson.load(open('m.pkl', 'rb'))"]
)
def test_a_file_of_the_wrong_kind_is_an_ordinary_error(planted, source) -> None:
    with guard_folder(planted), pytest.raises(ValueError):  # noqa: PT011 - numpy's and json's own words
        attempt(source)


def test_the_examiners_own_imports_and_tools_work_beside_them(planted) -> None:
    sys.modules.pop("colorsys", None)
    with guard_folder(planted):
        attempt(
            "import colorsys, copy, re, decimal\nassert colorsys.rgb_to_hsv(0, 0, 0)\ncopy.deepcopy([decimal.Decimal(1)])"
        )
        attempt("import pickle\nassert pickle.loads(pickle.dumps({'plain': [1, 2.0]})) == {'plain': [1, 2.0]}")
    attempt("import pickle, decimal\nassert pickle.loads(pickle.dumps(decimal.Decimal(1))) == 1")


def test_libraries_may_ask_what_machine_this_is(planted) -> None:
    with guard_folder(planted):
        attempt("import subprocess\nassert subprocess.run(['uname'], capture_output=True).stdout")


def test_a_test_that_would_run_them_is_broken_and_gives_nobody_a_point_or_a_zero(kernel) -> None:
    answer = f"import pickle\nopen('m.pkl', 'wb').write({PLANTED['m.pkl']!r})"
    result = outcome(kernel, answer, "import pickle\nassert pickle.load(open('m.pkl', 'rb'))")
    assert result.outcome is Outcome.BROKEN
    assert not hasattr(__builtins__, "exploded")


# --- the folder of a test for pytest

KEEPING = """\
from pathlib import Path

def keep(text, path):
    Path(path).write_text(text)

def copy_all(source, target):
    target.mkdir()
    for file in source.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    return sorted(target.iterdir())

class Diary:
    def __init__(self, folder):
        self.folder = folder
    def add(self, day, text):
        assert isinstance(self.folder, Path) and self.folder.is_dir()
        with open(self.folder / f"{day}.txt", "a") as file:
            file.write(text)
"""
IN_FOLDER = {
    "a path": "student.keep('hello', tmp_path / 'a.txt')\nassert (tmp_path / 'a.txt').read_text() == 'hello'",
    "a text": "student.keep('hello', str(tmp_path / 'a.txt'))\nassert [p.name for p in tmp_path.iterdir()] == ['a.txt']",
    "the folder": "diary = student.Diary(tmp_path)\ndiary.add('mo', 'rain')\ndiary.add('mo', ' and sun')\n"
    "assert (tmp_path / 'mo.txt').read_text() == 'rain and sun'",
    "the test's files": "(tmp_path / 'in').mkdir()\n(tmp_path / 'in/x.bin').write_bytes(b'1')\n"
    "made = student.copy_all(tmp_path / 'in', tmp_path / 'out')\n"
    "assert made == [tmp_path / 'out/x.bin'] and made[0].read_bytes() == b'1'",
    "an empty folder of the test's": "(tmp_path / 'in').mkdir()\nstudent.keep('x', tmp_path / 'in/x.txt')\n"
    "assert (tmp_path / 'in/x.txt').read_text() == 'x'",
    "a wrong answer": "student.keep('hello', tmp_path / 'a.txt')\nassert (tmp_path / 'a.txt').read_text() == 'hallo'",
}


def in_folder(body: str, marks: str = "") -> tuple:
    lines = ["import pytest", "@pytest.mark.points(1)", *([marks] if marks else []), "def test_it(student, tmp_path):"]
    lines += ["    assert not list(tmp_path.iterdir())", *(f"    {line}" for line in body.splitlines())]
    (test,) = read_file("tests/test_it.py", "\n".join(lines) + "\n").tests
    return Role.TEST, test.code


@pytest.mark.parametrize("name", IN_FOLDER)
def test_the_folder_of_a_test_is_there_for_the_students_code(kernel, name):
    (result,) = graded(kernel, (Role.ANSWER, KEEPING), in_folder(IN_FOLDER[name]))
    wanted = Outcome.FAILED if name == "a wrong answer" else Outcome.PASSED
    assert result.outcome is wanted, result.detail
    assert not [path for path in kernel.folder.iterdir() if path.name.startswith("tmp-")], "the folder goes"


def test_each_test_and_each_case_has_an_empty_folder_of_its_own(kernel):
    marks = "@pytest.mark.parametrize('number', [1, 2])"
    case = in_folder(IN_FOLDER["the test's files"], marks)
    case = case[0], case[1].replace("def test_it(student, tmp_path)", "def test_it(student, tmp_path, number)")
    results = graded(kernel, (Role.ANSWER, KEEPING), case, in_folder(IN_FOLDER["a path"]))
    assert [one.fraction for one in results] == [1.0, 1.0], [one.detail for one in results]


def test_what_the_notebook_put_into_a_folder_of_that_name_is_not_found_in_it(kernel):
    """The name is not secret, so an answer could lay an expected file there."""
    name = "tmp-" + digest("tests/test_it.py::test_it")[:8] + "-0"
    answer = f"import os\nos.mkdir({name!r})\nopen({name + '/a.txt'!r}, 'w').write('hello')\ndef keep(*_): pass"
    (result,) = graded(kernel, (Role.ANSWER, answer), in_folder(IN_FOLDER["a path"]))
    assert result.outcome is Outcome.FAILED, result.detail
    assert "FileNotFoundError" in result.detail
