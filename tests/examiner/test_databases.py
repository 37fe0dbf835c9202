"""Statements of SQL that may be the student's: they read and change the database of their connection alone."""

from __future__ import annotations

import contextlib
import sqlite3
import time

import pytest
from helpers.clock import PATIENCE_SECONDS
from helpers.examination import graded, outcome
from helpers.exams import exam_of
from helpers.workspaces import graded as with_files

from autograder.errors import CourseError, RemoteError
from autograder.examiner.student_text.taint import deny_student_code
from autograder.records.checks import Outcome
from autograder.records.exam import Role

CONNECTS = {
    "connect": "import sqlite3\nc = sqlite3.connect(':memory:')\nc.executescript(q())",
    "its own name": "from sqlite3 import connect\nc = connect('')\nc.executescript(q())",
    "dbapi2": "import sqlite3.dbapi2 as s\nc = s.connect(':memory:')\nc.executescript(q())",
    "a class": "import sqlite3\nc = sqlite3.Connection(':memory:')\nc.executescript(q())",
    "a class of the test's": "import sqlite3\nclass C(sqlite3.Connection): pass\nC(':memory:').executescript(q())",
    "a factory": "import sqlite3\nclass C(sqlite3.Connection): pass\nsqlite3.connect(':memory:', factory=C).executescript(q())",
    "a factory by its position": "import sqlite3\nsqlite3.connect(':memory:', 5.0, 0, None, True, sqlite3.Connection).executescript(q())",
    "pandas": "import pandas as pd, sqlite3\nc = sqlite3.connect(':memory:')\npd.read_sql_query(q(), c)",
    "sqlalchemy": "import sqlalchemy as sa\nwith sa.create_engine('sqlite://').connect() as c:\n    c.execute(sa.text(q()))",
}
REACHES = {
    "ATTACH": "ATTACH '{victim}' AS g",
    "ATTACH of an expression": "ATTACH '{victim}' || '' AS g",
    "ATTACH of an address": "ATTACH 'file:{victim}' AS g",
    "VACUUM INTO": "VACUUM INTO '{victim}2'",
    "a pragma that names a folder": "PRAGMA temp_store_directory = '/'",
    "a pragma that writes the schema": "PRAGMA writable_schema = 1",
    "an extension": "SELECT load_extension('{victim}')",
}


@pytest.fixture
def victim(tmp_path):
    path = tmp_path / "gradebook.db"
    made = sqlite3.connect(path)
    made.executescript("CREATE TABLE points (student, n); INSERT INTO points VALUES ('ada', 10)")
    made.close()
    return path


def points(path) -> int:
    with sqlite3.connect(path) as book:
        return int(book.execute("SELECT n FROM points").fetchone()[0])


@pytest.mark.parametrize("connects", CONNECTS)
@pytest.mark.parametrize("reaches", REACHES)
def test_a_statement_reaches_no_other_file(connects, reaches, victim):
    if connects == "sqlalchemy":
        pytest.importorskip("sqlalchemy")
    query = REACHES[reaches].format(victim=victim)
    result = outcome(f"def q(): return {query!r}", CONNECTS[connects], released="")
    assert (result.outcome, result.fraction) == (Outcome.FAILED, 0), result.detail
    assert "an SQL statement does more than the exercise asks for" in result.detail
    assert [path.name for path in victim.parent.iterdir()] == ["gradebook.db"]


@pytest.mark.parametrize(
    "connects", ["sqlite3.connect(p())", "sqlite3.connect('file:' + p(), uri=True)", "sqlite3.Connection(p())"]
)
@pytest.mark.parametrize("held", ["{!r}", "''.join(list({!r}))"])
def test_a_database_of_the_students_choice_is_not_opened(connects, held, victim):
    answer = f"def p(): return {held.format(str(victim))}"
    result = outcome(answer, f"import sqlite3\n{connects}.execute('DELETE FROM points')", released="")
    assert result.fraction == 0
    assert points(victim) == 10


@pytest.mark.parametrize(
    "query",
    [
        "UPDATE points SET n = 16",
        "WITH w AS (SELECT 16 AS n) UPDATE points SET n = (SELECT n FROM w)",
        "DELETE FROM points",
        "DROP TABLE points",
        "PRAGMA user_version = 7",
        "CREATE TABLE x (n)",
        "CREATE TEMP TABLE points (student, n)",
        "CREATE TEMP VIEW points AS SELECT 1 AS student, 16 AS n",
    ],
)
def test_a_database_of_the_hidden_data_is_only_read(query, victim):
    test = "import sqlite3\nfrom autograder import check\nc = sqlite3.connect(check.hidden_data('gradebook.db'))\nc.execute(q())\nc.commit()"
    result = outcome(f"def q(): return {query!r}", test, released="", hidden=victim.parent)
    assert result.outcome is Outcome.FAILED, result.detail
    assert points(victim) == 10


@pytest.mark.parametrize(
    "query",
    [
        "SELECT n FROM points WHERE student = 'ada'",
        "WITH w AS (SELECT n FROM points) SELECT max(n) FROM w",
        "SELECT sum(n) OVER (ORDER BY student) FROM points",
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 10) SELECT count(*) FROM c",
        "SELECT 10 FROM pragma_table_info('points') WHERE name = 'n'",
        "SELECT json_extract('{\"a\": 10}', '$.a')",
    ],
)  # fmt: skip
def test_a_question_of_an_honest_student_is_answered(query, victim):
    test = (
        "import sqlite3\nfrom autograder import check\nc = sqlite3.connect(check.hidden_data('gradebook.db'))\n"
        "assert c.execute(q()).fetchone() == (10,)\nc.execute('CREATE TEMP TABLE t AS SELECT 1')"
    )
    result = outcome(f"def q(): return {query!r}", test, released="", hidden=victim.parent)
    assert result.fraction == 1, result.detail


CHANGES = (
    "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT UNIQUE); CREATE INDEX i ON t (b); INSERT INTO t VALUES (1, 'x'), (2, 'y');"
    "UPDATE t SET b = 'z' WHERE a = 1; DELETE FROM t WHERE a = 2; CREATE VIEW v AS SELECT * FROM t; ALTER TABLE t ADD COLUMN c;"
    "CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE t SET c = 5 WHERE a = new.a; END; INSERT INTO t (a) VALUES (3);"
    "PRAGMA foreign_keys = ON; PRAGMA table_info(t); CREATE VIRTUAL TABLE w USING fts5(x); BEGIN; SAVEPOINT s; RELEASE s; COMMIT; VACUUM"
)


@pytest.mark.parametrize("database", [":memory:", "", "own.db"])
def test_a_statement_of_the_test_changes_its_own_database(database, kernel):
    test = (
        f"import os, sqlite3\nc = sqlite3.connect({database!r})\nc.executescript({CHANGES!r})\nassert q() == 1\n"
        "assert c.execute('SELECT b FROM v ORDER BY a').fetchall() == [('z',), (None,)]\nassert isinstance(c, sqlite3.Connection)\n"
        "c.backup(sqlite3.connect(':memory:'))\nassert 'CREATE TABLE' in ''.join(c.iterdump())"
    )
    (result,) = with_files(kernel, (Role.ANSWER, "def q(): return 1"), (Role.TEST, test))
    assert result.fraction == 1, result.detail


def test_tables_go_to_pandas_and_back():
    test = (
        "import pandas as pd, sqlite3\nc = sqlite3.connect(':memory:')\npd.DataFrame({'a': [1, 2]}).to_sql('t', c, index=False)\n"
        "assert pd.read_sql(q(), c)['s'].tolist() == [3]"
    )
    result = outcome("def q(): return 'select sum(a) as s from t'", test, released="")
    assert result.fraction == 1, result.detail


def test_a_statement_without_an_end_is_stopped_by_the_clock():
    query = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c"
    began = time.monotonic()
    test = "import sqlite3\nassert sqlite3.connect(':memory:').execute(q()).fetchone()"
    result = outcome(f"def q(): return {query!r}", test, released="", seconds=1.0)
    assert result.fraction == 0
    assert time.monotonic() - began < PATIENCE_SECONDS


def test_outside_of_tests_connections_are_what_they_were(victim):
    outcome("x = 1", "import sqlite3\nsqlite3.connect(':memory:')\nassert x == 1")
    assert sqlite3.Cursor(sqlite3.connect(":memory:")).__class__.__module__ == "sqlite3"
    assert sqlite3.connect.__name__ == "connect" and type(sqlite3.connect(":memory:")) is sqlite3.Connection  # noqa: PT018
    sqlite3.connect(":memory:").execute(f"ATTACH '{victim}' AS g")


# --- statements that do not stand in the test -----------------------------------------------------------

SETUP = "CREATE TABLE people (name, pay); INSERT INTO people VALUES ('ann', 5); CREATE TABLE log (x)"


def statements(theirs, test="c.executescript(theirs)", verbs=frozenset(), note=None):
    """Run a test that made a database and gets a student's text; the names of what it refused, and the final rows."""
    source = f"import sqlite3\nc = sqlite3.connect(':memory:')\nc.executescript({SETUP!r})\n{test}"
    namespace = {"theirs": theirs}
    with deny_student_code(source, verbs=verbs, note=note) as refused:
        with contextlib.suppress(Exception):
            exec(compile(source, "<test x>", "exec"), namespace)
        rows = namespace["c"].execute("SELECT * FROM main.people").fetchall()
    return [str(error).rpartition(" (")[2][:-1] for error in refused], rows


@pytest.mark.parametrize(
    ("theirs", "verb"),
    [
        ("DELETE FROM people", "DELETE"),
        ("WITH w AS (SELECT 1) DELETE FROM people", "DELETE"),
        ("UPDATE people SET pay = 1", "UPDATE"),
        ("INSERT INTO people VALUES ('eve', 9)", "INSERT"),
        ("DROP TABLE people", "DROP"),
        ("ALTER TABLE people RENAME TO others", "ALTER"),
        ("CREATE TEMP TABLE people (name, pay)", "CREATE"),
        ("CREATE TEMP VIEW People AS SELECT 1 AS name, 2 AS pay", "CREATE"),
        ("CREATE TABLE temp.people (name, pay)", "CREATE"),
        ("CREATE TRIGGER t AFTER INSERT ON people BEGIN DELETE FROM people; END", "CREATE"),
        ("ROLLBACK", "ROLLBACK"),
        ("PRAGMA case_sensitive_like = ON", "PRAGMA"),
        ("PRAGMA foreign_keys = ON", "PRAGMA"),
    ],
)
def test_a_statement_of_the_students_only_reads(theirs, verb):
    assert statements(f"SELECT 1; {theirs}")[0][:1] == [verb]


def test_what_the_solutions_statements_did_is_allowed():
    used = set()
    change = "CREATE TABLE IF NOT EXISTS cats (n); INSERT INTO cats VALUES (1); UPDATE people SET pay = pay + 1; VACUUM"
    assert statements(change, verbs=None, note=lambda act, verb: used.add(verb)) == ([], [("ann", 6)])
    assert used == {"CREATE TABLE", "INSERT cats", "UPDATE people"}
    assert statements(change, verbs=frozenset(used)) == ([], [("ann", 6)])
    other_name = "CREATE TABLE tiger (n, m); INSERT INTO tiger VALUES (1, 2); DELETE FROM tiger; DROP TABLE tiger"
    assert statements(other_name, verbs=frozenset(used))[0] == []
    assert statements("DELETE FROM people", verbs=frozenset(used)) == (["DELETE"], [("ann", 5)])


def test_what_is_only_claimed_to_be_new_is_not():
    theirs = "CREATE TABLE IF NOT EXISTS people (x); DELETE FROM people"
    assert statements(theirs, verbs=frozenset(["CREATE TABLE"])) == (["DELETE"], [("ann", 5)])


@pytest.mark.parametrize(
    "make", ["TEMP TABLE people (name, pay)", "TEMP VIEW people AS SELECT 1", "TABLE temp.people (x)"]
)
def test_nothing_temporary_hides_a_table_though_the_solution_made_something_temporary(make):
    verbs = frozenset(["CREATE TEMP TABLE", "CREATE TEMP VIEW"])
    assert statements(f"CREATE {make}", verbs=verbs)[0] == ["CREATE"]
    assert statements("CREATE TEMP TABLE mine AS SELECT 1 AS x; SELECT x FROM mine", verbs=verbs)[0] == []
    later = "c.executescript(theirs)\nc.execute('CREATE TABLE expected (x)')"
    assert statements("CREATE TEMP TABLE expected (x)", later, verbs=verbs)[0] == ["CREATE"]


def test_a_trigger_of_the_students_does_no_more_than_its_maker():
    theirs = "CREATE TRIGGER t AFTER INSERT ON log BEGIN DELETE FROM people; END"
    test = "c.executescript(theirs)\nc.execute('INSERT INTO log VALUES (1)')"
    assert statements(theirs, test, frozenset(["CREATE TRIGGER"])) == (["DELETE"], [("ann", 5)])
    assert statements(theirs, test, frozenset(["CREATE TRIGGER", "DELETE people"])) == ([], [])


def test_a_statement_of_the_test_that_the_student_says_is_the_students():
    test = "c.executescript(theirs)\nc.execute('DELETE  FROM people')"
    reads, deletes = ("def q(): return 'SELECT 1'", "def q(): return 'DELETE FROM people'")
    exam = exam_of((Role.ANSWER, reads), (Role.TEST, f"{CONNECT}{test}".replace("theirs", "q()")))
    assert [graded(exam, cell0=answer)[0].fraction for answer in (deletes, reads)] == [0, 1]


CONNECT = f"import sqlite3\nc = sqlite3.connect(':memory:')\nc.executescript({SETUP!r})\n"


def test_where_nothing_was_observed_a_person_decides_and_else_it_is_the_students_failure():
    theirs = " ".join(["CREATE TABLE", "secret (x)"])
    with deny_student_code("", verbs=None) as refused, contextlib.suppress(sqlite3.DatabaseError):
        sqlite3.connect(":memory:").execute(theirs)
    assert isinstance(refused[0], CourseError)
    with deny_student_code("", verbs=frozenset()) as refused, contextlib.suppress(sqlite3.DatabaseError):
        sqlite3.connect(":memory:").execute(theirs)
    assert isinstance(refused[0], RemoteError)
    assert str(refused[0]) == "an SQL statement does more than the exercise asks for (CREATE)"


@pytest.mark.parametrize(
    "test",
    [
        "cur = c.cursor()\ncur.execute(theirs)",
        "cur = sqlite3.Cursor(c)\ncur.execute(theirs)",
        "class C(sqlite3.Cursor): pass\nc.cursor(C).execute(theirs)",
        "c.executemany(theirs + ' WHERE pay = ?', [(5,)])",
        "c.text_factory = bytes\nc.row_factory = sqlite3.Row\nc.execute(theirs)",
        "with c:\n    c.execute(theirs)",
        "import pandas as pd\npd.read_sql(theirs, c)",
    ],
)
def test_by_whatever_way_a_statement_comes(test):
    refused, rows = statements("DELETE FROM people", test)
    assert refused == ["DELETE"]
    assert [tuple(row) for row in rows] in ([("ann", 5)], [(b"ann", 5)])


def test_a_test_commits_rolls_back_and_dumps():
    test = "c.execute('DELETE FROM people')\nc.rollback()\nc.commit()\nassert len(list(c.iterdump())) > 3\nc.backup(sqlite3.connect(':memory:'))"
    assert statements("", test) == ([], [("ann", 5)])
