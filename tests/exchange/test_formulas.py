"""Formulas in Markdown: typeset as MathML from closed lists, or shown as their source."""

from __future__ import annotations

import random
import re
import time

import pytest
from helpers.pages import MATHML, Page
from helpers.rendered import render_into
from nbformat.v4 import new_markdown_cell, new_notebook

from autograder.exchange import pieces, rendering
from autograder.exchange.rendering import markdown
from autograder.results.report import cell_views


def page(source: str) -> str:
    html = pieces.html(markdown(source), pieces.MARKDOWN)
    assert html is not None
    return str(html)


def math(row: str, display: str = "inline") -> str:
    return f'<math display="{display}"><mrow>{row}</mrow></math>'


TYPESET = [
    ("$x^2$", math("<msup><mi>x</mi><mn>2</mn></msup>")),
    ("$a_1 * b_1$", math("<msub><mi>a</mi><mn>1</mn></msub><mo>*</mo><msub><mi>b</mi><mn>1</mn></msub>")),
    ("$$x$$", math("<mi>x</mi>", "block")),
    ("$a < b$", math("<mi>a</mi><mo>&lt;</mo><mi>b</mi>")),
    (r"$\log x$", math('<mi>log</mi><mspace width="0.167em"></mspace><mi>x</mi>')),
    (r"$\text{if } x$", math("<mtext>if\N{NO-BREAK SPACE}</mtext><mi>x</mi>")),
    (r"$\arg\min f$", '<math display="inline"><mrow><mo>arg</mo><mo>min</mo><mi>f</mi></mrow></math>'),
    (r"$$x \label{a}$$", math("<mi>x</mi>", "block")),
    (r"$\boldsymbol{\theta}$", math('<mrow><mi mathvariant="bold-italic">θ</mi></mrow>')),
]


@pytest.mark.parametrize(("source", "written"), TYPESET)
def test_a_formula_is_typeset(source: str, written: str) -> None:
    assert page(source) == f"<p>{written}</p>"


def test_a_formula_that_fills_lines_is_no_list_and_no_heading() -> None:
    """Its minus may begin a line; it ends a paragraph, and may stand in a list."""
    block = math("<mi>a</mi><mo>−</mo><mi>b</mi>", "block")
    assert page("so\n$$\na\n- b\n$$\nand") == f"<p>so</p><p>{block}</p><p>and</p>"
    assert page("- x\n\n  $$\n  a\n  - b\n  $$") == f"<ul><li><p>x</p><p>{block}</p></li></ul>"
    assert page("> $$\n> a\n> - b\n> $$") == f"<blockquote><p>{block}</p></blockquote>"


def test_an_environment_needs_no_dollars() -> None:
    html = page("\\begin{aligned}\na &= b \\\\\n  &= c\n\\end{aligned}")
    assert html.startswith('<p><math display="block">')
    assert html.count("<mtr>") == 2
    assert 'columnalign="' in html


NO_FORMULAS = [
    "`$x$`",
    "```\n$$x$$\n```",
    "    $$x$$",
    r"\$5 and \$6",
    "$5 and $6",
    "$5 and $6, `x$y`",
    "5 $ or 6 $",
    "$ x$",
    "$x",
]


@pytest.mark.parametrize("source", NO_FORMULAS)
def test_code_and_prices_are_no_formulas(source: str) -> None:
    assert "<math" not in page(source)
    assert "formula" not in page(source)


NOT_CONVERTED = [
    r"$\begin{multline}a \\ b\end{multline}$",
    r"$\begin{nobody}a\end{nobody} & b$",
    r"$\unknown{x}$",
    r"$\frac$",
    r"$\left( x$",
    r"$x^a^b$",
    r"$\newcommand{\a}{\b\b}\a$",
    r"$\def\a{\a\a}\a$",
    "$" + "{" * 900 + "$",
    "$" + r"\sqrt{" * 80 + "x" + "}" * 80 + "$",
]


@pytest.mark.parametrize("source", NOT_CONVERTED)
def test_what_cannot_be_converted_stays_as_its_source(source: str) -> None:
    shown = source.replace("&", "&amp;")
    assert page(f"see {source} *here*") == f'<p>see <code class="formula">{shown}</code> <em>here</em></p>'


def test_a_formula_loads_moves_and_colors_nothing() -> None:
    """A link, a color and a wide space are left out; an HTML entity stays text."""
    sources = [r"\href{javascript:alert(1)}{x}", r"\color{white}x", r"\hspace{-90em}x", r"\rule{90em}{90em}x"]
    sources += [r"\style{position:fixed}{x}", r"\llap{x}", r"\text{<script>alert(1)</script>}", r"\text{&lt;script>}"]
    for source in sources:
        html = page(f"${source}$")
        assert not re.search(r"<script|href|style=|color=|90em|on\w+=", html), source
    assert "⟨U+202E⟩" in page(r"$\text{&#x202e;a}$")


# fmt: off
COMMANDS = [
    r"\frac", r"\sqrt", r"\left", r"\right", r"\begin{align}", r"\end{align}", r"\begin{matrix}", r"\end{matrix}", r"\text{",
    r"\mbox{", r"\href{", r"\style{", r"\color{", r"\unicode{", r"\verb|", r"\hspace{", r"\rule{", r"\tag{", r"\operatorname{",
    r"\overbrace", r"\underbrace", r"\substack{", r"\limits", r"\middle", r"\prime", r"\mathbf{", r"\mathbb{", r"\not", r"\hline",
    r"\genfrac", r"\sideset", r"\skew", r"\cfrac", r"\phantom", r"\smash", r"\boxed{", r"\color{red}", r"\big", r"\xrightarrow",
]
WORDS = [
    "<script>", "</math>", "<mglyph>", "&#60;img src=x onerror=alert(1)>", '" onclick="x', "javascript:x", "\u202e", "-->", "]]>",
    "&lt;", "&amp;lt;", "&#x0;", "&#xD800;", "1em", "-99em", "#", "%", "~", "'", "x", "{", "}", "[", "]", "_", "^", "&", r"\\", "\n",
    "1", "2.5", ",", "|", "(", ")",
]
# fmt: on


@pytest.mark.parametrize("seed", range(8))
def test_whatever_stands_in_a_formula_a_page_has_only_what_the_lists_allow(seed: int) -> None:
    """Random commands, brackets and hostile words: all of it is elements of the list, allowed attributes, or text."""
    chance = random.Random(seed)
    typeset = 0
    for _ in range(150):
        tex = " ".join(chance.choice(chance.choice([COMMANDS, WORDS, WORDS])) for _ in range(chance.randint(1, 7)))
        source = chance.choice(["${}$", "$${}$$", "$$\n{}\n$$", "{}"]).replace("{}", tex.strip())
        html = page(source)
        seen = Page(html)
        assert seen.tags <= MATHML | {"p", "code", "br", "ul", "ol", "li", "h3", "h4", "blockquote", "pre"}, source
        for element, attributes in seen.elements:
            allowed = [pieces.can_have(element, name, value or "") for name, value in attributes]
            assert all(allowed) or element not in MATHML, (source, element, attributes)
        typeset += "<math" in html
    assert typeset > 5


def test_a_formula_that_takes_long_costs_its_own_cell_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of formulas share the time of a cell."""
    monkeypatch.setattr(rendering, "MAX_CELL_SECONDS", 0.02)
    made = new_notebook(cells=[new_markdown_cell("$\\frac{x}{y}$ " * 2800), new_markdown_cell("$x$")])
    began = time.process_time()
    render_into([made])
    assert time.process_time() - began < 2
    assert [view.rendered for view in cell_views.views(made)[0]] == [False, True]


@pytest.mark.parametrize(
    "source", ["$" * 40_000, "$$x\n" * 9000, r"\begin{a} " * 4000, "\\begin{a}\n" * 4000, "$x" * 20_000]
)
def test_beginnings_of_formulas_are_searched_in_bounded_time(source: str) -> None:
    began = time.process_time()
    render_into([new_notebook(cells=[new_markdown_cell(source)])])
    assert time.process_time() - began < 2


def test_an_ordinary_cell_of_formulas_is_rendered_in_a_moment() -> None:
    text = "Let $x \\in \\mathbb{R}^n$ and $\\hat y = \\sigma(w^\\top x + b)$.\n\n$$\\frac{1}{n}\\sum_{i=1}^n \\ell(y_i)$$\n\n"
    began = time.process_time()
    assert page(text * 20).count("<math") == 60
    assert time.process_time() - began < 0.5
