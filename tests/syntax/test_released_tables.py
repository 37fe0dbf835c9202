"""Which tables of locked cells the examiner reads itself."""

from __future__ import annotations

import pytest

from autograder.syntax.released_tables import released_tables

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
