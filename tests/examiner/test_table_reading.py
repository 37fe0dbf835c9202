"""Tables of released files: what the examiner finds in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from autograder.examiner.table_reading import ReleasedTables
from autograder.examiner.workspace import Workspace

READ = "df = pd.read_csv('people.csv')"


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
