"""Which tables of locked cells the examiner reads itself, and what it finds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from autograder.examiner.workspace import Workspace
from autograder.syntax.released_tables import ReleasedTables, released_tables

READ = "df = pd.read_csv('people.csv')"


@pytest.mark.parametrize(
    "locked",
    [READ, "df = pd.read_csv('data/people.csv', sep=';', names=['a', 'b'])", "df = np.loadtxt('x.txt', delimiter=',')"],
)
@pytest.mark.parametrize(
    "others",
    [
        [], ["print(df)"], ["mean = df['pay'].mean()"], ["def f(df):\n    return df.pay"], ["clean = df.dropna()"],
        ["%matplotlib inline\ndf.plot()"],
    ],
    ids=str,
)  # fmt: skip
def test_a_table_that_nothing_changes_is_the_released_one(locked: str, others: list[str]) -> None:
    assert released_tables([locked], [locked, *others]) == {"df": locked}


@pytest.mark.parametrize(
    "other",
    [
        "df = df.dropna()", "df['pay'] = 1", "df.loc[df.pay > 1, 'pay'] = 1", "df.pay = 1", "del df['pay']", "df.pop('pay')",
        "df.sort_values('pay', inplace=True)", "df.iloc[0]['pay'] += 1", "for df in []: pass", "df.columns = ['a']",
        "def f():\n    global df\n    df = 1", "import x as df", "def df(): pass", "df.insert(0, 'a', 1)",
    ],
)  # fmt: skip
def test_a_table_that_another_cell_changes_is_the_students(other: str) -> None:
    assert released_tables([READ], [READ, other]) == {}


@pytest.mark.parametrize(
    "locked",
    [
        "df = pd.read_csv(path)", "df = pd.read_csv('a.csv', sep=separator)", "df = pd.read_csv('https://x.org/a.csv')",
        "df = read('a.csv')", "df, x = pd.read_csv('a.csv')", "df = pd.read_csv('a.csv').dropna()", "df = open('a.csv')",
        "if True:\n    df = pd.read_csv('a.csv')", "df = pd.read_csv()", "df = pd.concat('a.csv')",
    ],
)  # fmt: skip
def test_what_is_no_plain_reading_is_the_students(locked: str) -> None:
    assert released_tables([locked], [locked]) == {}


def tables(tmp_path: Path, statement: str = READ, **more: object) -> ReleasedTables:
    (tmp_path / "1").write_text("name,pay\nann,5\n")
    workspace = Workspace(given={"people.csv": tmp_path / "1"}, **more)  # type: ignore[arg-type]
    return ReleasedTables({"df": statement}, {"pd": "import pandas as pd"}, workspace)


def test_each_test_gets_a_table_of_its_own(tmp_path: Path) -> None:
    made = tables(tmp_path)
    assert "df" in made
    assert "other" not in made
    table = made.copy("df")
    table["pay"] = 1
    assert made.copy("df").to_dict("list") == {"name": ["ann"], "pay": [5]}
    assert Path.cwd().exists()


@pytest.mark.parametrize(
    "statement", ["df = pd.read_csv('made.csv')", "df = pd.read_excel('people.csv')", "df = np.load('people.csv')"]
)
def test_what_cannot_be_read_here_is_the_students(tmp_path: Path, statement: str) -> None:
    assert "df" not in tables(tmp_path, statement)


def test_a_file_that_the_notebook_writes_is_the_students(tmp_path: Path) -> None:
    assert "df" not in tables(tmp_path, outputs=frozenset(["people.csv"]))


def test_each_test_reads_an_archive_of_numpys_anew(tmp_path: Path) -> None:
    np.savez(tmp_path / "rows.npz", X=[1, 2])
    workspace = Workspace(given={"rows.npz": tmp_path / "rows.npz"})
    statement = "rows = np.load('rows.npz')"
    made = ReleasedTables({"rows": statement}, {"np": "import numpy as np"}, workspace)
    assert "rows" in made
    made.copy("rows")["X"][:] = 7
    assert made.copy("rows")["X"].tolist() == [1, 2]
