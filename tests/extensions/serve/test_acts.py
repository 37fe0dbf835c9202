"""Acts of staff: each is a row with who, when and why, which the worker does; nobody does what the course does not allow."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from helpers.doors import NOTEBOOK, OTHER, Door
from helpers.service_attempts import Attempts, without_walls

from autograder import cli
from autograder._util.time_zones import in_words
from autograder.course.configuration import load_course
from autograder.errors import CourseError
from autograder.exchange import result_json
from autograder.extensions.export import course_table
from autograder.extensions.lms.entries import entries
from autograder.extensions.serve import jobs, pages, visitors
from autograder.extensions.serve import worker as worker_module
from autograder.extensions.serve.acts import ACTS
from autograder.extensions.serve.course_keys import ACT_NAMES
from autograder.extensions.serve.course_keys import door as settings_of
from autograder.extensions.serve.models import WITH_FORM, Job, JobState, Kind, LaunchedLink
from autograder.results import given_totals, gradebook, publication
from autograder.submissions.choices import choices
from autograder.submissions.hand_ins import HandIns

pytestmark = pytest.mark.integration


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> Attempts:
    return without_walls(monkeypatch)


def act(door: Door, kind: str, student: str = "ada", by: str = "meier", **values: str) -> Any:
    path = f"/staff/acts/{kind}/hw/" + (f"{student}/" if student else "")
    return door.visitor(by).post(path, values)


def setting(door: Door, old: str, new: str) -> None:
    path = door.root / "course.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def dated(door: Door, more: str = "") -> datetime:
    due = (datetime.now(UTC) - timedelta(days=1)).replace(microsecond=0)
    setting(door, "  hw:\n", f"  hw:\n    due: {due:%Y-%m-%dT%H:%M:%SZ}\n{more}")
    return due


def newest(kind: Kind) -> Job:
    return Job.objects.filter(kind=kind).latest("number")


def two_hand_ins(door: Door) -> list[Job]:
    for content in (NOTEBOOK, OTHER):
        door.hand_in("ada", content)
        door.work()
    return list(Job.objects.filter(kind=Kind.HAND_IN).order_by("number"))


# --- that one counts


def test_staff_let_an_earlier_attempt_count_and_it_is_graded(door: Door, attempts: Attempts) -> None:
    first, _ = two_hand_ins(door)
    page = door.visitor("meier").get("/staff/students/hw/ada/").content.decode()
    (name,) = re.findall(r'name="attempt" value="(\w+)"', page)
    assert act(door, "use", attempt=name, why="the other is empty").status_code == 302
    door.work()
    row = newest(Kind.USE)
    assert (row.state, row.by, row.values["why"]) == (JobState.DONE, "meier", "the other is empty")
    assert row.values["before"] != row.values["after"]
    assert row.values["after"].startswith(name[:8])
    assert result_json.read(door.course.autograded("ada", "hw") / result_json.NAME).submitted_at == first.received
    assert [choice.by for choice in choices(door.course, "hw", ["ada"])] == ["staff meier"]
    page = door.visitor("meier").get("/staff/students/hw/ada/").content.decode()
    assert "staff meier chose it on" in page
    assert "the other is empty" in page


def test_a_student_lets_an_earlier_hand_in_count_where_the_course_allows_it(door: Door, attempts: Attempts) -> None:
    dated(door, "    attempts: {use: student}\n")
    first, second = two_hand_ins(door)
    client = door.visitor("ada")
    page = client.get("/assignments/hw/").content.decode()
    assert f'action="/receipts/{first.receipt}/use/"' in page
    assert f'action="/receipts/{second.receipt}/use/"' not in page
    answer = client.post(f"/receipts/{first.receipt}/use/")
    door.work()
    assert newest(Kind.USE).state == JobState.DONE
    assert "done" in client.get(answer.headers["Location"]).content.decode()
    assert HandIns(door.course).chosen("ada", "hw").time == first.received  # type: ignore[union-attr]
    assert f'action="/receipts/{second.receipt}/use/"' in client.get("/assignments/hw/").content.decode()


def test_a_student_is_refused_in_words_where_the_course_does_not_allow_it(door: Door, attempts: Attempts) -> None:
    first, second = two_hand_ins(door)
    client = door.visitor("ada")
    assert "/use/" not in client.get("/assignments/hw/").content.decode()
    answer = client.post(f"/receipts/{first.receipt}/use/")
    door.work()
    assert newest(Kind.USE).state == JobState.REFUSED
    assert "ask them" in client.get(answer.headers["Location"]).content.decode()
    assert HandIns(door.course).chosen("ada", "hw").time == second.received  # type: ignore[union-attr]


def test_a_receipt_of_another_student_lets_nothing_count(door: Door, attempts: Attempts) -> None:
    dated(door, "    attempts: {use: student}\n")
    first, _ = two_hand_ins(door)
    door.hand_in("bob", OTHER)
    door.work()
    assert door.visitor("bob").post(f"/receipts/{first.receipt}/use/").status_code == 404
    assert not Job.objects.filter(kind=Kind.USE).exists()
    act(door, "use", "bob", attempt=first.receipt)  # staff's form, filled with somebody else's receipt
    door.work()
    assert newest(Kind.USE).state == JobState.REFUSED
    assert choices(door.course, "hw", ["bob", "ada"]) == []


def test_a_hand_in_that_was_refused_or_still_waits_cannot_count(door: Door, attempts: Attempts) -> None:
    dated(door, "    attempts: {use: student}\n")
    two_hand_ins(door)
    door.hand_in("ada", b"no notebook")
    door.work()
    refused = Job.objects.filter(kind=Kind.HAND_IN).latest("number")
    assert refused.state == JobState.REFUSED
    door.visitor("ada").post(f"/receipts/{refused.receipt}/use/")
    door.work()
    assert newest(Kind.USE).state == JobState.REFUSED
    assert choices(door.course, "hw", ["ada"]) == []


def test_a_student_has_one_such_request_in_line(door: Door, attempts: Attempts) -> None:
    dated(door, "    attempts: {use: student}\n")
    first, _ = two_hand_ins(door)
    for _ in range(3):
        door.visitor("ada").post(f"/receipts/{first.receipt}/use/")
    assert Job.objects.filter(kind=Kind.USE).count() == 1


def test_what_was_handed_in_after_the_click_counts_though_the_worker_comes_later(
    door: Door, attempts: Attempts
) -> None:
    dated(door, "    attempts: {use: student}\n")
    first, _ = two_hand_ins(door)
    door.visitor("ada").post(f"/receipts/{first.receipt}/use/")
    door.hand_in("ada", OTHER + b"\n")
    door.work()
    third = Job.objects.filter(kind=Kind.HAND_IN).latest("number")
    assert HandIns(door.course).chosen("ada", "hw").time == third.received  # type: ignore[union-attr]


def test_after_staffs_word_a_student_is_offered_no_choice(door: Door, attempts: Attempts) -> None:
    dated(door, "    attempts: {use: student}\n")
    first, second = two_hand_ins(door)
    act(door, "use", attempt=first.receipt)
    door.work()
    assert "/use/" not in door.visitor("ada").get("/assignments/hw/").content.decode()
    door.visitor("ada").post(f"/receipts/{second.receipt}/use/")
    door.work()
    assert newest(Kind.USE).state == JobState.REFUSED


# --- extend, override, hold


def test_an_extension_is_a_line_of_the_table_and_makes_the_grade_anew(door: Door, attempts: Attempts) -> None:
    due = dated(door)
    (door.root / "extensions.csv").write_text("student,assignment,days\nbob,hw,1\n")
    (door.root / "extensions.csv").chmod(0o640)
    door.hand_in("ada")
    door.work()
    assert act(door, "extend", days="3", why="=ill").status_code == 302
    with door.worker() as worker:
        for _ in range(3):
            worker.look()
    door.work()
    row = newest(Kind.EXTEND)
    assert (row.state, row.by) == (JobState.DONE, "meier")
    assert row.values["before"] == in_words(due)
    assert row.values["after"] == in_words(due + timedelta(days=3))
    assert (door.root / "extensions.csv").stat().st_mode & 0o777 == 0o640, "reasons are not for everybody"
    lines = (door.root / "extensions.csv").read_text().splitlines()
    assert lines[0] == "student,assignment,days,section,due,excused,reason"
    assert lines[1:] == ["bob,hw,1,,,,", "ada,hw,3,,,,'=ill"], "what stands there stays, and nothing is a formula"


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"due": "tomorrow"}, "no date"),
        ({"days": "-1"}, "days is -1"),
        ({"days": "1", "due": "2030-01-01"}, "not both"),
        ({}, "neither due, nor days"),
        ({"due": "2001-01-01"}, "not later than the due date"),
    ],
)
def test_a_wrong_extension_is_refused_and_no_table_changes(door: Door, values: dict[str, str], why: str) -> None:
    dated(door)
    act(door, "extend", **values)
    door.work()
    assert newest(Kind.EXTEND).state == JobState.REFUSED
    assert why in newest(Kind.EXTEND).detail
    assert why in door.visitor("meier").get("/staff/acts/").content.decode()
    assert not (door.root / "extensions.csv").exists()


def test_points_of_a_question_are_entered_as_by_hand_and_taken_back(door: Door, attempts: Attempts) -> None:
    door.hand_in("ada")
    door.work()
    assert "<option>nb/test-double</option>" in door.visitor("meier").get("/staff/students/hw/ada/").content.decode()
    for given, score, after in (("0.5", 0.5, "0.5 by hand"), ("", 2.0, "as the tests give")):
        act(door, "override", question="nb/test-double", points=given, why="a slip")
        door.work()
        row = newest(Kind.OVERRIDE)
        assert (row.state, row.detail, row.values["after"]) == (JobState.DONE, "", after)
        (grade,) = publication.for_people(door.course, publication.grades(door.course, "hw", ["ada"]))
        assert grade.score == score


@pytest.mark.parametrize(
    "values", [{"question": "nb/none", "points": "1"}, {"question": "nb/test-double", "points": "9"}]
)
def test_points_beyond_a_question_are_refused(door: Door, attempts: Attempts, values: dict[str, str]) -> None:
    door.hand_in("ada")
    door.work()
    act(door, "override", **values)
    door.work()
    assert newest(Kind.OVERRIDE).state == JobState.REFUSED
    assert gradebook.load().points_by_hand(door.course, "hw") == {}


def total(door: Door) -> tuple[float, float]:
    (grade,) = publication.for_people(door.course, publication.grades(door.course, "hw", ["ada"]))
    return grade.score, json.loads((door.course.feedback("ada", "hw") / "feedback.json").read_text())["score"]


def test_a_total_is_set_by_a_person_whatever_the_questions_have_and_taken_back(door: Door, attempts: Attempts) -> None:
    door.hand_in("ada")
    door.work()
    assert total(door) == (2.0, 2.0)
    for given, score, words in (
        ("1.5", 1.5, ("total: 2 of 2", "1.5 of 2 by hand")),
        ("1", 1.0, ("total: 1.5 of 2 by hand", "1 of 2 by hand")),
        ("", 2.0, ("total: 1 of 2 by hand", "as the questions have")),
    ):
        act(door, "override", question="total", points=given, why="after a talk")
        door.work()
        row = newest(Kind.OVERRIDE)
        assert (row.state, row.detail, row.by) == (JobState.DONE, "", "meier")
        assert (row.values["before"], row.values["after"], row.values["why"]) == (*words, "after a talk")
        assert total(door) == (score, score)
    assert [(each.by, each.score, each.why) for each in given_totals.decisions(door.course, "hw", "ada")] == [
        ("meier", 1.5, "after a talk"),
        ("meier", 1.0, "after a talk"),
        ("meier", None, "after a talk"),
    ]


def test_a_total_by_hand_stays_after_another_grading_and_stands_in_each_table(door: Door, attempts: Attempts) -> None:
    door.hand_in("ada")
    door.work()
    act(door, "override", question="total", points="0.5", why="after a talk")
    act(door, "again")
    door.work()
    assert total(door) == (0.5, 0.5)
    page = pages.feedback_path(door.course, "ada", "hw")
    assert page is not None
    assert "A person gave the total" in page.read_text()
    assert ",0.5,2," in publication.write_csv(door.course).read_text()
    (entry,), _ = entries(door.course, door.course.assignments["hw"], datetime.now(UTC))
    assert (entry.score, entry.comment.splitlines()[-2:]) == (0.5, ["a person gave the total", "in all: 0.5 of 2"])
    table = course_table.course_table(door.course, datetime.now(UTC), final=True)
    assert table.lines["ada"].cells["hw"].points == 0.5
    assert (
        "meier gave 0.5 in all: after a talk" in door.visitor("meier").get("/staff/students/hw/ada/").content.decode()
    )


@pytest.mark.parametrize("points", ["-1", "2.1", "nan", "all"])
def test_a_total_that_the_assignment_has_not_is_refused(door: Door, attempts: Attempts, points: str) -> None:
    door.hand_in("ada")
    door.work()
    act(door, "override", question="total", points=points)
    door.work()
    assert newest(Kind.OVERRIDE).state == JobState.REFUSED
    assert total(door) == (2.0, 2.0)


def test_a_door_without_review_enters_no_points(door: Door, attempts: Attempts) -> None:
    setting(door, "assistants: [tanja]", "review: false, assistants: [tanja]")
    door.hand_in("ada")
    door.work()
    assert "/staff/acts/override/" not in door.visitor("meier").get("/staff/students/hw/ada/").content.decode()
    act(door, "override", question="nb/test-double", points="1")
    door.work()
    assert newest(Kind.OVERRIDE).state == JobState.REFUSED
    assert gradebook.load().points_by_hand(door.course, "hw") == {}


def test_what_is_held_back_no_student_reads_and_staff_do(
    door: Door, attempts: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.hand_in("ada")
    door.work()
    page = "/assignments/hw/feedback/page/"
    assert door.visitor("ada").get(page).status_code == 200
    act(door, "hold", "", why="a question was wrong")
    assert door.visitor("ada").get(page).status_code == 404, "at once"
    assert "There is no feedback yet" in door.visitor("ada").get("/assignments/hw/feedback/").content.decode()
    assert door.visitor("meier").get("/staff/feedback/hw/ada/").status_code == 200
    assert "it is held back" in door.visitor("meier").get("/staff/preview/").content.decode()
    monkeypatch.setattr(worker_module, "_start_command", lambda course, job: Ended(course, job))
    for kind in ("publish", "hold"):
        act(door, kind, "")
        assert door.visitor("ada").get(page).status_code == 404
    door.work()
    said = CliRunner().invoke(cli.main, ["post", "hw", "--course", str(door.root), "--into", __file__])
    assert said.exit_code == 2
    assert "held back from students" in said.output
    assert json.loads((door.root / ".autograder/held/hw.json").read_text())["by"] == "meier"
    monkeypatch.setattr(Ended, "returncode", 3)
    act(door, "publish", "")
    door.work()
    assert door.visitor("ada").get(page).status_code == 404, "what failed publishes nothing"
    monkeypatch.setattr(Ended, "returncode", 0)
    act(door, "publish", "")
    door.work()
    assert door.visitor("ada").get(page).status_code == 200


class Ended:
    """A command that has ended well."""

    returncode = 0

    def __init__(self, course: Any, job: Job) -> None:
        worker_module._preview_file(course).with_suffix(".log").write_text(f"{job.kind} {job.assignment}")

    def poll(self) -> int:
        return 0


@pytest.mark.parametrize(("kind", "words"), [("regrade", "grade hw"), ("publish", "feedback hw"), ("post", "post hw")])
def test_acts_on_a_class_run_the_command_of_their_name(
    door: Door, monkeypatch: pytest.MonkeyPatch, kind: str, words: str
) -> None:
    started: list[str] = []
    monkeypatch.setattr(
        worker_module.subprocess,
        "Popen",
        lambda line, **_: [started.extend(line), Ended(door.course, newest(Kind(kind)))][1],
    )
    for _ in range(1 if kind == "publish" else 2):
        act(door, kind, "")
    assert Job.objects.count() == 1, "once at a time"
    door.work()
    assert " ".join(started[3:5]) == words
    assert newest(Kind(kind)).state == JobState.DONE


# --- scores to the learning system


def test_a_grade_sends_scores_once_and_only_where_the_learning_system_has_a_column(
    door: Door, attempts: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting(door, "assignments:\n", "learning_system: {kind: lti}\nassignments:\n")
    door.hand_in("ada")
    door.work()
    assert not Job.objects.filter(kind=Kind.POST).exists()
    LaunchedLink.objects.create(assignment="hw", line_item="https://lms.example/items/1", memberships="")
    monkeypatch.setattr(jobs, "SEND_SECONDS", 0.0)
    monkeypatch.setattr(worker_module, "_start_command", lambda course, job: Ended(course, job))
    door.hand_in("ada", OTHER)
    door.work()
    assert (newest(Kind.POST).state, newest(Kind.POST).by) == (JobState.DONE, "")
    act(door, "hold", "")
    door.hand_in("bob")
    door.work()
    assert Job.objects.filter(kind=Kind.POST).count() == 1, "nothing is sent of what is held back"


def test_staff_read_why_scores_could_not_be_sent(door: Door) -> None:
    jobs.add(Kind.POST, "", "hw", "", state=JobState.DONE)
    jobs.add(Kind.POST, "", "hw", "", state=JobState.FAILED, detail="lms.example gave no access token")
    page = door.visitor("meier").get("/staff/acts/").content.decode()
    assert page.count("the door</td>") == 1
    assert "lms.example gave no access token" in page


def test_scores_of_many_grades_are_sent_at_once(door: Door) -> None:
    LaunchedLink.objects.create(assignment="hw", line_item="https://lms.example/items/1", memberships="")
    for _ in range(3):
        jobs.send_soon(door.course, "hw")
    assert Job.objects.filter(kind=Kind.POST).count() == 1
    jobs.begin(Job.objects.get())
    jobs.send_soon(door.course, "hw")
    assert Job.objects.filter(kind=Kind.POST).count() == 2, "the one that runs may have read before this grade"


# --- who may


@pytest.mark.parametrize("kind", ACTS)
def test_each_act_is_open_to_those_alone_whom_the_course_allows_it(door: Door, kind: str) -> None:
    """Students and auditors never, assistants by the course's list, a member of staff always."""
    student = "ada" if ACTS[kind].of_student else ""
    by_default = kind in settings_of(door.course).assistants_may
    for by, status in (("ada", 403), ("dean", 403), ("tanja", 302 if by_default else 403), ("", 401), ("meier", 302)):
        assert act(door, kind, student, by, text="x").status_code == status
        if status != 302:
            assert not Job.objects.filter(by=by or "none").exists()
    setting(door, "assistants: [tanja]", f"assistants: [tanja], assistants_may: [{kind}]")
    for other in ACTS:
        answer = act(door, other, "ada" if ACTS[other].of_student else "", "tanja", text="x")
        assert (answer.status_code == 302) is (other == kind)


def test_an_act_by_a_program_is_bound_to_the_same_list(door: Door) -> None:
    for person, status in (("tanja", 403), ("dean", 403), ("meier", 200)):
        signed = {"HTTP_AUTHORIZATION": f"Bearer {visitors.token(person)}"}
        assert door.visitor().post("/exchange/commands/release/hw/", **signed).status_code == status


def test_no_page_of_another_site_sends_an_act(door: Door) -> None:
    client = door.visitor("meier", enforce_csrf_checks=True)
    assert client.post("/staff/acts/extend/hw/ada/", {"days": "3"}).status_code == 403
    assert client.get("/staff/acts/extend/hw/ada/").status_code == 405
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    "path", ["extend/hw/", "publish/hw/ada/", "hand-in/hw/ada/", "ask/hw/ada/", "extend/hw/eve/", "extend/x/ada/"]
)
def test_there_are_no_other_acts(door: Door, path: str) -> None:
    assert door.visitor("meier").post(f"/staff/acts/{path}").status_code == 404
    assert not Job.objects.exists()


def test_a_value_that_is_too_long_is_refused_at_the_form(door: Door) -> None:
    assert act(door, "extend", why="x" * 6000).status_code == 400
    assert act(door, "answer", text=" ").status_code == 400
    assert not Job.objects.exists()


def test_the_names_of_acts_are_those_of_the_table_and_rows_have_room_for_them() -> None:
    assert set(ACT_NAMES) == {*ACTS, "review"}
    assert {kind for kind, entry in ACTS.items() if entry.fields} == set(WITH_FORM)
    assert max(len(kind) for kind in Kind) <= 10, "PostgreSQL refuses longer ones"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("assistants: [meier]", "'meier' has several places"),
        ("assistants_may: [extent]", "no act 'extent'; did you mean 'extend'"),
    ],
)
def test_unclear_roles_are_refused(door: Door, keys: str, message: str) -> None:
    setting(door, "assistants: [tanja]", keys)
    with pytest.raises(CourseError, match=message):
        load_course(door.root)


def test_forms_that_a_role_may_not_send_are_not_on_its_pages(door: Door, attempts: Attempts) -> None:
    door.hand_in("ada")
    door.work()
    for path in ("/staff/students/hw/ada/", "/staff/preview/", "/staff/submissions/", "/staff/"):
        assert "/staff/acts/" not in re.sub(r'href="[^"]*"', "", door.visitor("dean").get(path).content.decode())
    page = door.visitor("tanja").get("/staff/students/hw/ada/").content.decode()
    assert "/staff/acts/again/" in page
    assert "/staff/acts/extend/" not in page


def test_the_text_of_a_request_is_never_read_as_an_act(door: Door) -> None:
    """What if the student wrote these bytes?"""
    jobs.add(Kind.ASK, "ada", "hw", "ada", text='{"after": 1, "before": "x"')
    jobs.add(Kind.ANSWER, "ada", "hw", "meier", text="{")
    assert [job.values for job in Job.objects.all()] == [{}, {}]
    assert door.visitor("meier").get("/staff/acts/").status_code == 200
    assert door.visitor("meier").get("/staff/students/hw/ada/").status_code == 200


# --- what staff see


def test_staff_download_an_attempt_that_is_not_the_newest(door: Door, attempts: Attempts) -> None:
    two_hand_ins(door)
    links = re.findall(
        r'href="(/staff/students/hw/ada/\w+/)"', door.visitor("dean").get("/staff/students/hw/ada/").content.decode()
    )
    contents = [b"".join(door.visitor("dean").get(link)) for link in links]
    assert len(contents) == 2
    assert NOTEBOOK in contents[0]
    assert OTHER in contents[1]
    assert door.visitor("ada").get(links[0]).status_code == 403
    assert door.visitor("dean").get(links[0].replace("/ada/", "/bob/")).status_code == 404


def test_reports_are_pages_that_cannot_act_and_tables_are_saved(door: Door) -> None:
    door.course.reports.mkdir()
    (door.course.reports / "hw-similar.html").write_text("<script>1</script>")
    (door.course.reports / "hw.txt").write_text("no report")
    door.course.grades_csv.write_text("student\nada\n")
    client = door.visitor("dean")
    page = client.get("/staff/reports/").content.decode()
    assert "hw-similar.html" in page
    assert door.course.grades_csv.name in page
    assert "hw.txt" not in page
    answer = client.get("/staff/reports/hw-similar.html")
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert "attachment" in client.get(f"/staff/reports/{door.course.grades_csv.name}").headers["Content-Disposition"]
    for name in ("hw.txt", "course.yaml", "..%2fpeople.csv", "..", "none.html"):
        assert client.get(f"/staff/reports/{name}").status_code == 404
    assert door.visitor("ada").get("/staff/reports/hw-similar.html").status_code == 403


def test_a_release_is_packed_once_until_it_changes(door: Door, tmp_path: Path) -> None:
    client, path = door.visitor("ada"), "/assignments/hw/files/"
    first = b"".join(client.get(path))
    kept = {file: file.stat().st_mtime_ns for file in (door.root / ".autograder/serve/incoming").glob("*.zip")}
    assert len(kept) == 1
    assert b"".join(client.get(path)) == first
    assert {file: file.stat().st_mtime_ns for file in kept} == kept
    (door.course.release("hw") / "nb.ipynb").write_text("{}")
    assert b"".join(client.get(path)) != first


# --- limits and damage


def test_a_student_chooses_and_asks_so_often_on_a_day_refusals_included(door: Door, attempts: Attempts) -> None:
    dated(door, "    attempts: {use: student}\n")
    setting(door, "serve: {", "serve: {daily_hand_ins: 10, ")
    first, _ = two_hand_ins(door)
    client = door.visitor("ada")
    for kind, path in ((Kind.USE, f"/receipts/{first.receipt}/use/"), (Kind.ASK, "/assignments/hw/second-look/")):
        for _ in range(9):
            jobs.add(kind, "ada", "hw", "ada", state=JobState.REFUSED)
        jobs.add(kind, "ada", "hw", "meier", state=JobState.DONE)  # staff's own are not the student's
        assert client.post(path, {"question": "", "text": "why?"}).status_code == 302
        Job.objects.filter(kind=kind).update(state=JobState.DONE)
        answer = client.post(path, {"question": "", "text": "why?"})
        assert answer.status_code == 429
        assert "10 times in 24 hours" in answer.content.decode()
        assert Job.objects.filter(kind=kind, by="ada").count() == 10


def test_a_damaged_file_of_choices_stops_no_page_and_staff_see_it(door: Door, attempts: Attempts) -> None:
    dated(door, "    attempts: {use: student}\n")
    first, _ = two_hand_ins(door)
    door.hand_in("bob")
    act(door, "use", attempt=first.receipt)
    door.work()
    (door.root / ".autograder" / "choices" / "hw" / "ada.json").write_text("[{")
    assert HandIns(door.course).chosen("ada", "hw").time == first.received  # type: ignore[union-attr]
    staff = door.visitor("meier")
    pages = ["/staff/students/hw/ada/", "/staff/students/hw/bob/", "/staff/", "/staff/preview/", "/metrics"]
    assert {staff.get(path).status_code for path in pages} == {200}
    assert {door.visitor("ada").get(path).status_code for path in ("/assignments/", "/assignments/hw/")} == {200}
    assert "ada.json cannot be read" in staff.get("/staff/").content.decode()
    assert "course_with_fault 1" in staff.get("/metrics").content.decode()
    door.hand_in("ada", OTHER + b"\n")
    door.work()
    act(door, "use", attempt=first.receipt)  # a new decision mends it
    door.work()
    assert "cannot be read" not in staff.get("/staff/").content.decode()
    assert len(choices(door.course, "hw", ["ada"])) == 2


def test_the_button_stands_only_where_the_choice_would_be_taken(door: Door, attempts: Attempts) -> None:
    dated(door, "    attempts: {use: student, total: 3}\n")
    rows = two_hand_ins(door)
    for content in (OTHER + b"\n", OTHER + b"\n", OTHER + b"\n\n", b"no notebook"):  # counts, the same, beyond, refused
        door.hand_in("ada", content)
        door.work()
    door.hand_in("ada", OTHER + b"\n\n\n")  # still in line
    page = door.visitor("ada").get("/assignments/hw/").content.decode()
    offered = re.findall(r'action="/receipts/(\w+)/use/"', page)
    assert sorted(offered) == sorted(row.receipt for row in rows)


# --- times


def test_all_times_of_a_page_are_in_the_courses_zone_and_in_one_form(door: Door, attempts: Attempts) -> None:
    dated(door, "    attempts: {use: student}\n")
    setting(door, "course: tiny", "timezone: Asia/Kolkata\ncourse: tiny")
    first, _ = two_hand_ins(door)
    act(door, "use", attempt=first.receipt)
    act(door, "extend", due=f"{datetime.now(UTC) + timedelta(days=9):%Y-%m-%d} 18:00", why="ill")
    door.work()
    assert newest(Kind.EXTEND).values["after"].endswith(", 18:00 IST")
    student, staff = door.visitor("ada"), door.visitor("meier")
    pages = [student.get(path) for path in ("/assignments/", "/assignments/hw/", f"/receipts/{first.receipt}/")]
    pages += [staff.get(path) for path in ("/staff/", "/staff/submissions/", "/staff/students/hw/ada/", "/staff/acts/")]
    for page in pages:
        text = re.sub(r"<[^>]*>|such as 2027-01-31 23:59", " ", page.content.decode())
        assert "UTC" not in text
        assert not re.search(r"\d{4}-\d\d-\d\d", text), text
    assert " IST" in pages[2].content.decode()
