"""The style of each page: the common part and its own parts hold every rule that applies to it, and few others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from autograder.records.checks import Outcome
from autograder.results import report

TEMPLATES = Path(report.__file__).with_name("templates")
PAGES = {path.stem: path for path in TEMPLATES.glob("*.html") if 'extends "base.html"' in path.read_text()}
PAGES["serve"] = TEMPLATES / "serve/frame.html"
PARTS = {path.stem: path.read_text() for path in (TEMPLATES / "styles").glob("*.css")}
MACROS = dict(
    re.findall(r"\{% macro (\w+)\(.*?%\}(.*?)\{%- endmacro %\}", (TEMPLATES / "macros.html").read_text(), re.S)
)
INSERTED = {
    "review": ["review-answer.html"],
    "class": ["insight.html"],
    "serve": [f"serve/{path.name}" for path in sorted(TEMPLATES.glob("serve/*.html"))],
}


def parts_of(page: str) -> list[str]:
    (listed,) = re.findall(r"\{\{ styles\((.*?)\) \}\}", PAGES[page].read_text())
    return ["common", *re.findall(r'"(\w+)"', listed)]


def source_of(page: str) -> str:
    """The templates that make a page."""
    texts = [PAGES[page].read_text(), *((TEMPLATES / name).read_text() for name in INSERTED.get(page, []))]
    used = {
        name
        for text in texts
        for line in re.findall(r"macros.html\" import (.*?) %", text)
        for name in line.split(", ")
    }
    return "\n".join([*texts, *(MACROS[name] for name in sorted(used))])


def selectors(style: str) -> list[str]:
    bare = re.sub(r"@media[^{]*", "", re.sub(r"\{[^{}]*\}", "{}", style))
    return [one.strip() for listed in re.findall(r"([^{}]+)\{", bare) for one in listed.split(",") if one.strip()]


def applies(selector: str, source: str) -> bool:
    """Whether all classes and elements that a selector names are in the templates; their order is not looked at."""
    classes = {name for listed in re.findall(r'class="([^"]*)"', source) for name in re.findall(r"[\w-]+", listed)}
    bare = re.sub(r"\[[^]]*\]|:[\w-]+(\([^)]*\))?", "", selector)
    named = set(re.findall(r"\.([\w-]+)", bare))
    elements = set(re.findall(r"(?<![\w.-])[a-z]\w*", bare))
    given = classes | {outcome.value for outcome in Outcome}
    return bool(named | elements) and named <= given and elements <= set(re.findall(r"<(\w+)", source))


@pytest.mark.parametrize("page", PAGES)
def test_no_rule_that_applies_to_a_page_is_in_a_part_that_it_lacks(page: str) -> None:
    lacking = [one for name in PARTS.keys() - parts_of(page) for one in selectors(PARTS[name])]
    source = source_of(page)
    assert [one for one in lacking if applies(one, source)] == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_no_part_of_which_nothing_applies(page: str) -> None:
    source = source_of(page) + '<svg class="plot">'  # drawn in Python
    for name in parts_of(page):
        assert any(applies(one, source) for one in selectors(PARTS[name])), name


def test_every_part_is_of_a_page() -> None:
    assert {name for page in PAGES for name in parts_of(page)} == set(PARTS)


def test_a_rule_stands_in_one_part() -> None:
    listed = [
        one for style in PARTS.values() for one in set(selectors(re.sub(r"@media.*?\n\}", "", style, flags=re.S)))
    ]
    assert [one for one in set(listed) if listed.count(one) > 1] == []
