"""The schema of course.yaml takes what the reader takes, and refuses what it refuses."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
import yaml
from helpers.doc_blocks import Block, blocks

from autograder.course.configuration import load_course
from autograder.errors import CourseError
from autograder.extensions.authoring.course_schema import course_schema

ROOT = Path(__file__).parents[3]
SCHEMA = jsonschema.Draft7Validator(course_schema())


class EditorLoader(yaml.SafeLoader):
    """Reads dates as texts, as editors do."""


EditorLoader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in forms if not tag.endswith(":timestamp")]
    for first, forms in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def faults(text: str) -> list[str]:
    return [error.message for error in SCHEMA.iter_errors(yaml.load(text, EditorLoader))]


EXAMPLES = [
    block
    for page in sorted((ROOT / "docs").rglob("*.md"))
    for block in blocks(page, "yaml")
    if block.text.startswith(("course:", "# course"))
]


def test_it_takes_the_kits_own_course() -> None:
    assert faults((ROOT / "course.yaml").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("block", EXAMPLES, ids=lambda block: f"{block.page.stem}-{block.line}")
def test_it_takes_the_examples_of_the_docs(block: Block) -> None:
    assert faults(block.text) == []


TAKEN = {
    "an assignment without keys": "hw:",
    "one path for a list": "hw: {files: hw.py}",
    "a policy in a word": "hw: {due: 2030-01-31, late: zero}",
    "a policy in keys": "hw: {due: 2030-01-31T10:00:00+01:00, late: {kind: per_day, per_day: 0.1}}",
    "a whole number for a number": "hw: {points: 6}",
    "the key of an extension": "hw: {posted_to: 7, audit: {caught: 0.9}}",
    "what students see": "hw: {due: 2030-01-31, shown: score}",
}
REFUSED = {
    "an unknown key": "hw: {titel: T}",
    "an unknown policy": "hw: {due: 2030-01-31, late: zer0}",
    "a number out of range": "hw: {limits: {cell_seconds: 0}}",
    "a text for a number": "hw: {points: six}",
    "a number for a text": "hw: {title: 2030}",
    "an unknown key of an extension": "hw: {audit: {cought: 0.9}}",
    "no date": "hw: {due: soon}",
    "an unknown sandbox": "hw: {sandbox: docker}",
}
HEAD = "course: c\nassignments:\n  "


def is_read(text: str, root: Path) -> bool:
    (root / "source/hw").mkdir(parents=True)
    (root / "hw.py").write_text("")
    (root / "course.yaml").write_text(text)
    try:
        load_course(root)
    except CourseError:
        return False
    return True


@pytest.mark.parametrize("line", TAKEN.values(), ids=TAKEN)
def test_it_takes_what_the_reader_takes(line: str, tmp_path: Path) -> None:
    assert faults(HEAD + line) == []
    assert is_read(HEAD + line, tmp_path)


@pytest.mark.parametrize("line", REFUSED.values(), ids=REFUSED)
def test_it_refuses_what_the_reader_refuses(line: str, tmp_path: Path) -> None:
    assert faults(HEAD + line) != []
    assert not is_read(HEAD + line, tmp_path)


def test_a_course_needs_its_id() -> None:
    assert faults("title: T") == ["'course' is a required property"]


def test_it_says_what_a_key_means() -> None:
    due = course_schema()["properties"]["assignments"]["additionalProperties"]["properties"]["due"]
    assert due["description"] == "Timezone-aware: in the course's zone; without one, as it was written, or UTC."
