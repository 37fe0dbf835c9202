"""The review page: what it shows, what it enters, and that nobody's points are written over unseen."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import threading
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from helpers.browser import in_browser, misfits, violations, with_axe
from helpers.review_courses import review_course
from helpers.tiny import copied, tiny_release

from autograder.coordinator.cache_keys import exam_key
from autograder.extensions.gradebook import nbgraders as gradebook
from autograder.extensions.review.page_server import ReviewServer
from autograder.extensions.review.site import Site
from autograder.records.checks import Outcome
from autograder.results import publication

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def graded_course(tmp_path_factory):
    return review_course(tmp_path_factory.mktemp("graded"))


@pytest.fixture
def course(graded_course, tmp_path):
    return copied(graded_course, tmp_path)


def site_of(course, **options):
    release = tiny_release(course)
    key = exam_key(course, release)
    exams = [n.exam for n in release.notebooks]
    return Site(course, course.assignments["hw"], exams, publication.on_disk(course, "hw", key).current, **options)


def seen(site, place, question=0):
    text = site.reply("GET", f"q/{question}/{place}").body.decode()
    return re.search(r'data-seen="([\w-]+)"', text)[1]


def give(site, place, score, comment="", question=0, version=None):
    body = {"score": score, "comment": comment, "seen": version or seen(site, place, question)}
    reply = site.reply("POST", f"q/{question}/{place}", json.dumps(body).encode())
    return reply.status, json.loads(reply.body)


def stands(course, student, question):
    (grade,) = gradebook.with_manual_scores(course, publication.grades(course, "hw", [student]))
    return next(q for b in grade.notebooks for q in b.questions if q.id == question)


def test_what_waits_comes_first(course):
    site = site_of(course)
    assert [question.asked.question for question in site.questions] == ["explain", "plot", "test-x"]
    page = site.reply("GET", "").body.decode()
    assert "Why does it learn?" in page


def test_a_question_shows_what_students_do_not_see(course):
    site = site_of(course)
    assert "Because of the gradient." in site.reply("GET", "q/0").body.decode()
    page = site.reply("GET", "q/1").body.decode()
    assert "axes are named" in page
    assert "MARK SCHEME" not in page.replace("Mark scheme", "")
    assert [item.points for item in site.questions[1].rubric] == [2, 1]


def test_an_answer_is_shown_inert(course):
    page = site_of(course).reply("GET", "q/0/0").body.decode()
    assert "ada" in page
    assert "<em>descends</em>" in page
    assert "<script>" not in page


@pytest.mark.integration
@in_browser
def test_nothing_of_a_page_is_cut_on_any_screen(course):
    site = site_of(course)
    addresses = ("", "q/0", "q/1/0", "q/2/1")
    assert misfits({address: site.reply("GET", address).body.decode() for address in addresses}) == []


@pytest.mark.integration
@with_axe
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing(course, dark):
    site = site_of(course)
    overview, question, *answers = (
        site.reply("GET", address).body.decode() for address in ("", "q/0", "q/0/0", "q/1/0", "q/2/1")
    )
    page = question.replace("</main>", f"{''.join(answers)}</main>")  # the page's script puts them there
    assert [violations(text, dark=dark) for text in (overview, page)] == [[], []]


def test_a_tasks_answer_is_what_the_student_wrote_below_it(course):
    page = site_of(course).reply("GET", "q/1/0").body.decode()
    assert "by hand" in page
    assert "Plot it." not in page
    assert "Now a number" not in page


def test_points_and_comments_land_as_formgraders_do(course):
    site = site_of(course)
    status, told = give(site, 0, 2.5, "Good, but *why*?")
    assert (status, told["state"]) == (200, "given")
    question = stands(course, "ada", "explain")
    assert (question.score, question.comment, question.by_hand) == (2.5, "Good, but *why*?", True)
    assert question.needs_manual_grade is False
    assert stands(course, "bob", "explain").needs_manual_grade is True


def test_a_tests_points_can_be_overridden_and_taken_back(course):
    site = site_of(course)
    give(site, 0, 1, "a kinder look", question=2)
    assert stands(course, "ada", "test-x").score == 1
    give(site, 0, None, question=2)
    question = stands(course, "ada", "test-x")
    assert (question.score, question.outcome) == (2, Outcome.PASSED)


def test_taking_back_a_written_answers_points_makes_it_wait_again(course):
    site = site_of(course)
    give(site, 0, 3)
    assert give(site, 0, None)[1]["state"] == "open"
    assert stands(course, "ada", "explain").needs_manual_grade is True


def test_nobodys_points_are_written_over_unseen(course):
    site, other = site_of(course), site_of(course)
    version = seen(other, 0)
    give(site, 0, 3)
    status, told = give(other, 0, 1, version=version)
    assert status == 409
    assert "3 points meanwhile" in told["error"]
    assert stands(course, "ada", "explain").score == 3
    assert give(other, 0, 1)[0] == 200


@pytest.mark.parametrize("score", [-1, 3.5, "3", True, float("nan"), [1]])
def test_points_out_of_range_are_refused(course, score):
    site = site_of(course)
    assert give(site, 0, score)[0] == 400
    assert stands(course, "ada", "explain").needs_manual_grade is True


def test_comments_given_before_are_offered(course):
    site = site_of(course)
    give(site, 0, 2, "Say why.")
    assert "Say why." in site.reply("GET", "q/0/1").body.decode()


def test_who_looks_at_what_is_told_to_the_others(course):
    site = site_of(course)

    def here(key, place):
        body = {"key": key, "who": key, "question": 0, "place": place}
        return json.loads(site.reply("POST", "here", json.dumps(body).encode()).body)

    here("ann", 0)
    told = here("ben", 1)
    assert told["others"] == [{"place": 0, "who": "ann"}]
    assert told["states"] == {"0": "open", "1": "open"}


def test_names_stand_beside_ids(course):
    site = site_of(course, names={"ada": "Ada Lovelace", "bob": ""})
    assert [site.shown(place) for place in (0, 1)] == ["Ada Lovelace (ada)", "bob"]
    assert "Ada Lovelace (ada)" in site.reply("GET", "q/0/0").body.decode()
    assert site_of(course, names={"ada": "Ada Lovelace"}, anonymous=True).shown(0) == "Answer 1"


COMMENTS = [
    ("", ["title"], "- title\n"),
    ("Well done.", ["title"], "Well done.\n- title\n"),
    ("- title\nand colors", ["axes", "title"], "and colors\n- axes\n- title\n"),
    ("- title\n", [], ""),
    ("Well done.\n- title\n", [], "Well done."),
]


@pytest.mark.skipif(shutil.which("node") is None, reason="JavaScript runs in node")
@pytest.mark.parametrize(("comment", "chosen", "wanted"), COMMENTS)
def test_what_is_typed_after_a_ticked_item_begins_a_line(course, comment, chosen, wanted):
    script = site_of(course).reply("GET", "review.js").body.decode()
    (function,) = re.findall(r"^  function commented.*?^  }", script, re.MULTILINE | re.DOTALL)
    call = f"commented({json.dumps(comment)}, ['axes', 'title'], {json.dumps(chosen)})"
    code = f"{function}\nprocess.stdout.write({call})"
    done = subprocess.run(["node", "-e", code], capture_output=True, text=True, check=True)
    assert done.stdout == wanted


def test_points_for_an_answer_that_was_graded_again_meanwhile_are_refused(course):
    """A newer answer may have come: nobody has read it."""
    site = site_of(course)
    version = seen(site, 0)
    path = course.autograded("ada", "hw") / "nb.ipynb"
    os.utime(path, ns=(0, 0))
    status, told = give(site, 0, 2, version=version)
    assert status == 409
    assert "graded again meanwhile" in told["error"]
    assert stands(course, "ada", "explain").needs_manual_grade
    assert give(site, 0, 2)[0] == 200


def test_names_can_be_hidden(course):
    site = site_of(course, anonymous=True, salt="1")
    pages = [site.reply("GET", path).body.decode() for path in ("", "q/0", "q/0/0", "q/0/1")]
    assert all("ada" not in page and "bob" not in page for page in pages)
    orders = {tuple(site_of(course, anonymous=True, salt=str(salt)).students) for salt in range(8)}
    assert len(orders) == 2


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "q/9", b""),
        ("GET", "q/-1", b""),
        ("GET", "q/0/9", b""),
        ("GET", "q/0/-1", b""),
        ("POST", "q/0/-1", b'{"score": 1, "comment": "", "seen": "x"}'),
        ("GET", "q/x", b""),
        ("POST", "q/0/0", b"{}"),
        ("POST", "q/0/0", b"["),
        ("POST", "here", b'{"key": 1}'),
        ("GET", "../secrets", b""),
        ("PUT", "q/0/0", b"{}"),
    ],
)
def test_a_strange_request_is_refused(course, method, path, body):
    assert site_of(course).reply(method, path, body).status in (400, 404)


def test_the_server_answers_this_machine_with_the_token_only(course):
    with ReviewServer(site_of(course)) as server:
        assert server.server_address[0] == "127.0.0.1"

        def status(path, host="127.0.0.1:80", method="GET", length="0"):
            asked = {"HTTP_HOST": host, "PATH_INFO": path, "REQUEST_METHOD": method, "CONTENT_LENGTH": length}
            return server.answer({**asked, "wsgi.input": io.BytesIO()}).status

        assert status(f"/{server.token}/") == 200
        assert status(f"/{server.token}/", "localhost:8899") == 200
        assert status(f"/{server.token}/", "elsewhere.example") == 403
        assert status(f"/{server.token}") == status("/") == status("/wrong/") == status("/é/") == 403
        for length in ("1000000", "-1", "much"):
            assert status(f"/{server.token}/here", method="POST", length=length) == 413


def test_the_server_speaks_http(course):
    with ReviewServer(site_of(course)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with urlopen(server.address) as answer:
            assert "Why does it learn?" in answer.read().decode()
            assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        with pytest.raises(HTTPError, match="403"):
            urlopen(server.address.replace(server.token, "wrong"))
        server.shutdown()
