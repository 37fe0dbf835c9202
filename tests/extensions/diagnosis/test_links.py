"""A finding links to the place where it is taught, if course.yaml names one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from extensions.diagnosis.test_sections import TOLD, with_diagnoses
from helpers.samples import assignment, course
from helpers.tiny import YAML, tiny_course

from autograder.course.configuration import load_course
from autograder.errors import CourseError
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
            "the link of 'rate' must begin with https:// or http://, and is 'javascript:alert",
        ),
        ("{rate: 'lessons/training.html'}", "the link of 'rate' must begin with https:// or http://"),
        ("{rate: 'https://[x'}", "the link of 'rate' must begin with https:// or http://"),
        ("[rate]", "must be a mapping"),
    ],
)
def test_what_is_no_link_is_refused_with_its_line(links: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=r"course\.yaml:\d+: ") as caught:
        tiny_course(tmp_path / "course", yaml=f"{YAML}diagnosis_links: {links}\n")
    assert said in str(caught.value)
