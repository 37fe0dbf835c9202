"""What a release would give away, and which files go with it."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from helpers.tiny import SOLUTION, TEST, cell, notebook, observe_here, submit, tiny_release
from nbgrader.utils import find_all_files, ignore_patterns

from autograder._util.notebook import read_source_notebook
from autograder.cli import main
from autograder.coordinator.assignment import load_release
from autograder.course.configuration import load_course
from autograder.course.nbgrader_config import file_patterns, read_nbgrader_config
from autograder.errors import CourseError, HostError
from autograder.records.course import Course
from autograder.release.build import build
from autograder.release.drafts import drafts
from autograder.release.leaks import MAX_LINES_BYTES, check_files, check_sources, leaking_files
from autograder.release.left_out import decided_anew, leave_out
from autograder.release.stripping import strip

ANSWER = cell(SOLUTION, "double", solution=True)
TESTS = cell(TEST, "test-double", grade=True, locked=True, points=2)


def course_of(root: Path, *cells: dict, config: str = "", files: str = "", **contents: str | bytes) -> Course:
    """A course with the assignment ``hw``: one notebook, and files of it by name."""
    folder = root / "source/hw"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nb.ipynb").write_text(notebook(*(cells or (ANSWER, TESTS))))
    (root / "nbgrader_config.py").write_text(f"c = get_config()\n{config}\n")
    if files:
        (root / "course.yaml").write_text(f"course: x\nassignments: {{hw: {{files: [{files}]}}}}\n")
    for name, content in contents.items():
        put(root, f"source/hw/{name}", content)
    return load_course(root)


def put(root: Path, name: str, content: str | bytes = "a") -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def released(course: Course) -> set[str]:
    """The files beside the notebook that a release takes along, looked at."""
    check_sources(course, course.assignments["hw"])
    made = build(course, course.assignments["hw"])
    check_files(course, made)
    return set(made.files)


def refused(course: Course) -> str:
    with pytest.raises(CourseError) as caught:
        released(course)
    return str(caught.value)


# --- CourseDirectory.ignore --------------------------------------------------------------------------

REAL = 'c.CourseDirectory.ignore = ["*.md", "_*", "media", "old", "private"]'
NAMES = ("nb.md", "_draft.py", "media/plot.png", "old/solved.py", "data/private", "data/a.csv", "a.py", "data/_x", ".x")


def test_what_nbgrader_config_ignores_stays_behind(tmp_path: Path) -> None:
    course = course_of(tmp_path, config=REAL)
    for name in NAMES[:-1]:
        put(tmp_path, f"source/hw/{name}")
    assert released(course) == {"data/a.csv", "a.py"}
    left_out = build(course, course.assignments["hw"]).left_out
    assert set(left_out) == {"nb.md", "_draft.py", "media", "old", "data/private", "data/_x"}
    assert set(left_out.values()) == {"c.CourseDirectory.ignore or include"}


@pytest.mark.parametrize(
    "patterns",
    [
        [],
        ["*.md", "_*", "media"],
        ["*.pyc"],
        ["d*"],
        ["?.py"],
        ["[ab]*.py"],
        ["[!ah]*"],
        ["*.MD"],
        ["data/a.csv"],
        [".x"],
    ],
    ids=str,
)
def test_names_match_as_in_nbgrader(tmp_path: Path, patterns: list[str]) -> None:
    """As what generate_assignment copies, and its exchange then hands out."""
    course = course_of(tmp_path, config=f"c.CourseDirectory.ignore = {patterns}")
    for name in NAMES:
        put(tmp_path, f"source/hw/{name}")
    source = course.source("hw")
    copied = {str(Path(p).relative_to(source)) for p in find_all_files(str(source), [*patterns, "*.ipynb"])}
    left = ignore_patterns(exclude=patterns)
    handed_out = {name for name in copied if not any(left("", [part]) for part in Path(name).parts)}
    assert set(build(course, course.assignments["hw"]).files) == handed_out


def test_nbgraders_defaults_hold_without_an_option(tmp_path: Path) -> None:
    course = course_of(tmp_path)
    for name in ("feedback/x.html", "__pycache__/a.pyc", ".ipynb_checkpoints/nb.py", "a.pyc", "notes.md"):
        put(tmp_path, f"source/hw/{name}")
    assert released(course) == {"notes.md"}
    (tmp_path / "nbgrader_config.py").write_text("c.CourseDirectory.ignore = []")
    assert released(course) == {"notes.md", "feedback/x.html"}, "the option replaces the default; caches never go"


@pytest.mark.parametrize("name", [".gitignore", ".gitkeep", ".gitattributes"])
def test_what_git_reads_stays_behind_unless_it_is_named(tmp_path: Path, name: str) -> None:
    course = course_of(tmp_path, **{name: "*.tmp"})
    assert released(course) == set()
    assert build(course, course.assignments["hw"]).left_out == {}
    (tmp_path / "nbgrader_config.py").write_text(f"c.CourseDirectory.include = ['*', {name!r}]")
    assert released(course) == {name}


@pytest.mark.sandbox
def test_what_a_student_hands_in_stays_whatever_it_is_called(tmp_path: Path) -> None:
    """nbgrader leaves out of a submission, too, what ``ignore`` names; here that could only cost a point."""
    course = course_of(tmp_path, config="c.CourseDirectory.ignore = ['*.md']")
    folder = submit(course, "ada", "factor = int(open('notes.md').read())\ndef double(x):\n    return factor * x")
    (folder / "notes.md").write_text("2")
    observe_here(course)
    said = CliRunner().invoke(main, ["grade", "hw", "--course", str(course.root)])
    assert said.exit_code == 0, said.output
    assert ",ada,2,2," in course.grades_csv.read_text()


def test_include_is_read_as_well(tmp_path: Path) -> None:
    course = course_of(tmp_path, config="c.CourseDirectory.include = ['*.csv']", **{"a.csv": "1", "b.txt": "2"})
    assert released(course) == {"a.csv"}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("c.CourseDirectory.ignore = [*DEFAULT, '*.md']", ":2: c.CourseDirectory.ignore is computed"),
        ("c.CourseDirectory.ignore += ['*.md']", ":2: c.CourseDirectory.ignore is computed"),
        ("c.CourseDirectory.ignore.append('*.md')", ":2: c.CourseDirectory.ignore is computed"),
        ("if True:\n    c.CourseDirectory.ignore = ['*.md']", ":2: c.CourseDirectory.ignore is computed"),
        ("get_config().CourseDirectory.ignore = ['*.md']", ":2: c.CourseDirectory.ignore is computed"),
        ("c.CourseDirectory.ignore = '*.md'", "c.CourseDirectory.ignore is '.*; it is a list"),
        ("c.CourseDirectory.include = [7]", r"c.CourseDirectory.include is \[7\]; it is a list"),
    ],
)
def test_a_list_that_can_not_be_read_ends_the_release(tmp_path: Path, config: str, message: str) -> None:
    assert re.search(f"nbgrader_config.py.*{message}", refused(course_of(tmp_path, config=config)))


def test_other_ways_to_write_the_option_are_read(tmp_path: Path) -> None:
    (tmp_path / "base.py").write_text("c = get_config()\nc.CourseDirectory.ignore = ['*.md']")
    (tmp_path / "nbgrader_config.py").write_text("load_subconfig('base.py')\nconfig = get_config()")
    assert file_patterns(read_nbgrader_config(tmp_path)).ignore == ("*.md",)
    (tmp_path / "nbgrader_config.py").write_text("config = get_config()\nconfig.CourseDirectory.ignore = ('*.txt',)")
    assert file_patterns(read_nbgrader_config(tmp_path)).ignore == ("*.txt",)


# --- files that have to be named ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("solution.py", "a file that is called a solution"),
        ("Solutions_week1.PY", "a file that is called a solution"),
        ("lib/solution_1.py", "a file that is called a solution"),
        ("gradebook.db", "a gradebook, with the names and the marks of students"),
        ("old/gradebook.db.2025-01-01", "a gradebook, with the names and the marks of students"),
        (".env", "a name that begins with a dot"),
        ("data/.hidden.csv", "a name that begins with a dot"),
        (".config/a.toml", "a name that begins with a dot"),
        ("lib/OLD.IPYNB", "a notebook that is not the assignment's: nothing clears its solutions"),
    ],
)
def test_what_is_seldom_for_students_asks_to_be_named(tmp_path: Path, name: str, what: str) -> None:
    course = course_of(tmp_path)
    put(tmp_path, f"source/hw/{name}")
    shown = f"source/hw/{'.config' if name.startswith('.config') else name}"
    said = refused(course)
    assert said.startswith(f"{shown}: {what}. If students should have it, name it in course.yaml (files: [{shown}])")
    put(tmp_path, "course.yaml", f"course: x\nassignments: {{hw: {{files: [{shown}]}}}}\n")
    assert released(load_course(tmp_path)) == {name}


def test_a_course_without_course_yaml_names_it_in_nbgraders_include(tmp_path: Path) -> None:
    config = "c.CourseDirectory.include = ['*', '.env', 'solution_template.py']"
    course = course_of(tmp_path, config=config, **{".env": "A=1", "solution_template.py": "x = 1"})
    assert released(course) == {".env", "solution_template.py"}


def test_or_leaves_it_out_by_ignore(tmp_path: Path) -> None:
    course = course_of(tmp_path, config="c.CourseDirectory.ignore = ['solution*']", **{"solution.py": "x = 1"})
    assert released(course) == set()


def test_a_name_with_solution_elsewhere_and_the_systems_litter_ask_nothing(tmp_path: Path) -> None:
    course = course_of(tmp_path, **{"solutions.csv": "1", "resolution.py": "x = 1", ".DS_Store": "x"})
    assert released(course) == {"solutions.csv", "resolution.py"}


def test_a_listed_file_goes_although_it_is_ignored(tmp_path: Path) -> None:
    config = "c.CourseDirectory.ignore = ['*.md']"
    course = course_of(tmp_path, config=config, files="source/hw/read.md", **{"read.md": "Hi", "nb.md": "no"})
    assert released(course) == {"read.md"}


def test_a_listed_folder_does_not_name_what_is_in_it(tmp_path: Path) -> None:
    put(tmp_path, "extra/solution.py", "x = 1")
    put(tmp_path, "extra/old.ipynb", notebook())
    course = course_of(tmp_path, files="extra")
    assert refused(course).startswith("extra/solution.py: a file that is called a solution")
    course = course_of(tmp_path, files="extra, extra/solution.py")
    assert released(course) >= {"extra/solution.py"}
    assert build(course, course.assignments["hw"]).left_out == {
        "extra/old.ipynb": "notebooks in folders are not stripped"
    }


def test_a_notebook_that_nbgrader_does_not_know_asks_to_be_named(tmp_path: Path) -> None:
    course = course_of(tmp_path, **{"solved.ipynb": notebook(cell("def double(x):\n    return 2 * x"))})
    said = refused(course)
    assert said.startswith("source/hw/solved.ipynb: a notebook without any cell that nbgrader knows")
    assert said.endswith("otherwise move it away, for example into hw/drafts/, or release with --leave-out")
    named = course_of(tmp_path, files="source/hw/solved.ipynb")
    assert released(named) == set(), "it is released with the other notebooks"
    assert {n.name for n in build(named, named.assignments["hw"]).notebooks} == {"nb", "solved"}


def test_a_notebook_alone_needs_no_marks(tmp_path: Path) -> None:
    assert released(course_of(tmp_path, cell("1 + 1"))) == set()


def test_a_notebook_that_ignore_names_is_not_released_without_a_word(tmp_path: Path) -> None:
    course = course_of(tmp_path, config=REAL, **{"_draft.ipynb": notebook(ANSWER, TESTS)})
    assert "source/hw/_draft.ipynb: a notebook that c.CourseDirectory.ignore leaves out" in refused(course)


@pytest.mark.parametrize(
    "name", ["nb-Copy1.ipynb", "nb-Copy12.ipynb", "nb-copy.ipynb", "nb copy 2.ipynb", "nb (1).ipynb"]
)
def test_a_copy_of_a_notebook_is_not_released_beside_it(tmp_path: Path, name: str) -> None:
    course = course_of(tmp_path, **{name: notebook(ANSWER, TESTS)})
    assert refused(course).startswith(f"source/hw/{name}: a copy of nb.ipynb")


@pytest.mark.parametrize("name", ["draft.ipynb", "Untitled.ipynb", "Untitled1.ipynb", "Draft 2.ipynb"])
def test_a_draft_with_the_questions_of_another_notebook_is_not_released_beside_it(tmp_path: Path, name: str) -> None:
    course = course_of(tmp_path, **{name: notebook(ANSWER, TESTS)})
    assert refused(course).startswith(f"source/hw/{name}: a draft of nb.ipynb: its questions would be there twice")


def test_a_draft_with_questions_of_its_own_is_released(tmp_path: Path) -> None:
    own = cell("x = 1", "own", solution=True, locked=False)
    assert released(course_of(tmp_path, **{"draft.ipynb": notebook(own)})) == set()


def test_a_notebook_that_is_called_a_copy_of_none_is_released(tmp_path: Path) -> None:
    assert released(course_of(tmp_path, **{"other-Copy1.ipynb": notebook(ANSWER, TESTS)})) == set()


# --- markers and hidden data in source notebooks -----------------------------------------------------


def test_all_faults_are_told_with_notebook_cell_and_line(tmp_path: Path) -> None:
    tests = cell(TEST.replace("BEGIN HIDDEN TESTS", "BEGIN HIDDEN TEST"), "t", grade=True, locked=True, points=1)
    said = refused(course_of(tmp_path, ANSWER, tests, cell("# begin mark scheme", kind="markdown")))
    assert said.splitlines() == [
        "3 things would reach students:",
        "  - source/hw/nb.ipynb: cell 2 ('t'): line 2: '### BEGIN HIDDEN TEST' is not a marker, and hides nothing: "
        "write '### BEGIN HIDDEN TESTS' (or, if it is not meant as a marker, reword it)",
        "  - source/hw/nb.ipynb: cell 2 ('t'): line 4: '### END HIDDEN TESTS' ends nothing: the lines above it would be "
        "released; put '### BEGIN HIDDEN TESTS' where it begins",
        "  - source/hw/nb.ipynb: cell 3: line 1: '# begin mark scheme' is not a marker, and hides nothing: "
        "write '### BEGIN MARK SCHEME' (or, if it is not meant as a marker, reword it)",
    ]


def test_a_header_is_looked_at_as_well(tmp_path: Path) -> None:
    put(tmp_path, "source/header.ipynb", notebook(cell("Hi\n### END SOLUTION", kind="markdown")))
    course = course_of(tmp_path, config="c.IncludeHeaderFooter.header = 'source/header.ipynb'")
    assert refused(course).startswith("source/header.ipynb: cell 1: line 2: '### END SOLUTION' ends nothing")


ASK = "from autograder import check"
HIDDEN_PART = "### BEGIN HIDDEN TESTS\nX = check.hidden_data('h.npz')\n### END HIDDEN TESTS"


@pytest.mark.parametrize(
    "source",
    [
        "X = check.hidden_data('h.npz')",
        "X = check . hidden_data ('h.npz')",
        "import autograder.check as c\nX = c.hidden_data('h.npz')",
        "from autograder import check as c\nX = c.hidden_data('h.npz')",
        "from autograder.check import hidden_data as h\nX = h('h.npz')",
        "import autograder\nX = autograder.check.hidden_data('h.npz')",
        "%matplotlib inline\nX = check.hidden_data('h.npz')",
    ],
)
def test_hidden_data_in_a_visible_part_is_told(tmp_path: Path, source: str) -> None:
    said = refused(course_of(tmp_path, ANSWER, TESTS, cell(f"{ASK}\n{source}")))
    line = len(source.splitlines()) + 1
    assert said.startswith(
        f"source/hw/nb.ipynb: cell 3: line {line}: check.hidden_data names hidden data in a part that"
    )


@pytest.mark.parametrize(
    "source",
    [
        HIDDEN_PART,
        "# check.hidden_data is for your examiner",
        "print('check.hidden_data(')",
        "class Game:\n    def hidden_data(self):\n        return self.hidden_data()",
        "def hidden_data():\n    return 1\nhidden_data()",
    ],
)
def test_hidden_data_in_a_hidden_part_and_other_names_are_fine(tmp_path: Path, source: str) -> None:
    tests = cell(f"{ASK}\n{source}", "t", grade=True, locked=True, points=1)
    assert released(course_of(tmp_path, ANSWER, tests)) == set()


# --- released files ----------------------------------------------------------------------------------

MARKED = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION\n"


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("nb.py", MARKED, 2),
        ("nb.md", f"# A\n```python\n{MARKED}```\n", 4),
        ("nb.Rmd", "text\n<!-- BEGIN MARK SCHEME -->\n", 2),
        ("notes.txt", "a\nb\n# END HIDDEN TESTS\n", 3),
        ("no_suffix", "BEGIN HIDDEN TESTS", 1),
        ("nb.json", notebook(cell(MARKED)), 1),
        ("slip.py", "x = 1\n# begin hidden test\nassert x\n", 2),
        ("points.py", "x = 1\n    ### BEGIN SOLUTION (2 points)\n", 2),
        ("behind.py", "def f(): ### BEGIN SOLUTION\n    return 1\n", 1),
        ("text.py", "CELL = '''\n### BEGIN SOLUTION\nx = 1\n'''\n", 2),
        ("wide.txt", MARKED.encode("utf-16"), 2),
        ("latin.txt", "Größe\n".encode("latin-1") + b"# BEGIN SOLUTION\n", 2),
    ],
)
def test_a_released_file_with_a_marker_is_refused(tmp_path: Path, name: str, content: str | bytes, line: int) -> None:
    said = refused(course_of(tmp_path, **{name: content}))
    assert said.startswith(f"source/hw/{name}: line {line}: ")
    assert "or leave the file out: with `autograder release --leave-out`, or for good by its name in " in said


@pytest.mark.parametrize(
    "content",
    [
        b"\x00\x01" + MARKED.encode(),
        b"\x00" + MARKED.encode("utf-16-le"),
        b"x" * MAX_LINES_BYTES + b"\n" + MARKED.encode(),
    ],
    ids=["bytes", "wide", "large"],
)
def test_so_is_one_that_is_no_text_or_large(tmp_path: Path, content: bytes) -> None:
    assert refused(course_of(tmp_path, **{"a.bin": content})).startswith("source/hw/a.bin: 'BEGIN SOLUTION': ")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("read.md", "# Solution\n\nThe hidden tests check your solution. Begin with a sketch; end with a solution.\n"),
        ("helper.py", "# hidden tests run later\nsolution = solve()  # SOLUTION\n### SOLUTION\n"),
        ("strip.py", "BEGIN = '### BEGIN SOLUTION'\nif \"END SOLUTION\" in line: pass\n"),
        ("told.py", '"""Leave out what lies between ### BEGIN SOLUTION and ### END SOLUTION."""\n'),
        ("comment.py", "x = 1  # without the lines after BEGIN HIDDEN TESTS\n"),
        ("empty.txt", ""),
        ("a.bin", b"\x00\xff" * 100),
        ("begin_solution.csv", "a,b\n1,2\n"),
        (
            "nbgrader_config.py",
            "c = get_config()\n## The delimiter marking the beginning of a solution\n"
            "#c.ClearSolutions.begin_solution_delimeter = 'BEGIN SOLUTION'\n"
            "c.ClearHiddenTests.end_test_delimeter = 'END HIDDEN TESTS'\n"
            '# c.ClearMarkScheme.begin_mark_scheme_delimeter = "BEGIN MARK SCHEME"\n',
        ),
    ],
)
def test_honest_files_go_along(tmp_path: Path, name: str, content: str | bytes) -> None:
    assert released(course_of(tmp_path, **{name: content})) == {name}


def test_a_word_that_is_a_courses_own_marker_may_stand_in_a_file(tmp_path: Path) -> None:
    words = "c.ClearSolutions.begin_solution_delimeter = 'SECRET'\nc.ClearSolutions.end_solution_delimeter = 'DONE'"
    answer = cell("x = 1  # SECRET\n# DONE", "double", solution=True)
    course = course_of(tmp_path, answer, TESTS, config=words, **{"read.md": "When you are DONE, hand in."})
    assert released(course) == {"read.md"}
    put(tmp_path, "source/hw/a.py", "x = 1\n# SECRET\n")
    assert refused(course).startswith("source/hw/a.py: line 2: '# SECRET'")


# --- the command -------------------------------------------------------------------------------------


def release_command(course: Course, *options: str) -> Result:
    return CliRunner().invoke(main, ["release", "hw", "--no-prove", *options, "--course", str(course.root)])


def test_the_command_lists_file_by_file_what_goes_and_what_stays(tmp_path: Path) -> None:
    course = course_of(tmp_path, config=REAL, **{"data/a.csv": "1", "nb.md": "x"})
    said = release_command(course)
    assert said.exit_code == 0, said.output
    assert said.stdout.splitlines()[:-1] == [
        "  data/a.csv",
        "  nb.ipynb",
        "  left out: nb.md  (c.CourseDirectory.ignore or include)",
    ]


def test_the_command_releases_nothing_where_something_would_leak(tmp_path: Path) -> None:
    course = course_of(tmp_path, **{".env": "A=1"})
    said = release_command(course)
    assert said.exit_code == 1
    assert "source/hw/.env: a name that begins with a dot" in said.stderr
    assert not course.release("hw").exists()


def test_cells_whose_marks_are_wrong_are_named_with_what_would_reach_students(tmp_path: Path) -> None:
    """So that one release names all that is wrong in a notebook."""
    open_part = cell("def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x", "double", solution=True)
    course = course_of(tmp_path, open_part, TESTS)
    path = course.source("hw") / "nb.ipynb"
    path.write_text(path.read_text().replace('"points": 2', '"points": "two"'))
    text = refused(course)
    assert text.startswith("2 things would reach students, or are wrong in cells:")
    assert "has no '### END SOLUTION' after it" in text
    assert "its points are 'two'; write a number from 0 into the field Points" in text


# --- --leave-out -------------------------------------------------------------------------------------


def left_out_of(course: Course) -> set[str]:
    """Leave out what would give something away; the release's files."""
    release = tiny_release(course)
    leave_out(course, "hw", leaking_files(course, release))
    again = tiny_release(course)
    check_files(course, again)
    return set(again.files)


def test_files_that_would_give_something_away_are_left_out_and_the_rest_goes(tmp_path: Path) -> None:
    files = {"nb.py": MARKED, "solution.py": "x = 1", "gradebook.db": b"names", "data.csv": "a,b", "helper.py": "y = 1"}
    course = course_of(tmp_path, ANSWER, **files)
    assert left_out_of(course) == {"data.csv", "helper.py"}
    assert set(tiny_release(course).left_out) == {"nb.py", "solution.py", "gradebook.db"}


DRAFTS = {
    "draft.ipynb": notebook(cell("x = 1")),
    "Untitled.ipynb": notebook(),
    "nb-Copy1.ipynb": notebook(ANSWER, TESTS),
    "broken-draft.ipynb": notebook(cell("### BEGIN SOLUTION\nx = 1")),
}


def test_draft_notebooks_are_left_out_as_well(tmp_path: Path) -> None:
    course = course_of(tmp_path, **DRAFTS, **{"nb.py": MARKED, ".ipynb_checkpoints/nb-checkpoint.ipynb": notebook()})
    hw = course.assignments["hw"]
    assert set(drafts(course, hw)) == set(DRAFTS)
    leave_out(course, "hw", drafts(course, hw))
    check_sources(course, hw)
    release = build(course, hw)
    leave_out(course, "hw", [*DRAFTS, *leaking_files(course, release)])
    release = build(course, hw)
    check_files(course, release)
    assert [each.name for each in release.notebooks] == ["nb"]
    assert set(release.left_out) == {*DRAFTS, "nb.py"}
    assert load_release(course, hw).left_out == release.left_out


def test_the_command_leaves_drafts_and_files_out(tmp_path: Path) -> None:
    course = course_of(tmp_path, **DRAFTS, **{"nb.py": MARKED})
    assert release_command(course).exit_code == 1
    said = release_command(course, "--leave-out")
    assert said.exit_code == 0, said.output
    assert {path.name for path in course.release("hw").iterdir()} == {"nb.ipynb"}
    assert (
        "  left out: draft.ipynb  (a draft, or it would give something away, and --leave-out was given)" in said.stdout
    )
    assert "  left out: nb.py  (" in said.stdout
    assert release_command(course).exit_code == 1, "each release decides anew"


def test_a_notebook_that_is_named_is_no_draft(tmp_path: Path) -> None:
    course = course_of(tmp_path, files="source/hw/draft.ipynb", **DRAFTS)
    assert set(drafts(course, course.assignments["hw"])) == {*DRAFTS} - {"draft.ipynb"}


def test_grading_leaves_them_out_as_well(tmp_path: Path) -> None:
    course = course_of(tmp_path, ANSWER, **{"nb.py": MARKED, "data.csv": "a,b"})
    left_out_of(course)
    assert set(load_release(course, course.assignments["hw"]).files) == {"data.csv"}


def test_the_next_release_decides_anew_and_one_that_fails_changes_nothing(tmp_path: Path) -> None:
    course = course_of(tmp_path, ANSWER, **{"nb.py": MARKED, "data.csv": "a,b"})
    left_out_of(course)
    with pytest.raises(CourseError, match="BEGIN SOLUTION"), decided_anew(course, "hw"):
        check_files(course, tiny_release(course))
    assert set(tiny_release(course).files) == {"data.csv"}
    (course.source("hw") / "nb.py").write_text("x = 1")
    with decided_anew(course, "hw"):
        check_files(course, tiny_release(course))
    assert set(tiny_release(course).files) == {"data.csv", "nb.py"}


@pytest.mark.parametrize("content", ["{", "3"])
def test_a_damaged_record_of_files_that_are_left_out_is_no_release(tmp_path: Path, content: str) -> None:
    course = course_of(tmp_path, ANSWER, **{"nb.py": MARKED})
    left_out_of(course)
    (course.state / "left-out" / "hw.json").write_text(content)
    with pytest.raises(HostError, match="release hw again"):
        tiny_release(course)


# --- parts in cells of every kind, beside nbgrader's own run -----------------------------------------

SCHEME = "=== BEGIN MARK SCHEME ===\n- 2 points: the reason\n=== END MARK SCHEME ==="
HIDDEN = "### BEGIN HIDDEN TESTS\nassert x == 1\n### END HIDDEN TESTS"
SOLVED = "### BEGIN SOLUTION\n{}\n### END SOLUTION"
OPEN = "x = 1\n### BEGIN MARK SCHEME\n# 2 points: the reason"
KINDS = {
    "manual": {"grade": True, "solution": True, "points": 2},
    "answer": {"solution": True},
    "test": {"grade": True, "locked": True, "points": 2},
    "task": {"grade": True, "task": True, "locked": True, "points": 2},
    "locked": {"locked": True},
}
PARTS = {
    "scheme": SCHEME,
    "scheme in a solution": SOLVED.format(SCHEME),
    "scheme beside a solution": f"{SOLVED.format('x = 1')}\n{SCHEME}",
    "tests": HIDDEN,
    "tests beside a solution": f"{SOLVED.format('x = 1')}\n{HIDDEN}",
    "open scheme": OPEN,
}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["code", "markdown"])
def test_a_marked_part_is_refused_where_nbgraders_own_steps_refuse_it(
    tmp_path: Path, kind: str, part: str, form: str
) -> None:
    if (kind == "task") != (form == "markdown") and kind in ("task", "answer", "test"):
        pytest.skip("nbgrader has no such cell")
    course = course_of(tmp_path, cell(PARTS[part], "q", form, **KINDS[kind]))
    source, config = read_source_notebook(tmp_path / "source/hw/nb.ipynb"), read_nbgrader_config(tmp_path)
    try:
        strip(source, root=tmp_path, folder=tmp_path / "source/hw", config=config, label="nb")
    except CourseError:
        nbgrader_refuses = True
    else:
        nbgrader_refuses = False
    try:
        check_sources(course, course.assignments["hw"])
    except CourseError:
        assert nbgrader_refuses
    else:
        assert not nbgrader_refuses


def test_a_mark_scheme_in_a_manually_graded_text_is_no_fault_and_reaches_nobody(tmp_path: Path) -> None:
    """nbgrader puts its stub in the place of the whole cell; the person who grades reads the scheme."""
    course = course_of(tmp_path, cell(f"Because.\n\n{SCHEME}", "why", "markdown", **KINDS["manual"]))
    assert released(course) == set()
    (made,) = build(course, course.assignments["hw"]).notebooks
    assert "YOUR ANSWER HERE" in made.text
    assert "the reason" not in made.text
    assert "the reason" in made.exam.cells[0].source


def test_hidden_tests_that_are_replaced_with_their_answer_are_a_warning(tmp_path: Path) -> None:
    course = course_of(tmp_path, cell(f"x = 1\n{HIDDEN}", "x", solution=True), TESTS)
    (said,) = build(course, course.assignments["hw"]).warnings
    assert said.startswith("source/hw/nb.ipynb: cell 1 ('x'): the hidden tests of an answer grade nothing")


# --- answers in rendered copies ----------------------------------------------------------------------

LONG = "def mean(xs):\n    ### BEGIN SOLUTION\n    total = sum(xs)\n    return total / max(1, len(xs)) if xs else 0\n    ### END SOLUTION"
SHOWN = "<pre><span class='k'>def</span> mean(xs):\n    total <span class='o'>=</span> sum(xs)\n    <b>return</b> total / max(1, len(xs)) if xs else 0</pre>"
PDF = (
    b"%PDF-1.4\nstream\n"
    + zlib.compress(
        b"BT (def mean\\(xs\\):) Tj [(to)-3(tal = sum\\(xs\\))] TJ (return total / max\\(1, len\\(xs\\)\\) if xs else 0) Tj ET"
    )
    + b"endstream\n"
)
RENDERED = {
    "nb.html": SHOWN,
    "slides.pdf": PDF,
    "nb.md": "```python\ntotal = sum(xs)\nreturn total / max(1, len(xs)) if xs else 0\n```",
    "nb.ipynb.bak": notebook(cell(LONG.replace("### BEGIN SOLUTION", "").replace("### END SOLUTION", ""))),
}


@pytest.mark.parametrize("name", RENDERED)
def test_a_rendered_copy_of_the_solved_notebook_is_named(tmp_path: Path, name: str) -> None:
    cells = cell(LONG, "mean", solution=True), TESTS
    said = refused(course_of(tmp_path / "a", *cells, **{name: RENDERED[name]}))
    assert said.startswith(f"source/hw/{name}: it has the answers of nb.ipynb")
    assert f"files: [source/hw/{name}]" in said
    course = course_of(tmp_path / "b", *cells, files=f"source/hw/{name}", **{name: RENDERED[name]})
    assert released(course) == {name}


def test_files_without_the_answers_are_released(tmp_path: Path) -> None:
    task = SHOWN.partition("    total")[0]
    files = {
        "nb.html": f"{task}\n# YOUR CODE HERE\nraise NotImplementedError()",
        "notes.md": "total = sum(xs)",
        "d.bin": b"\0" * 9,
    }
    assert released(course_of(tmp_path, cell(LONG, "mean", solution=True), TESTS, **files)) == set(files)
