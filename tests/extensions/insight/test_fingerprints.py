"""Tokens, words and fingerprints of what students wrote."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable

import pytest

from autograder.extensions.insight.token_streams import MAX_TOKENS, Token, chosen_names, code_tokens, comments, words
from autograder.extensions.insight.winnowing import NOISE, WINDOW, every_hash, fingerprints


def texts(source: str, *names: str) -> list[str]:
    return [token.text for token in code_tokens([(0, source)], names=frozenset(names))]


def letters(text: str) -> list[Token]:
    return [Token(letter, 0, 0) for letter in text]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("y = x + 1  # tail", ["y", "=", "x", "+", "1"]),
        (
            'def f(x):\n    """Doc\n    string."""\n    return "a" \'b\'',
            ["def", "f", "(", "x", ")", ":", "return", "'a'", "'b'"],
        ),
        ("'a title'\nx = 1e-5", ["x", "=", "1e-5"]),
        ("%matplotlib inline", ["%", "matplotlib", "inline"]),
        ("a //= b ** 2", ["a", "//", "=", "b", "**", "2"]),
        ("x = 'open\ny", ["x", "=", "'open", "y"]),
        ('x = """open\ny', ["x", "=", "'''open\ny"]),
    ],
)
def test_tokens_are_those_of_python_also_where_it_does_not_parse(source: str, expected: list[str]) -> None:
    assert texts(source) == expected


def test_a_chosen_name_is_replaced_and_an_attribute_of_that_name_is_not() -> None:
    assert texts("mean = x.mean(mean)", "mean") == ["v", "=", "x", ".", "mean", "(", "v", ")"]


def test_chosen_names_are_variables_arguments_and_helpers_and_not_what_the_exam_names() -> None:
    source = "def double(x):\n    y = helper(x)\n    return print(y)\n%time z = 1\ndef helper(q): pass"
    assert chosen_names([source, "no python ("], frozenset({"double"})) == {"x", "y", "helper", "q"}


def test_comments_and_words_are_read_with_their_lines() -> None:
    assert comments("# One two\nx = '# no'  # three") == ["One two", "three"]
    assert [(word.text, word.line) for word in words([(0, "It is\nSO.")])] == [("it", 0), ("is", 0), ("so", 1)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "hostile",
    [
        "'''" * 16_000,
        '"\\' * 25_000,
        "''' x\n" * 8_000,
        "\\\n" * 25_000,
        '"\\\n' * 16_000,
        'r"' * 25_000,
        "1e" * 25_000,
    ],
    ids=range(7),
)
def test_no_text_takes_longer_than_its_length(hostile: str) -> None:
    start = time.process_time()
    code_tokens([(0, hostile)])
    assert time.process_time() - start < 2


@pytest.mark.parametrize("read", [code_tokens, words])
def test_reading_ends_at_the_limit(read: Callable[[Iterable[tuple[int, str]]], list[Token]]) -> None:
    endless = itertools.repeat((0, "x = 1\n" * 99))
    assert len(read(endless)) == MAX_TOKENS


def test_a_cell_has_so_many_comments() -> None:
    assert len(comments("# a\n" * (MAX_TOKENS + 1))) == MAX_TOKENS


def test_equal_runs_as_long_as_promised_share_a_fingerprint_and_shorter_ones_none() -> None:
    """The guarantee and the noise threshold of the paper."""
    long, short = "abcdefghijkl"[: NOISE + WINDOW - 1], "abcdefghijkl"[: NOISE - 1]
    first, second = letters(f"123456789{long}!?"), letters(f"qwertyuiop{long}zx")
    assert fingerprints(first).keys() & fingerprints(second).keys()
    first, second = letters(f"123456789{short}!?"), letters(f"qwertyuiop{short}zx")
    assert not fingerprints(first).keys() & fingerprints(second).keys()


def test_fingerprints_are_a_choice_of_all_hashes_and_know_their_lines() -> None:
    tokens = [Token(f"t{number}", number // 100, number // 10) for number in range(400)]
    kept = fingerprints(tokens)
    assert kept.keys() <= every_hash(tokens)
    assert len(kept) < len(every_hash(tokens)) * 0.6
    assert {place for places in kept.values() for place in places} <= {(n // 100, n // 10) for n in range(400)}


def test_a_sequence_that_is_too_short_has_no_fingerprint() -> None:
    assert fingerprints(letters("abc")) == {}
    assert fingerprints([]) == {}
