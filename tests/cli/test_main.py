"""The command line: what it says, and with which exit code it ends."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from helpers import tiny
from helpers.commands import commands
from helpers.kernels import InProcessKernel
from helpers.tiny import (
    SOLUTION,
    TEST,
    YAML,
    Here,
    grade_here,
    grade_in_this_process,
    observe_here,
    submit,
    tiny_course,
)
from rich.console import Console

from autograder import cli
from autograder.cli.progress import BatchProgress, _Remaining
from autograder.coordinator import batch, locks
from autograder.coordinator.observation import is_observed
from autograder.errors import HostError, SandboxError
from autograder.exchange.work import Endings, Work
from autograder.records.course import Course, Engine
from autograder.records.ending import Ending, EndingKind
from autograder.records.grade import Grade, NotebookGrade, NotGraded
from autograder.records.run import RunStatus
from autograder.sandbox import Finding

COMMANDS = (
    "release", "try", "submit", "collect", "grade", "feedback", "report", "export", "import-otter", "doctor",
    "demo", "people", "post", "review", "second-look", "audit", "bundle", "calibrate", "replay", "gradescope",
    "prairielearn", "artemis",
    "why", "questions", "similar", "serve", "attempts", "import", "init", "new", "schema", "lint",
)  # fmt: skip


@pytest.fixture
def course(tmp_path: Path) -> Course:
    made = tiny_course(tmp_path / "course")
    for name in ("ada", "bob", "eve"):
        submit(made, name)
    submit(made, "bob", "def double(x):\n    return 2")
    return made


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Here:
    """Batches run in this process, with no sandbox."""
    executor = Here()
    monkeypatch.setattr(tiny, "start_kernel", lambda work: InProcessKernel())
    grade_in_this_process(monkeypatch, executor)
    return executor


def autograder(*arguments: object) -> Result:
    given = [str(a) for a in arguments]
    result = CliRunner().invoke(cli.main, given, catch_exceptions=False, prog_name="autograder")
    assert "Traceback" not in result.output
    return result


def on(course: Course, command: str, *arguments: object) -> Result:
    return autograder(command, *arguments, "--course", course.root)


def failing(student: str) -> Callable[[Work], object]:
    def grade(work: Work) -> object:
        if work.student == student:
            raise HostError("no space left")
        return grade_here(work)

    return grade


# --- help ------------------------------------------------------------------------------------------------


def test_the_commands_are_these_and_each_teaches_with_examples() -> None:
    assert set(commands()) == set(COMMANDS)
    for name in COMMANDS:
        said = autograder(name, "--help")
        assert said.exit_code == 0
        assert f"  autograder {name}" in said.stdout.split("Examples:")[1]


def test_a_command_that_was_removed_says_what_to_do_instead() -> None:
    done = CliRunner().invoke(cli.main, ["convert", "hw", "--to", "nbgrader"])
    assert (done.exit_code, "'convert' was removed: a course grades sources of otter-grader" in done.output) == (
        2,
        True,
    )


def test_the_version_is_said() -> None:
    assert autograder("--version").stdout == "autograder, version 0.1.0\n"


def test_help_names_the_exit_codes_and_the_way_through_a_term() -> None:
    said = " ".join(autograder("--help").stdout.split())
    assert "0 done, 1 the course or the input is wrong, 2 usage, 3 some submissions could not be graded" in said
    assert said.index("autograder release") < said.index("autograder grade")


# --- exit codes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["grade", "release", "report", "feedback"])
def test_an_unknown_assignment_is_usage_and_names_the_ones_there_are(course: Course, command: str) -> None:
    said = on(course, command, "hq")
    assert said.exit_code == 2
    assert "error: there is no assignment 'hq' in this course (assignments: hw)" in said.stderr


@pytest.mark.parametrize(
    "arguments",
    [["grade"], ["release"], ["grade", "hw", "--forse"], ["grde"], ["grade", "hw", "--workers", "0"],
     ["grade", "hw", "--course", "/nowhere"], ["submit", "missing.ipynb", "--student", "ada"]],
)  # fmt: skip
def test_a_wrong_command_line_is_usage(arguments: list[str]) -> None:
    assert autograder(*arguments).exit_code == 2


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("course: tiny\nassignment: {}\n", "course.yaml:2: unknown key 'assignment'"),
        (YAML.replace("cell_seconds: 20", "cell_seconds: soon"), "course.yaml:5: "),
    ],
)
def test_a_wrong_course_is_1_with_file_and_line(course: Course, yaml: str, message: str) -> None:
    (course.root / "course.yaml").write_text(yaml)
    for command in ("grade", "release", "report"):
        said = on(course, command, "hw")
        assert said.exit_code == 1
        assert f"error: {message}" in said.stderr


def test_a_source_that_does_not_prove_itself_is_1_and_nothing_is_written(course: Course, here: Here) -> None:
    tiny_course(course.root, solution=SOLUTION.replace("2 * x", "x"))
    said = on(course, "release", "hw")
    assert said.exit_code == 1
    assert "error: hw does not prove itself" in said.stderr
    assert not course.release("hw").exists()
    assert on(course, "release", "hw", "--no-prove").exit_code == 0
    assert course.release("hw").is_dir()


def test_without_a_sandbox_it_is_3_and_nothing_is_graded(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    def find() -> str:
        raise SandboxError("bubblewrap is not installed: student code cannot be run safely.")

    monkeypatch.setattr("autograder.sandbox.bubblewrap.find_bwrap", find)
    for command in ("grade", "release"):
        said = on(course, command, "hw")
        assert said.exit_code == 3
        assert "error: bubblewrap is not installed" in said.stderr
    for name in ("autograded", "release", "gradebook.db", "grades.csv"):
        assert not (course.root / name).exists()


def test_a_sandbox_that_does_not_hold_is_3_and_nothing_is_graded(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    finding = Finding("network", False, "the internet can be reached", "unplug it")
    monkeypatch.setattr("autograder.sandbox.self_tests.self_test", lambda sandbox: (finding,))
    said = on(course, "grade", "hw")
    assert said.exit_code == 3
    assert "network: the internet can be reached" in said.stderr
    assert "unplug it" in said.stderr
    assert not (course.root / "autograded").exists()


# --- grade -----------------------------------------------------------------------------------------------


def test_grade_shows_each_student_a_table_and_where_everything_is(course: Course, here: Here) -> None:
    said = on(course, "grade", "hw")
    assert said.exit_code == 0
    assert said.stderr.splitlines() == [
        "[1/3] ada: 2/2 completed",
        "[2/3] bob: 0/2 completed",
        "[3/3] eve: 2/2 completed",
    ]
    head, *rows = said.stdout.splitlines()
    assert head.split() == ["student", "score", "status", "seconds", "MiB", "to", "do"]
    assert [row.split()[:5] for row in rows[:3]] == [
        ["ada", "2", "/", "2", "completed"], ["bob", "0", "/", "2", "completed"], ["eve", "2", "/", "2", "completed"],
    ]  # fmt: skip
    for path in ("gradebook.db", "grades.csv", "reports/hw.html", "feedback/ada/hw/nb.html"):
        assert str(course.root / path) in said.stdout
        assert (course.root / path).is_file()


def test_grade_again_says_that_all_is_current(course: Course, here: Here) -> None:
    on(course, "grade", "hw")
    here.started.clear()
    said = on(course, "grade", "hw")
    assert said.stderr == "3 of 3 have a current grade.\n"
    assert here.started == []
    submit(course, "bob")
    assert on(course, "grade", "hw").stderr == "2 of 3 have a current grade.\n[1/1] bob: 2/2 completed\n"
    assert on(course, "grade", "hw", "--force", "--student", "eve").stderr == "[1/1] eve: 2/2 completed\n"


def test_grade_notes_once_that_the_solution_ran_where_no_release_has(
    course: Course, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.coordinator.observation.is_observed", is_observed)
    text = "note: hw: the solution ran twice, to see what answers may do; a release does it before"
    assert [line for line in on(course, "grade", "hw").stderr.splitlines() if "note" in line] == [text]
    assert "note" not in on(course, "grade", "hw").stderr


def test_grade_of_nobody_is_usage(course: Course, here: Here, tmp_path: Path) -> None:
    said = on(course, "grade", "hw", "--student", "max")
    assert said.exit_code == 2
    assert "no submission of max" in said.stderr
    said = on(tiny_course(tmp_path / "empty"), "grade", "hw")
    assert said.exit_code == 2
    assert "there is no submission of hw" in said.stderr


def test_quiet_says_nothing_where_nothing_is_wrong(course: Course, here: Here, tmp_path: Path) -> None:
    to = tmp_path / "all.json"
    said = on(course, "grade", "hw", "--quiet", "--json", to)
    assert (said.exit_code, said.output) == (0, "")
    content = json.loads(to.read_text())
    assert [g["student"] for g in content["grades"]] == content["graded"] == ["ada", "bob", "eve"]
    assert content["not_graded"] == []


def test_who_could_not_be_graded_is_3_named_and_in_the_report(course: Course, here: Here, tmp_path: Path) -> None:
    here.grade = failing("bob")  # type: ignore[assignment]
    to = tmp_path / "all.json"
    said = on(course, "grade", "hw", "--json", to)
    assert said.exit_code == 3
    assert "[3/3] bob: not graded" in said.stderr
    assert "not graded: bob: no space left" in said.stderr
    assert "bob" not in said.stdout
    page = (course.reports / "hw.html").read_text()
    assert "<b>bob</b>: no space left" in page
    assert json.loads(to.read_text())["not_graded"] == [{"student": "bob", "reason": "no space left"}]
    assert "bob" not in course.grades_csv.read_text()
    quiet = on(course, "grade", "hw", "--quiet")
    assert (quiet.exit_code, quiet.output) == (3, "not graded: bob: no space left\n")


@pytest.mark.parametrize("name", ["e\x1b[2Jvil[bold]", "[bold]a\u202etxt", "[bold]x\nnot graded: ada"])
def test_names_and_reasons_move_no_cursor(course: Course, here: Here, name: str) -> None:
    """A folder's name may be a student's choice; each command shows it as text, on one line."""
    submit(course, name)
    here.grade = failing(name)  # type: ignore[assignment]
    failed = on(course, "grade", "hw", "--student", name)
    here.grade = grade_here
    shown = [failed, on(course, "grade", "hw"), on(course, "feedback", "hw"), on(course, "report", "hw")]
    tiny_course(course.root, test=TEST.replace("42", "42.0"))
    shown += [on(course, "report", "hw"), on(course, "export"), on(course, "feedback", "hw", "--student", name[:-1])]
    for said in shown:
        assert all(line.isprintable() for line in said.output.splitlines())
        assert "\nnot graded: ada" not in said.output
    assert sum("[bold]" in said.output for said in shown) >= 4


def test_who_could_not_be_graded_is_named_also_where_nothing_can_be_recorded(
    course: Course, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise HostError("gradebook.db is locked")

    here.grade = failing("bob")  # type: ignore[assignment]
    monkeypatch.setattr("autograder.results.publication.record", refuse)
    said = on(course, "grade", "hw", "--quiet")
    assert said.exit_code == 3
    assert said.stderr == "not graded: bob: no space left\nerror: gradebook.db is locked\n"


def test_grades_of_an_older_exam_are_named(course: Course, here: Here) -> None:
    on(course, "grade", "hw")
    tiny_course(course.root, test=TEST.replace("42", "42.0"))
    said = on(course, "grade", "hw", "--student", "bob")
    note = "note: ada: its grade (2 of 2) is of an older exam; grade it again\n"
    assert note in said.stderr
    assert note in on(course, "report", "hw").stderr
    assert "note: hw, eve: its grade (2 of 2) is of an older exam" in on(course, "export").stderr
    assert (course.root / "reports/hw.html").read_text().count("is of an older exam") == 2


def log_of(course: Course) -> Path:
    """The one batch log that there is."""
    (path,) = (course.state / "log/hw/batches").glob("*.log")
    return path


@pytest.mark.parametrize(
    ("options", "go_on"),
    [([], []), (["--quiet"], ["--quiet"]), (["--force"], ["--student", "bob", "--student", "eve", "--force"])],
    ids=["plain", "quiet", "a forced batch would begin anew, so that those who are left are named"],
)
@pytest.mark.parametrize(("signal_number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_batch_with_its_exit_code_and_the_command_that_goes_on(
    course: Course, here: Here, options: list[str], go_on: list[str], signal_number: signal.Signals, code: int
) -> None:
    def interrupt(work: Work) -> object:
        if work.student == "bob" and not work.replay_only:
            signal.raise_signal(signal_number)
        return grade_here(work)

    here.grade = interrupt  # type: ignore[assignment]
    said = on(course, "grade", "hw", *options)
    command = shlex.join(["autograder", "grade", "hw", "--course", str(course.root), *go_on])
    log = log_of(course)
    assert said.exit_code == code
    assert said.stderr.endswith(
        f"\nStopped.\n1 of 3 are graded; their grades are kept.\ncontinue {command}\nlog      {log}\n"
    )
    assert log.read_text().endswith(f"continue {command}\n")
    here.grade = grade_here
    again = autograder(*shlex.split(command)[1:])
    assert again.exit_code == 0
    assert set(here.started[-2:]) == {"bob", "eve"}


def test_a_stop_before_and_after_the_grading_says_how_to_go_on_too(
    course: Course, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("autograder.results.publication.record", interrupt)
    said = on(course, "grade", "hw")
    assert (
        said.exit_code,
        "3 of 3 are graded; their grades are kept.\ncontinue autograder grade hw" in said.stderr,
    ) == (
        130,
        True,
    )
    assert "\nended " in log_of(course).read_text()
    monkeypatch.setattr("autograder.coordinator.assignment.require_walls", interrupt)
    said = on(course, "grade", "hw")
    assert (said.exit_code, said.stderr) == (130, "\nStopped.\n")


def test_each_batch_leaves_a_log_and_says_where(course: Course, here: Here) -> None:
    here.grade = failing("bob")  # type: ignore[assignment]
    said = on(course, "grade", "hw", "--workers", "2")
    log = log_of(course)
    assert f"log            {log}\n" in said.stdout
    text = log.read_text()
    assert f"command  autograder grade hw --course {course.root} --workers 2\n" in text
    assert "to do    3 submissions, 2 at a time\n" in text
    assert "  bob  not graded: no space left\n" in text
    assert "counts   completed 2 · not graded 1\n" in text
    assert "bob" in on(course, "grade", "hw", "--quiet").stderr
    here.grade = grade_here
    on(course, "grade", "hw")
    logs = set((course.state / "log/hw/batches").iterdir())
    assert len(logs) == 3
    said = on(course, "grade", "hw")
    assert "log  " not in said.stdout
    assert set((course.state / "log/hw/batches").iterdir()) == logs, "a batch that grades nobody has no log"


# --- the other commands ----------------------------------------------------------------------------------


def test_release_says_where_it_is_and_that_it_is_proved(course: Course, here: Here) -> None:
    said = on(course, "release", "hw")
    assert said.exit_code == 0
    assert f"{course.release('hw')}  (2 points; proved: " in said.stdout
    assert "not proved" in on(course, "release", "hw", "--no-prove").stdout


def test_feedback_report_and_export_name_what_they_write(course: Course, here: Here, tmp_path: Path) -> None:
    for command in ("feedback", "report"):
        said = on(course, command, "hw")
        assert said.exit_code == 2
        assert "nothing is graded; run `autograder grade hw` first" in said.stderr
    on(course, "grade", "hw", "--quiet")
    assert on(course, "feedback", "hw", "--student", "bob").stdout == f"{course.feedback('bob', 'hw')}/nb.html\n"
    assert len(on(course, "feedback", "hw").stdout.splitlines()) == 3
    assert on(course, "report", "hw").stdout == f"{course.reports}/hw.html\n"
    to = tmp_path / "term.csv"
    assert on(course, "export", "--to", to).stdout == f"{to}\n"
    assert to.read_text().startswith("assignment,student,score")


def test_submit_takes_the_assignments_name_and_collect_brings_it_in(course: Course, tmp_path: Path) -> None:
    path = submit(course, "max") / "nb.ipynb"
    said = autograder("submit", path, "--student", "max", "--assignment", "hw", "--out", tmp_path)
    assert said.exit_code == 0
    (packed,) = tmp_path.glob("hw-max-*.zip")
    path.unlink()
    path.parent.rmdir()
    said = on(course, "collect", "hw", packed)
    assert (said.exit_code, said.stdout.split()[0]) == (0, "collected")
    assert path.is_file()


@pytest.mark.parametrize(
    ("text", "stamp"),
    [
        ("2026-03-02T18:00+01:00", "2026-03-02 17:00:00.000000 UTC"),
        ("2026-03-02T18:00", "2026-03-02 18:00:00.000000 UTC"),
        ("2026-03-02", "2026-03-02 00:00:00.000000 UTC"),
    ],
)
def test_collect_counts_the_time_that_it_is_told(course: Course, tmp_path: Path, text: str, stamp: str) -> None:
    inbox = tmp_path / "inbox/max/hw"
    inbox.mkdir(parents=True)
    (inbox / "nb.ipynb").write_text((course.submitted("ada", "hw") / "nb.ipynb").read_text())
    said = on(course, "collect", "hw", tmp_path / "inbox", "--received", text)
    assert said.exit_code == 0, said.output
    assert (course.submitted("max", "hw") / "timestamp.txt").read_text() == stamp


def test_collect_refuses_a_time_that_is_none_and_says_what_it_refused(course: Course, tmp_path: Path) -> None:
    said = on(course, "collect", "hw", tmp_path, "--received", "yesterday")
    assert said.exit_code == 2
    assert "'yesterday' is not a time; write it like 2026-03-02T18:00+01:00" in said.stderr
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK nothing")
    said = on(course, "collect", "hw", broken)
    assert said.exit_code == 1
    assert said.stdout.startswith("refused")


def test_collect_waits_for_no_batch(course: Course, tmp_path: Path) -> None:
    with batch.exclusive(course):
        said = on(course, "collect", "hw", tmp_path)
    assert said.exit_code == 3
    assert "has been at work since" in said.stderr


def test_people_and_collect_go_on_beside_a_proof(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.cli.release.require_sandbox", lambda assignment: None)
    roster = tmp_path / "list.csv"
    roster.write_text("id,name\nada,Ada Lovelace\n")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/ada.ipynb").write_bytes((course.submitted("ada", "hw") / "nb.ipynb").read_bytes())
    with locks.held(course, locks.RELEASING):
        assert on(course, "people", "import", roster).exit_code == 0
        assert on(course, "collect", "hw", tmp_path / "in").exit_code == 0
        said = on(course, "release", "hw")
    assert said.exit_code == 3
    assert "has been at work since" in said.stderr


def test_a_dry_run_of_people_says_what_would_be_written_even_beside_a_batch(course: Course, tmp_path: Path) -> None:
    roster = tmp_path / "list.csv"
    roster.write_text("id,name\nada,Ada Lovelace\n")
    with batch.exclusive(course):
        said = on(course, "people", "import", roster, "--dry-run")
        refused = on(course, "people", "import", roster)
    assert (said.exit_code, refused.exit_code) == (0, 3)
    assert "people.csv would be written: 1 people, 1 new" in said.stdout
    assert not (course.root / "people.csv").exists()


def test_doctor_looks_at_the_packages_and_says_what_it_cannot_check(monkeypatch: pytest.MonkeyPatch) -> None:
    fine = (Finding("network", True, "loopback only"),)
    monkeypatch.setattr("autograder.sandbox.self_tests.self_test", lambda sandbox: fine)
    monkeypatch.setattr("autograder.cli.installation.warm_start", lambda *_, **__: ())
    monkeypatch.setattr("autograder.cli.installation.optional_sandbox", lambda name: fine[0])
    said = autograder("doctor")
    assert said.exit_code == 0, said.output
    for name in ("network", "nbgrader", "ipykernel", "keras"):
        assert f"ok   {name}" in said.stdout
    assert "Not checked: whether what a lesson imports is installed" in said.stdout
    monkeypatch.setattr("autograder.cli.installation._min_versions", lambda: {"ipykernel": "99.1"})
    said = autograder("doctor")
    assert said.exit_code == 3
    assert "is older than 99.1" in said.stdout


def test_doctor_names_the_extra_of_each_package(monkeypatch: pytest.MonkeyPatch) -> None:
    from autograder.cli import installation

    monkeypatch.setattr("autograder._util.libraries.version", lambda name: None)
    said = {finding.name: finding.remedy for finding in installation.packages()}
    assert ".[grade]" in said["nbgrader"]
    assert ".[keras]" in said["tensorflow"]
    assert ".[theano]" in said["pytensor"]


def test_doctor_without_bubblewrap_still_says_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    def find() -> str:
        raise SandboxError("bubblewrap is not installed. Install it")

    monkeypatch.setattr("autograder.sandbox.bubblewrap.find_bwrap", find)
    monkeypatch.setattr("autograder._util.libraries.version", lambda name: None)
    said = autograder("doctor")
    assert said.exit_code == 3
    assert "FAIL bubblewrap" in said.stdout
    assert "FAIL nbgrader" in said.stdout
    assert "ok   keras                        is not installed" in said.stdout
    assert "nothing is graded until it is fixed" in said.stdout


@pytest.mark.sandbox
def test_doctor_checks_the_environments_of_a_course(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    fine = (Finding("network", True, "loopback only"),)
    monkeypatch.setattr("autograder.cli.installation.sandbox", lambda python, name: fine)
    monkeypatch.setattr("autograder.cli.installation.optional_sandbox", lambda name: fine[0])
    (course.root / "course.yaml").write_text(YAML + f"    environment: {sys.executable}\n")
    said = on(course, "doctor")
    assert said.exit_code == 0, said.output
    assert "ok   ipykernel there" in said.stdout
    (course.root / "course.yaml").write_text(YAML + "    environment: /bin/false\n")
    said = on(course, "doctor")
    assert said.exit_code == 3
    assert "FAIL /bin/false" in said.stdout


def test_a_demo_score_that_is_not_the_expected_one_is_1(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from autograder import demo

    def course(root: Path) -> Course:
        """The demo's assignment is not the first."""
        (root / "source/aside").mkdir(parents=True, exist_ok=True)
        return tiny_course(root, yaml=YAML.replace("  hw:", "  aside:\n  hw:"))

    def make_class(root: Path, name: str) -> tuple[str, ...]:
        submit(course(root), "ada")
        submit(course(root), "bob", "def double(x):\n    return 2")
        return ("ada", "bob")

    monkeypatch.setattr(demo, "make_course", lambda root: course(root) and root)
    monkeypatch.setattr(demo, "ASSIGNMENT", "hw")
    monkeypatch.setattr(demo, "make_class", make_class)
    monkeypatch.setattr(demo, "class_of", lambda name: ())
    monkeypatch.setattr(demo, "check_library", lambda name: None)
    monkeypatch.setattr(demo, "expected", lambda name, assignment: {"ada": (2, 2), "bob": (0, 1)}[name])
    monkeypatch.setattr(demo, "next_steps", lambda root, name: [("then ask", f"autograder why ada {name}")])
    right = autograder("demo", "--course", tmp_path / "demo")
    assert right.exit_code == 0
    assert re.search(r"^student +score +expected +status", right.stdout, re.M)
    assert re.search(r"^bob +0 / 2 +0 to 1 +completed", right.stdout, re.M)
    assert right.stdout.endswith("\n2 of 2 are the expected ones.\nthen ask       autograder why ada hw\n")
    monkeypatch.setattr(demo, "expected", lambda name, assignment: {"ada": (0, 1.5), "bob": (1, 1)}[name])
    said = autograder("demo", "--course", tmp_path / "demo")
    assert said.exit_code == 1
    assert "\n0 of 2 are the expected ones.\n" in said.stdout
    assert said.stderr.endswith("Not what the demo expects: ada expected 0 to 1.5, got 2; bob expected 1, got 0\n")


# --- the screen ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("done", "total", "since", "elapsed", "text"),
    [
        (0, 14, 0, 9, "left -:--"),
        (1, 14, 20, 20, "left 4:20"),
        (1, 14, 20, 30, "left 4:10"),  # it counts down while the next one runs
        (7, 14, 70, 70, "left 1:10"),
        (13, 14, 130, 200, "left 0:00"),
        (14, 14, 140, 140, "left 0:00"),
        (1, 500, 60, 60, "left 8:19:00"),
    ],
)
def test_the_time_left_goes_by_what_is_done(done: float, total: float, since: float, elapsed: float, text: str) -> None:
    assert _Remaining.text(done, total, since, elapsed) == text


def drawn(progress: BatchProgress, *outcomes: tuple[str, str]) -> list[str]:
    """The lines of the bar after each student's status."""
    console = progress.console
    with console.capture() as shown:
        for student, status in outcomes:
            book = NotebookGrade("nb", status, "", ())
            failed = NotGraded(student, "hw", Ending(EndingKind.FAILED))
            progress.advance(student, failed if status == "not graded" else Grade(student, "hw", (book,)))
        console.print(progress.bar.get_renderable())
    return re.sub(r"\x1b\[[0-9;]*m", "", shown.get()).splitlines()


@pytest.mark.parametrize("width", [80, 120])
def test_the_bar_and_the_counts_have_a_line_each(width: int) -> None:
    console = Console(width=width, force_terminal=True, legacy_windows=False, _environ={})
    long = [f"a-student-with-a-rather-long-name-{number}" for number in range(14)]
    progress = BatchProgress(long, "keras-fully-connected", console, workers=4)
    bar, counts = drawn(progress, (long[0], "not graded"), (long[1], "completed"))
    assert "2/14" in bar
    assert "a-student" in bar
    assert counts.startswith("completed 1 · not graded 1   running: a-student-with-a-rather-long-name-2, a-st")
    assert counts.endswith("…")


def test_the_counts_go_from_well_to_badly_and_name_who_runs() -> None:
    console = Console(width=120, force_terminal=True, legacy_windows=False, _environ={})
    progress = BatchProgress(["ada", "bob", "eve", "joe", "max", "e\x1b[2Jv"], "hw", console, workers=2)
    assert drawn(progress)[1] == "running: ada, bob"
    done = [("bob", "not graded"), ("ada", "timed_out"), ("joe", "completed"), ("eve", "completed")]
    assert drawn(progress, *done)[1] == "completed 2 · timed_out 1 · not graded 1   running: max, ev"
    assert drawn(progress, ("max", "missing"), ("e\x1b[2Jv", "cell_error"))[1] == (
        "completed 2 · cell_error 1 · timed_out 1 · missing 1 · not graded 1"
    )


@pytest.mark.parametrize("status", [*RunStatus, "invalid", "missing", "not graded"])
def test_no_status_is_left_out_of_the_counts(status: str) -> None:
    console = Console(width=80, force_terminal=True, legacy_windows=False, _environ={})
    assert drawn(BatchProgress(["ada"], "hw", console), ("ada", str(status)))[1] == f"{status} 1"


# --- with the real sandbox -------------------------------------------------------------------------------

ENVIRONMENT = {"PATH": os.environ.get("PATH", ""), "HOME": "/nonexistent", "LANG": "C.UTF-8"}
SLOW = "import time\ntime.sleep({})\ndef double(x):\n    return 2 * x"


@pytest.fixture
def slow_course(tmp_path: Path) -> Course:
    made = tiny_course(tmp_path / "course")
    submit(made, "a-quick")
    for name in ("b-slow", "c-slow"):
        submit(made, name, SLOW.format(18))
    observe_here(made)
    return made


def command(course: Course, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "autograder", "grade", "hw", "--course", str(course.root), *arguments]


@pytest.fixture
def running(slow_course: Course) -> Iterator[tuple[subprocess.Popen[str], set[tuple[int, str]]]]:
    """A batch whose first grade is written while two others run, and its processes."""
    process = subprocess.Popen(
        command(slow_course, "--workers", "2"),
        env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 90
        logs = slow_course.state / "log/hw/batches"  # it is written, and the coordinator knows
        while not any("a-quick        2 / 2" in path.read_text() for path in logs.glob("*.log")):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        while (
            sum(
                not name.startswith("bwrap") and "/opt/kernel/_kernel_agent" in name
                for _, name in descendants(process.pid)
            )
            < 2
        ):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield process, descendants(process.pid)
    finally:
        process.kill()
        process.communicate()


def descendants(pid: int) -> set[tuple[int, str]]:
    """pid and command line of everything that a process has started, and what those have."""
    parents: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        parents.setdefault(parent, []).append(int(status.parent.name))
    found, pending = set(), [pid]
    while pending:
        for child in parents.get(pending.pop(), []):
            pending.append(child)
            found.add((child, name_of(child)))
    return found


def name_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def left_of(processes: set[tuple[int, str]], seconds: float) -> set[tuple[int, str]]:
    deadline = time.monotonic() + seconds
    while (left := {p for p in processes if name_of(p[0]) == p[1] and p[1]}) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


@pytest.mark.sandbox
@pytest.mark.slow
def test_a_batch_that_is_killed_leaves_nothing_running_and_goes_on_where_it_was(
    slow_course: Course, running: tuple[subprocess.Popen[str], set[tuple[int, str]]]
) -> None:
    """SIGKILL of the coordinator: within two seconds no process of it lives; a second batch meanwhile was refused."""
    process, processes = running
    second = subprocess.run(
        command(slow_course), env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False
    )
    assert second.returncode == 3
    working = rf"error: `autograder grade hw .*` has been at work since \d\d:\d\d in {slow_course.root}; wait until it"
    assert re.match(working, second.stderr)
    processes |= descendants(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    assert left_of(processes, 2.0) == set()
    assert [p.parts[-3] for p in (slow_course.root / "autograded").glob("*/hw/result.json")] == ["a-quick"]
    for name in ("b-slow", "c-slow"):
        submit(slow_course, name)
    again = subprocess.run(
        command(slow_course), env=ENVIRONMENT, capture_output=True, text=True, timeout=120, check=False
    )
    assert again.returncode == 0, again.stderr
    assert again.stderr.startswith("1 of 3 have a current grade.\n")
    assert again.stdout.count("2 / 2") == 3
    assert not list(slow_course.state.glob("work/*"))


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("send", "number", "code"),
    [
        pytest.param(os.killpg, signal.SIGINT, 130, id="Ctrl-C to the whole group"),
        pytest.param(os.kill, signal.SIGTERM, 143, id="kill", marks=pytest.mark.slow),
        pytest.param(os.killpg, signal.SIGTERM, 143, id="the end of a service", marks=pytest.mark.slow),
    ],
)
def test_a_signal_ends_a_batch_cleanly(
    slow_course: Course,
    running: tuple[subprocess.Popen[str], set[tuple[int, str]]],
    send: Callable[[int, int], None],
    number: signal.Signals,
    code: int,
) -> None:
    """The exit code, how to go on, no traceback, nothing that runs on, nothing half-written, nobody "not graded"."""
    process, processes = running
    processes |= descendants(process.pid)
    send(process.pid, number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code, said
    log = log_of(slow_course)
    stopped = said.partition("\nStopped.\n")[2].splitlines()
    assert stopped == [
        "1 of 3 are graded; their grades are kept.",
        f"continue python -m autograder grade hw --course {slow_course.root} --workers 2",
        f"log      {log}",
    ]
    assert "Traceback" not in said
    assert left_of(processes, 20.0) == set()
    batch_log = slow_course.state / "log/batch.log"
    assert not batch_log.exists() or "Traceback" not in batch_log.read_text()
    assert "not graded" not in log.read_text()
    assert "  a-quick        2 / 2  completed" in log.read_text()
    assert [p.name for p in (slow_course.root / "autograded").iterdir()] == ["a-quick"]
    assert not (slow_course.state / "work").exists()


# --- other machines ---------------------------------------------------------------------------------------


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """A cluster that grades in this process; what it was made and called with."""
    asked: list[tuple[object, ...]] = []

    def made(engine: object, root: Path, *, insecure: bool, warm: bool) -> Callable[..., object]:
        assert warm
        asked.append((engine, root, insecure))

        def execute(due: list[Work], workers: int) -> Endings:
            asked.append(("workers", workers))
            yield from Here()(due, workers)

        return execute

    monkeypatch.setattr(tiny, "start_kernel", lambda work: InProcessKernel())
    monkeypatch.setattr("autograder.coordinator.observation.is_observed", lambda exams: True)
    monkeypatch.setattr("autograder.extensions.cluster.connection.InCluster", made)

    def refuse(*_: object) -> bool:
        raise AssertionError("this machine grades nothing, so its sandbox is no matter")

    monkeypatch.setattr("autograder.coordinator.assignment.require_walls", refuse)
    return asked


def test_a_scheduler_grades_and_this_machine_needs_no_sandbox(
    course: Course, cluster: list[tuple[object, ...]]
) -> None:
    said = on(course, "grade", "hw", "--scheduler", "tls://host:8786", "--quiet")
    assert (said.exit_code, said.output) == (0, "")
    assert cluster == [(Engine("dask", "tls://host:8786"), course.root, False), ("workers", 0)]
    assert (course.root / "grades.csv").is_file()


def test_the_engine_of_the_course_is_used_and_the_option_goes_before_it(
    course: Course, cluster: list[tuple[object, ...]]
) -> None:
    engine = "engine: {scheduler: 'tls://one:1', ca: ca.pem}\n"
    (course.root / "course.yaml").write_text(engine + YAML)
    assert on(course, "grade", "hw", "--workers", "3", "--force").exit_code == 0
    assert on(course, "grade", "hw", "--scheduler", "tcp://two:2", "--insecure-scheduler", "--force").exit_code == 0
    assert cluster == [
        (Engine("dask", "tls://one:1", "ca.pem"), course.root, False),
        ("workers", 3),
        (Engine("dask", "tcp://two:2", "ca.pem"), course.root, True),
        ("workers", 0),
    ]


def test_a_scheduler_without_tls_is_refused_before_anything_is_sent(course: Course) -> None:
    said = on(course, "grade", "hw", "--scheduler", "tcp://127.0.0.1:8786")
    assert said.exit_code == 2
    assert "is a connection without TLS" in said.stderr
    assert "--insecure-scheduler" in said.stderr
