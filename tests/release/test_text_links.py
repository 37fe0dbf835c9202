"""A released text that shows or links a file which students do not get is told before a release."""

from __future__ import annotations

import dataclasses

import pytest
from helpers.exams import exam_of

from autograder.records.exam import Role
from autograder.release.text_links import broken_links


@pytest.mark.parametrize(
    ("text", "lacks"),
    [
        ("![the servers](servers.png)", "servers.png"),
        ("See [the notes](../notes/logs.md#night).", "../notes/logs.md"),
        ('<img alt="a" src="img/two%20words.png" width="300">', "img/two words.png"),
        ("![a plot](img/plot.png) and [the folder](img)", ""),
        ("[a page](https://example.org/a.html), [mail](mailto:a@example.org), [above](#task)", ""),
        ("![pasted](attachment:plot.png) ![inline](data:image/png;base64,AA==)", ""),
        ("Write `[x](y.png)` for a picture; f[0](x) is a call in `f[0](x)`.", ""),
        ("[page](https://[username].github.io) $V[\\pi](s.t)$ <!-- ![](old.png) --> [lab 1](../a/a.ipynb)", ""),
        ("[this notebook](nb.ipynb)", ""),
    ],
)
def test_a_text_that_links_a_file_which_students_do_not_get_is_a_warning(text: str, lacks: str) -> None:
    exam = exam_of((Role.READ_ONLY, ""))
    shown = dataclasses.replace(exam.cells[0], cell_type="markdown", source=text, released=text)
    said = list(broken_links([dataclasses.replace(exam, cells=(shown,))], {"img/plot.png"}))
    assert len(said) == bool(lacks)
    assert all(f"cell 1: the text links {lacks!r}, which students do not get; put the file into" in one for one in said)
