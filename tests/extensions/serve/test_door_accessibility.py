"""The door's pages in a browser: they fit a telephone, and axe finds nothing against WCAG 2.1 AA, in light and in dark."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from helpers import hubs
from helpers.browser import in_browser, misfits, rendered, violations, with_axe
from helpers.doors import NOTEBOOK, Door
from helpers.samples import assignment

from autograder.extensions.serve.models import STEPS, Job, JobState, Kind
from autograder.results.report.page import render

pytestmark = pytest.mark.integration

PAGES = {
    "link": ("", "/"),
    "assignments": ("ada", "/assignments/"),
    "hand-in": ("ada", "/assignments/hw/"),
    "receipt": ("ada", "/receipts/{receipt}/"),
    "feedback": ("ada", "/assignments/hw/feedback/"),
    "second look": ("ada", "/assignments/hw/second-look/"),
    "not found": ("ada", "/receipts/none/"),
    "overview": ("meier", "/staff/"),
    "submissions": ("meier", "/staff/submissions/"),
    "preview": ("meier", "/staff/preview/"),
    "people": ("meier", "/staff/people/"),
    "student": ("meier", "/staff/students/hw/ada/"),
    "acts": ("meier", "/staff/acts/"),
    "reports": ("meier", "/staff/reports/"),
    "log": ("meier", "/staff/log/"),
}
LONG = "a_name_without_a_single_space_that_is_as_long_as_students_sometimes_choose_them.ipynb"


@pytest.fixture
def used_door(door: Door) -> Door:
    """A door with a graded, a failed and a waiting hand-in, a request, and a feedback page."""
    for number, state in enumerate((JobState.DONE, JobState.PERSON, JobState.REFUSED, JobState.WAITING)):
        door.hand_in("ada", name=f"{number}{LONG}")
        Job.objects.filter(number=Job.objects.latest("number").number).update(
            state=state, note="x" * 80, detail="y" * 200
        )
    now = datetime.now(UTC)
    Job.objects.filter(state=JobState.DONE).update(score=1.5, max_score=2, **dict.fromkeys(STEPS, now))
    values = json.dumps({"why": "w" * 90, "before": LONG, "after": LONG})
    act = {"student": "ada", "assignment": "hw", "by": "meier", "text": values, "received": now}
    Job.objects.create(receipt="e" * 16, kind=Kind.OVERRIDE, state=JobState.REFUSED, detail=LONG, **act)
    door.course.reports.mkdir()
    (door.course.reports / f"{LONG}.html").touch()
    submitted = door.course.submitted("ada", "hw")
    submitted.mkdir(parents=True)
    for number in range(2):
        (submitted / f"{number}{LONG}").write_bytes(NOTEBOOK)
    request = {"student": "ada", "assignment": "hw", "by": "ada", "text": "z" * 200, "received": now}
    Job.objects.create(receipt="f" * 16, kind=Kind.ASK, **request)
    page = door.course.feedback("ada", "hw") / "nb.html"
    page.parent.mkdir(parents=True)
    page.write_text("<!doctype html><title>x</title>")
    return door


def page_of(door: Door, name: str, language: str) -> str:
    person, path = PAGES[name]
    receipt = Job.objects.get(state=JobState.DONE).receipt
    answer = door.visitor(person).get(path.format(receipt=receipt), HTTP_ACCEPT_LANGUAGE=language)
    return answer.content.decode()


@in_browser
def test_every_page_fits_a_small_telephone(used_door: Door) -> None:
    assert misfits({name: page_of(used_door, name, "de") for name in PAGES}, [360]) == []


@with_axe
@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(used_door: Door, name: str, dark: bool) -> None:
    for language in ("en", "de"):
        assert violations(page_of(used_door, name, language), dark=dark) == []


OF_A_LEARNING_SYSTEM: dict[str, dict[str, Any]] = {
    "lti-choice": {
        "address": "https://lms.example/back",
        "answers": [(assignment(), "x.y.z"), (assignment(), "z.y.x")],
    },
    "lti-window": {"fields": {"iss": "https://lms.example", "login_hint": "7"}},
    "lti-registered": {"lines": f"serve:\n  lti:\n    client: {'0123456789' * 12}", "deployment": ""},
    "enter": {"visitor": None, "holder": LONG},
    "notice": {"title": "There is no such page", "text": LONG},
}
"""Template → its values; these pages answer a learning system, or a link that leads nowhere."""


def launched(name: str) -> str:
    words = {"_": str, "base": "", "language": "en", "person": str, "visitor": None, "csrf": "token"}
    return render(f"serve/{name}.html", {**words, **OF_A_LEARNING_SYSTEM[name]})


@in_browser
def test_pages_for_a_learning_system_fit_a_small_telephone() -> None:
    assert misfits({name: launched(name) for name in OF_A_LEARNING_SYSTEM}, [360]) == []


@with_axe
@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", OF_A_LEARNING_SYSTEM)
def test_axe_finds_nothing_on_pages_for_a_learning_system(name: str, dark: bool) -> None:
    assert violations(launched(name), dark=dark) == []


@with_axe
def test_control_axe_finds_what_is_wrong() -> None:
    page = '<!doctype html><html><body><img src="x"><input><p style="color: #ccc; background: #fff">faint</p></body></html>'
    ids = {violation.split(":")[0] for violation in violations(page, dark=False)}
    assert ids >= {"critical image-alt", "critical label", "serious color-contrast", "serious html-has-lang"}


@in_browser
def test_a_receipt_shows_the_end_by_itself(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """The browser runs the page's script under the page's own policy; it asks once, and then there is no more to ask."""
    path = door.hand_in("ada").headers["Location"]
    cookie = door.visitor("ada").cookies["sessionid"].value
    application, paths = hubs._application, []

    def graded_when_asked_again(environment: dict[str, Any], start: Any) -> Any:
        paths.append(environment["PATH_INFO"])
        if paths.count(path) == 2:
            Job.objects.update(state=JobState.DONE, note="Here it is.")
        return application({**environment, "HTTP_COOKIE": f"sessionid={cookie}"}, start)

    monkeypatch.setattr(hubs, "_application", graded_when_asked_again)
    with hubs.served() as address:
        shown = rendered(f"{address}{path}")
    assert paths.count(path) == 2
    assert "Here it is." in shown
    assert "It is being graded" not in shown
    assert shown.count("<h1") == shown.count('id="status"') == 1
