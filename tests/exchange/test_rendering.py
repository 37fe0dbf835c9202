"""Cells rendered for the feedback page, and what becomes of those that take too long."""

from __future__ import annotations

import signal
import time
from typing import Any

import pytest
from helpers.rendered import render_into
from helpers.samples import composed, exam, grade, run
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

from autograder.examination.shown_cells import annotated_notebook
from autograder.exchange import pieces, rendering
from autograder.exchange.rendering import code, markdown, render_released
from autograder.results.report import cell_views

BLANKS = "x = 1\n" + "\n " * 20_000 + "y"
"""For its blanks alone, Pygments' lexer takes half a minute."""
QUOTES = "> [a]: b\n~~a   \n" * 2500
"""The parser of Markdown takes half a minute."""


def shown(node: NotebookNode) -> list[tuple[str, bool]]:
    views, _ = cell_views.views(node)
    return [(str(view.html), view.rendered) for view in views]


def test_code_has_colors_and_markdown_its_marks() -> None:
    """Of a raw cell, and of a notebook that was not rendered, the source stands there."""
    cells = [new_code_cell("def f(): 'x'"), new_markdown_cell("**a** <b>"), new_raw_cell("<i>")]
    made = new_notebook(cells=cells)
    assert shown(made) == [("def f(): &#39;x&#39;", False), ("**a** &lt;b&gt;", False), ("&lt;i&gt;", False)]
    render_into([made])
    assert shown(made) == [
        ('<span class="k">def</span> <span class="nf">f</span>(): <span class="s1">&#39;x&#39;</span>\n', True),
        ("<p><strong>a</strong> &lt;b&gt;</p>", True),
        ("&lt;i&gt;", False),
    ]


@pytest.mark.parametrize("slow", [new_code_cell(BLANKS), new_markdown_cell(QUOTES)], ids=["code", "markdown"])
def test_a_cell_that_takes_long_is_plain_and_costs_the_others_nothing(
    slow: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering, "MAX_CELL_SECONDS", 0.2)
    made = new_notebook(cells=[new_code_cell("1"), slow, new_markdown_cell("*a*")])
    began = time.process_time()
    render_into([made])
    assert time.process_time() - began < 2
    assert [rendered for _, rendered in shown(made)] == [True, False, True]
    assert shown(made)[1][0].startswith(("x = 1\n", "&gt; [a]: b\n"))


@pytest.mark.integration
def test_all_cells_share_the_time_of_a_submission() -> None:
    """When it is over, what follows is plain, in each notebook."""
    slow = [new_code_cell(BLANKS + str(number)) for number in range(100)]
    made = [new_notebook(cells=[new_code_cell("1"), *slow]), new_notebook(cells=[new_code_cell("2")])]
    began = time.process_time()
    render_into(made, seconds=0.5)
    assert time.process_time() - began < 3
    assert [rendered for _, rendered in shown(made[0])] == [True, *[False] * 100]
    assert shown(made[1]) == [("2", False)]


def test_a_source_that_a_library_fails_on_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """It costs nobody a grade."""

    def fails(source: str) -> str:
        raise IndexError

    monkeypatch.setitem(rendering._RENDERERS, "markdown", fails)
    made = new_notebook(cells=[new_markdown_cell("*a*"), new_code_cell("1")])
    render_into([made])
    assert [rendered for _, rendered in shown(made)] == [False, True]


def test_no_timer_is_left_behind() -> None:
    before = signal.getsignal(signal.SIGVTALRM)
    render_into([new_notebook(cells=[new_code_cell(BLANKS)])], seconds=0.1)
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGVTALRM) is before


def test_the_instructors_cells_are_rendered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are as they would be otherwise, also where no time is left."""
    monkeypatch.setattr(rendering, "_released", {})
    nodes = [annotated_notebook(composed(exam()), run(composed(exam())), grade().notebooks[0]) for _ in range(2)]
    render_into(nodes[:1])
    render_released(exam())
    render_into(nodes[1:], seconds=0)
    known = [rendered for _, rendered in shown(nodes[1])]
    assert known.count(False) == 2  # the two answers
    for one, other, rendered in zip(shown(nodes[0]), shown(nodes[1]), known, strict=True):
        assert one == other or not rendered


def test_bad_pieces_are_shown_as_the_source() -> None:
    """Whoever wrote into the metadata: a page has what the lists allow, or the source."""
    made = new_notebook(cells=[new_code_cell("source < 1"), new_markdown_cell("*source*")])
    for said in ('[["script"],"alert(1)",null]', "<script>", "", 7, None, ["k"], {"k": 1}):
        for cell in made.cells:
            cell.metadata["autograder"] = {pieces.RENDERED: said}
        assert shown(made) == [("source &lt; 1", False), ("*source*", False)]


def test_more_than_fits_on_a_page_is_not_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither written nor, where somebody else wrote it, read."""
    made = new_notebook(cells=[new_code_cell(f"x = {number}") for number in range(10)])
    monkeypatch.setattr(rendering, "MAX_PAGE", 100)
    render_into([made])
    assert 0 < sum(rendered for _, rendered in shown(made)) < 10
    monkeypatch.setattr(cell_views, "MAX_PAGE", 50)
    assert not any(rendered for _, rendered in shown(made))


@pytest.mark.parametrize(
    ("source", "written"),
    [
        ("# a\n### b\n###### c", "<h3>a</h3><h5>b</h5><h6>c</h6>"),
        ("- a\n  1. b", "<ul><li>a<ol><li>b</li></ol></li></ul>"),
        ("5. a", '<ol start="5"><li>a</li></ol>'),
        ("> a\nb  \nc", "<blockquote><p>a\nb<br>c</p></blockquote>"),
        ("```python\n<x>\n```\n---", "<pre><code>&lt;x&gt;\n</code></pre><hr>"),
        ("![](x.png) ~~a~~ `b`", '<p><span class="missing">[image: no description]</span> <s>a</s> <code>b</code></p>'),
        (
            "|a|b|\n|:-:|-|\n|1|2|",
            '<table><thead><tr><th style="text-align:center">a</th><th>b</th></tr></thead>'
            '<tbody><tr><td style="text-align:center">1</td><td>2</td></tr></tbody></table>',
        ),
        ("[a](#b) [c](x:y)", '<p><a href="#b" rel="noopener noreferrer nofollow">a</a> <a>c</a></p>'),
        ("&#x202e; &nbsp;", "<p>⟨U+202E⟩ \u00a0</p>"),
        ("[a <http://b.c>](d)", None),
    ],
)
def test_each_kind_of_markdown(source: str, written: str | None) -> None:
    html = pieces.html(markdown(source), pieces.MARKDOWN)
    assert html is not None
    assert written is None or html == written


@pytest.mark.parametrize("source", ["", "\n\n", "%%time\n!ls", "\x1b[31m'", "f'{x!r:>{w}}'", "\r\n'''", "é = 1\u202e"])
def test_each_source_of_code_keeps_its_text(source: str) -> None:
    """Also what is no Python."""
    made = new_notebook(cells=[new_code_cell(source)])
    plain = shown(made)[0][0]
    html = str(pieces.html(code(source), pieces.CODE))
    assert "".join(part.rpartition(">")[2] for part in html.split("<")).rstrip("\n") == plain.rstrip("\n")
