"""The documentation: links lead somewhere, commands and options exist, examples load."""

from __future__ import annotations

import ast
import importlib
import re
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import click
import pytest
from helpers.commands import commands as all_commands
from helpers.doc_blocks import Block, blocks, commands

from autograder.cli import main
from autograder.course.configuration import load_course
from autograder.errors import CourseError

ROOT = Path(__file__).resolve().parents[2]
FRAGMENTS = sorted((ROOT / "changelog.d").glob("[!R]*"))
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *FRAGMENTS, *(ROOT / "docs").rglob("*.md")])
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
IMAGE_BYTES = 300_000


def all_blocks(language: str) -> list[pytest.ParameterSet]:  # type: ignore[name-defined]
    every = [b for page in PAGES for b in blocks(page, language)]
    return [pytest.param(b, id=f"{b.page.relative_to(ROOT)}:{b.line}") for b in every]


def prose(page: Path) -> str:
    """The page without its blocks and without inline code."""
    text = re.sub(r"^( *)```.*?^\1```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    return re.sub(r"`[^`\n]*`", "", text)


# --- links -------------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_lead_to_pages_headings_and_images_that_are_there(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        assert "://" not in target, f"{target}: the documentation stands by itself"
        path, _, anchor = target.partition("#")
        other = (page.parent / path).resolve() if path else page
        assert other.exists(), f"{page.name} links to {target}"
        assert other.is_relative_to(ROOT), f"{target} leaves the project"
        if anchor:
            assert anchor in anchors(other), f"{page.name} links to {target}; there are {sorted(anchors(other))}"


def test_every_page_can_be_reached_from_the_index() -> None:
    index = ROOT / "docs/index.md"
    linked = {(index.parent / t.split("#")[0]).resolve() for t in re.findall(r"\]\(([^)\s]+)\)", prose(index))}
    assert {page for page in PAGES if page.is_relative_to(ROOT / "docs")} - {index} <= linked


def test_the_page_on_hidden_tests_is_read_in_a_few_minutes() -> None:
    """What teachers cannot predict, they cannot explain; rules for single kinds of values stand in the reference."""
    words = (ROOT / "docs/explanation/what-a-hidden-test-sees.md").read_text(encoding="utf-8").split()
    assert len(words) <= 1500


def test_no_page_names_an_address() -> None:
    """Neither a site nor a package index: what is needed is named, and found where its reader's network allows. The
    reader's own scheduler, database, learning system and pages on this machine have addresses."""
    for page in PAGES:
        assert not re.search(
            r"(?<![\w+])(?!tls:|tcp:|postgresql)[\w+]+://(?!/)(?!gradebook|127\.0\.0\.1|[\w.]+\.example\b)",
            page.read_text(encoding="utf-8"),
        ), page


def test_pictures_are_used_described_and_small() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    for picture in (ROOT / "docs/images").iterdir():
        assert picture.suffix in (".png", ".svg")
        assert picture.stat().st_size < IMAGE_BYTES
        assert re.search(rf"!\[[^\]]{{20,}}\]\([^)]*{picture.name}\)", text), f"{picture.name} has a description"


SKETCHES = sorted((ROOT / "docs/images").glob("*.svg"))


@pytest.mark.parametrize("sketch", SKETCHES, ids=lambda path: path.name)
def test_a_sketch_is_plain_readable_everywhere_and_said_to_be_one(sketch: Path) -> None:
    """It has a light ground of its own, for dark pages, and takes nothing from elsewhere."""
    text = sketch.read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    names = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert names <= {"svg", "title", "desc", "style", "rect", "path", "text"}
    assert {"title", "desc"} <= names
    assert 'fill="#f7f8fb"' in text
    assert re.findall(r"[\w+]+://\S+?(?=[\"'])", text) == ["http://www.w3.org/2000/svg"]
    (page,) = [page for page in PAGES if sketch.name in page.read_text(encoding="utf-8")]
    caption = page.read_text(encoding="utf-8").split(sketch.name)[1].split("\n\n")[1]
    assert re.match(r"\*A sketch of .*drawn ", caption), page.name


# --- commands ----------------------------------------------------------------------------------------


def options(command: click.Command) -> set[str]:
    return {o for p in command.params if isinstance(p, click.Option) for o in p.opts} | {"--help", "-h"}


COMMANDS = all_commands()
KNOWN = {"make", "python", "nbgrader", "pytest", "jupyter", "time", "source"}


@pytest.mark.parametrize("block", all_blocks("console"))
def test_commands_and_options_exist(block: Block) -> None:
    assert commands(block), "a console block has lines with $"
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M)
    for words in commands(block):
        if words[0] == "time":
            words = words[1:]
        if words[0] == "make":
            assert words[1] in targets
        if words[0] != "autograder":
            assert words[0] in KNOWN
            continue
        command = COMMANDS.get(words[1])
        assert command is not None, f"there is no `autograder {words[1]}`"
        used = {word.split("=")[0] for word in words[2:] if re.match(r"--?[a-z]", word)}
        assert used <= options(command), f"autograder {words[1]} has no {used - options(command)}"
        with command.make_context(words[1], words[2:], resilient_parsing=True):
            pass


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_commands_in_sentences_exist(page: Path) -> None:
    for line in re.findall(r"`autograder ([^`\n]+)`", page.read_text(encoding="utf-8")):
        words = line.split()
        if words[0].startswith("-") or not words[0].islower():
            continue
        assert words[0] in COMMANDS, f"{page.name}: `autograder {line}`"
        used = {w.split("=")[0] for w in words[1:] if w.startswith("--")}
        assert used <= options(COMMANDS[words[0]])


def cli_sections() -> dict[str, str]:
    text = (ROOT / "docs/reference/cli.md").read_text(encoding="utf-8")
    return {m[1]: m[2] for m in re.finditer(r"^## `autograder ([\w-]+)[^`]*`\n(.*?)(?=^## |\Z)", text, re.M | re.S)}


OPTIONS_OF_MANY = (ROOT / "docs/reference/cli.md").read_text(encoding="utf-8").partition("\n## ")[0]
OF_MANY = set(re.findall(r"^\| `(--[a-z-]+)", OPTIONS_OF_MANY, re.M))
"""Options that mean the same for many commands: the page's first table."""


def test_the_reference_has_every_command() -> None:
    assert cli_sections().keys() == COMMANDS.keys()


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_reference_has_every_option_and_argument_as_help_says_it(name: str) -> None:
    command = COMMANDS[name]
    section = cli_sections()[name]
    described = set(re.findall(r"^\| `(--[a-z-]+)", section, re.M))
    assert described | OF_MANY >= {o for o in options(command) if o.startswith("--")} - {"--help"}
    assert described <= options(command)
    arguments = [p.make_metavar(click.Context(command)) for p in command.params if isinstance(p, click.Argument)]
    heading = " ".join(["autograder", name, *arguments])
    assert f"## `{heading}`" in (ROOT / "docs/reference/cli.md").read_text(encoding="utf-8")
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.is_flag:
            metavar = parameter.make_metavar(click.Context(command)).replace(" RANGE", "")
            assert f"| `{parameter.opts[0]} {metavar}` |" in section + OPTIONS_OF_MANY


# --- examples ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", all_blocks("yaml"))
def test_examples_of_course_yaml_load(block: Block, tmp_path: Path) -> None:
    (tmp_path / "course.yaml").write_text(block.text)
    for name in re.findall(r"^  ([\w-]+):", block.text.partition("assignments:")[2], re.M):
        (tmp_path / "source" / name).mkdir(parents=True)
    for _ in range(20):  # the files that it names are made, one after the other, as it asks for them
        try:
            course = load_course(tmp_path)
            break
        except CourseError as error:
            make_what_is_missing(tmp_path, block.text, str(error))
    assert course.assignments


def make_what_is_missing(root: Path, text: str, message: str) -> None:
    """Files that an example names: ``files`` and ``prepare`` in the course, ``hidden`` in the assignment's hidden
    folder."""
    names = re.findall(r"^  ([\w-]+):", text, re.M)
    made = 0
    keys = {"files": r"\[([^\]]*)\]", "hidden": r"\[([^\]]*)\]", "prepare": r"(\S+)"}
    for key, pattern in keys.items():
        folders = [root / "source" / n / "hidden" for n in names] if key == "hidden" else [root]
        for listed in re.findall(rf"{key}: {pattern}", text):
            for folder in folders:
                for name in listed.split(", "):
                    path = folder / name
                    if not path.exists():
                        path.parent.mkdir(parents=True, exist_ok=True)
                        path.write_text("")
                        made += 1
    assert made, message


@pytest.mark.parametrize("block", all_blocks("python"))
def test_python_is_python(block: Block) -> None:
    compile(block.text, f"{block.page.name}:{block.line}", "exec")


@pytest.mark.parametrize("block", all_blocks("python"))
def test_what_examples_import_of_the_kit_is_there(block: Block) -> None:
    for node in ast.walk(ast.parse(block.text)):
        if isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] == "autograder":
            module = importlib.import_module(str(node.module))
            for alias in node.names:
                assert hasattr(module, alias.name) or find_spec(f"{module.__name__}.{alias.name}"), alias.name


def test_checks_of_the_examples_exist() -> None:
    from autograder import check

    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for name in re.findall(r"\bcheck\.([a-z_]+)", text):
            assert hasattr(check, name) or f"```python file={name}.py" in text, f"{page.name}: check.{name}"


def test_files_that_pages_name_exist() -> None:
    """Tests and modules of the project, wherever a page points to one."""
    for page in (ROOT / "docs/architecture.md", ROOT / "docs/security.md"):
        text = page.read_text(encoding="utf-8")
        for name in re.findall(r"`(test_\w+\.py)`", text):
            assert list((ROOT / "tests").rglob(name)), f"{page.name}: {name}"


def test_the_changelog_begins_with_this_version() -> None:
    from autograder import __version__

    versions = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    assert versions[0] in (__version__, "Unreleased")
    assert __version__ in versions


def test_a_release_has_a_screen_in_the_changelog() -> None:
    for section in re.split(r"^## ", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.M)[1:]:
        assert len(section.split()) <= 600, section.partition("\n")[0]


def test_a_change_has_a_file_whose_name_says_its_kind() -> None:
    """As changelog.d/README.md says it; what no release had cannot be changed, fixed or removed."""
    for fragment in FRAGMENTS:
        assert re.fullmatch(r"(\+[\w-]+|\d+)\.(added|changed|fixed|removed|security)\.md", fragment.name)
        assert not fragment.read_text(encoding="utf-8").startswith(("-", "#", "*")), fragment.name


# --- what a command does, as the reference says it -----------------------------------------------------


@pytest.mark.parametrize("told", [False, True])
def test_submit_packs_where_help_and_reference_say(told: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the notebook, unless told where."""
    from click.testing import CliRunner
    from helpers.tiny import cell, notebook

    (tmp_path / "hw").mkdir()
    (tmp_path / "hw/nb.ipynb").write_text(notebook(cell("x = 1")))
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(
        main, ["submit", "hw/nb.ipynb", "--student", "ada", *(["--out", "packed"] if told else [])]
    )
    assert done.exit_code == 0, done.output
    (made,) = tmp_path.rglob("*.zip")
    assert made.parent.name == ("packed" if told else "hw")
    assert "default: beside the notebook" in cli_sections()["submit"]
    assert "default: beside the notebook" in " ".join(CliRunner().invoke(main, ["submit", "--help"]).output.split())
