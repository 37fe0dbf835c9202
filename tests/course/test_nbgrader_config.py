"""What is told of an nbgrader_config.py: options that nbgrader follows and this kit does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.course.nbgrader_config import options_without_effect, read_nbgrader_config

CONFIG = """\
c = get_config()
c.CourseDirectory.course_id = "course"
c.CourseDirectory.source_directory = "src"
c.CourseDirectory.ignore = ["*.tmp"]
c.CourseDirectory.student_id = "ada"
c.Execute.timeout = 60
c.Execute.kernel_name = "python3"
c.ExecutePreprocessor.extra_arguments = []
c.ClearSolutions.code_stub = {"python": "pass"}
c.OverwriteCells.enabled = int("0")
c.FormgradeApp.port = 1234
c.Exchange.root = "/srv"
"""


@pytest.mark.parametrize(
    ("has_course_yaml", "more"), [(False, []), (True, ["c.CourseDirectory.source_directory", "c.Execute.timeout"])]
)
def test_options_of_replaced_steps_are_named_once(has_course_yaml: bool, more: list[str], tmp_path: Path) -> None:
    """Not those of formgrader and of the exchange, which nbgrader goes on reading."""
    (tmp_path / "nbgrader_config.py").write_text(CONFIG + CONFIG)
    found = options_without_effect(read_nbgrader_config(tmp_path), has_course_yaml=has_course_yaml)
    assert found == sorted(
        [
            "c.CourseDirectory.student_id",
            "c.Execute.kernel_name",
            "c.ExecutePreprocessor.extra_arguments",
            "c.OverwriteCells.enabled",
            *more,
        ]
    )
