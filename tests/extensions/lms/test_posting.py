"""Results by the APIs of Canvas and Moodle: sent once, a person's changes kept, and nothing sent by a plan."""

from __future__ import annotations

import pytest
from helpers.learning_systems import TOKEN, FakeCanvas, FakeMoodle, served

from autograder.errors import HostError, UsageError
from autograder.extensions.lms.canvas import Canvas
from autograder.extensions.lms.entries import ResultEntry
from autograder.extensions.lms.matching import PersonNames
from autograder.extensions.lms.moodle import Moodle
from autograder.extensions.lms.posting import Handover, plan, send
from autograder.extensions.lms.rest import Client
from autograder.extensions.lms.sent_memory import Memory

pytestmark = pytest.mark.integration
STUDENTS = {
    "jane": PersonNames(logins=("jd",)),
    "max": PersonNames(names=("Max Roe",)),
    "who": PersonNames(names=("who",)),
}


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("<p>your page</p>", encoding="utf-8")
    return path


@pytest.fixture(params=[FakeCanvas, FakeMoodle], ids=["canvas", "moodle"])
def there(request):
    with served(request.param()) as fake:
        yield fake


def system(fake, secret=TOKEN):
    client = Client(fake.url, secret, sleep=lambda seconds: None)
    return Canvas(client, 12, 5678) if isinstance(fake, FakeCanvas) else Moodle(client, 3, 144)


def results(jane=17.5, largest=4.25, page=None, max_score=20.0):
    return [
        ResultEntry("jane", jane, max_score, f"network: {jane}\n1 < 2", page),
        ResultEntry("max", largest, max_score, f"network: {largest}", None),
        ResultEntry("who", 1, max_score, "", None),
    ]


def post(fake, tmp_path, entries, **options):
    """Plan and send; returns student → (act, notes)."""
    memory = Memory(tmp_path / "posted.json")
    steps = plan(system(fake), "hands-on", entries, STUDENTS, memory, **options)
    notes = {step.student: found for step, found in send(system(fake), steps, memory)}
    return {step.student: (step.act, notes.get(step.student, [])) for step in steps}


def scores(fake):
    """Read what stands there: Jane's, Max's."""
    if isinstance(fake, FakeCanvas):
        return [fake.submissions[7]["score"], fake.submissions[8]["score"]]
    return [float(fake.grades[user]) if user in fake.grades else None for user in (101, 102)]


def set_score(fake, value):
    """Change Jane's score there, as a person does."""
    if isinstance(fake, FakeCanvas):
        fake.submissions[7]["score"] = value
    else:
        fake.grades[101] = f"{value:.5f}"


def changes(fake):
    """List what changed something there."""
    return [
        (method, path)
        for method, path, form in fake.asked
        if method == "PUT" or form.get("wsfunction") == "mod_assign_save_grade" or "file" in path or "upload" in path
    ]


def test_scores_comments_and_pages_arrive(there, tmp_path, page):
    found = post(there, tmp_path, results(page=page))
    assert scores(there) == [17.5, 4.25]
    assert found["jane"][0] is found["max"][0] is Handover.SEND
    if isinstance(there, FakeCanvas):
        (comment,) = there.comments[7]
        assert comment["comment"] == "network: 17.5\n1 < 2"
        assert there.uploads[int(comment["files"][0])] == page.read_bytes()
    else:
        assert there.comments[101] == "<p>network: 17.5<br>1 &lt; 2</p>"
        assert there.files[101] == ["hands-on.html"]
        assert there.drafts[500][1] == page.read_bytes()


def test_a_plan_changes_nothing(there, tmp_path, page):
    steps = plan(system(there), "hands-on", results(page=page), STUDENTS, Memory(tmp_path / "posted.json"))
    assert [step.act for step in steps] == [Handover.SEND, Handover.SEND, Handover.UNCLEAR]
    assert changes(there) == []
    assert not (tmp_path / "posted.json").exists()


def test_a_second_run_sends_nothing(there, tmp_path, page):
    post(there, tmp_path, results(page=page))
    before = len(changes(there))
    found = post(there, tmp_path, results(page=page))
    assert found["jane"][0] is found["max"][0] is Handover.SAME
    assert len(changes(there)) == before


def test_a_new_score_replaces_the_one_that_was_sent(there, tmp_path, page):
    post(there, tmp_path, results(page=page))
    post(there, tmp_path, results(jane=20, page=page))
    assert scores(there) == [20, 4.25]
    if isinstance(there, FakeCanvas):  # the comment is edited, not repeated
        assert [comment["comment"] for comment in there.comments[7]] == ["network: 20\n1 < 2"]
    else:
        assert there.comments[101] == "<p>network: 20<br>1 &lt; 2</p>"


def test_what_a_person_changed_there_is_kept_until_asked(there, tmp_path):
    post(there, tmp_path, results())
    set_score(there, 19.0)
    found = post(there, tmp_path, results(jane=12))
    assert found["jane"][0] is Handover.KEPT
    assert scores(there)[0] == 19.0
    post(there, tmp_path, results(jane=12), overwrite=lambda student: student == "jane")
    assert scores(there)[0] == 12.0


def test_a_grade_from_before_is_a_persons(there, tmp_path):
    set_score(there, 3.0)
    assert post(there, tmp_path, results())["jane"][0] is Handover.KEPT
    assert scores(there) == [3.0, 4.25]


def test_undecided_grades_wait(there, tmp_path):
    assert post(there, tmp_path, results(jane=None))["jane"][0] is Handover.WAITS
    assert scores(there)[0] is None


def test_other_points_there_are_a_question(there, tmp_path):
    with pytest.raises(UsageError, match="counts 20 points, the assignment here 10"):
        post(there, tmp_path, results(jane=5, max_score=10.0))
    post(there, tmp_path, results(jane=5, max_score=10.0), scale=True)
    assert scores(there)[0] == 10.0


def test_comments_and_pages_can_stay_here(there, tmp_path, page):
    post(there, tmp_path, results(page=page), comments=False, pages=False)
    assert scores(there)[0] == 17.5
    assert not any(there.comments.values())


def test_a_busy_server_is_asked_again(there, tmp_path):
    there.fail_next = [(429, {"Retry-After": "1"})]
    post(there, tmp_path, results())
    assert scores(there)[0] == 17.5


def test_a_wrong_token_is_said(there, tmp_path):
    if isinstance(there, FakeCanvas):
        there.fail_next = [(401, {})]
    with pytest.raises(HostError, match="token"):
        plan(system(there, "wrong"), "hands-on", results(), STUDENTS, Memory(tmp_path / "posted.json"))


def test_a_failure_midway_is_remembered(there, tmp_path):
    memory = Memory(tmp_path / "posted.json")
    steps = plan(system(there), "hands-on", results(), STUDENTS, memory)
    sending = send(system(there), steps, memory)
    next(sending)
    there.fail_next = [(500, {})]
    with pytest.raises(HostError, match="500"):
        next(sending)
    found = post(there, tmp_path, results())
    assert (found["jane"][0], found["max"][0]) == (Handover.SAME, Handover.SEND)


def test_canvas_excused_students_are_left_alone(tmp_path):
    with served(FakeCanvas()) as fake:
        fake.submissions[7]["excused"] = True
        assert post(fake, tmp_path, results())["jane"][0] is Handover.KEPT
        assert scores(fake)[0] is None


def test_canvas_comment_and_page_are_replaced_by_new_ones(tmp_path, page):
    with served(FakeCanvas()) as fake:
        post(fake, tmp_path, results(page=page))
        page.write_text("<p>your new page</p>", encoding="utf-8")
        assert post(fake, tmp_path, results(jane=20, page=page))["jane"] == (Handover.SEND, [])
        (comment,) = fake.comments[7]
        assert comment["comment"] == "network: 20\n1 < 2"
        assert fake.uploads[int(comment["files"][0])] == page.read_bytes()
        page.write_text("<p>newer, and the same points</p>", encoding="utf-8")
        post(fake, tmp_path, results(jane=20, page=page))
        (comment,) = fake.comments[7]
        assert comment["comment"] == "network: 20\n1 < 2"
        assert post(fake, tmp_path, results(jane=20, page=page))["jane"][0] is Handover.SAME


@pytest.mark.parametrize("changed", ["network: 17.5. Well done!", ""], ids=["more", "emptied"])
def test_canvas_comment_that_a_person_changed_is_kept(tmp_path, page, changed):
    with served(FakeCanvas()) as fake:
        post(fake, tmp_path, results(page=page))
        fake.comments[7][0]["comment"] = changed
        notes = ["the comment was changed there and was kept"]
        assert post(fake, tmp_path, results(jane=20, page=page))["jane"] == (Handover.SEND, notes)
        assert [one["comment"] for one in fake.comments[7]] == [changed]
        assert scores(fake)[0] == 20
        assert post(fake, tmp_path, results(jane=20, page=page))["jane"][0] is Handover.SAME
        page.write_text("<p>your new page</p>", encoding="utf-8")
        post(fake, tmp_path, results(jane=20, page=page))
        said = [one["comment"] for one in fake.comments[7]]
        assert said == [changed, "The page with all details."]


def test_canvas_comment_that_a_person_deleted_is_written_again_when_it_is_new(tmp_path):
    with served(FakeCanvas()) as fake:
        post(fake, tmp_path, results())
        fake.comments[7].clear()
        assert post(fake, tmp_path, results())["jane"][0] is Handover.SAME
        post(fake, tmp_path, results(jane=20))
        assert [one["comment"] for one in fake.comments[7]] == ["network: 20\n1 < 2"]


def test_canvas_may_refuse_to_delete_the_earlier_comment(tmp_path, page):
    class Strict(FakeCanvas):
        def answer(self, method, path, query, form, files):
            return (403, {}, {}) if method == "DELETE" else super().answer(method, path, query, form, files)

    with served(Strict()) as fake:
        post(fake, tmp_path, results(page=page))
        page.write_text("<p>your new page</p>", encoding="utf-8")
        ((_, (note,)), _, _) = post(fake, tmp_path, results(jane=20, page=page)).values()
        assert "the earlier comment stays beside the new one" in note
        assert len(fake.comments[7]) == 2


def test_canvas_comment_follows_a_grade_that_could_not_be_sent_at_first(tmp_path):
    class Flaky(FakeCanvas):
        fails = False

        def answer(self, method, path, query, form, files):
            if "submission[posted_grade]" in form and self.fails:
                return 500, {}, {}
            return super().answer(method, path, query, form, files)

    with served(Flaky()) as fake:
        post(fake, tmp_path, results())
        fake.fails = True
        with pytest.raises(HostError, match="500"):
            post(fake, tmp_path, results(jane=20))
        assert [one["comment"] for one in fake.comments[7]] == ["network: 17.5\n1 < 2"]
        fake.fails = False
        assert post(fake, tmp_path, results(jane=18))["jane"] == (Handover.SEND, [])
        assert [one["comment"] for one in fake.comments[7]] == ["network: 18\n1 < 2"]


@pytest.mark.parametrize("next_score", [20, 12], ids=["the same grade", "another grade"])
@pytest.mark.parametrize("is_done", [True, False], ids=["done, the answer lost", "not done"])
def test_canvas_edit_that_failed_is_made_up_for(tmp_path, is_done, next_score):
    class Flaky(FakeCanvas):
        fails = 0

        def answer(self, method, path, query, form, files):
            if method == "PUT" and "/comments/" in path and self.fails:
                self.fails -= 1
                if is_done:
                    super().answer(method, path, query, form, files)
                return 500, {}, {}
            return super().answer(method, path, query, form, files)

    with served(Flaky()) as fake:
        post(fake, tmp_path, results())
        for score in (18, 20):
            fake.fails = 1
            _, (note,) = post(fake, tmp_path, results(jane=score))["jane"]
            assert "the comment is still to be changed" in note
            assert scores(fake)[0] == score
        assert post(fake, tmp_path, results(jane=next_score))["jane"] == (Handover.SEND, [])
        assert [one["comment"] for one in fake.comments[7]] == [f"network: {next_score}\n1 < 2"]
        fake.comments[7][0]["comment"] = "network: 18\n1 < 2"
        _, (note,) = post(fake, tmp_path, results(jane=19))["jane"]
        assert note == "the comment was changed there and was kept", "an earlier failure excuses nothing"


def test_canvas_comment_is_found_as_ours_although_nothing_was_remembered(tmp_path):
    """As after a crash between the edit and the writing of the memory."""
    with served(FakeCanvas()) as fake:
        post(fake, tmp_path, results())
        fake.comments[7][0]["comment"] = "network: 20\n1 < 2"
        assert post(fake, tmp_path, results(jane=20))["jane"] == (Handover.SEND, [])
        post(fake, tmp_path, results(jane=12))
        assert [one["comment"] for one in fake.comments[7]] == ["network: 12\n1 < 2"]


def test_canvas_summary_stays_where_a_new_page_goes_without_comments(tmp_path, page):
    with served(FakeCanvas()) as fake:
        post(fake, tmp_path, results(page=page))
        page.write_text("<p>your new page</p>", encoding="utf-8")
        post(fake, tmp_path, results(page=page), comments=False)
        said = [one["comment"] for one in fake.comments[7]]
        assert said == ["network: 17.5\n1 < 2", "The page with all details."]
        assert post(fake, tmp_path, results(page=page))["jane"][0] is Handover.SAME
        post(fake, tmp_path, results(jane=20, page=page))
        said = [one["comment"] for one in fake.comments[7]]
        assert said == ["network: 20\n1 < 2", "The page with all details."], "the summary is still known as ours"


def test_canvas_page_alone_is_replaced_by_a_newer_one(tmp_path, page):
    with served(FakeCanvas()) as fake:
        post(fake, tmp_path, results(page=page), comments=False)
        page.write_text("<p>your new page</p>", encoding="utf-8")
        post(fake, tmp_path, results(page=page), comments=False)
        (comment,) = fake.comments[7]
        assert fake.uploads[int(comment["files"][0])] == page.read_bytes()


@pytest.mark.parametrize("is_rewritten", [False, True], ids=["as sent", "rewritten there"])
def test_canvas_comment_of_a_person_at_the_same_time_is_not_taken_for_ours(tmp_path, is_rewritten):
    class Shared(FakeCanvas):
        def answer(self, method, path, query, form, files):
            found = super().answer(method, path, query, form, files)
            if form.get("comment[text_comment]", "").startswith("network: 17.5"):
                if is_rewritten:
                    self.comments[7][-1]["comment"] += "."
                self.comments[7].append({"id": 55, "comment": "Well done!", "files": []})
            return found

    with served(Shared()) as fake:
        post(fake, tmp_path, results())
        post(fake, tmp_path, results(jane=20))
        said = [one["comment"] for one in fake.comments[7]]
        assert "Well done!" in said
        assert "network: 20\n1 < 2" in said


def test_moodles_comments_and_files_of_a_person_stay(tmp_path, page):
    with served(FakeMoodle()) as fake:
        fake.comments[101], fake.files[101] = "<p>see me</p>", ["marked.pdf"]
        _, notes = post(fake, tmp_path, results(page=page))["jane"]
        assert (fake.comments[101], fake.files[101], fake.grades[101]) == ("<p>see me</p>", ["marked.pdf"], "17.50000")
        assert len(notes) == 2


def test_moodle_is_not_given_points_where_it_grades_in_words(tmp_path):
    with served(FakeMoodle()) as fake:
        fake.maximum = -3
        with pytest.raises(HostError, match="not graded by points"):
            post(fake, tmp_path, results())


def test_the_token_goes_to_its_own_server_only(tmp_path, page):
    class Elsewhere(FakeCanvas):
        def answer(self, method, path, query, form, files):
            status, headers, content = super().answer(method, path, query, form, files)
            if path.endswith("/comments/files"):
                content = {**content, "upload_url": f"{store.url}/inst-fs/x"}
            return status, headers, content

    with served(FakeCanvas()) as store, served(Elsewhere()) as fake:
        post(fake, tmp_path, results(page=page))
        assert [token for _, token in store.tokens] == ["", ""]
        assert {token for _, token in fake.tokens} == {f"Bearer {TOKEN}"}


def test_a_list_that_goes_on_elsewhere_is_refused(tmp_path):
    class Elsewhere(FakeCanvas):
        def _page(self, path, query, items):
            return 200, {"Link": '<https://elsewhere.example/?page=2>; rel="next"'}, items[:1]

    with served(Elsewhere()) as fake, pytest.raises(HostError, match="on another server"):
        post(fake, tmp_path, results())


@pytest.mark.parametrize("url", ["http://canvas.example.edu", "canvas.example.edu", "ftp://x", ""])
def test_an_address_without_encryption_is_refused(url):
    with pytest.raises(UsageError, match="https"):
        Client(url, TOKEN)


def test_a_server_that_is_not_there_is_named():
    with pytest.raises(HostError, match=r"127\.0\.0\.1:9 did not answer"):
        Client("http://127.0.0.1:9", TOKEN, sleep=lambda seconds: None).json("GET", "x")
