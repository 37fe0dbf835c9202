"""What a student is told before handing in: what works on their computer, and not where it is graded."""

from __future__ import annotations

import pytest

from autograder.submissions.student_habits import NO_INPUT, NO_INSTALLATION, NO_NETWORK, OWN_PATH, explained, habits

FOUND = [
    ("n = int(input('How many? '))", "calls input()", NO_INPUT),
    ("from getpass import getpass\ngetpass()", "calls getpass()", NO_INPUT),
    ("import requests\nrequests.get(url)", "downloads with requests.get()", NO_NETWORK),
    ("pd.read_csv('https://example.org/a.csv')", "downloads with pd.read_csv()", NO_NETWORK),
    ("pd.read_csv(f'https://example.org/{name}')", "downloads with pd.read_csv()", NO_NETWORK),
    ("(X, y), _ = keras.datasets.mnist.load_data()", "downloads with keras.datasets.mnist.load_data()", NO_NETWORK),
    ("!wget -q example.org/a.csv", "downloads with `!wget`", NO_NETWORK),
    ("x = 1\n!git clone example", "downloads with `!git clone`", NO_NETWORK),
    ("open('/home/ada/train.csv')", "names “/home/ada/train.csv”", OWN_PATH),
    (r"open('C:\\Users\\ada\\train.csv')", "names “C:\\Users\\ada\\train.csv”", OWN_PATH),
    ("open('~/train.csv')", "names “~/train.csv”", OWN_PATH),
    ("path = '/content/drive/MyDrive/a.csv'", "names “/content/drive/MyDrive/a.csv”", OWN_PATH),
    ("!pip install seaborn", "installs packages", NO_INSTALLATION),
    ("%pip install seaborn", "installs packages", NO_INSTALLATION),
    ("  !python3 -m pip install x\nimport x", "installs packages", NO_INSTALLATION),
]


@pytest.mark.parametrize(("source", "what", "why"), FOUND)
def test_what_fails_where_it_is_graded_is_named_with_its_cell(source: str, what: str, why: str) -> None:
    (found,) = habits([(1, "x = 2"), (4, source)])
    assert str(found) == f"Cell 4 {what}: {why}."


@pytest.mark.parametrize(
    "source",
    [
        "def input(prompt):\n    return '3'\ninput('How many?')",
        "'''Read /home/ada and https://example.org with input().'''",
        "print('see https://example.org')",
        "open('data/train.csv')",
        "url = 'https://example.org'",
        "x[1:2], 'a:b', '/', '/ 2', 'A: text'",
        "this is no Python",
        "def (",
        "%matplotlib inline",
        "!ls",
        "# !pip install x",
        "\0",
        "cache.load_data()",
    ],
)
def test_nothing_is_said_of_other_code(source: str) -> None:
    assert list(habits([(1, source)])) == []


def test_each_is_named_once_a_cell() -> None:
    assert len(list(habits([(1, "input()\ninput()"), (2, "input()")]))) == 2


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            "StdinNotImplementedError: raw_input was called, but this frontend does not support input requests.",
            f"StdinNotImplementedError: {NO_INPUT}",
        ),
        ("URLError: <urlopen error [Errno -2] Name or service not known>", f"URLError: {NO_NETWORK}"),
        ("gaierror: [Errno -3] Temporary failure in name resolution", f"gaierror: {NO_NETWORK}"),
        (
            "ConnectionError: HTTPSConnectionPool(host='x', port=443): Max retries exceeded",
            f"ConnectionError: {NO_NETWORK}",
        ),
        ("ValueError: oh", "ValueError: oh"),
    ],
)
def test_an_error_says_what_lacks_where_notebooks_are_graded(error: str, said: str) -> None:
    assert explained(error) == said
