"""The worker: each receipt ends in one grade or in a sentence, by the way that the command line has."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import time
import zipfile
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.db import OperationalError
from helpers.archives import encrypted, zip_special, zip_with
from helpers.doors import NOTEBOOK, OTHER, SECONDS, Door, settle
from helpers.service_attempts import Attempts, graded, without_walls
from helpers.tiny import cell, notebook

from autograder.cli import main
from autograder.coordinator import locks
from autograder.coordinator.assignment import Options
from autograder.errors import HostError, Terminated
from autograder.exchange import result_json
from autograder.extensions.serve import health, jobs, serve_command, state_folder
from autograder.extensions.serve import services as services_module
from autograder.extensions.serve import worker as worker_module
from autograder.extensions.serve.hand_in import bring_in
from autograder.extensions.serve.models import Job, JobState, Kind
from autograder.records.ending import Ending, EndingKind, Whose
from autograder.records.grade import Grade, StepTimes
from autograder.results import second_look
from autograder.submissions.collection import collect
from autograder.submissions.delivery import CollectStatus

pytestmark = pytest.mark.integration


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> Attempts:
    return without_walls(monkeypatch)


def states() -> list[str]:
    return list(Job.objects.order_by("number").values_list("state", flat=True))


def test_a_hand_in_is_collected_graded_and_shown(door: Door, attempts: Attempts) -> None:
    door.hand_in()
    door.work()
    job = Job.objects.get()
    assert (job.state, job.score, job.max_score) == (JobState.DONE, 2.0, 2.0)
    folder = door.course.submitted("ada", "hw")
    assert (folder / "nb.ipynb").read_bytes() == NOTEBOOK
    assert (folder / "timestamp.txt").read_text() == job.received.strftime("%Y-%m-%d %H:%M:%S.%f UTC")
    assert "test-double" in door.visitor("ada").get("/assignments/hw/feedback/page/").content.decode()
    assert job.received <= job.begun <= job.published


def in_steps(work: Any, begun: timedelta = timedelta(0)) -> str:
    """Grade as an examiner does that says when its steps were done."""
    now = datetime.now(UTC) + begun
    return graded(work, times=StepTimes(now, now, now, now))


def test_the_row_has_the_times_of_the_grading(
    door: Door, attempts: Attempts, capsys: pytest.CaptureFixture[str]
) -> None:
    attempts.act = in_steps
    door.hand_in()
    door.work()
    job = Job.objects.get()
    assert job.received <= job.begun <= job.lent <= job.executed <= job.examined <= job.published
    serve_command._history(door.course, "", "")
    assert json.loads(capsys.readouterr().out)["lent"] == job.lent.isoformat()


def test_the_times_of_another_attempt_stand_in_no_row(door: Door, attempts: Attempts) -> None:
    """Its grade may be the one that counts, of the day before."""
    attempts.act = lambda work: in_steps(work, -timedelta(days=1))
    door.hand_in()
    door.work()
    job = Job.objects.get()
    assert (job.lent, job.executed, job.examined) == (None, None, None)


def test_students_see_no_step_between_which_a_hidden_test_ran(door: Door, attempts: Attempts) -> None:
    attempts.act = in_steps
    receipt = door.hand_in().url
    door.work()
    page = door.visitor("ada").get(receipt).content.decode()
    assert page.count("<time ") == 4  # received, twice, begun and published
    staff = door.visitor("meier").get("/staff/submissions/").content.decode()
    assert "lent <time " in staff
    assert "examined <time " in staff


def test_the_submission_is_the_one_that_collect_makes_of_the_same_file(door: Door, tmp_path: Path) -> None:
    archive = zip_with(("deep/nb.ipynb", NOTEBOOK), ("deep/data.txt", b"1"))
    door.hand_in("ada", archive, "x.zip")
    with door.worker() as worker:
        worker._services.submit = lambda *_, **__: None
        worker.look()
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "ada.zip").write_bytes(archive)
    (collected,) = collect(door.course, "hw", inbox)
    assert (collected.student, str(collected.status)) == ("ada", "unchanged")


ATTACKS: dict[str, tuple[str, bytes, str]] = {
    "no archive": ("x.zip", b"not a zip", "neither a zip nor a tar"),
    "no notebook": ("x.zip", zip_with(("a.txt", b"x")), "there is no notebook"),
    "a path out": ("x.zip", zip_with(("nb.ipynb", NOTEBOOK), ("../../evil", b"x")), "evil"),
    "a link": ("x.zip", zip_with(("nb.ipynb", NOTEBOOK), (zip_special(0o120000), b"/etc/passwd")), "evil"),
    "encrypted": ("x.zip", encrypted(), "evil"),
    "many files": (
        "x.zip",
        zip_with(("nb.ipynb", NOTEBOOK), *((f"{n}.txt", b"") for n in range(10_000))),
        "larger than allowed",
    ),
    "a bomb": ("x.zip", zip_with(("nb.ipynb", NOTEBOOK), ("zeros", bytes(64 << 20))), "zeros"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_archive_that_collect_refuses_ends_in_its_reason_and_leaves_nothing(
    door: Door, attempts: Attempts, attack: str
) -> None:
    name, content, words = ATTACKS[attack]
    door.hand_in("ada", content, name)
    door.work()
    job = Job.objects.get()
    assert job.state == JobState.REFUSED
    assert words in job.note
    assert job.note.startswith("It was refused: ")
    assert not door.course.submitted("ada", "hw").exists()
    assert list(door.course.state.glob("collect-*")) == []
    (record,) = state_folder.uploads(door.course).iterdir()
    assert json.loads(record.read_text())["sha256"] == job.sha256
    assert attempts.of == []


def declared(size: int) -> bytes:
    """A zip whose only other file says that it has this size."""
    data = bytearray(zip_with(("nb.ipynb", NOTEBOOK), ("big", b"x")))
    start = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 1)
    data[start + 24 : start + 28] = size.to_bytes(4, "little")
    return bytes(data)


def test_a_declared_size_is_not_believed_and_not_written(door: Door, attempts: Attempts) -> None:
    door.hand_in("ada", declared(0xFFFFFFF0), "x.zip")
    door.work()
    assert states() == [JobState.REFUSED]


@pytest.mark.parametrize("name", ["bob.zip", "bob_hw.zip", "hw-bob.zip", "Bob B._1_assignsubmission_file_x.zip"])
def test_neither_file_name_nor_manifest_make_it_somebody_elses(door: Door, attempts: Attempts, name: str) -> None:
    manifest = {
        "format": 1, "student": "bob", "assignment": "hw", "timestamp": "2020-01-01T00:00:00+00:00", "sha256": {},
    }  # fmt: skip
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("nb.ipynb", NOTEBOOK)
    import hashlib

    manifest["sha256"] = {"nb.ipynb": hashlib.sha256(NOTEBOOK).hexdigest()}
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("submission.json", json.dumps(manifest))
    door.hand_in("ada", buffer.getvalue(), name)
    door.work()
    job = Job.objects.get()
    assert job.state == JobState.DONE, job.note
    assert "bob" in job.note
    assert not door.course.submitted("bob", "hw").exists()
    assert door.course.submitted("ada", "hw").exists()
    assert "2020" not in (door.course.submitted("ada", "hw") / "timestamp.txt").read_text()


def test_a_second_hand_in_waits_until_the_first_one_is_graded(door: Door, attempts: Attempts) -> None:
    during: list[list[str]] = []
    door.hand_in("ada", NOTEBOOK)
    door.hand_in("ada", OTHER)
    door.hand_in("bob")

    def act(work: Any) -> str:
        time.sleep(0.3)
        during.append([work.student, (work.submission / "nb.ipynb").read_text()])
        return graded(work)

    attempts.act = act
    door.work()
    assert states() == [JobState.DONE] * 3
    assert [text for student, text in during if student == "ada"] == [NOTEBOOK.decode(), OTHER.decode()]


def test_the_same_file_from_two_tabs_has_two_receipts_and_one_grading(door: Door, attempts: Attempts) -> None:
    door.hand_in()
    door.hand_in()
    door.work()
    assert states() == [JobState.DONE, JobState.DONE]
    assert attempts.of == ["ada"]


def test_a_submission_that_is_there_without_its_time_is_graded(
    door: Door, attempts: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.hand_in()
    bring_in = worker_module.bring_in
    untimed = {"status": CollectStatus.UNCHANGED, "timestamp": None}
    monkeypatch.setattr(worker_module, "bring_in", lambda *arguments: replace(bring_in(*arguments), **untimed))
    door.work()
    assert states() == [JobState.DONE]


def test_what_the_kit_could_not_grade_is_told_apart_for_student_and_staff(door: Door, attempts: Attempts) -> None:
    attempts.act = lambda work: "the last lines of /secret/path.log: hidden"
    receipt = door.hand_in().headers["Location"]
    door.work()
    page = door.visitor("ada").get(receipt).content.decode()
    assert "a person looks at it" in page
    assert "/secret/path" not in page
    assert "/secret/path" in door.visitor("meier").get("/staff/submissions/").content.decode()


def test_jobs_of_a_killed_worker_are_done_once(door: Door, attempts: Attempts) -> None:
    door.hand_in()
    door.hand_in("bob")
    with door.worker() as worker:
        settle(worker)
    before = list(Job.objects.order_by("number").values_list("published", flat=True))
    Job.objects.filter(student="bob").update(state=JobState.BEGUN, published=None)  # killed before the last step
    assert jobs.put_all_back() == 1
    door.work()
    assert states() == [JobState.DONE, JobState.DONE]
    assert Job.objects.get(student="ada").published == before[0]
    assert attempts.of.count("bob") == 1  # the grade on disk is current


def test_a_job_that_ends_the_worker_uses_up_no_tries_of_those_beside_it(door: Door, attempts: Attempts) -> None:
    def wait(_: object) -> str:
        attempts.stopped.wait(60)
        return ""

    door.hand_in("ada")
    door.hand_in("bob")
    attempts.act = wait
    together = []
    for _ in range(3):  # ada's job ends three workers
        with door.worker() as worker:
            worker.look()
            together.append(Job.objects.filter(state=JobState.BEGUN).count())
        attempts.stopped.clear()
        jobs.put_all_back()
    assert together == [2, 2, 1]
    assert states() == [JobState.PERSON, JobState.WAITING]
    attempts.act = graded
    door.work()
    assert states() == [JobState.PERSON, JobState.DONE]


class StopsAfterOneLook:
    """An event that is set, or a signal that comes, after the worker has looked once."""

    def __init__(self, error: BaseException | None) -> None:
        self.error, self.looks = error, 0

    def wait(self, seconds: float) -> bool:
        if seconds != worker_module.LOOK_SECONDS:  # the beat's thread
            return True
        self.looks += 1
        if self.looks > 1 and self.error is not None:
            raise self.error
        return self.looks > 1


@pytest.mark.parametrize(
    ("error", "tries"), [(None, 0), (KeyboardInterrupt(), 0), (Terminated(), 0), (OperationalError("gone"), 1)]
)
def test_a_stop_costs_no_job_a_try_and_a_fault_of_the_worker_does(
    door: Door, attempts: Attempts, error: BaseException | None, tries: int
) -> None:
    def wait(_: object) -> str:
        attempts.stopped.wait(60)
        return ""

    attempts.act = wait
    door.hand_in("ada")
    door.hand_in("bob")
    worker = worker_module.Worker(door.course, Options(workers=2))
    with contextlib.nullcontext() if error is None else pytest.raises(type(error)):
        worker.run(StopsAfterOneLook(error))
    jobs.put_all_back()  # what the next worker does first
    assert list(Job.objects.values_list("state", "tries")) == [(JobState.WAITING, tries)] * 2


def test_a_job_that_ends_the_worker_each_time_is_for_a_person_after_three_tries(door: Door) -> None:
    door.hand_in()
    for state in (JobState.WAITING, JobState.WAITING, JobState.PERSON):
        jobs.begin(Job.objects.get())
        jobs.put_all_back()
        assert Job.objects.get().state == state
    assert "a person looks at it" in Job.objects.get().note


@pytest.mark.parametrize("error", [OSError("no space"), OperationalError("locked"), HostError("cannot be written")])
def test_a_fault_that_may_pass_is_tried_three_times(
    door: Door, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(services_module, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(worker_module, "bring_in", fail)
    door.hand_in()
    with door.worker() as worker:
        for state in (JobState.WAITING, JobState.WAITING, JobState.PERSON):
            worker.look()
            assert Job.objects.get().state == state
    assert str(error) in Job.objects.get().detail


@pytest.mark.parametrize(
    ("ending", "ended_states"),
    [
        (Ending(EndingKind.NO_SPACE, Whose.HOST, "words"), [JobState.WAITING] * 5),
        (Ending(EndingKind.FAILED, Whose.COURSE, "words"), [JobState.WAITING] * 5),
        (Ending(EndingKind.LOST, Whose.KIT, "words"), [JobState.WAITING, JobState.WAITING, JobState.PERSON]),
        (Ending(EndingKind.FAILED, Whose.SUBMISSION, "words"), [JobState.PERSON]),
    ],
    ids=["machine", "course", "kit", "submission"],
)
def test_who_is_at_fault_decides_whether_a_hand_in_waits(
    door: Door, attempts: Attempts, monkeypatch: pytest.MonkeyPatch, ending: Ending, ended_states: list[JobState]
) -> None:
    """A full disk or a fault of the course costs nobody a try: the receipt ends in its grade once that is over."""
    monkeypatch.setattr(services_module, "RETRY_SECONDS", 0.0)
    attempts.act = lambda work: ending
    door.hand_in()
    with door.worker() as worker:
        for state in ended_states:
            tried = len(attempts.of)
            worker.look()
            deadline = time.monotonic() + SECONDS
            while len(attempts.of) == tried or any(not entry.is_done for entry in worker._under_way):
                assert time.monotonic() < deadline
                time.sleep(0.01)
            for entry in list(worker._under_way):
                worker._under_way.remove(entry)
                worker._finish(entry)
            assert Job.objects.get().state == state
            assert Job.objects.get().detail.endswith("words")
        if ending.whose in (Whose.COURSE, Whose.HOST):
            assert Job.objects.get().tries == 0
            attempts.act = graded
            settle(worker)
            assert (Job.objects.get().state, Job.objects.get().score) == (JobState.DONE, 2.0)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_costs_a_hand_in_no_try(door: Door, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def fail(*_: Any) -> None:
        raise HostError("it cannot be written") from OSError(code, "full")

    monkeypatch.setattr(services_module, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(worker_module, "bring_in", fail)
    door.hand_in()
    with door.worker() as worker:
        for _ in range(5):
            worker.look()
    assert Job.objects.values_list("state", "tries").get() == (JobState.WAITING, 0)


def test_staff_run_a_hand_in_again_that_was_never_collected(door: Door, attempts: Attempts) -> None:
    door.hand_in()
    Job.objects.update(state=JobState.PERSON)
    door.hand_in("ada", OTHER)
    door.work()
    door.visitor("meier").post("/staff/acts/again/hw/ada/")
    door.work()
    assert Job.objects.latest("number").state == JobState.DONE
    assert (door.course.submitted("ada", "hw") / "nb.ipynb").read_bytes() == OTHER, "the newer one stays"
    (earlier,) = door.course.state.rglob("superseded/**/nb.ipynb")
    assert earlier.read_bytes() == NOTEBOOK


def test_a_service_that_ended_rests_and_is_closed(door: Door, attempts: Attempts) -> None:
    door.hand_in()
    with door.worker() as worker:
        worker.look()
        (entry,) = worker._under_way
        entry.gradings = {"ada": Future()}
        entry.gradings["ada"].cancel()
        worker.look()
        assert (states(), worker._services.resting) == ([JobState.WAITING], {"hw"})


def test_where_the_clock_was_set_back_the_newest_counts_and_the_time_is_told(door: Door, attempts: Attempts) -> None:
    door.hand_in("ada")
    Job.objects.update(received=datetime.now(UTC) + timedelta(hours=1))
    door.work()
    door.hand_in("ada", OTHER)
    door.work()
    first, second = Job.objects.order_by("number")
    assert (first.state, second.state) == (JobState.DONE, JobState.DONE)
    assert first.note.startswith("its time lies in the future")
    assert second.received < first.received
    assert (door.course.submitted("ada", "hw") / "nb.ipynb").read_bytes() == OTHER


def test_a_final_job_stays_as_it_is(door: Door) -> None:
    door.hand_in()
    job = Job.objects.get()
    jobs.finish(job, JobState.PERSON, note="first")
    jobs.finish(job, JobState.DONE, note="second")
    assert (Job.objects.get().state, Job.objects.get().note) == (JobState.PERSON, "first")


def test_a_course_that_another_command_holds_lets_hand_ins_wait(
    door: Door, attempts: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services_module, "RETRY_SECONDS", 0.0)
    door.hand_in()
    with door.worker() as worker:
        with locks.held(door.course, locks.COLLECTING):
            for _ in range(jobs.MAX_TRIES + 1):
                worker.look()
            assert states() == [JobState.WAITING]
        settle(worker)
    assert states() == [JobState.DONE]


def test_an_assignment_with_a_fault_lets_its_hand_ins_wait_and_tells_staff(
    door: Door, attempts: Attempts, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(services_module, "RETRY_SECONDS", 0.0)
    source = door.root / "source/hw/nb.ipynb"
    text = source.read_text()
    source.write_text("broken")
    door.hand_in()
    with door.worker() as worker:
        for _ in range(jobs.MAX_TRIES + 1):
            worker.look()
        worker.beat()
        assert states() == [JobState.WAITING]
        assert caplog.text.count("hw cannot be graded now") == 1
        assert "nb.ipynb" in health.faults()["hw"]
        assert (
            "1 in line cannot be graded now, by a fault of the course"
            in door.visitor("meier").get("/staff/").content.decode()
        )
        assert door.visitor().get("/healthz").status_code == 503
        source.write_text(text)
        settle(worker)
        worker.beat()
    assert states() == [JobState.DONE]
    assert door.visitor().get("/healthz").content == b"ok"


@pytest.mark.parametrize("state", [JobState.WAITING, JobState.BEGUN])
def test_a_job_without_an_end_for_a_quarter_of_an_hour_is_a_fault_of_the_door(door: Door, state: JobState) -> None:
    door.hand_in()
    health.beat(door.course)
    for minutes, status in ((14, 200), (16, 503)):
        Job.objects.update(state=state, received=datetime.now(UTC) - timedelta(minutes=minutes))
        assert door.visitor().get("/healthz").status_code == status


def test_a_fault_ends_when_what_waited_is_done(door: Door, attempts: Attempts) -> None:
    door.hand_in()
    door.work()
    jobs.add(Kind.ASK, "ada", "hw", "ada", text="Why?", detail="another command holds the course", whose="host")
    assert health.faults() == {"hw": "another command holds the course"}
    door.work()
    assert health.faults() == {}


def test_a_stop_of_the_worker_is_no_fault_of_an_assignment(door: Door) -> None:
    door.hand_in()
    jobs.begin(Job.objects.get())
    jobs.put_all_back(is_stop=True)
    assert (states(), health.faults()) == ([JobState.WAITING], {})


def test_staff_run_a_submission_again_though_its_grade_is_current(door: Door, attempts: Attempts) -> None:
    door.hand_in()
    door.work()
    door.visitor("meier").post("/staff/acts/again/hw/ada/")
    door.work()
    assert attempts.of == ["ada", "ada"]
    assert Job.objects.get(kind=Kind.AGAIN).by == "meier"


def test_a_request_for_a_second_look_and_its_answer_stand_in_the_courses_file_and_on_the_page(
    door: Door, attempts: Attempts
) -> None:
    door.hand_in()
    door.work()
    data = {"question": "test-double", "text": "My answer is <b>right</b>."}
    assert door.visitor("ada").post("/assignments/hw/second-look/", data).status_code == 302
    door.work()
    (request,) = second_look.read(door.course, "ada", "hw")
    assert (request.question, request.request) == ("test-double", data["text"])
    overview = door.visitor("meier").get("/staff/").content.decode()
    assert "My answer is &lt;b&gt;right" in overview
    door.visitor("meier").post("/staff/acts/answer/hw/ada/", {"question": "test-double", "text": "So it is."})
    door.work()
    assert second_look.read(door.course, "ada", "hw")[0].answer == "So it is."
    assert "So it is." in door.visitor("ada").get("/assignments/hw/feedback/page/").content.decode()


@pytest.mark.parametrize(("question", "text"), [("nothing", "x"), ("", ""), ("", "x" * 5001)])
def test_a_request_that_asks_nothing_is_refused(door: Door, attempts: Attempts, question: str, text: str) -> None:
    door.hand_in()
    door.work()
    answer = door.visitor("ada").post("/assignments/hw/second-look/", {"question": question, "text": text})
    assert answer.status_code == 400


def test_a_second_request_about_the_same_question_is_not_entered(door: Door, attempts: Attempts) -> None:
    door.hand_in()
    door.work()
    for text in ("first", "second"):
        door.visitor("ada").post("/assignments/hw/second-look/", {"question": "", "text": text})
        door.work()
    assert Job.objects.latest("number").state == JobState.REFUSED
    assert len(second_look.read(door.course, "ada", "hw")) == 1


def test_one_question_has_one_request_in_line(door: Door, attempts: Attempts) -> None:
    door.hand_in()
    door.work()
    ask = door.visitor("ada").post
    data = {"question": "", "text": "Why?"}
    path = "/assignments/hw/second-look/"
    assert [ask(path, data).status_code for _ in range(2)] == [302, 429]
    assert ask(path, {**data, "question": "test-double"}).status_code == 302
    door.work()
    assert Job.objects.filter(kind=Kind.ASK, state=JobState.DONE).count() == 2


def test_a_request_that_was_written_before_the_worker_ended_is_done(door: Door, attempts: Attempts) -> None:
    door.hand_in()
    door.work()
    door.visitor("ada").post("/assignments/hw/second-look/", {"question": "", "text": "Why?"})
    second_look.ask(door.course, "ada", "hw", "", "Why?")
    door.work()
    assert Job.objects.latest("number").state == JobState.DONE


def test_a_preview_is_the_commands_dry_run(door: Door, attempts: Attempts, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []

    class Process:
        returncode = 0

        def __init__(self, command: list[str], **_: Any) -> None:
            started.extend(command)
            change = {"student": "ada", "before": 1.0, "after": 2.0, "questions": [{"id": "test-double"}]}
            Path(command[command.index("--json") + 1]).write_text(json.dumps({"changes": [change]}))

        def poll(self) -> int:
            return 0

    monkeypatch.setattr(worker_module.subprocess, "Popen", Process)
    for _ in range(2):
        door.visitor("meier").post("/staff/acts/preview/hw/")
    assert Job.objects.count() == 1
    door.work()
    assert started[1:6] == ["-m", "autograder", "grade", "hw", "--dry-run"]
    assert "1 grade would change" in " ".join(door.visitor("meier").get("/staff/preview/").content.decode().split())


def test_a_course_has_one_worker(door: Door) -> None:
    with (
        worker_module.only_worker(door.course),
        pytest.raises(HostError, match="another worker"),
        worker_module.only_worker(door.course),
    ):
        pass


def test_what_was_half_sent_is_removed_after_an_hour_and_an_upload_without_a_row_never(door: Door) -> None:
    door.hand_in()
    Job.objects.all().delete()
    (upload,) = state_folder.uploads(door.course).glob("*.ipynb")
    old, new = (state_folder.incoming(door.course) / name for name in ("old", "new"))
    for path in (old, new):
        path.write_bytes(b"x")
    an_hour_ago = time.time() - 3700
    for path in (old, upload):
        os.utime(path, (an_hour_ago, an_hour_ago))
    with door.worker() as worker:
        worker._remove_abandoned()
    assert (old.exists(), new.exists(), upload.exists()) == (False, True, True)


@pytest.mark.parametrize(("content", "name"), [(NOTEBOOK, "nb.ipynb"), (zip_with(("nb.ipynb", NOTEBOOK)), "x.zip")])
def test_an_upload_whose_row_is_lost_is_collected_by_its_record(
    door: Door, tmp_path: Path, content: bytes, name: str
) -> None:
    door.hand_in("ada", content, name)
    job = Job.objects.get()
    Job.objects.all().delete()
    upload = state_folder.uploads(door.course) / job.file
    record = json.loads(upload.with_suffix(".json").read_text())
    assert record == {
        "student": "ada", "assignment": "hw", "received": job.received.isoformat(), "sha256": job.sha256,
    }  # fmt: skip
    second = record["received"].partition(".")[0]
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / f"ada_{second}{upload.suffix}").write_bytes(upload.read_bytes())
    options = ["--pattern", "{student}_{time:%Y-%m-%dT%H:%M:%S}", "--course", str(door.root)]
    folder = door.course.submitted("ada", "hw")
    for newer in (None, OTHER):
        if newer is not None:
            (folder / "nb.ipynb").write_bytes(newer)
            (folder / "timestamp.txt").write_text("2999-01-01 00:00:00 UTC")
        outcome = CliRunner().invoke(main, ["collect", "hw", str(tmp_path / "inbox"), *options])
        assert outcome.exit_code == 0, outcome.output
        assert (folder / "nb.ipynb").read_bytes() == (newer or NOTEBOOK)
        assert (folder / "timestamp.txt").read_text().startswith("2999" if newer else second[:10])


def test_attempts_that_are_left_count_what_waits_in_line(door: Door, attempts: Attempts) -> None:
    settings = door.root / "course.yaml"
    settings.write_text(
        settings.read_text().replace("title: Doubling", "title: Doubling\n    attempts: {total: 3, daily: 2}")
    )
    page = door.visitor("ada").get("/assignments/").content.decode()
    assert "3 of 3 attempts left, 2 of 2 left today" in page
    door.hand_in()
    assert "2 of 3 attempts left, 1 of 2 left today" in door.visitor("ada").get("/assignments/").content.decode()
    door.work()
    door.hand_in("ada", OTHER)
    assert "1 of 3 attempts left, 0 of 2 left today" in door.visitor("ada").get("/assignments/").content.decode()


def test_dates_are_the_students_own(door: Door) -> None:
    settings = door.root / "course.yaml"
    text = settings.read_text().replace("title: Doubling", "title: Doubling\n    due: 2030-01-10 18:00")
    settings.write_text(text + "late_days: {budget: 2}\n")
    (door.root / "extensions.csv").write_text("student,assignment,due,reason\nada,hw,2030-01-20 18:00,ill\n")
    ada, bob = (door.visitor(name).get("/assignments/").content.decode() for name in ("ada", "bob"))
    assert "20 January 2030, 18:00" in ada
    assert "10 January 2030, 18:00" in bob
    assert "You have 2 late days left." in bob


@pytest.mark.parametrize("content", [b"no notebook", notebook(cell("x = 1", "other", solution=True)).encode()])
def test_a_wrong_file_replaces_no_hand_in_and_its_sender_reads_why(content: bytes, door: Door) -> None:
    door.hand_in("ada")
    bring_in(door.course, Job.objects.get())
    Job.objects.update(state=JobState.DONE)
    door.hand_in("ada", content)
    door.work()
    job = Job.objects.last()
    assert job.state == JobState.REFUSED
    assert "UTC stays" in job.note
    assert (door.course.submitted("ada", "hw") / "nb.ipynb").read_bytes() == NOTEBOOK


@pytest.mark.sandbox
def test_an_extension_moves_a_late_grade_without_anybody_running_it_again(door: Door) -> None:
    settings = door.root / "course.yaml"
    late = "title: Doubling\n    due: 2026-01-10 18:00\n    late: {kind: per_day, per_day: 1}"
    settings.write_text(settings.read_text().replace("title: Doubling", late))
    door.hand_in()
    door.work()
    before = read_grade(door)
    due = datetime.now(UTC) + timedelta(days=1)
    (door.root / "extensions.csv").write_text(f"student,assignment,due\nada,hw,{due:%Y-%m-%d %H:%M}+00:00\n")
    with door.worker() as worker:
        worker.look()
        settle(worker)
        worker.look()
    now = read_grade(door)
    assert (before.score, now.score) == (0.0, 2.0)
    assert Job.objects.get(kind=Kind.AGAIN).by == ""
    assert Job.objects.count() == 2  # each change of the tables once


def read_grade(door: Door) -> Grade:
    return result_json.read(door.course.autograded("ada", "hw") / result_json.NAME)
