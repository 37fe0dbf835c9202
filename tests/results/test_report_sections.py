"""Sections that extensions add to the class report."""

from __future__ import annotations

from pathlib import Path

from helpers.installed import installed
from helpers.pages import inert
from helpers.samples import assignment, course, grade

from autograder.results.report import render_class_report, render_feedback

MODULE = """
from markupsafe import Markup, escape

def section(reported):
    return Markup("<section><h2>Mine</h2><p>{}</p></section>").format(f"{len(reported.grades)} <b>grades</b>")
"""


def page(folder: Path, modules: dict[str, str], entry: str) -> str:
    with installed(folder / "site", "a-section", modules, f"[autograder.sections]\n{entry}\n"):
        return "".join(render_class_report(course(folder), assignment(), [grade("ada")]))


def test_a_registered_section_stands_in_the_class_report(tmp_path: Path) -> None:
    assert "Mine 1 <b>grades</b>" in inert(page(tmp_path, {"my_section": MODULE}, "mine = my_section:section")).text


def test_a_section_that_cannot_be_loaded_is_named_and_the_report_is_written(tmp_path: Path) -> None:
    text = inert(page(tmp_path, {"my_section": "import nowhere"}, "mine = my_section:section")).text
    assert "A section is missing: 'mine' of the package a-section cannot be loaded" in text
    assert "Submissions" in text


def test_a_section_that_fails_leaves_the_feedback_page(tmp_path: Path) -> None:
    module = {"my_section": "def section(reported):\n    raise StopIteration\n"}
    entry = "[autograder.notebook_sections]\nmine = my_section:section\n"
    with installed(tmp_path / "site", "a-section", module, entry):
        assert "</html>" in render_feedback(course(tmp_path), assignment(), grade("ada"), {})
