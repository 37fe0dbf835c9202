"""The docs site: its navigation, and what its hooks make of the pages. `make docs` builds all of it."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from autograder import check
from autograder._util import registry

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def load_hooks() -> ModuleType:
    spec = importlib.util.spec_from_file_location("site_pages", ROOT / "scripts/site_pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


hooks = load_hooks()


def test_the_navigation_has_every_page_once() -> None:
    """The index is the only list of pages: what it does not link, the site does not show."""
    start, *sections = hooks.navigation((DOCS / "index.md").read_text(encoding="utf-8"))
    listed = [path for section in sections for pages in section.values() for page in pages for path in page.values()]
    pages = sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md"))
    assert sorted([*start.values(), *listed]) == pages


def test_the_navigation_has_the_sections_of_the_index() -> None:
    index = "# Docs\n\n## Learn: by doing\n\n- [`A`](a.md): first\n- [B](b/c.md#d), then\n- [E](e.png)\n\n## Empty\n"
    assert hooks.navigation(index) == [{"Start": "index.md"}, {"Learn": [{"A": "a.md"}]}]


def test_the_page_of_the_api_has_every_public_name_once() -> None:
    page = (DOCS / "reference/check-api.md").read_text(encoding="utf-8")
    own = [word for word in registry.names(registry.CHECKS) if registry.is_own(registry.CHECKS, word)]
    words = {*check.__all__, *own}
    assert sorted(re.findall(r"^::: autograder\.check\.(\w+)$", page, re.M)) == sorted(words)


def test_every_public_name_is_shown_from_where_it_is_defined() -> None:
    """A module and a function of it may have the same name."""
    package = (ROOT / "autograder/check/__init__.py").read_text(encoding="utf-8")
    registered = hooks.registered_checks((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    defined = hooks.imported_names(package) | registered
    for name in [*check.__all__, *registered]:
        assert defined[name].rpartition(".")[0] == getattr(check, name).__module__


@pytest.mark.parametrize(
    ("link", "expected", "dead"),
    [
        ("../index.md", "../index.md", []),
        ("../../README.md#why", "REPOSITORY/blob/main/README.md#why", []),
        ("../../benchmarks/", "REPOSITORY/tree/main/benchmarks", []),
        ("../../no-such.md", "REPOSITORY/blob/main/no-such.md", ["../../no-such.md"]),
        ("../../../other.md", "REPOSITORY/blob/main/../other.md", ["../../../other.md"]),
    ],
)
def test_links_out_of_the_docs_lead_to_the_repository(link: str, expected: str, dead: list[str]) -> None:
    text, found = hooks.link_to_repository(f"[x]({link})", "how-to/page.md", ROOT)
    assert text == f"[x]({expected.replace('REPOSITORY', hooks.REPOSITORY)})"
    assert found == dead


def test_what_belongs_to_an_item_is_indented_by_four_columns() -> None:
    page = "1. a\n   b\n\n   ```sh\n     c\n   ```\n\n- d\n  e\nf\n\n```text\n1. g\n   h\n```\n"
    assert hooks.indent_items(page) == (
        "1. a\n    b\n\n    ```sh\n      c\n    ```\n\n- d\n    e\nf\n\n```text\n1. g\n   h\n```\n"
    )


def test_the_site_asks_no_other_site_for_anything() -> None:
    """Not for fonts, scripts or the numbers of a repository: the theme would, where it knew of one."""
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert re.search(r"^  font: false", settings, re.M)
    assert not re.search(r"^(repo_url|extra_javascript):", settings, re.M)
    assert re.search(r"^  polyfills:\n    - javascripts/iframe-worker\.js$", settings, re.M)
    assert "://" not in (DOCS / "javascripts/iframe-worker.js").read_text(encoding="utf-8")
