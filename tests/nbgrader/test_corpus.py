"""The comparison with nbgrader on a folder of courses: ``python -m conformance``."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from conformance.__main__ import main
from conformance.answer_courses import Place
from conformance.corpus import Unit, in_turns, lay_out, source_directory, units
from conformance.ours import audited, use_own_gradebook
from conformance.table import lines, summary, summary_lines
from conformance.theirs import walled
from conformance.verdict import (
    DIFFERENT,
    EQUAL,
    FLAWED,
    LACKING,
    LEAKING,
    NEVER_RAN,
    PERSON,
    PROVED,
    REFUSED,
    STDERR,
    UNGRADED,
    judge,
)
from conformance.worker import half

from autograder.course.nbgrader_config import read_nbgrader_config

needs_nbgrader = pytest.mark.skipif(find_spec("nbgrader") is None, reason="nbgrader is not installed")


def cell(source: str, grade_id: str = "", kind: str = "code", **flags: Any) -> dict[str, Any]:
    known = {"grade": False, "solution": False, "locked": False, "schema_version": 3, "task": False}
    metadata = {"nbgrader": {**known, "grade_id": grade_id, **flags}} if grade_id else {}
    made: dict[str, Any] = {"cell_type": kind, "metadata": metadata, "source": source}
    return made | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def answer(grade_id: str, source: str) -> dict[str, Any]:
    return cell(f"### BEGIN SOLUTION\n{source}\n### END SOLUTION", grade_id, solution=True)


def exam(grade_id: str, source: str, points: float = 1) -> dict[str, Any]:
    return cell(source, grade_id, grade=True, locked=True, points=points)


def write(path: Path, *cells: dict[str, Any], language: str = "python") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    spec = {"name": "of-another-machine", "language": language, "display_name": ""}
    content = {"cells": list(cells), "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 4}
    path.write_text(json.dumps(content))
    return path


SUM = (answer("a", "a = 1"), exam("test-a", "assert a == 1"), answer("b", "b = 2"), exam("test-b", "assert b == 2"))


# --- what a corpus has -------------------------------------------------------------------------------


def found(corpus: Path) -> dict[str, str]:
    """Name → why it is skipped, of each notebook; a course without any is "none"."""
    return {u if isinstance(u, str) else u.name: "none" if isinstance(u, str) else u.skip for u in units(corpus)}


def test_sources_are_found_at_any_depth_and_released_ones_are_not(tmp_path: Path) -> None:
    write(tmp_path / "physics/winter/source/ps1/heat.ipynb", *SUM)
    write(tmp_path / "physics/winter/release/ps1/heat.ipynb", *SUM)
    write(tmp_path / "physics/winter/submitted/ada/ps1/heat.ipynb", *SUM)
    write(tmp_path / "loose/homework.ipynb", *SUM)
    assert found(tmp_path) == {"physics/ps1/heat": "", "loose/loose/homework": ""}


def test_of_a_sample_its_notebooks_are_found_and_what_is_missing_is_named(tmp_path: Path) -> None:
    write(tmp_path / "ada+physics/heat.ipynb", *SUM)
    write(tmp_path / "ada+physics/waves.ipynb", *SUM)
    drawn = {Place("ada/physics", "c0ffee"): ("heat.ipynb", "gone.ipynb")}
    heat, gone = units(tmp_path, drawn)
    assert (heat.name if isinstance(heat, Unit) else "", gone) == (
        "ada+physics/ada+physics/heat",
        "ada+physics/gone.ipynb",
    )


def test_a_course_without_notebooks_of_nbgraders_is_named(tmp_path: Path) -> None:
    write(tmp_path / "plain/slides.ipynb", cell("1 + 1"))
    assert found(tmp_path) == {"plain": "none"}


def test_a_notebook_that_cannot_be_compared_says_why(tmp_path: Path) -> None:
    write(tmp_path / "c/source/r/p.ipynb", *SUM, language="R")
    write(tmp_path / "c/source/essay/p.ipynb", cell("Why?", "w", "markdown", grade=True, solution=True, points=3))
    write(tmp_path / "c/source/stub/p.ipynb", cell("# YOUR CODE HERE", "a", solution=True), exam("t", "assert a"))
    assert found(tmp_path) == {
        "c/essay/p": "no autograded test",
        "c/r/p": "another language (R)",
        "c/stub/p": "no instructor's solution",
    }


def test_the_course_folder_is_that_of_the_nearest_configuration(tmp_path: Path) -> None:
    path = write(tmp_path / "c/deep/course/homework/ps1/p.ipynb", *SUM)
    config = tmp_path / "c/deep/course/nbgrader_config.py"
    config.write_text("c = get_config()\nc.CourseDirectory.source_directory = 'homework'\n")
    (unit,) = units(tmp_path)
    assert isinstance(unit, Unit)
    assert (unit.root, source_directory(unit.root)) == (config.parent, "homework")
    folder = lay_out(unit, tmp_path / "scratch")
    assert folder == tmp_path / "scratch/homework/a1"
    assert (tmp_path / "scratch/nbgrader_config.py").is_file()
    assert json.loads((folder / path.name).read_text())["metadata"]["kernelspec"]["name"] == "python3"


def test_files_beside_a_notebook_go_along_and_other_notebooks_do_not(tmp_path: Path) -> None:
    folder = write(tmp_path / "c/source/ps1/p.ipynb", *SUM).parent
    write(folder / "q.ipynb", *SUM)
    (folder / "data").mkdir()
    (folder / "data/rows.csv").write_text("1,2\n")
    (folder / "secret").symlink_to("/etc/passwd")
    (unit, _) = units(tmp_path)
    assert isinstance(unit, Unit)
    target = lay_out(unit, tmp_path / "scratch")
    assert {p.relative_to(target).as_posix() for p in target.rglob("*") if p.is_file()} == {"p.ipynb", "data/rows.csv"}


def test_a_header_that_the_configuration_names_goes_along(tmp_path: Path) -> None:
    course = write(tmp_path / "c/older/ps1/p.ipynb", *SUM).parents[2]
    write(course / "source/header.ipynb", *SUM)
    options = "c.IncludeHeaderFooter.header = 'source/header.ipynb'\nc.IncludeHeaderFooter.footer = '/etc/passwd'\n"
    (course / "nbgrader_config.py").write_text(f"c = get_config()\n{options}")
    unit = next(unit for unit in units(tmp_path) if isinstance(unit, Unit) and unit.path.stem == "p")
    lay_out(unit, tmp_path / "scratch")
    assert (tmp_path / "scratch/source/header.ipynb").is_file()
    assert {p.name for p in (tmp_path / "scratch").rglob("*") if p.is_file()} == {
        "header.ipynb",
        "nbgrader_config.py",
        "p.ipynb",
    }


def test_each_course_has_its_first_notebook_before_any_has_its_second(tmp_path: Path) -> None:
    for name in ("a/source/1/p", "a/source/2/p", "b/source/1/p"):
        write(tmp_path / f"{name}.ipynb", *SUM)
    ordered = [u if isinstance(u, str) else u.name for u in in_turns(units(tmp_path))]
    assert ordered == ["a/1/p", "b/1/p", "a/2/p"]


def test_the_database_is_none_that_a_course_names(tmp_path: Path) -> None:
    path = write(tmp_path / "c/source/ps1/p.ipynb", *SUM)
    config = path.parents[2] / "nbgrader_config.py"
    config.write_text("c.CourseDirectory.db_url = os.environ['DB']")
    use_own_gradebook(config.parent)
    named = read_nbgrader_config(config.parent).get("CourseDirectory", "db_url")
    assert named == f"sqlite:///{config.parent}/gradebook.db"


def test_the_half_has_every_other_answer() -> None:
    assert half(["a", "b", "c"]) == {"a", "c"}


# --- the verdict -------------------------------------------------------------------------------------


def theirs(score: float | None = 1, error: str = "", **flags: Any) -> dict[str, Any]:
    said = [error] if error else []
    test = {"score": score, "points": 1.0, "error": said, "stderr": False, "ran": True, **flags}
    return {"refused": "", "said": "", "graded": {"solution": {"tests": {"t": test}, "errors": said}}}


def ours(score: float = 1, *, proved: bool = True, reason: str = "", manual: bool = False) -> dict[str, Any]:
    question = {"score": score, "outcome": "passed", "manual": manual, "message": ""}
    return {"proved": proved, "reason": reason, "graded": {"solution": {"t": question}}}


@pytest.mark.parametrize(
    ("their", "our", "category", "reason"),
    [
        (theirs(), ours(), PROVED, ""),
        (theirs(), ours(0, proved=False, reason="line 2: no"), REFUSED, "line 2"),
        (theirs(0, "AssertionError: no"), ours(0, proved=False), FLAWED, "AssertionError"),
        (theirs(0, "ModuleNotFoundError: No module named 'obspy'"), ours(0, proved=False), LACKING, "module obspy"),
        (theirs(0, "FileNotFoundError: rows.csv"), ours(0, proved=False), LACKING, "rows.csv"),
        (theirs(0, stderr=True), ours(), FLAWED, "standard error"),
        (theirs(), ours(0, proved=False, reason="x.py: line 1: students would see the marked part"), LEAKING, "x.py"),
        ({"refused": "no such cell"}, {}, UNGRADED, "no such cell"),
    ],
)
def test_a_notebook_is_proved_refused_or_not_the_kits_fault(
    their: dict[str, Any], our: dict[str, Any], category: str, reason: str
) -> None:
    verdict = judge("c/p", their, our)
    assert verdict.category == category
    assert reason in verdict.reason


def test_points_without_work_are_a_flaw_of_the_source_where_nbgrader_gives_them_too() -> None:
    their = theirs()
    their["graded"]["unchanged"] = {"tests": {"t": {**theirs()["graded"]["solution"]["tests"]["t"]}}, "errors": []}
    reason = "a1 does not prove itself:\n  - p, t: the unchanged release gets 1 of 1 points; let the test need"
    assert judge("c/p", their, ours(proved=False, reason=reason)).category == FLAWED
    assert judge("c/p", theirs(), ours(proved=False, reason=reason)).category == REFUSED


@pytest.mark.parametrize(
    ("their", "our", "verdict"),
    [
        (theirs(1), ours(1), EQUAL),
        (theirs(2 / 3), ours(0.67), EQUAL),
        (theirs(0, "NameError"), ours(1), DIFFERENT),
        (theirs(1), ours(0), DIFFERENT),
        (theirs(1), ours(0, manual=True), PERSON),
        (theirs(0, stderr=True), ours(1), STDERR),
        (theirs(1, ran=False), ours(0), NEVER_RAN),
    ],
)
def test_scores_are_compared_one_by_one(their: dict[str, Any], our: dict[str, Any], verdict: str) -> None:
    (score,) = judge("c/p", their, our).scores
    assert score.verdict == verdict


def test_the_shares_count_what_nbgrader_gives_full_marks() -> None:
    """A flaw of the source counts for neither side, and a documented difference is no score to compare."""
    verdicts = [
        judge("c/p", theirs(), ours()),
        judge("c/q", theirs(), ours(0, proved=False)),
        judge("c/r", theirs(0, "AssertionError"), ours(0)),
        judge("c/s", theirs(0, stderr=True), ours()),
    ]
    counts = summary(verdicts)
    assert (counts["share_proved"], counts["share_equal"]) == (1 / 2, 2 / 3)
    assert "50.0% of what nbgrader gives full marks" in "\n".join(summary_lines(counts))


# --- all of it ---------------------------------------------------------------------------------------


@pytest.mark.sandbox
@needs_nbgrader
def test_nbgrader_sees_neither_the_network_nor_the_home(tmp_path: Path) -> None:
    import subprocess

    probe = "import os, socket; print(os.listdir('/home') if os.path.exists('/home') else [], socket.if_nameindex())"
    done = subprocess.run(walled(tmp_path, ["python3", "-c", probe]), capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[]", "[(1,", "'lo')]"]


@pytest.mark.slow
@needs_nbgrader
def test_a_corpus_is_compared_and_a_second_run_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "corpus/good/source/ps1/sum.ipynb", *SUM)
    write(tmp_path / "corpus/bad/source/ps1/wrong.ipynb", answer("a", "a = 1"), exam("t", "assert a == 2"))
    write(tmp_path / "corpus/other/slides.ipynb", cell("1 + 1"))
    told = tmp_path / "told.json"
    arguments = [str(tmp_path / "corpus"), "--results", str(tmp_path / "kept"), "--json", str(told)]
    assert main(arguments) == 0
    content = json.loads(told.read_text())
    assert {row["name"]: row["category"] for row in content["notebooks"]} == {
        "bad/ps1/wrong": FLAWED,
        "good/ps1/sum": PROVED,
        "other": "skipped",
    }
    students = {score["student"] for row in content["notebooks"] for score in row["scores"]}
    assert students == {"solution", "unchanged", "half"}
    for_a_person = 2  # a question that the solution itself fails: one of the solution, one of the unchanged release
    assert content["summary"]["share_proved"] == 1
    assert content["summary"]["share_equal"] == (8 - for_a_person) / 8
    for kept in (tmp_path / "kept").glob("good*/*.json"):
        kept.write_text(kept.read_text().replace('"score": 1.0', '"score": 0.5'))
    capsys.readouterr()
    main([*arguments, "--only", "good"])
    assert "flaw of the source" in capsys.readouterr().out, "what was kept is read, not found again"


def test_an_audit_names_right_answers_that_lose_points_and_weak_tests() -> None:
    lost = {"verdict": "lost", "cell": "squares", "operator": "a tuple for a list"}
    question = {"id": "test-squares", "remarks": ["It looks at the shape alone."]}
    said = audited({"caught": 7, "wrong": 9, "results": [lost], "questions": [question]})
    verdict = judge("c/p", theirs(), ours() | {"audit": said})
    assert list(lines(verdict))[1:] == [
        "                      audit: 7 of 9 wrong answers caught",
        "                      audit: right, and loses points: squares: a tuple for a list",
        "                      audit: test-squares: It looks at the shape alone.",
    ]
