"""Manipulations of a bundle: each is found by a replay, and called what it is."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.bundles import rewritten
from helpers.kernels import InProcessKernel
from helpers.tiny import YAML, Here, cell, notebook, tiny_course, tiny_release

from autograder.coordinator import batch
from autograder.extensions.trust.bundle import write_bundle
from autograder.extensions.trust.bundle_reading import BundleError, read_bundle
from autograder.extensions.trust.replay import bundle_case, replay
from autograder.extensions.trust.replay_report import rows, sentences
from autograder.records.course import Course

Change = Callable[[dict[str, bytes], dict[str, Any]], None]

SOLUTION = "def double(x):\n    return 2 * x\ndef triple(x):\n    return 3 * x"
TESTS = {
    "test-double": (
        "from autograder import check\n### BEGIN HIDDEN TESTS\nassert double(21) == 42\n"
        "check.close(double(4), 8, name='four')\n### END HIDDEN TESTS"
    ),
    "test-triple": "### BEGIN HIDDEN TESTS\nassert triple(3) == 9\n### END HIDDEN TESTS",
}
LATE = "title: Doubling\n    due: 2026-01-02 12:00 +01:00\n    late: {kind: per_day, per_day: 0.25}"
NOT_VERIFIED = "Not verified: the grade is the same from its recording and executed anew."
EXECUTED_ONLY = "Not verified: the grade is the same executed anew."


@pytest.fixture(scope="module")
def graded_course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Two questions of 2 and 3 points, handed in a day late: ada has one wrong, bob none."""
    made = tiny_course(tmp_path_factory.mktemp("graded") / "course", yaml=YAML.replace("title: Doubling", LATE))
    tests = (
        cell(source, name, grade=True, locked=True, points=2 + n) for n, (name, source) in enumerate(TESTS.items())
    )
    solved = f"### BEGIN SOLUTION\n{SOLUTION}\n### END SOLUTION"
    (made.source("hw") / "nb.ipynb").write_text(notebook(cell(solved, "answer", solution=True), *tests))
    for student, answer in {"ada": SOLUTION.replace("2 * x", "2 * x + (x > 9)"), "bob": SOLUTION}.items():
        folder = made.submitted(student, "hw")
        folder.mkdir(parents=True)
        (folder / "nb.ipynb").write_text(notebook(cell(answer, "answer", solution=True)))
        (folder / "timestamp.txt").write_text("2026-01-03 11:00:00 +00:00")
    batch.run(batch.plan(made, tiny_release(made)), execute=Here())
    return made


@pytest.fixture(scope="module")
def bundles(graded_course: Course, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Bundles that no test changes."""
    folder = tmp_path_factory.mktemp("bundles")
    for student in ("ada", "bob"):
        write_bundle(graded_course, graded_course.assignments["hw"], student, folder / f"{student}.zip")
    return {path.stem: path for path in folder.iterdir()}


def replayed(path: Path, folder: Path) -> Iterator[str]:
    """Yield all that a replay says: its first sentence, and then the others and the table."""
    (folder / "bundle").mkdir()
    try:
        found = read_bundle(path, folder / "bundle")
    except BundleError as refused:
        yield str(refused)
        return
    (folder / "work").mkdir()
    report = replay([bundle_case(found)], folder / "work", execute=Here())
    yield from sentences(report)
    yield from (" ".join(row) for row in rows(report))


def changing(file: str, change: Callable[[Any], object]) -> Change:
    def changed(files: dict[str, bytes], _: dict[str, Any]) -> None:
        data = json.loads(files[file])
        change(data)
        files[file] = json.dumps(data).encode()

    return changed


def result(change: Callable[[Any], object]) -> Change:
    """Change the result, and its totals as they must be."""

    def changed(data: Any) -> None:
        change(data)
        data["max_score"] = sum(each["max_score"] for each in data["questions"])
        data["score"] = max(0.0, sum(each["score"] for each in data["questions"]) - data["late_penalty"])

    return changing("result.json", changed)


def question(number: int = 0, **values: Any) -> Change:
    return result(lambda data: data["questions"][number].update(values))


def exam(change: Callable[[list[Any]], object]) -> Change:
    return changing("exam.json", lambda head: change(head["exams"][0]["cells"]))


def in_turn(*changes: Change) -> Change:
    def changed(files: dict[str, bytes], manifest: dict[str, Any]) -> None:
        for change in changes:
            change(files, manifest)

    return changed


def forged_keys(**keys: str) -> Change:
    """Another key in the grade and in the manifest."""
    return in_turn(
        changing("result.json", lambda data: data["content_keys"].update(keys)),
        lambda _, manifest: manifest["graded_from"].update(keys),
    )


def edited(file: str, old: str, new: str) -> Change:
    def changed(files: dict[str, bytes], _: dict[str, Any]) -> None:
        assert old.encode() in files[file]
        files[file] = files[file].replace(old.encode(), new.encode())

    return changed


def without_recording(files: dict[str, bytes], manifest: dict[str, Any]) -> None:
    del files["recordings/0.run"], manifest["files"]["recordings/0.run"]


def uncounted_recording(files: dict[str, bytes], manifest: dict[str, Any]) -> None:
    without_recording(files, manifest)
    manifest["recorded"] = 0


def other_output(files: dict[str, bytes], _: dict[str, Any]) -> None:
    """Let the submitted notebook show an output that its code never gave."""
    book = json.loads(files["submission/nb.ipynb"])
    book["cells"][0]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "42"}]
    files["submission/nb.ipynb"] = json.dumps(book).encode()


def of_bob(bundles: dict[str, Path], *places: str) -> Change:
    def changed(files: dict[str, bytes], _: dict[str, Any]) -> None:
        with zipfile.ZipFile(bundles["bob"]) as archive:
            files.update({place: archive.read(place) for place in places})

    return changed


DIFFERS = "The grade differs."
CHANGED = "no chance is in it: the grade was changed since, or is damaged."
MANIPULATIONS: dict[str, tuple[Change, str, str]] = {
    "points of a question": (question(score=2.0, outcome="passed"), DIFFERS, "test-double 2 → 0 (recording)"),
    "points of all questions": (
        in_turn(question(0, score=1.0), question(1, score=2.0)),
        DIFFERS,
        "test-double 1 → 0 (recording), test-triple 2 → 3 (recording)",
    ),
    "most points, 5 to 50": (question(1, max_score=50.0), DIFFERS, "test-triple max_score 50.0 → 3.0 (recording)"),
    "most points in exam and result": (
        in_turn(question(1, max_score=50.0), exam(lambda cells: cells[2].update(points=50.0))),
        DIFFERS,
        "not verified: the grade was made from another exam",
    ),
    "a late penalty": (result(lambda data: data.update(late_penalty=2.0)), DIFFERS, "late_penalty 2.0 → "),
    "no late penalty": (result(lambda data: data.update(late_penalty=0.0)), DIFFERS, "late_penalty 0.0 → "),
    "a message": (question(message="copied from another student"), DIFFERS, "message copied from another student"),
    "the name of a question": (question(1, id="test-treble"), DIFFERS, "test-treble 3 → –"),
    "the name of a check": (
        result(lambda data: data["questions"][0]["checks"][0].update(name="five")),
        DIFFERS,
        "name five → ",
    ),
    "an output of the notebook": (other_output, EXECUTED_ONLY, "the grade was made from another submission"),
    "the grade's digests": (
        changing("result.json", lambda data: data["content_keys"].update(exam="0" * 64)),
        NOT_VERIFIED,
        "its manifest and its grade name different keys",
    ),
    "the grade's digests in both places": (forged_keys(exam="0" * 64), NOT_VERIFIED, "made from another exam"),
    "the time of the hand-in": (
        in_turn(
            *(
                changing(file, lambda data: data.update(submitted_at="2026-01-02T03:04:05+00:00"))
                for file in ("result.json", "unit.json")
            )
        ),
        DIFFERS,
        "the grade was made for another time of the hand-in",
    ),
    "the version of the kernel": (
        changing("result.json", lambda data: data["versions"].update(python="3.6.0")),
        NOT_VERIFIED,
        "the grade was made from other versions or limits, or for another interpreter or sandbox",
    ),
    "a limit": (
        changing("exam.json", lambda head: head["assignment"]["limits"].update(cell_seconds=7.0)),
        NOT_VERIFIED,
        "the grade was made from other versions or limits, or for another interpreter or sandbox",
    ),
    "a dropped question": (result(lambda data: data["questions"].pop()), DIFFERS, "test-triple – → 3 (recording)"),
    "a question that is dropped from exam and result": (
        in_turn(result(lambda data: data["questions"].pop()), exam(lambda cells: cells.pop())),
        DIFFERS,
        "the grade was made from another exam",
    ),
    "an edited hidden test": (
        exam(lambda cells: cells[1].update(source=cells[1]["source"].replace("21", "2").replace("42", "4"))),
        DIFFERS,
        "the grade was made from another exam",
    ),
    "an edited notebook": (
        edited("submission/nb.ipynb", " + (x > 9)", ""),
        DIFFERS,
        "the grade was made from another submission",
    ),
    "a recording that is removed": (
        without_recording,
        EXECUTED_ONLY,
        "its manifest counts 1 of its recordings, and there are none",
    ),
    "a recording that is removed and not counted": (
        uncounted_recording,
        EXECUTED_ONLY,
        "from the recording: ada: the bundle has no recording of this submission",
    ),
    "a notebook that is removed": (
        lambda _, manifest: manifest["files"].pop("submission/nb.ipynb"),
        DIFFERS,
        "the grade was made from another submission",
    ),
}


@pytest.mark.parametrize(("change", "first", "said"), MANIPULATIONS.values(), ids=MANIPULATIONS.keys())
def test_a_manipulation_is_found_and_called_what_it_is(
    bundles: dict[str, Path], tmp_path: Path, change: Change, first: str, said: str
) -> None:
    """Whoever made it has written new digests of the files."""
    found = list(replayed(rewritten(bundles["ada"], change, tmp_path), tmp_path))
    assert first in found[0], found
    assert [line for line in found if said in line], found
    assert not [line for line in found if "no difference is known, so it is chance" in line], found


def test_a_bundle_that_nobody_changed_is_the_same(bundles: dict[str, Path], tmp_path: Path) -> None:
    for student, path in bundles.items():
        (tmp_path / student).mkdir()
        found = list(replayed(path, tmp_path / student))
        assert found[:2] == ["The grade is the same.", "environment: no difference is known."]


SWAPPED = {
    "result": (("result.json",), "its grade is of another submission"),
    "submission": (("submission/nb.ipynb",), "the grade was made from another submission"),
    "recording": (("recordings/0.run",), "the recording of nb is not of this submission"),
    "submission and recording": (
        ("submission/nb.ipynb", "recordings/0.run"),
        "the grade was made from another submission",
    ),
}


@pytest.mark.parametrize(("places", "said"), SWAPPED.values(), ids=SWAPPED.keys())
def test_a_swap_of_two_students_is_found_and_called_what_it_is(
    bundles: dict[str, Path], tmp_path: Path, places: tuple[str, ...], said: str
) -> None:
    found = list(replayed(rewritten(bundles["ada"], of_bob(bundles, *places), tmp_path), tmp_path))
    assert [line for line in found if said in line], found


def test_another_students_grade_under_ones_own_name_is_found(bundles: dict[str, Path], tmp_path: Path) -> None:
    def renamed(data: Any) -> None:
        data["student"] = "ada"

    change = in_turn(of_bob(bundles, "result.json"), changing("result.json", renamed))
    found = list(replayed(rewritten(bundles["ada"], change, tmp_path), tmp_path))
    assert found[0] == DIFFERS
    assert [line for line in found if "its manifest and its grade name different keys" in line], found


def test_a_changed_byte_without_a_new_digest_is_found_before_anything_runs(
    bundles: dict[str, Path], tmp_path: Path
) -> None:
    path = shutil.copy(bundles["ada"], tmp_path / "changed.zip")
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content + b" " * (name == "unit.json"))
    (found,) = replayed(path, tmp_path)
    assert "'unit.json' is missing or damaged" in found


def test_what_an_execution_alone_shows_is_chance_or_a_change_of_grade_and_recording(
    bundles: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody may have written a recording to a grade: a replay cannot tell that from chance."""
    real = InProcessKernel.run

    def run(self: InProcessKernel, source: str, seconds: float) -> Any:
        return real(self, source.replace("3 * x", "4 * x"), seconds)

    monkeypatch.setattr(InProcessKernel, "run", run)
    found = list(replayed(bundles["ada"], tmp_path))
    assert found[:2] == [
        DIFFERS,
        "environment: no difference is known, so it is chance or time, or grade and recording were changed together: "
        "only a signature excludes that.",
    ]
