"""A finding links to the place where it is taught, if course.yaml names it: a web page, or a heading of a lesson."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from extensions.diagnosis.test_sections import TOLD, with_diagnoses
from helpers.pages import inert
from helpers.samples import assignment, course
from helpers.tiny import YAML, cell, notebook, tiny_course
from nbformat.v4 import new_markdown_cell, new_notebook

from autograder.cli import main
from autograder.course.configuration import load_course
from autograder.course.extension_keys import check_settings
from autograder.errors import CourseError
from autograder.records.course import Course
from autograder.results.report import render_feedback

LINK = "https://course.example.edu/lessons/training.html#learning-rate"


def test_a_finding_links_to_its_lesson(tmp_path: Path) -> None:
    lesson = assignment()
    lesson = replace(lesson, settings={"diagnosis_links": {"rate": LINK}})
    page = render_feedback(course(tmp_path), lesson, with_diagnoses("ada", TOLD), {})
    assert f'<a href="{LINK}" rel="noreferrer">Where this is taught</a>' in page
    assert "Where this is taught" not in render_feedback(
        course(tmp_path), assignment(), with_diagnoses("ada", TOLD), {}
    )


def test_course_yaml_names_links_for_all_assignments(tmp_path: Path) -> None:
    made = tiny_course(tmp_path / "course", yaml=f"{YAML}diagnosis_links: {{rate: '{LINK}'}}\n")
    assert load_course(made.root).assignments["hw"].settings["diagnosis_links"] == {"rate": LINK}


@pytest.mark.parametrize(
    ("links", "said"),
    [
        ("{speed: 'https://a.example'}", "'speed' is no kind of finding; there are output, loss"),
        (
            "{rate: 'javascript:alert(1)'}",
            "the link of 'rate' must begin with https:// or http://, or be NOTEBOOK.ipynb#Heading, and is 'javascript:al",
        ),
        ("{rate: 'lessons/training.html'}", "the link of 'rate' must begin with https:// or http://"),
        ("{rate: 'lesson.ipynb'}", "or be NOTEBOOK.ipynb#Heading, and is 'lesson.ipynb'"),
        ("{rate: '../../lesson.ipynb#Rates'}", "or be NOTEBOOK.ipynb#Heading, and is '../../lesson"),
        ("{rate: 'https://[x'}", "the link of 'rate' must begin with https:// or http://"),
        ("[rate]", "must be a mapping"),
    ],
)
def test_what_is_no_link_is_refused_with_its_line(links: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=r"course\.yaml:\d+: ") as caught:
        tiny_course(tmp_path / "course", yaml=f"{YAML}diagnosis_links: {links}\n")
    assert said in str(caught.value)


# --- headings of lessons -----------------------------------------------------------------------------

TEXTS = (
    "# Rates\n\n## The *learning* rate\n",
    "```\n# no heading\n```\n",
    "### Übung & mehr ###",
    "## The learning rate",
)


def lesson(folder: Path, link: str) -> Course:
    """A course whose notebook ``nb`` has these texts."""
    made = tiny_course(folder, yaml=f"{YAML}diagnosis_links: {{rate: '{link}'}}\n")
    path = made.source("hw") / "nb.ipynb"
    answer = cell("x = 1", "double", solution=True)
    path.write_text(notebook(*(cell(text, kind="markdown") for text in TEXTS), answer))
    return made


@pytest.mark.parametrize(
    "link",
    [
        "nb.ipynb#The-learning-rate",
        "nb.ipynb#The learning rate",
        "hw/nb.ipynb#Rates",
        "nb.ipynb#Übung-&-mehr",
        "nb.ipynb#%C3%9Cbung-&-mehr",
        LINK,
    ],
)
def test_a_heading_that_is_there_may_be_released(link: str, tmp_path: Path) -> None:
    made = lesson(tmp_path, link)
    check_settings(made, made.assignments["hw"])


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("nb.ipynb#The-lerning-rate", "lacks; the nearest are 'The-learning-rate', "),
        ("nb.ipynb#no heading", "the heading 'no-heading', which source/hw/nb.ipynb lacks"),
        ("other.ipynb#Rates", "source/hw/other.ipynb, which is not there; for another assignment's, write ASSIGNMENT/"),
        ("gone/nb.ipynb#Rates", "leads to source/gone/nb.ipynb, which is not there"),
        ("../nb.ipynb#Rates", "which is not there"),
    ],
)
def test_a_release_refuses_a_heading_that_is_not_there(link: str, said: str, tmp_path: Path) -> None:
    lesson(tmp_path, link)
    result = CliRunner().invoke(main, ["release", "hw", "--no-prove", "--course", str(tmp_path)])
    assert (result.exit_code, "the link of 'rate'" in result.output) == (1, True)
    assert said in " ".join(result.output.split())
    assert not (tmp_path / "release/hw").exists()


def page(link: str, *texts: str) -> str:
    """The feedback page of ``network``, whose cells are these texts."""
    settings = {"diagnosis_links": {"rate": link}}
    shown = new_notebook(cells=[new_markdown_cell(text) for text in texts])
    return render_feedback(
        course(Path("/nowhere")),
        replace(assignment("hw"), settings=settings),
        with_diagnoses("ada", TOLD),
        {"network": shown},
    )


@pytest.mark.parametrize("link", ["network.ipynb#The-learning-rate", "hw/network.ipynb#The learning rate"])
def test_a_heading_of_the_same_notebook_is_a_link_to_its_cell_on_the_page(link: str) -> None:
    shown = page(link, *TEXTS)
    words = "Where this is taught: The learning rate, in network.ipynb"
    assert f'<a href="#n1-c1" rel="noreferrer">{words}</a>' in shown
    assert shown.count('id="n1-c1"') == 1


@pytest.mark.parametrize(
    ("link", "texts"),
    [("other/network.ipynb#Rates", TEXTS), ("network.ipynb#Rates", ()), ("network.ipynb#Rates", ("Rates",))],
    ids=["another assignment's", "no notebook to show", "the student removed it"],
)
def test_a_heading_that_is_not_on_the_page_is_named(link: str, texts: tuple[str, ...]) -> None:
    shown = page(link, *texts)
    assert "Where this is taught: Rates, in network.ipynb." in inert(shown).text
    assert "<a href" not in shown


def test_a_link_is_text_on_the_page() -> None:
    shown = page('x<b>"y.ipynb#<script>alert(1)</script>')
    assert "<script>alert(1)</script>, in x<b>" in inert(shown).text
