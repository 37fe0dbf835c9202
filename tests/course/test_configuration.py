"""course.yaml, and nbgrader courses without one."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import pytest

from autograder._util import registry
from autograder.course.configuration import assignment, load_course, without_effect
from autograder.course.nbgrader_config import read_nbgrader_config
from autograder.course.paths import is_hidden
from autograder.errors import CourseError, UsageError
from autograder.records.course import Assignment, Course, Examine
from autograder.records.limits import Limits
from autograder.records.policies import LatePolicy

FULL = """\
course: otto
title: Deep learning with Keras
limits: {cell_seconds: 60, memory_mib: 2048}
assignments:
  intro:
  dense:
    title: Fully connected networks
    due: 2027-01-31T23:59:00+01:00
    points: 20
    late: {kind: per_day, per_day: 0.1, grace_hours: 1}
    files: [kaggle_data.py, data]
    hidden: [holdout.npz]
    environment: .venv/bin/python
    sandbox: gvisor
    training: exact
    student: bundle
    limits: {cell_seconds: 300, threads: 2}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A course folder with the sources and files that FULL names."""
    for name in ("intro", "dense/hidden", "../data"):
        (tmp_path / "source" / name).mkdir(parents=True)
    (tmp_path / "kaggle_data.py").write_text("")
    (tmp_path / "source/dense/hidden/holdout.npz").write_bytes(b"1")
    return tmp_path


def load(root: Path, text: str):
    (root / "course.yaml").write_text(text)
    return load_course(root)


def test_every_key_reaches_its_record(root: Path) -> None:
    course = load(root, FULL)
    assert (course.course_id, course.title) == ("otto", "Deep learning with Keras")
    assert course.assignments["dense"] == Assignment(
        name="dense",
        title="Fully connected networks",
        due=datetime(2027, 1, 31, 22, 59, tzinfo=UTC),
        points=20.0,
        late=LatePolicy("per_day", 0.1, 1.0),
        files=("kaggle_data.py", "data"),
        hidden=("holdout.npz",),
        environment=".venv/bin/python",
        sandbox="gvisor",
        training="exact",
        student="bundle",
        limits=Limits(cell_seconds=300.0, memory_mib=2048, threads=2),
    )


def test_an_assignment_without_keys_has_the_course_limits_and_its_name_as_title(root: Path) -> None:
    assert load(root, FULL).assignments["intro"] == Assignment(
        "intro", "intro", limits=Limits(cell_seconds=60.0, memory_mib=2048)
    )


def test_the_courses_sandbox_is_that_of_assignments_that_name_none(root: Path) -> None:
    own = FULL.replace("    sandbox: gvisor", "    sandbox: bubblewrap")
    course = load(root, own.replace("course: otto", "course: otto\nsandbox: gvisor"))
    assert [a.sandbox for a in course.assignments.values()] == ["gvisor", "bubblewrap"]
    with pytest.raises(CourseError, match="there is no sandbox 'docker'"):
        load(root, "course: otto\nsandbox: docker\n")


@pytest.mark.parametrize(
    ("written", "due"),
    [
        ("2027-01-31 20:00:00", datetime(2027, 1, 31, 20, tzinfo=UTC)),
        ("2027-01-31", datetime(2027, 1, 31, 23, 59, 59, tzinfo=UTC)),
        ('"2027-01-31"', datetime(2027, 1, 31, 23, 59, 59, tzinfo=UTC)),
        ("2027-01-31 23:59", datetime(2027, 1, 31, 23, 59, tzinfo=UTC)),
        ("2027-01-31T23:59+01:00", datetime(2027, 1, 31, 22, 59, tzinfo=UTC)),
    ],
)
def test_a_due_date_without_zone_is_utc_and_without_time_the_end_of_the_day(root, written, due) -> None:
    course = load(root, f"course: x\nassignments:\n  intro: {{due: {written}}}\n")
    assert course.assignments["intro"].due == due


def test_the_courses_training_is_that_of_assignments_that_name_none(root: Path) -> None:
    course = load(root, "course: x\ntraining: exact\nassignments:\n  intro:\n  dense: {training: fast}\n")
    assert [a.training for a in course.assignments.values()] == ["exact", "fast"]
    assert load(root, "course: x\nassignments:\n  intro:\n").assignments["intro"].training == "fast"
    with pytest.raises(CourseError, match=r"course.yaml:2: unknown training 'slow' in the course"):
        load(root, "course: x\ntraining: slow\n")


def test_the_courses_decimals_are_those_of_assignments_that_name_none(root: Path) -> None:
    course = load(root, "course: x\ndecimals: 1\nassignments:\n  intro:\n  dense: {decimals: 3}\n")
    assert [a.decimals for a in course.assignments.values()] == [1, 3]
    assert load(root, "course: x\nassignments:\n  intro:\n").assignments["intro"].decimals == 2


def test_a_single_name_is_a_list_of_it(root: Path) -> None:
    course = load(root, "course: x\nassignments:\n  dense: {files: kaggle_data.py}\n")
    assert course.assignments["dense"].files == ("kaggle_data.py",)


def test_a_bare_late_policy_is_its_kind(root: Path) -> None:
    course = load(root, "course: x\nassignments:\n  intro: {due: 2027-01-31, late: zero}\n")
    assert course.assignments["intro"].late == LatePolicy("zero")


DOCS = Path(__file__).parents[2] / "docs/reference/course-yaml.md"


def test_the_example_of_the_documentation_is_a_course(tmp_path: Path) -> None:
    hidden = tmp_path / "source/keras-fully-connected/hidden"
    hidden.mkdir(parents=True)
    (hidden / "holdout.npz").touch()
    (tmp_path / "kaggle_data.py").touch()
    (tmp_path / "prepare_data.py").touch()
    example = DOCS.read_text().split("```yaml\n")[1].split("```")[0]
    assert load(tmp_path, example).assignments["keras-fully-connected"].points == 20


def test_the_documentation_has_every_key_and_default_of_the_records() -> None:
    text = DOCS.read_text()
    for field in fields(Limits):
        default = "2 × `notebook_seconds`" if field.default is None else f"{field.default:g}"
        assert re.search(rf"\| `{field.name}` \| [a-z ]+ \| {default} \|", text), field.name
    own = {field.name for field in fields(Assignment)} - {"name", "settings"}
    for name in own | {*registry.names(registry.COURSE_KEYS), *registry.names(registry.ASSIGNMENT_KEYS)}:
        assert f"| `{name}` |" in text


BAD = [
    ("", "course.yaml: is empty"),
    ("- a\n", "course.yaml:1: the course must be a mapping .*, not a list"),
    ("title: x\n", "course.yaml:1: the key 'course' .* is missing"),
    ("course: x\ncurse: y\n", "course.yaml:2: unknown key 'curse' in the course; did you mean 'course'"),
    (
        "course: x\nzzz: y\n",
        "unknown key 'zzz' in the course; known keys: course, title, timezone, limits, sandbox, student, decimals, training, examine, engine, late_days, groups, totals, extensions, assignments, audit, diagnosis, diagnosis_links, diagnosis_seconds, learning_system, serve",
    ),
    (
        "course: x\nassignments:\n  intro: {carried: {next: [a.py]}}\n",
        "'carried' of assignment 'intro' names 'next', which is not listed before it",
    ),
    (
        "course: x\nassignments:\n  intro: {carried: {intro: [a.py]}}\n",
        "'carried' of assignment 'intro' names 'intro', which is not listed before it",
    ),
    ("course: x\nassignments:\n  intro: {limits: {file_mib: 241}}\n", "it must be between 10 and 240"),
    (
        "course: x\nassignments:\n  intro: {weights: {file: ../m.pt}}\n",
        "needs a file beside the notebook, such as model.safetensors",
    ),
    (
        "course: x\nassignments:\n  intro: {weights: {file: m.safetensors, into: net.body}}\n",
        "'into' of 'weights' in assignment 'intro' is 'net.body'; give the name of the model",
    ),
    ("course: 7\n", r"course.yaml:1: 'course' must be text, not a whole number \('7'\)"),
    ("course: ''\n", "'course' is empty"),
    ("course: ../x\n", "cannot be the course's id"),
    (
        "course: x\ncourse: y\n",
        r"course.yaml:2: key 'course' appears twice in the course \(first in line 1\)",
    ),
    ("course: [x\n", "course.yaml:2: not valid YAML: .*; close the bracket"),
    ("course: x\ntitle: Lesson 1: networks\n", "course.yaml:2: not valid YAML: .*put a text with a colon in quotes"),
    ("course: x\nlimits:\n\tthreads: 1\n", "course.yaml:3: not valid YAML: .*; indent with spaces, not tabs"),
    ("course: @x\n", "course.yaml:1: not valid YAML: .*; put the text in quotes"),
    ("course: *x\n", "begins with . in quotes"),
    ("course: 'x\n", "; close the quotes"),
    ("course: !!python/object:os.system x\n", "'course': 'x' cannot be read"),
    ("course: x\nlimits: 7\n", "course.yaml:2: 'limits' must be a mapping"),
    (
        "course: x\nlimits:\n  cell_second: 7\n",
        "course.yaml:3: unknown key 'cell_second' in 'limits'; did you",
    ),
    (
        "course: x\nlimits:\n  memory_mib: 4 GB\n",
        "course.yaml:3: 'memory_mib' must be a whole number, not text",
    ),
    ("course: x\nlimits:\n  memory_mib: 4096.5\n", "'memory_mib' must be a whole number, not a number"),
    ("course: x\nlimits:\n  memory_mib: true\n", "'memory_mib' must be a whole number, not yes/no"),
    ("course: x\nlimits:\n  memory_mib: 4\n", "course.yaml:3: 'memory_mib' is 4; it must be between 64 and"),
    ("course: x\nlimits:\n  cell_seconds: -1\n", "'cell_seconds' is -1; it must be between"),
    ("course: x\nlimits:\n  cell_seconds: .nan\n", "'cell_seconds' is .nan; it must be between"),
    ("course: x\nlimits:\n  cell_seconds: .inf\n", "'cell_seconds' is .inf; it must be between"),
    ("course: x\nassignments: [intro]\n", "course.yaml:2: 'assignments' must be a mapping"),
    (
        "course: x\nassignments:\n  7:\n",
        "course.yaml:3: a key in 'assignments' is a whole number .* in quotes",
    ),
    (
        "course: x\nassignments:\n  nowhere:\n",
        "course.yaml:3: assignment 'nowhere': there is no folder source/now",
    ),
    (
        "course: x\nassignments:\n  denes:\n",
        "course.yaml:3: assignment 'denes': there is no folder source/denes; did you mean 'dense'",
    ),
    (
        "course: x\nassignments:\n  Dense:\n",
        "course.yaml:3: assignment 'Dense': there is no folder source/Dense; did you mean 'dense'",
    ),
    (
        "course: x\nassignments:\n  dense:\n  points: 6\n",
        "course.yaml:4: assignment 'points': .*; 'points' is a key of an assignment: indent it more than the assignment",
    ),
    ("course: x\nassignments:\n  ../x:\n", "course.yaml:3: '../x' cannot be the name of an assignment"),
    ("course: x\nassignments:\n  intro: 7\n", "assignment 'intro' must be a mapping"),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_a_fault_in_the_course_names_line_and_remedy(root: Path, text: str, message: str) -> None:
    with pytest.raises(CourseError, match=message):
        load(root, text)


BAD_ASSIGNMENTS = [
    ("limts: {}", "course.yaml:4: unknown key 'limts' in assignment 'dense'; did you mean 'limits'"),
    ("name: x", "unknown key 'name' in assignment 'dense'"),
    ("deadline: 2027-01-10", "unknown key 'deadline' in assignment 'dense'; known keys: title, due, release, close"),
    ("dealine: 2027-01-10", "unknown key 'dealine' in assignment 'dense'; known keys: title, due, release, close"),
    ("due_date: 2027-01-10", "unknown key 'due_date' in assignment 'dense'; did you mean 'due'"),
    ("late_policy: zero", "unknown key 'late_policy' in assignment 'dense'; did you mean 'late'"),
    ("student: bundel", "course.yaml:4: unknown student 'bundel'; did you mean 'bundle'"),
    ("training: fats", "course.yaml:4: unknown training 'fats' in assignment 'dense'; did you mean 'fast'"),
    ("training: 3x", "unknown training '3x' in assignment 'dense'; it is one of fast, exact"),
    ("training: true", "'training' must be text, not yes/no"),
    ("limits: {threads: 0}", "'threads' is 0; it must be between 1 and 256"),
    ("limits: {threads: 1.5}", "'threads' must be a whole number, not a number"),
    ("limits: {cell_secs: 1}", "unknown key 'cell_secs' in 'limits' of assignment 'dense'; did you mean"),
    ("title: [a]", "'title' must be a single value, not a list"),
    ("due: tomorrow", "course.yaml:4: 'due' must be a date or a date and time .*, not text"),
    ("due: 2027-13-45", "course.yaml:4: 'due': '2027-13-45' cannot be read"),
    ("points: -1", "'points' is -1; it must be between 0 and"),
    ("points: ten", "'points' must be a number, not text"),
    ("late: zeroo", "course.yaml:4: unknown late policy 'zeroo' in assignment 'dense'; did you mean 'zero'"),
    ("late: zero", "has a late policy but no due date"),
    ("late: {per_day: 0.1}", "'per_day' is set in assignment 'dense', but kind is 'none'"),
    ("late: {kind: per_day}", "needs per_day"),
    ("late: {kind: per_day, per_day: 10}", "'per_day' is 10; it must be between 0 and 1"),
    ("late: plugin", "kind: plugin in assignment 'dense' needs plugin"),
    ("late: {kind: zero, plugin: late.py:P}", "'plugin' is set in assignment 'dense', but kind is 'zero'"),
    ("late: {plugin: late.py:P}", "has a late policy but no due date"),
    ("files: 7", "'files' must be a list, not a whole number"),
    ("files: {a: b}", "'files' must be a list, not a mapping"),
    ("due: 2027-01-32 23:59", "'due' must be a date or a date and time"),
    ("files: [7]", "'files' must be text, not a whole number"),
    ("files: [missing.py]", "course.yaml:4: assignment 'dense': there is no file missing.py"),
    ("files: [../x.py]", "'../x.py' in assignment 'dense' must not contain '..'"),
    ("files: [/etc/passwd]", "'/etc/passwd' in assignment 'dense' must be a relative path"),
    ("files: [out]", "'out' in assignment 'dense' is a symbolic link that leads out of the course"),
    ("files: [source/dense/hidden/holdout.npz]", "lies in a hidden folder: students would get it"),
    ("files: [source/dense/hidden]", "lies in a hidden folder: students would get it"),
    ("files: [.]", "there is no file"),
    ("files: [gradebook.db]", "is about students"),
    ("files: [course.yaml]", "may hold secrets"),
    (
        "prepare: make.py 'x",
        "course.yaml:4: 'prepare' in assignment 'dense' is not a command line: No closing quotation",
    ),
    ("prepare: make", "there is no Python file 'make'; the first word of 'prepare' must be a Python file"),
    ("prepare: nowhere.py --seed 1", "course.yaml:4: assignment 'dense': there is no Python file 'nowhere.py'"),
    ("prepare: ../make.py", "'../make.py', the script of 'prepare' in assignment 'dense', must not contain"),
    ("prepare: /make.py", "must be a relative path"),
    ("prepare: out.py", "'out.py', the script of 'prepare' in assignment 'dense', is a symbolic link that leads out"),
    ("prepare: [make.py]", "'prepare' must be a single value"),
    ("prepare: ''", "'prepare' is empty"),
    (
        "{prepare: make.py, files: [make.py]}",
        "'prepare' in assignment 'dense' uses 'make.py', which students would get",
    ),
    ("{prepare: make.py --in=data/x.csv, files: [data]}", "uses '--in=data/x.csv', which students would get"),
    ("prepare: source/dense/make.py", "uses 'source/dense/make.py', which students would get"),
    ("{prepare: make.py, hidden: [../x]}", "must not contain '..'"),
    ("{prepare: make.py, files: [.]}", "there is no file"),
    ("{prepare: make.py, files: [source/dense/hidden/new.npz]}", "lies in a hidden folder"),
    ("files: [kaggle_data.py, data/kaggle_data.py]", "would be one file; rename one"),
    (
        "hidden: [other.npz]",
        "course.yaml:4: assignment 'dense': there is no file source/dense/hidden/other.npz",
    ),
    ("hidden: [../../../kaggle_data.py]", "must not contain '..'"),
    ("sandbox: gvisr", "there is no sandbox 'gvisr'; did you mean 'gvisor'"),
    ("sandbox: none", "there is no sandbox 'none'; it is one of bubblewrap, gvisor"),
    (
        "sandbox: crun",
        "course.yaml:4: the sandbox 'crun' was removed; use bubblewrap, whose walls are the same, or gvisor",
    ),
]


@pytest.mark.parametrize(("line", "message"), BAD_ASSIGNMENTS)
def test_a_fault_in_an_assignment_names_line_and_remedy(root: Path, line: str, message: str) -> None:
    (root / "data/kaggle_data.py").write_text("")
    (root / "gradebook.db").write_text("")
    (root / "out").symlink_to("/etc/hostname")
    (root / "out.py").symlink_to("/etc/hostname")
    (root / "make.py").write_text("")
    (root / "source/dense/make.py").write_text("")
    (root / "data/x.csv").write_text("")
    with pytest.raises(CourseError, match=message):
        load(root, f"course: x\nassignments:\n  dense:\n    {line}\n")


def test_what_prepare_makes_may_be_missing(root: Path) -> None:
    (root / "make.py").write_text("")
    line = "{prepare: make.py --seed 7, files: [made.npz], hidden: [new.npz, deep/new.csv]}"
    made = load(root, f"course: x\nassignments:\n  dense: {line}\n").assignments["dense"]
    assert made.prepare == "make.py --seed 7"
    assert (made.files, made.hidden) == (("made.npz",), ("new.npz", "deep/new.csv"))


@pytest.mark.parametrize("data", [b"course: \xff\n", b"course: \x00\n", b"[" * 10_000, b"a" * (2 << 20)])
def test_what_is_not_text_or_endless_is_an_error_and_not_a_crash(root: Path, data: bytes) -> None:
    (root / "course.yaml").write_bytes(data)
    with pytest.raises(CourseError, match=r"course\.yaml"):
        load_course(root)


# --- nbgrader's courses ------------------------------------------------------------------------------


def test_without_course_yaml_each_folder_with_a_notebook_is_an_assignment(tmp_path: Path) -> None:
    for name in ("ps2", "ps1", "empty", ".hidden"):
        (tmp_path / "source" / name).mkdir(parents=True)
    for name in ("ps2", "ps1", ".hidden"):
        (tmp_path / "source" / name / "a.ipynb").write_text("{}")
    (tmp_path / "source/header.ipynb").write_text("{}")
    course = load_course(tmp_path)
    as_in_nbgrader = Examine("kernel")
    assert course.assignments == {name: Assignment(name, name, examine=as_in_nbgrader) for name in ("ps1", "ps2")}
    assert course.course_id == tmp_path.name


def test_the_course_id_of_nbgrader_config_is_read_without_running_it(tmp_path: Path) -> None:
    (tmp_path / "source/ps1").mkdir(parents=True)
    (tmp_path / "source/ps1/a.ipynb").write_text("{}")
    ran = tmp_path / "ran"
    (tmp_path / "nbgrader_config.py").write_text(
        f"c = get_config()\nopen({str(ran)!r}, 'w')\nc.CourseDirectory.course_id = 'course101'\n"
    )
    assert load_course(tmp_path).course_id == "course101"
    assert not ran.exists()


@pytest.mark.parametrize(
    ("line", "cell", "notebook"),
    [
        ("", 120, 600),
        ("c.Execute.timeout = 300", 300, 1500),
        ("c.Execute.timeout = 2", 2, 600),
        ("c.ExecutePreprocessor.timeout = 60", 60, 600),
        ("c.Execute.timeout = None", 120, 600),
    ],
)
def test_the_timeout_of_nbgrader_config_is_the_cells_limit(tmp_path: Path, line: str, cell: int, notebook: int) -> None:
    (tmp_path / "source/ps1").mkdir(parents=True)
    (tmp_path / "source/ps1/a.ipynb").write_text("{}")
    (tmp_path / "nbgrader_config.py").write_text(line)
    limits = load_course(tmp_path).assignments["ps1"].limits
    assert (limits.cell_seconds, limits.notebook_seconds) == (cell, notebook)


@pytest.mark.parametrize(("assignment", "answers"), [("ps1", ("helper.py",)), ("ps2", ())])
def test_files_that_nbgrader_does_not_put_back_are_answers(tmp_path, assignment, answers) -> None:
    (tmp_path / "source/ps1").mkdir(parents=True)
    (tmp_path / "source/ps1/a.ipynb").write_text("{}")
    (tmp_path / "nbgrader_config.py").write_text(f"c.Autograde.exclude_overwriting = {{'{assignment}': ['helper.py']}}")
    assert load_course(tmp_path).assignments["ps1"].answers == answers


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        ("c.CourseDirectory.ignore = []\nc.Execute.timeout = 60\nc.ClearSolutions.code_stub = {}", ""),
        ("c.Exchange.root = '/srv'\nc.FileNameCollectorPlugin.valid_ext = []\nc.CourseDirectory.course_id = 'p'", ""),
        (
            "c.CourseDirectory.root = '/home/ada'\nc.LimitOutput.max_lines = 9",
            "CourseDirectory.root, c.LimitOutput.max_lines",
        ),
        ("c.CourseDirectory.db_assignments = [dict(name='ps1')]", "c.CourseDirectory.db_assignments"),
        ("c.NbGrader.course_id = 'old'", "c.NbGrader.course_id"),
        ("if True:\n    c.Execute.error_on_timeout = False", "c.Execute.error_on_timeout"),
    ],
)
def test_options_without_effect_on_a_release_or_a_grade_are_named(tmp_path: Path, lines: str, named: str) -> None:
    (tmp_path / "nbgrader_config.py").write_text(lines)
    told = without_effect(tmp_path)
    assert told == "" if not named else told.endswith(f"grade here: c.{named.removeprefix('c.')}")


def test_options_that_course_yaml_replaces_are_named_beside_one(tmp_path: Path) -> None:
    (tmp_path / "nbgrader_config.py").write_text("c.Execute.timeout = 60\nc.CourseDirectory.course_id = 'p'")
    (tmp_path / "course.yaml").write_text("course: p\n")
    assert without_effect(tmp_path).endswith("here: c.Execute.timeout")


def test_options_that_are_computed_are_known_by_their_line(tmp_path: Path) -> None:
    (tmp_path / "nbgrader_config.py").write_text(
        "c.A.x = 1\nc.A.y = os.path.join('a', 'b')\nc.A.z = f()\nc.A.z = [2]\n"
    )
    config = read_nbgrader_config(tmp_path)
    assert config.values == {"A": {"x": 1, "z": [2]}}
    assert config.computed == {("A", "y"): 2}


def test_a_folder_without_a_course_says_how_to_begin(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=r"no course here .*make source/<assignment>/"):
        load_course(tmp_path)
    (tmp_path / "source").mkdir()
    with pytest.raises(CourseError, match="no folder with a notebook"):
        load_course(tmp_path)
    with pytest.raises(UsageError, match="no such folder"):
        load_course(tmp_path / "nowhere")


def test_an_unknown_assignment_is_a_usage_error_with_the_nearest_name(root: Path) -> None:
    course = load(root, FULL)
    assert assignment(course, "dense").name == "dense"
    with pytest.raises(UsageError, match=r"no assignment 'denes' .*did you mean 'dense'.*intro, dense"):
        assignment(course, "denes")


def test_hidden_is_one_folder_per_assignment(tmp_path: Path) -> None:
    assert is_hidden(tmp_path, tmp_path / "source/a/hidden/x/y")
    assert is_hidden(tmp_path, tmp_path / "source/a/hidden")
    assert not is_hidden(tmp_path, tmp_path / "source/a/data/hidden")
    assert not is_hidden(tmp_path, tmp_path / "hidden/a")


# --- other names of an nbgrader course's folders -----------------------------------------------------


def nbgrader_course_of(root: Path, *lines: str, source: str = "src") -> Course:
    (root / source / "hw").mkdir(parents=True)
    (root / source / "hw" / "nb.ipynb").write_text("{}")
    (root / "nbgrader_config.py").write_text("c = get_config()\n" + "\n".join(lines))
    return load_course(root)


def test_the_folders_have_the_names_that_nbgrader_config_gives_them(tmp_path: Path) -> None:
    kinds = ("source", "release", "submitted", "autograded", "feedback")
    lines = [
        f'c.CourseDirectory.{k}_directory = "{n}"' for k, n in zip(kinds, ("src", "out/r", "in", "a", "f"), strict=True)
    ]
    course = nbgrader_course_of(tmp_path, *lines)
    assert list(course.assignments) == ["hw"]
    assert course.source("hw") == tmp_path / "src/hw"
    assert course.hidden("hw") == tmp_path / "src/hw/hidden"
    assert course.release("hw") == tmp_path / "out/r/hw"
    assert course.submitted("ada", "hw") == tmp_path / "in/ada/hw"
    assert course.autograded("ada", "hw") == tmp_path / "a/ada/hw"
    assert course.feedback("ada", "hw") == tmp_path / "f/ada/hw"


def test_a_folder_of_the_course_may_be_named_by_its_whole_path(tmp_path: Path) -> None:
    course = nbgrader_course_of(tmp_path, f"c.CourseDirectory.source_directory = {str(tmp_path / 'src')!r}")
    assert course.directories == {"source": "src"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('source_directory = "../src"', "must be a folder of its own within the course"),
        ('submitted_directory = "/data/submitted"', "must be a folder of its own within the course"),
        ('submitted_directory = "."', "must be a folder of its own within the course"),
        ('submitted_directory = ".autograder"', "must be a folder of its own within the course"),
        ("source_directory = 3", "is 3; it is the name of a folder"),
        ('submitted_directory = "source"', "within that of source"),
        ('autograded_directory = "submitted/graded"', "within that of submitted"),
        ("source_directory = os.environ['X']", "is computed"),
    ],
)
def test_a_folder_that_cannot_be_used_is_an_error_with_the_option(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(CourseError, match=rf"c\.CourseDirectory\.\w+.*{words}"):
        nbgrader_course_of(tmp_path, f"c.CourseDirectory.{line}", source="source")
