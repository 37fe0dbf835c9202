"""An extension of griffe: docstrings as the code has them, made ready for Markdown."""

from __future__ import annotations

import re
from typing import Any

import griffe

ROLE = re.compile(r":(?:func|class|mod|meth|data):`~?([\w.]+)`")
EXAMPLE = re.compile(r"^>>> .+?(?=\n\n|\Z)", re.M | re.S)
FLAG = re.compile(r"[ \t]*# doctest:.*$", re.M)


class MarkdownDocstrings(griffe.Extension):
    """An extension that turns roles into links to the checks, and examples into code blocks."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of an object, if it has one."""
        if obj.docstring is not None:
            obj.docstring.value = to_markdown(obj.docstring.value)


def to_markdown(text: str) -> str:
    """Return the text with roles as inline code, linked if they name a check, and examples fenced."""
    text = ROLE.sub(_linked, text)
    return EXAMPLE.sub(lambda match: f"```pycon\n{FLAG.sub('', match[0])}\n```", text)


def _linked(match: re.Match[str]) -> str:
    name = match[1].removeprefix("autograder.check.").removeprefix("check.")
    return f"[`check.{name}`][check.{name}]" if name.islower() and "." not in name else f"`{match[1]}`"
