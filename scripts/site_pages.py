"""Hooks of the docs site: its navigation, links to files outside docs/, names of the API."""

from __future__ import annotations

import ast
import logging
import posixpath
import re
import tomllib
from pathlib import Path
from typing import Any

REPOSITORY = "https://github.com/nbexaminer/nbexaminer"
HEADING = re.compile(r"^## ([^:\n]+)", re.M)
ENTRY = re.compile(r"\[([^\]]+)\]\(([^)#\s]+\.md)\)")
API_NAME = re.compile(r"^::: autograder\.check\.(\w+)$", re.M)
FILE = re.compile(r"^( *```\w+) file=(\S+)$", re.M)
ITEM = re.compile(r"(?:[-*]|\d+\.) ")
LINK_OUT = re.compile(r"\]\(((?:\.\./)+[^)\s]*)\)")

log = logging.getLogger("mkdocs.hooks.site_pages")


def navigation(index: str) -> list[dict[str, Any]]:
    """Return the navigation that an index page describes: a section for each heading, with the pages linked there."""
    parts = HEADING.split(index)
    sections = zip(parts[1::2], parts[2::2], strict=True)
    pages = [
        (title.strip(), [{name.replace("`", ""): path} for name, path in ENTRY.findall(text)])
        for title, text in sections
    ]
    return [{"Start": "index.md"}, *({title: listed} for title, listed in pages if listed)]


def link_to_repository(markdown: str, page: str, root: Path) -> tuple[str, list[str]]:
    """Rewrite links of a page of docs/ that leave docs/ into addresses of the repository.

    Args:
        markdown: the text of the page.
        page: its path in docs/.
        root: the project's folder.

    Returns:
        The new text, and the targets that do not exist.
    """
    dead: list[str] = []

    def rewritten(match: re.Match[str]) -> str:
        target, _, anchor = match[1].partition("#")
        path = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page), target))
        if path.startswith("docs/"):
            return match[0]
        if path.startswith("..") or not (root / path).exists():
            dead.append(match[1])
        kind = "tree" if (root / path).is_dir() else "blob"
        return f"]({REPOSITORY}/{kind}/main/{path}{'#' + anchor if anchor else ''})"

    return LINK_OUT.sub(rewritten, markdown), dead


def imported_names(package: str) -> dict[str, str]:
    """Return where a package's names are defined, from the imports in its source.

    A name such as `autograder.check.architecture` is a module and, in the package, a function: the page means the
    function.
    """
    imports = [node for node in ast.parse(package).body if isinstance(node, ast.ImportFrom)]
    return {alias.name: f"{node.module}.{alias.name}" for node in imports for alias in node.names}


def registered_checks(project: str) -> dict[str, str]:
    """Return where the words of `check` are defined that extensions register, from the text of pyproject.toml."""
    entries = tomllib.loads(project)["project"]["entry-points"]["autograder.checks"]
    return {name: value.replace(":", ".") for name, value in entries.items()}


def name_definitions(markdown: str, defined: dict[str, str]) -> str:
    """Rewrite `::: autograder.check.name` to where the name is defined, after an anchor `check.name`."""
    return API_NAME.sub(lambda match: f'[](){{ id="check.{match[1]}" }}\n\n::: {defined[match[1]]}', markdown)


def indent_items(markdown: str) -> str:
    """Indent the content of a list's item by four columns, as this site's Markdown needs; code hosts need fewer."""
    lines: list[str] = []
    width = 0  # of the open item's marker; 0: no item is open
    fenced = False
    for line in markdown.split("\n"):
        item = None if fenced else ITEM.match(line)
        if line.startswith("```"):
            fenced = not fenced
        if item:
            width = item.end()
        elif line.strip() and not line.startswith(" " * width):
            width = 0
        inside = width and not item and line.strip()
        lines.append(" " * (4 - width) + line if inside else line)
    return "\n".join(lines)


def on_config(config: Any) -> Any:
    """Set the navigation."""
    config.nav = navigation((Path(config.docs_dir) / "index.md").read_text(encoding="utf-8"))
    return config


def on_page_markdown(markdown: str, *, page: Any, config: Any, **_: Any) -> str:
    """Rewrite Markdown that code hosts show differently; warn of dead links, which fail strict builds."""
    root = Path(config.docs_dir).parent
    if page.is_homepage:  # its own links are the navigation
        page.meta["hide"] = ["navigation"]
    text, dead = link_to_repository(markdown, page.file.src_uri, root)
    for target in dead:
        log.warning("%s links to %s, which does not exist", page.file.src_uri, target)
    package = (root / "autograder/check/__init__.py").read_text(encoding="utf-8")
    project = (root / "pyproject.toml").read_text(encoding="utf-8")
    text = name_definitions(text, imported_names(package) | registered_checks(project))
    return indent_items(FILE.sub(r'\1 title="\2"', text))
