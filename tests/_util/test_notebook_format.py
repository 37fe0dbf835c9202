"""nbformat is imported without what takes a second, and who needs that gets it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def told(code: str) -> str:
    """Run code in a fresh Python, and give what it prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_what_recognizes_text_formats_is_not_imported() -> None:
    code = "import sys, autograder._util.notebook_format\nprint([n for n in ('rfc3987_syntax', 'isoduration', 'arrow') if n in sys.modules])"
    assert told(code) == "[]"


def test_a_gradebook_is_prepared_and_opened_without_it(tmp_path: Path) -> None:
    """nbgrader imports nbformat, too; half a gradebook's time was the grammar that nobody uses."""
    (tmp_path / "course.yaml").write_text("course: x\n")
    course = f"load_course(Path({str(tmp_path)!r}))"
    given = (
        "import sys\nfrom pathlib import Path\nfrom autograder.course.configuration import load_course\n"
        f"from autograder.extensions.gradebook import database\ncourse = {course}\n"
        "database.prepare()\nwith database.opened(course): pass\n"
    )
    assert told(given + "print([n for n in ('rfc3987_syntax', 'lark') if n in sys.modules])") == "[]"


def test_notebooks_are_validated_all_the_same() -> None:
    code = (
        "from autograder._util.notebook_format import nbformat\n"
        "bad = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell('1')])\nbad.cells[0].source = 3\n"
        "try:\n    nbformat.validate(bad)\nexcept nbformat.ValidationError:\n    print('refused')"
    )
    assert told(code) == "refused"


def test_a_package_that_was_hidden_can_be_imported_afterwards() -> None:
    assert (
        told("import autograder._util.notebook_format, isoduration\nprint(isoduration.parse_duration('P1D').date.days)")
        == "1"
    )


@pytest.mark.parametrize("released", [True, False])
def test_an_examiners_test_asks_a_whole_jsonschema(released: bool) -> None:
    """What nobody checks passes: a test that asks for a duration must not be told that anything is one."""
    code = "from autograder._util import notebook_format\n"
    code += "notebook_format.release_jsonschema()\n" if released else ""
    code += "import jsonschema\nprint(jsonschema.FormatChecker().conforms('nonsense', 'duration'))"
    assert told(code) == str(not released)


@pytest.mark.integration
def test_a_jsonschema_that_is_there_stays() -> None:
    code = (
        "import jsonschema\nfrom autograder._util import notebook_format\nnotebook_format.release_jsonschema()\n"
        "import sys\nprint(sys.modules['jsonschema'] is jsonschema)"
    )
    assert told(code) == "True"
