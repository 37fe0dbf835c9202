"""What nbformat and nbgrader import that the kit does not need stays out, and is there when it is called."""

from __future__ import annotations

import importlib
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.deferred_imports import defer, standing_in

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


def test_what_runs_and_converts_notebooks_is_imported_when_it_is_asked_for() -> None:
    code = (
        "later = 'nbclient jupyter_client mistune bleach nbconvert.exporters.html'.split()\n"
        "print([name for name in later if name in sys.modules])\n"
        "from nbgrader.preprocessors import Execute\n"
        "from nbconvert import HTMLExporter, preprocessors\nimport nbconvert.exporters.exporter, nbgrader.preprocessors.base\n"
        "print(issubclass(Execute, nbgrader.preprocessors.base.NbGraderPreprocessor),\n"
        "      issubclass(Execute, preprocessors.ExecutePreprocessor), issubclass(Execute, preprocessors.Preprocessor),\n"
        "      issubclass(HTMLExporter, nbconvert.exporters.exporter.Exporter), 'nbclient' in sys.modules)"
    )
    assert told(code) == f"[]\n{'True ' * 5}".strip() + "\n"


@pytest.mark.parametrize(
    ("text", "kind"), [("nonsense", "duration"), ("nonsense", "date-time"), ("no uri", "uri"), ("no iri", "iri")]
)
def test_formats_whose_packages_take_long_are_told_too(text: str, kind: str) -> None:
    code = "import jsonschema\nprint(jsonschema.FormatChecker().conforms(sys.argv[1], sys.argv[2]))"
    assert told(code, text, kind) == "False\n"


# --- how imports wait ------------------------------------------------------------------------------------


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """``slow``, whose own module says when it runs and gives ``answer``, and its modules ``slow.first``, ``slow.inner``."""
    made = tmp_path / "slow"
    (made / "inner").mkdir(parents=True)
    (made / "__init__.py").write_text(
        "print('slow runs')\nfrom slow.first import one\nanswer = 42\n__version__ = '3'\n"
    )
    (made / "first.py").write_text("one = 1\n")
    (made / "inner/__init__.py").write_text("print('inner runs')\nfrom slow import answer\n")
    (made / "inner/second.py").write_text("two = 2\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield made
    for name in [name for name in sys.modules if name.split(".")[0] == "slow"]:
        del sys.modules[name]


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_a_deferred_package_does_not_run_for_a_module_of_its_own(
    package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    defer("slow")
    defer("slow.inner")
    import slow.first
    from slow.inner import second

    assert (slow.first.one, second.two, slow.inner.second) == (1, 2, second)
    assert said(capsys) == ""


@pytest.mark.parametrize(("name", "value"), [("answer", 42), ("one", 1), ("__version__", "3")])
def test_it_runs_once_when_it_is_asked(
    package: Path, capsys: pytest.CaptureFixture[str], name: str, value: object
) -> None:
    defer("slow")
    first = importlib.import_module("slow.first")
    slow = importlib.import_module("slow")
    assert [getattr(slow, name) for _ in range(2)] == [value, value]
    assert slow.first is first
    assert said(capsys) == "slow runs\n"


def test_a_name_whose_place_is_known_is_had_without_that(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    defer("slow", one="first")
    from slow import one

    assert one == 1
    assert said(capsys) == ""


def test_a_name_that_it_has_not_is_an_error_and_so_is_a_package_that_fails(package: Path) -> None:
    defer("slow")
    slow = importlib.import_module("slow")
    assert not hasattr(slow, "__warningregistry__")  # is asked of all modules, and no reason to run
    (package / "__init__.py").write_text("import nowhere\n")
    for _ in range(2):
        with pytest.raises(ModuleNotFoundError, match="nowhere"):
            _ = slow.answer
    (package / "__init__.py").write_text("answer = 6\n")
    assert slow.answer == 6
    assert not hasattr(slow, "nothing")


def test_what_is_imported_or_not_installed_is_not_deferred(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    slow = importlib.import_module("slow")
    defer("slow")
    defer("slower")
    assert sys.modules["slow"] is slow
    assert "slower" not in sys.modules


def test_nothing_stands_in_for_what_is_not_installed() -> None:
    with standing_in({"slower": ("act",), "slower.still": ("act",)}), pytest.raises(ModuleNotFoundError):
        importlib.import_module("slower.still")
