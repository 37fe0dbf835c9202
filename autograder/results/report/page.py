"""Environment and style of all pages."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from autograder._util.text import credit_percent, one_line, visible
from autograder.records.grade import Grade
from autograder.results.report import status_words

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

MAX_MESSAGE_CHARACTERS = 8000
MAX_SHOWN_CHECKS = 100
"""Most checks of a question on a page."""


def render(template: str, values: Mapping[str, Any]) -> str:
    """Render a page from ``template`` (a file in templates/) and ``values``.

    Everything is escaped unless it is Markup that this package made.
    """
    return _environment().get_template(template).render(values)


def pieces(template: str, values: Mapping[str, Any]) -> Iterator[str]:
    """Render a page piece by piece: a page that grows with a class is never held as a whole."""
    return _environment().get_template(template).generate(values)


def prepare() -> None:
    """Import and compile the templates early, while the caller waits for something else."""
    for name in ("feedback.html", "class.html"):
        _environment().get_template(name)


def feedback_name(grade: Grade) -> str:
    """Return the file name of a feedback page: ``<notebook>.html``, or ``index.html`` for several."""
    return f"{grade.notebooks[0].notebook}.html" if len(grade.notebooks) == 1 else "index.html"


def feedback_link(grade: Grade) -> str | None:
    """Make the link from reports/<assignment>.html to a feedback page; None for an impossible folder name."""
    parts = (grade.student, grade.assignment, feedback_name(grade))
    if any(part in ("", ".", "..") or "/" in part or "\0" in part for part in parts):
        return None
    return "../feedback/" + "/".join(quote(part, safe="", errors="replace") for part in parts)


def _message(text: str, limit: int = MAX_MESSAGE_CHARACTERS) -> Markup:
    """Write a message as HTML: escaped, with text between backticks as code."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"`([^`\n]{1,400})`", r"<code>\1</code>", str(escape(visible(text, limit)))))


def _comment(text: str) -> Markup:
    """Render a person's comment from the gradebook as Markdown, as formgrader promises."""
    from markupsafe import Markup

    from autograder.exchange import rendering
    from autograder.exchange.pieces import MARKDOWN, html

    pieces = rendering.render_trusted("markdown", text)
    return (html(pieces, MARKDOWN) if pieces else None) or Markup("<p>{}</p>").format(_message(text))


@functools.cache
def _styles(*names: str) -> Markup:
    """Return parts of the style, in the order in which a page needs them: later rules win over earlier ones."""
    from markupsafe import Markup

    folder = resources.files("autograder.results.report").joinpath("templates", "styles")
    return Markup("").join(Markup(folder.joinpath(f"{name}.css").read_text(encoding="utf-8")) for name in names)


@functools.cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("autograder.results.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(styles=_styles, MAX_SHOWN_CHECKS=MAX_SHOWN_CHECKS)
    environment.filters.update(
        line=one_line,
        visible=visible,
        message=_message,
        comment=_comment,
        credit=credit_percent,
        points=status_words.points,
        moment=status_words.moment,
        sign=lambda outcome: status_words.OUTCOMES[outcome][0],
        word=lambda outcome: status_words.OUTCOMES[outcome][1],
    )
    return environment
