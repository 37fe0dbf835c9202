"""What a release makes first: the command of course.yaml, and the kit's own script for holdouts."""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from helpers.lessons import ROOT
from helpers.tiny import Here, grade_in_this_process, submit, tiny_course

from autograder.cli import main
from autograder.course.configuration import load_course
from autograder.errors import CourseError
from autograder.records.course import Course
from autograder.release.build import build, write
from autograder.release.preparation import check_hidden_data, check_prepared, missing, prepare, unread_hidden_data

sys.path.insert(0, str(ROOT))
from kaggle_data import CLASSES, FEATURES, load_data, make_synthetic
from prepare_data import split

SEED = 271_828_182


# --- the command -----------------------------------------------------------------------------------------


def with_script(root: Path, script: str, rest: str = "hidden: [made.txt]") -> Course:
    """A tiny course whose assignment hw is prepared by ``script``."""
    tiny_course(root)
    (root / "make.py").write_text(script)
    (root / "course.yaml").write_text(f"course: t\nassignments:\n  hw: {{prepare: make.py --n '1 2', {rest}}}\n")
    return load_course(root)


def run(course: Course) -> str:
    return prepare(course, course.assignments["hw"])


WRITES = """
import pathlib, sys
pathlib.Path("source/hw/hidden").mkdir(exist_ok=True)
pathlib.Path("source/hw/hidden/made.txt").write_text("|".join(sys.argv[1:]))
print("one file")
"""


def test_the_command_runs_in_the_course_with_its_arguments_and_the_assignments_name(tmp_path: Path) -> None:
    course = with_script(tmp_path, WRITES)
    assert run(course) == "one file"
    assert (course.hidden("hw") / "made.txt").read_text() == "--n|1 2|hw"


def test_an_assignment_without_the_key_is_as_it_is(tmp_path: Path) -> None:
    course = tiny_course(tmp_path)
    assert run(course) == ""


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("import sys; sys.exit('no train.csv here')", r"hw: make.py failed \(exit code 1\):\n  no train.csv here$"),
        ("print('only this'); raise SystemExit(3)", r"failed \(exit code 3\):\n  only this$"),
        ("raise SystemExit(3)", r"\(it printed nothing\)"),
        ("raise ValueError('a number')", r"ValueError: a number$"),
        ("import os; os.kill(os.getpid(), 9)", r"failed \(signal SIGKILL\)"),
        ("import sys; [print(i, file=sys.stderr) for i in range(99)]; sys.exit(1)", r":\n  87\n(.|\n)*\n  98$"),
        ("print(chr(0xdc80)); 1/0", r"ZeroDivisionError"),
        ("pass", r"hw: make.py ran, but source/hw/hidden/made.txt is not there; it must make that file"),
    ],
)
def test_a_command_that_fails_or_makes_nothing_is_an_error(tmp_path: Path, script: str, message: str) -> None:
    with pytest.raises(CourseError, match=message):
        run(with_script(tmp_path, script))


def test_a_release_that_is_not_prepared_can_not_be_built(tmp_path: Path) -> None:
    course = with_script(tmp_path, WRITES, "hidden: [made.txt], files: [more.txt]")
    assignment = course.assignments["hw"]
    assert [str(path) for path in missing(course, assignment)] == ["more.txt", "source/hw/hidden/made.txt"]
    with pytest.raises(CourseError, match=r"hw: more.txt is not there; run `autograder release hw`, which makes it"):
        build(course, assignment)
    (tmp_path / "more.txt").write_text("x")
    run(course)
    check_prepared(course, assignment)


def invoke(course: Course, *words: str) -> Result:
    return CliRunner().invoke(main, [*words, "hw", "--course", str(course.root)])


@pytest.mark.sandbox
def test_release_prepares_and_says_so_and_grade_names_the_remedy(tmp_path: Path) -> None:
    course = with_script(tmp_path, WRITES)
    before = invoke(course, "grade")
    assert before.exit_code == 1
    assert "source/hw/hidden/made.txt is not there; run `autograder release hw`" in before.output
    done = invoke(course, "release", "--no-prove")
    assert done.exit_code == 0, done.output
    assert "one file\n" in done.stderr
    assert (course.hidden("hw") / "made.txt").is_file()
    assert not (course.release("hw") / "made.txt").exists()


def test_a_failing_command_ends_the_release_and_leaves_the_old_one(tmp_path: Path) -> None:
    course = with_script(tmp_path, WRITES)
    assert invoke(course, "release", "--no-prove").exit_code == 0
    old = {path: path.read_bytes() for path in course.release("hw").iterdir()}
    (tmp_path / "make.py").write_text("import sys; sys.exit('the disk is full')")
    failed = invoke(course, "release", "--no-prove")
    assert failed.exit_code == 1
    assert "the disk is full" in failed.stderr
    assert {path: path.read_bytes() for path in course.release("hw").iterdir()} == old


# --- the holdout of the stand-in ----------------------------------------------------------------------------


def lesson_course(root: Path, *options: str, files: str = "kaggle_data.py", names: tuple[str, ...] = ("hw",)) -> Course:
    """A tiny course with the kit's data modules; every assignment is prepared with these options."""
    if not root.is_dir() or not any(root.iterdir()):
        tiny_course(root)
        for name in ("kaggle_data.py", "prepare_data.py"):
            shutil.copy(ROOT / name, root)
    command = " ".join(["prepare_data.py", *options])
    lines = [f"  {name}: {{files: [{files}], hidden: [holdout.npz], prepare: {command}}}" for name in names]
    for name in names:
        (root / "source" / name).mkdir(exist_ok=True)
    (root / "course.yaml").write_text("\n".join(["course: t", "assignments:", *lines]) + "\n")
    return load_course(root)


def arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as data:
        return dict(data)


def values(counts: np.ndarray) -> set[bytes]:
    return {row.tobytes() for row in counts.astype("<u2")}


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Course:
    root = tmp_path_factory.mktemp("stand-in") / "course"
    course = lesson_course(root, f"--seed {SEED} --training-rows 500 --rows 800")
    assert run(course) == "hw: a new holdout, 800 products of the stand-in"
    return course


def test_a_hidden_file_that_a_test_names_must_be_there_before_a_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it, the test would be broken for every student; a report needs none."""
    grade_in_this_process(monkeypatch, Here())
    reads = "data = check.hidden_data('deep/made.npz')\nassert double(1) == 2"
    course = tiny_course(tmp_path, test=f"assert double\n### BEGIN HIDDEN TESTS\n{reads}\n### END HIDDEN TESTS")
    exams = build(course, course.assignments["hw"]).exams
    with pytest.raises(
        CourseError, match=r"source/hw/hidden/deep/made\.npz is not there, which the test 'test-double'"
    ):
        check_hidden_data(course, course.assignments["hw"], exams)
    (course.hidden("hw") / "deep").mkdir(parents=True)
    (course.hidden("hw") / "deep/made.npz").touch()
    check_hidden_data(course, course.assignments["hw"], exams)
    submit(course, "ada")
    (course.hidden("hw") / "deep/made.npz").unlink()
    said = CliRunner().invoke(main, ["grade", "hw", "--course", str(tmp_path)])
    assert "is not there, which the test" in said.output
    assert not course.autograded("ada", "hw").exists()


@pytest.mark.integration
def test_a_holdout_of_the_stand_in_is_as_documented(stand_in: Course) -> None:
    data = arrays(stand_in.hidden("hw") / "holdout.npz")
    assert {name: (a.dtype.name, a.shape) for name, a in data.items()} == {
        "counts": ("uint16", (800, 93)),
        "labels": ("uint8", (800,)),
        "mean": ("float64", (93,)),
        "scale": ("float64", (93,)),
    }
    assert set(np.unique(data["labels"])) == set(range(9))


def test_it_shares_no_product_with_students_and_is_scaled_as_the_lesson_is(stand_in: Course) -> None:
    data, (X, _) = arrays(stand_in.hidden("hw") / "holdout.npz"), load_data()
    assert not values(data["counts"]) & values(X)
    assert np.allclose(data["mean"], X[:500].mean(axis=0, dtype=np.float64))
    assert np.allclose(data["scale"][data["scale"] != 1], X[:500].std(axis=0, dtype=np.float64)[data["scale"] != 1])


@pytest.mark.integration
def test_its_labels_belong_to_its_products(stand_in: Course) -> None:
    """Rows of a class are nearer to the class's mean in the released rows than to the others', more often than not."""
    data, (X, labels) = arrays(stand_in.hidden("hw") / "holdout.npz"), load_data()
    means = np.array([np.log1p(X[labels == name]).mean(axis=0) for name in CLASSES])
    distance = ((np.log1p(data["counts"].astype(float))[:, None] - means) ** 2).sum(axis=2)
    assert (distance.argmin(axis=1) == data["labels"]).mean() > 0.4


@pytest.mark.integration
def test_preparing_again_leaves_the_file_alone_and_from_nothing_makes_the_same_bytes(stand_in: Course) -> None:
    path = stand_in.hidden("hw") / "holdout.npz"
    status, content = path.stat(), path.read_bytes()
    assert run(stand_in) == "hw: the holdout is as it was, 800 products of the stand-in"
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (status.st_ino, status.st_mtime_ns)
    path.write_bytes(content[:1000])
    assert "a new holdout" in run(stand_in)
    assert path.read_bytes() == content


# --- the competition's products ---------------------------------------------------------------------------

ROWS = 300


@pytest.fixture
def train(tmp_path: Path) -> Path:
    """A train.csv of 300 products, 60 of which occur twice, with another label the second time."""
    X, labels = make_synthetic(ROWS - 60, seed=5)
    X, labels = np.vstack([X, X[:60]]).astype(int), np.concatenate([labels, np.roll(labels[:60], 1)])
    path = tmp_path / "course" / "data" / "otto" / "train.csv"
    tiny_course(tmp_path / "course")
    for name in ("kaggle_data.py", "prepare_data.py"):
        shutil.copy(ROOT / name, tmp_path / "course")
    path.parent.mkdir(parents=True)
    head = ",".join(["id", *(f"feat_{j}" for j in range(1, FEATURES + 1)), "target"])
    body = [f"{i + 1},{','.join(map(str, row))},{label}" for i, (row, label) in enumerate(zip(X, labels, strict=True))]
    path.write_text("\n".join([head, *body]) + "\n")
    return path


REAL = f"--seed {SEED} --training-rows 100 --rows 9 --train data/otto/train.csv"
REAL_FILES = "kaggle_data.py, otto.npz"


def test_the_competitions_products_are_split_and_students_get_no_hidden_one(train: Path) -> None:
    course = lesson_course(train.parents[2], REAL, files=REAL_FILES)
    assert run(course) == "hw: a new holdout, 9 products of the competition that students do not get"
    assignment = course.assignments["hw"]
    write(course, assignment, build(course, assignment))
    hidden = arrays(course.hidden("hw") / "holdout.npz")
    released = arrays(course.release("hw") / "otto.npz")
    everything, labels = load_data(train)
    assert values(hidden["counts"]) & values(released["counts"]) == set()
    assert values(hidden["counts"]) | values(released["counts"]) <= values(everything)
    assert ROWS * 0.8 < len(released["counts"]) < ROWS
    pairs = {(row.tobytes(), label) for row, label in zip(everything.astype("<u2"), labels, strict=True)}
    for data in (hidden, released):
        names = data["labels"] if data["labels"].dtype.kind == "U" else np.array(CLASSES)[data["labels"]]
        assert {(row.tobytes(), label) for row, label in zip(data["counts"].astype("<u2"), names, strict=True)} <= pairs
    assert sorted(path.name for path in course.release("hw").iterdir()) == ["kaggle_data.py", "nb.ipynb", "otto.npz"]


@pytest.mark.integration
def test_two_assignments_show_students_the_same_products(train: Path) -> None:
    course = lesson_course(train.parents[2], REAL, files=REAL_FILES, names=("hw", "hw2"))
    run(course)
    shown = course.root / "otto.npz"
    first = (shown.stat().st_ino, shown.read_bytes())
    prepare(course, course.assignments["hw2"])
    assert (shown.stat().st_ino, shown.read_bytes()) == first
    assert (course.hidden("hw") / "holdout.npz").read_bytes() == (course.hidden("hw2") / "holdout.npz").read_bytes()


@pytest.mark.integration
def test_another_split_is_refused_while_the_first_is_there(train: Path) -> None:
    """It would show students what the other assignments keep back."""
    root = train.parents[2]
    run(lesson_course(root, REAL, files=REAL_FILES))
    other = lesson_course(root, REAL.replace(str(SEED), str(SEED + 1)), files=REAL_FILES)
    with pytest.raises(CourseError, match=r"made from another --train or --seed(.|\n)*release every assignment again"):
        run(other)
    (root / "otto.npz").unlink()
    assert "a new holdout" in run(other)


@pytest.mark.integration
@pytest.mark.parametrize(
    ("options", "files", "message"),
    [
        (REAL, "kaggle_data.py", r"with --train students need otto.npz: add it to this assignment's files"),
        (REAL.split(" --train data")[0], REAL_FILES, r"otto.npz is in this assignment's files(.|\n)*add --train"),
        (REAL.replace("train.csv", "nothing.csv"), REAL_FILES, r"no file .*nothing.csv(.|\n)*kaggle competitions"),
        (REAL.replace("--rows 9", "--rows 299"), REAL_FILES, r"--rows 299: \d+ products are kept back"),
        (REAL.replace("rows 100", "rows 301"), REAL_FILES, r"--training-rows 301: load_data\(\) has 2\d\d rows"),
        (REAL.replace(str(SEED), "1337"), REAL_FILES, r"--seed 1337 is easily guessed"),
        (REAL.replace("--rows 9", "--rows 0"), REAL_FILES, r"--rows 0: at least one"),
        (REAL.replace("--seed", "--sed"), REAL_FILES, r"the following arguments are required: --seed"),
    ],
)
def test_what_does_not_fit_together_is_an_error(train: Path, options: str, files: str, message: str) -> None:
    with pytest.raises(CourseError, match=message):
        run(lesson_course(train.parents[2], options, files=files))


@pytest.mark.integration
def test_the_stand_in_is_refused_where_the_competitions_products_lie(train: Path) -> None:
    root = train.parents[2]
    run(lesson_course(root, REAL, files=REAL_FILES))
    course = lesson_course(root, REAL.split(" --train data")[0])
    with pytest.raises(CourseError, match=r"otto.npz lies in the course folder(.|\n)*add --train"):
        run(course)


# --- the split --------------------------------------------------------------------------------------------


def test_a_split_is_a_partition_by_value_of_the_size_that_is_asked() -> None:
    rng = np.random.default_rng(1)
    counts = rng.integers(0, 3, size=(4000, 6))  # 729 values: each about five times
    visible, hidden = split(counts, SEED, 0.25)
    assert sorted([*visible, *hidden]) == list(range(4000))
    assert not values(counts[visible]) & values(counts[hidden])
    assert len(hidden) / 4000 == pytest.approx(0.25, abs=0.06)
    assert (np.diff(visible) > 0).all()


def test_a_split_depends_on_values_and_seed_and_not_on_the_order_of_rows() -> None:
    counts = np.random.default_rng(2).integers(0, 50, size=(500, 8))
    order = np.random.default_rng(3).permutation(500)
    visible, hidden = split(counts, SEED, 0.3)
    again, hidden_again = split(counts[order], SEED, 0.3)
    assert values(counts[order][again]) == values(counts[visible])
    assert (counts[order][hidden_again] == counts[hidden]).all()
    assert values(counts[split(counts, SEED + 1, 0.3)[1]]) != values(counts[hidden])


def test_the_courses_own_command_names_the_script_of_the_kit() -> None:
    for assignment in load_course(ROOT).assignments.values():
        if (
            "holdout.npz" in assignment.hidden and assignment.name != "small-gpt"
        ):  # whose text a script of its own writes
            assert re.match(r"prepare_data\.py --seed \d{6,} --training-rows \d+", assignment.prepare or "")


@pytest.mark.parametrize(
    ("test", "unread"),
    [
        ("check.hidden_data('a.npz')", ["b.npz"]),
        ("check.hidden_data('a.npz')\ncheck.hidden_data('b.npz')", []),
        ("name = 'b.npz'\ncheck.hidden_data('a.npz')\ncheck.hidden_data(name)", []),
        ("for n in 'ab':\n    check.hidden_data(n + '.npz')", []),
    ],
)
def test_hidden_data_that_no_test_reads_are_named(tmp_path: Path, test: str, unread: list[str]) -> None:
    """Unless a test makes the name itself."""
    course = tiny_course(tmp_path, test=f"### BEGIN HIDDEN TESTS\n{test}\n### END HIDDEN TESTS\nassert double(1)")
    assignment = replace(course.assignments["hw"], hidden=("a.npz", "b.npz"))
    exams = build(course, course.assignments["hw"]).exams
    said = [f"source/hw/hidden/{name}: no test reads it, and course.yaml lists it" for name in unread]
    assert unread_hidden_data(assignment, exams) == said
