"""A door for each test: its own course, people and database. Django is set up once in a process."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from helpers import lti_platform
from helpers.tiny import YAML, cell, notebook, tiny_course

from autograder.extensions.serve.django_settings import configure

if TYPE_CHECKING:
    from helpers.doors import Door

SETTINGS = YAML + lti_platform.YAML.replace(
    "{staff", "{hosts: [door.example], assistants: [tanja], auditors: [dean], staff"
)


STUB = "def double(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()"
_FIRST = tempfile.TemporaryDirectory(prefix="door-")
"""A course for Django's setup, which test modules need when they import its models."""
tiny_course(Path(_FIRST.name))
configure(Path(_FIRST.name))


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    """A course with ada, bob and carl, who has left; meier, tanja (an assistant) and dean (an auditor) are staff."""
    course = tiny_course(tmp_path / "course", yaml=SETTINGS)
    release = course.release("hw")
    release.mkdir(parents=True)
    (release / "nb.ipynb").write_text(notebook(cell(STUB, "double", solution=True)))
    (course.root / "people.csv").write_text("id,name,status\nada,Ada A.,\nbob,Bob B.,\ncarl,Carl C.,left\n")
    from helpers.doors import Door

    with Door.opened(course.root) as made:
        yield made
