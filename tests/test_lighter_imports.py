"""What nbformat and nbgrader import that the kit does not need stays out, and is there when it is called."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

LEFT_OUT = "bs4 requests setuptools rfc3987_syntax jupyter_server"


def told(code: str, *arguments: str) -> str:
    """What a fresh Python prints that has imported all of it."""
    first = (
        "import sys\nimport autograder.nbformats\nfrom autograder.nbgraders import import_gradebook, "
        "import_preprocessors\nimport_gradebook()\nimport_preprocessors()\n"
        "assert 'nbgrader.api' in sys.modules and 'nbgrader.preprocessors' in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", first + code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_no_command_needs_is_not_imported() -> None:
    assert told(f"print([name for name in {LEFT_OUT.split()} if name in sys.modules])") == "[]\n"


def test_an_archive_is_unpacked_by_the_real_function(tmp_path: Path) -> None:
    (tmp_path / "answer.txt").write_text("42")
    with tarfile.open(tmp_path / "all.tar", "w") as archive:
        archive.add(tmp_path / "answer.txt", "answer.txt")
    code = (
        "from nbgrader import utils\nutils.unpack_archive(sys.argv[1], sys.argv[2])\nprint('setuptools' in sys.modules)"
    )
    assert told(code, str(tmp_path / "all.tar"), str(tmp_path / "there")) == "True\n"
    assert (tmp_path / "there/answer.txt").read_text() == "42"


def test_markdown_becomes_html_with_the_real_parser() -> None:
    code = (
        "from nbconvert.exporters import HTMLExporter\nfrom nbformat.v4 import new_markdown_cell, new_notebook\n"
        "text, _ = HTMLExporter(embed_images=True).from_notebook_node(new_notebook(cells=[new_markdown_cell('**yes**')]))"
        "\nprint('<strong>yes</strong>' in text, 'bs4' in sys.modules)"
    )
    assert told(code) == "True True\n"


def test_who_asks_jupyterhub_asks_with_the_real_requests() -> None:
    code = (
        "from nbgrader.auth import jupyterhub\nimport requests\n"
        "try:\n    jupyterhub.requests.request('GET', 'nowhere')\n"
        "except requests.exceptions.MissingSchema:\n    print('asked')"
    )
    assert told(code) == "asked\n"


def test_what_is_imported_already_stays_what_it_is() -> None:
    code = (
        "import bs4, requests\nimport_gradebook()\n"
        "print(sys.modules['bs4'] is bs4, sys.modules['requests'] is requests, None in (bs4.__spec__, requests.__spec__))"
    )
    assert told(code) == "True True False\n"


def test_the_formats_of_texts_are_there_for_tests() -> None:
    """What nobody checks passes: a hidden test that asks for a date must not be told that anything is one."""
    code = "import jsonschema\nprint(jsonschema.FormatChecker().conforms('nonsense', 'date-time'))"
    assert told(code) == "False\n"
