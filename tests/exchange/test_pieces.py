"""Rendered cells as data: what is well-formed becomes HTML, and nothing else does."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from autograder.exchange.pieces import CODE, COLORED, MARKDOWN, MAX_CHARACTERS, html, packed
from autograder.results import report

GOOD: list[tuple[str, list[Any], str]] = [
    (CODE, [], ""),
    (CODE, ["a < b"], "a &lt; b"),
    (CODE, [["k"], "def", None, " f"], '<span class="k">def</span> f'),
    (MARKDOWN, [["p"], ["em"], "x & y", None, ["br"], "z", None], "<p><em>x &amp; y</em><br>z</p>"),
    (MARKDOWN, [["ol", "3"], ["li"], "x", ["ul"], None, None, None], '<ol start="3"><li>x<ul></ul></li></ol>'),
    (MARKDOWN, [["pre"], ["code"], "x\n", None, None, ["hr"]], "<pre><code>x\n</code></pre><hr>"),
    (
        MARKDOWN,
        [["p"], ["a", 'https://x.org/?q="&r'], "x", None, ["missing"], "i", None, None],
        '<p><a href="https://x.org/?q=&#34;&amp;r" rel="noopener noreferrer nofollow">x</a>'
        '<span class="missing">i</span></p>',
    ),
    (
        MARKDOWN,
        [["table"], ["thead"], ["tr"], ["th", "right"], "n", None, None, None, None],
        '<table><thead><tr><th style="text-align:right">n</th></tr></thead></table>',
    ),
    (
        MARKDOWN,
        [["p"], ["math", "display", "block"], ["mi", "mathvariant", "bold"], "<", None, None, None],
        '<p><math display="block"><mi mathvariant="bold">&lt;</mi></math></p>',
    ),
]


@pytest.mark.parametrize(("cell", "pieces", "written"), GOOD)
def test_well_formed_pieces_become_html(cell: str, pieces: list[Any], written: str) -> None:
    """Texts are escaped, elements closed."""
    assert html(packed(pieces), cell) == written


BAD: list[tuple[str, Any]] = [
    (CODE, {"k": 1}),
    (CODE, 7),
    (CODE, [7]),
    (CODE, [True]),
    (CODE, [{"k": 1}]),
    (CODE, [[]]),
    (CODE, [["script"], "alert(1)", None]),
    (CODE, [["k", "x"], None]),
    (CODE, [["k", 'x" onclick="alert(1)'], None]),
    (CODE, [['k" onclick="alert(1)'], None]),
    (CODE, [[["k"]], None]),
    (CODE, [["k"], ["k"], None, None]),
    (CODE, [["k"], "open"]),
    (CODE, ["closed", None]),
    (CODE, [["p"], "x", None]),
    (CODE, ["\u202e"]),
    (CODE, ["\x1b[2J"]),
    (CODE, ["\ud800"]),
    (MARKDOWN, ["text of no paragraph"]),
    (MARKDOWN, [["code cell"], None]),
    (MARKDOWN, [["p"], ["p"], None, None]),
    (MARKDOWN, [["td"], "x", None]),
    (MARKDOWN, [["ul"], "x", None]),
    (MARKDOWN, [["p"], ["br"], None, None]),
    (MARKDOWN, [["h1"], "x", None]),
    (MARKDOWN, [["p"], ["a", "javascript:alert(1)"], "x", None, None]),
    (MARKDOWN, [["p"], ["a", "JAVASCRIPT:alert(1)"], "x", None, None]),
    (MARKDOWN, [["p"], ["a", "data:text/html,x"], "x", None, None]),
    (MARKDOWN, [["p"], ["a", "java\nscript:alert(1)"], "x", None, None]),
    (MARKDOWN, [["p"], ["a", "https://x\u202e"], "x", None, None]),
    (MARKDOWN, [["p"], ["a", ["https://x"]], "x", None, None]),
    (MARKDOWN, [["p"], ["a", "https://x", "y"], "x", None, None]),
    (MARKDOWN, [["ol", "1\n"], None]),
    (MARKDOWN, [["table"], ["tbody"], ["tr"], ["td", "left;x"], None, None, None, None]),
    (MARKDOWN, [["math"], None]),
    (MARKDOWN, [["p"], ["mi"], "x", None, None]),
    (MARKDOWN, [["p"], ["math"], "x", None, None]),
    (MARKDOWN, [["p"], ["math"], ["mi"], ["em"], "x", None, None, None, None]),
    (MARKDOWN, [["p"], ["math"], ["annotation-xml"], None, None, None]),
    (MARKDOWN, [["p"], ["math"], ["maction"], None, None, None]),
    (MARKDOWN, [["p"], ["math"], ["mtr"], None, None, None]),
    (MARKDOWN, [["p"], ["math", "display"], None, None]),
    (MARKDOWN, [["p"], ["math", "display", "block", "display", "block"], None, None]),
    (MARKDOWN, [["p"], ["math", "display", "block\n"], None, None]),
    (MARKDOWN, [["p"], ["math", "display", ["block"]], None, None]),
    (MARKDOWN, [["p"], ["math", "href", "https://x"], None, None]),
    (MARKDOWN, [["p"], ["math", 'x" onclick="y', "z"], None, None]),
    (MARKDOWN, [["p"], ["math"], ["mspace", "width", "99em"], None, None, None]),
    (MARKDOWN, [["p"], ["math"], *[["mrow"]] * 200, *[None] * 202]),
    (MARKDOWN, [["blockquote"]] * 200 + [None] * 200),
]


@pytest.mark.parametrize(("cell", "pieces"), BAD, ids=range(len(BAD)))
def test_anything_else_is_refused(cell: str, pieces: Any) -> None:
    assert html(json.dumps(pieces), cell) is None


@pytest.mark.parametrize("said", ["", "[", "nonsense", "[" * 100_000, "NaN", "1" * 10_000, '["' + "x" * MAX_CHARACTERS])
def test_what_is_no_json_or_too_long_is_refused(said: str) -> None:
    assert html(said, CODE) is None


@pytest.mark.integration
def test_pieces_are_read_in_time_that_grows_with_their_length() -> None:
    """At the limit of a cell: each character a token, or all of it one text."""
    for pieces in ([["k"], "1", None] * 60_000, ["<" * 900_000], [["nf"], "é", None, " "] * 45_000):
        began = time.process_time()
        assert html(packed(pieces), CODE) is not None
        assert time.process_time() - began < 2


def test_the_colors_are_those_of_the_style() -> None:
    style = Path(report.__file__).with_name("templates") / "styles/answer.css"
    assert set(re.findall(r"\.source \.(\w+)", style.read_text())) == COLORED
