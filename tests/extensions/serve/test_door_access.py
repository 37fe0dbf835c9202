"""Access: every address of the door is tried by every role, and nobody reads what is somebody else's."""

from __future__ import annotations

import contextlib
import itertools
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from click.testing import CliRunner
from django.conf import settings
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.signing import TimestampSigner
from django.test import Client, override_settings
from django.test.utils import override_script_prefix
from helpers.doors import NOTEBOOK, Door
from helpers.hubs import Hub, answering
from helpers.lti_platform import CLAIM, STUDENT, TEACHER, LearningSystem
from helpers.tiny import YAML, tiny_course

from autograder.course.configuration import load_course
from autograder.errors import CourseError
from autograder.extensions.serve import access_log, django_settings, health, state_folder, visitors, web_server
from autograder.extensions.serve.course_keys import FRONT_VARIABLE
from autograder.extensions.serve.models import Job
from autograder.extensions.serve.serve_command import serve
from autograder.extensions.serve.urls import ROUTES, Route, urlpatterns
from autograder.extensions.serve.visitors import STAFF_ROLES, VisitorRole
from autograder.extensions.serve.web_server import SILENT_SECONDS, PacedSocket, WebServer
from autograder.submissions.hand_ins import HandIns, attempt_name

VISITORS = {
    "": VisitorRole.NOBODY,
    "carl": VisitorRole.NOBODY,
    "nobody": VisitorRole.NOBODY,
    "ada": VisitorRole.STUDENT,
    "meier": VisitorRole.STAFF,
    "tanja": VisitorRole.ASSISTANT,
    "dean": VisitorRole.AUDITOR,
}
SECRET = "only ada and staff may read this"


@pytest.fixture
def graded_door(door: Door) -> Door:
    """ada has handed in and has a feedback page with a secret in it; nobody else has anything."""
    door.hand_in("ada")
    page = door.course.feedback("ada", "hw") / "nb.html"
    page.parent.mkdir(parents=True)
    page.write_text(SECRET)
    files = door.course.submitted("ada", "hw")
    files.mkdir(parents=True)
    for path in (files / "nb.ipynb", door.course.reports / "hw.html"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(SECRET)
    return door


def address(route: Route) -> str:
    """The address with ada's and hw's names in it."""
    job = Job.objects.get(student="ada", kind="hand-in")
    names = {"assignment": "hw", "student": "ada", "receipt": job.receipt, "token": "wrong"}
    names["kind"] = "extend" if "<str:student>" in route.path else "release"
    attempts = HandIns(load_course(settings.COURSE_ROOT)).attempts("ada", "hw")
    names["name"] = attempt_name(attempts[0]) if "<str:student>" in route.path and attempts else "hw.html"
    path = route.path.replace("<path:page>", "0123456789abcdef/q/0")
    for name, value in names.items():
        path = path.replace(f"<str:{name}>", value)
    return f"/{path}"


def ask(client: Client, route: Route, method: str, person: str) -> Any:
    send = client.post if method == "POST" else client.get
    signed = {"HTTP_AUTHORIZATION": f"Bearer {visitors.token(person)}"} if route.by_token else {}
    return send(address(route), **signed)


def test_every_address_is_in_the_table_of_roles() -> None:
    assert [str(pattern.pattern) for pattern in urlpatterns] == [route.path for route in ROUTES]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_an_address_opens_for_its_role_alone(graded_door: Door, route: Route) -> None:
    for person, role in VISITORS.items():
        client = graded_door.visitor(person, raise_request_exception=False)
        for method in ("GET", "POST"):
            answer = ask(client, route, method, person)
            assert "frame-ancestors" in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            if method not in route.methods:
                assert answer.status_code == 405
            elif route.role is VisitorRole.NOBODY:
                assert answer.status_code in (200, 302, 401, 503)
            elif (
                route.opens_for(role) and method == "POST" and route.role is VisitorRole.STAFF and not may(role, route)
            ):
                assert answer.status_code == 403
                assert "The course does not let you do this." in answer.content.decode()
            elif role is route.role or (role in STAFF_ROLES and (route.staff_too or route.role is VisitorRole.STAFF)):
                no_worker = {503} if route.name.startswith("review") else set()
                assert answer.status_code in {200, 400, *({404} if route.by_token else {302}), *no_worker}
            else:
                assert answer.status_code == (401 if role is VisitorRole.NOBODY else 403)
                assert SECRET not in answer.content.decode()


def may(role: VisitorRole, route: Route) -> bool:
    """Whether the table of roles lets a role send the form of an address; the acts themselves: test_acts.py."""
    return role is VisitorRole.STAFF or (role is VisitorRole.ASSISTANT and route.name == "review-page")


ROLES = {"ada": STUDENT, "meier": TEACHER}


@pytest.fixture
def hub(graded_door: Door) -> Iterator[Hub]:
    cache.clear()
    with answering(hub := Hub()) as address:
        settings_file = graded_door.root / "course.yaml"
        settings_file.write_text(settings_file.read_text().replace("staff:", f"hub: {address}/hub/api, staff:"))
        yield hub


def differing(door: Door, browsers: Mapping[str, Client], for_programs: bool) -> list[tuple[str, str, str]]:
    """Addresses that another way in opens otherwise than a link; one for programs may stay closed."""
    by_link = {person: door.visitor(person, raise_request_exception=False) for person in browsers}
    wrong = []
    for route in [route for route in ROUTES if route.name != "leave"]:  # it ends a session
        for method in route.methods:
            for person, browser in browsers.items():
                wanted = ask(by_link[person], route, method, person).status_code
                if route.by_token and not for_programs:
                    wanted = 401
                if browser.generic(method, address(route)).status_code != wanted:
                    wrong.append((route.name, method, person))
    return wrong


@pytest.mark.usefixtures("hub")
def test_a_token_of_the_hub_opens_what_a_link_opens(graded_door: Door) -> None:
    signed = {person: f"token t-{person}" for person in ROLES}
    browsers = {
        person: graded_door.visitor(raise_request_exception=False, HTTP_AUTHORIZATION=token)
        for person, token in signed.items()
    }
    assert differing(graded_door, browsers, for_programs=True) == []


def test_a_launch_opens_what_a_link_opens_and_no_address_for_programs(graded_door: Door) -> None:
    (graded_door.root / "people.csv").write_text("id,name,lti_id\nada,Ada A.,s-1\nbob,Bob B.,\n")
    system = LearningSystem()
    browsers = {person: graded_door.visitor(raise_request_exception=False) for person in ROLES}
    with system.answering():
        for person, role in ROLES.items():
            assert system.launch(browsers[person], **{f"{CLAIM}roles": [role]}).status_code == 302
        assert differing(graded_door, browsers, for_programs=False) == []


@pytest.mark.parametrize("route", [r for r in ROUTES if r.role is VisitorRole.STUDENT], ids=lambda route: route.name)
def test_another_student_sees_nothing_of_adas_at_any_address(graded_door: Door, route: Route) -> None:
    client = graded_door.visitor("bob", raise_request_exception=False)
    job = Job.objects.get(student="ada", kind="hand-in")
    for method in route.methods:
        answer = ask(client, route, method, "bob")
        assert answer.status_code in (200, 400, 404)
        text = b"".join(answer).decode("utf-8", "replace")
        for word in (SECRET, job.sha256, job.receipt, "Ada A."):
            assert word not in text


@pytest.mark.parametrize("route", [r for r in ROUTES if r.by_token], ids=lambda route: route.name)
def test_an_address_for_programs_opens_for_no_session_since_other_sites_could_use_it(door: Door, route: Route) -> None:
    door.hand_in("ada")
    for person in ("ada", "meier"):
        client = door.visitor(person, enforce_csrf_checks=True)
        assert {client.generic(method, address(route)).status_code for method in route.methods} == {401}


@pytest.mark.parametrize("route", [r for r in ROUTES if "GET" in r.methods], ids=lambda route: route.name)
def test_head_answers_as_get_does(graded_door: Door, route: Route) -> None:
    for person in ("ada", "meier", ""):
        asked = [graded_door.visitor(person).generic(method, address(route)) for method in ("GET", "HEAD")]
        assert asked[0].status_code == asked[1].status_code


def test_somebody_elses_receipt_answers_as_one_that_never_was(graded_door: Door) -> None:
    client = graded_door.visitor("bob")
    receipt = Job.objects.get(student="ada").receipt
    theirs, none = client.get(f"/receipts/{receipt}/"), client.get(f"/receipts/{'0' * 16}/")
    assert theirs.status_code == none.status_code == 404
    assert strip_token(theirs) == strip_token(none)
    assert sorted(theirs.headers) == sorted(none.headers)


def strip_token(answer: Any) -> str:
    return "".join(line for line in answer.content.decode().splitlines() if "csrfmiddlewaretoken" not in line)


@pytest.mark.parametrize("path", ["../../../course.yaml", "..%2f..%2fpeople.csv", "ada/../bob", "%00", "hw%0a"])
def test_no_name_in_an_address_leads_out_of_the_course(graded_door: Door, path: str) -> None:
    client = graded_door.visitor("ada")
    for address_ in (f"/assignments/{path}/feedback/page/", f"/receipts/{path}/"):
        assert client.get(address_).status_code == 404
    assert graded_door.visitor("meier").get(f"/staff/feedback/hw/{path}/").status_code == 404
    staff = {"HTTP_AUTHORIZATION": f"Bearer {visitors.token('meier')}"}
    for address_ in (
        f"/exchange/submissions/hw/{path}/",
        f"/exchange/submissions/{path}/ada/",
        f"/exchange/release/{path}/",
    ):
        assert client.get(address_, **staff).status_code == 404


def test_a_feedback_page_cannot_act(graded_door: Door) -> None:
    answer = graded_door.visitor("ada").get("/assignments/hw/feedback/page/")
    assert SECRET in answer.content.decode()
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "script" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    frame = graded_door.visitor("ada").get("/assignments/hw/feedback/").content.decode()
    assert '<iframe class="card door-frame" src="page/" sandbox ' in frame


def test_no_page_is_kept_or_framed_elsewhere(graded_door: Door) -> None:
    for path in ("/assignments/", "/assignments/hw/", "/assignments/hw/feedback/page/"):
        headers = graded_door.visitor("ada").get(path).headers
        assert headers["Cache-Control"] == "no-store"
        assert "frame-ancestors" in headers["Content-Security-Policy"]
        assert "ETag" not in headers


def test_what_a_student_wrote_is_text_on_every_page(graded_door: Door) -> None:
    name = "<script>alert(1)</script>.ipynb"
    graded_door.hand_in("ada", name=name)
    Job.objects.update(note="<img src=x onerror=alert(1)>", detail="<b>bold</b>")
    receipt = Job.objects.latest("number").receipt
    for person, path in (
        ("ada", f"/receipts/{receipt}/"),
        ("ada", "/assignments/hw/"),
        ("meier", "/staff/submissions/"),
    ):
        page = graded_door.visitor(person).get(path).content.decode()
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "<b>bold" not in page


# --- ways in


def test_a_link_is_left_at_once_and_ends_when_it_is_renewed(door: Door) -> None:
    client = Client(HTTP_HOST="127.0.0.1")
    answer = client.get(f"/enter/{visitors.token('ada')}/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert client.get("/assignments/").status_code == 200
    for _ in range(2):
        visitors.renew("ada")
        assert client.get("/assignments/").status_code == 401
        client = door.visitor("ada")
        assert client.get("/assignments/").status_code == 200


@pytest.mark.parametrize("change", ["other person", "no signature", "other salt", "other secret"])
def test_a_link_that_nobody_gave_opens_nothing(door: Door, change: str) -> None:
    good = visitors.token("ada")
    bad = {
        "other person": good.replace("ada", "bob"),
        "no signature": good.rpartition(":")[0],
        "other salt": TimestampSigner(salt="another").sign("0:ada"),
        "other secret": TimestampSigner(key="guessed", salt="dated link").sign("0:ada"),
    }[change]
    client = Client(HTTP_HOST="127.0.0.1")
    assert client.get(f"/enter/{bad}/").status_code == 401
    assert client.get("/assignments/").status_code == 401
    assert client.get("/assignments/", HTTP_AUTHORIZATION=f"Bearer {bad}").status_code == 401


def test_a_link_and_its_session_end_after_the_days_of_the_course(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    setting = door.root / "course.yaml"
    setting.write_text(setting.read_text().replace("serve: {", "serve: {link_days: 3, "))
    path, client = f"/enter/{visitors.token('ada')}/", door.visitor("ada")
    now = time.time()
    for days, status in ((2.9, 200), (3.1, 401)):
        monkeypatch.setattr("django.core.signing.time", SimpleNamespace(time=lambda days=days: now + days * 86400))
        assert client.get("/assignments/").status_code == status
        assert door.visitor().get(path, follow=True).status_code == status


def test_the_access_log_has_a_line_for_each_request_and_no_secret(door: Door) -> None:
    link = visitors.token("ada")
    client = door.visitor()
    client.get(f"/enter/{link}/")
    client.get(f"/enter/{link}")  # without the slash at the end, no address of the door
    client.get("/assignments/hw/?token=secret")
    client.get("/staff/people/", HTTP_AUTHORIZATION=f"Bearer {link}")
    client.get("/nobody%0Ahas%20GET%20this/")
    door.hand_in("bob")
    (log,) = (door.root / ".autograder" / "serve").glob("access-*.log")
    lines = log.read_text().splitlines()
    assert [line.split()[2:6] for line in lines] == [
        ["ada", "GET", "/enter/*/", "302"],
        ["-", "GET", "/enter/*", "301"],
        ["ada", "GET", "/assignments/hw/", "200"],
        ["ada", "GET", "/staff/people/", "403"],
        ["-", "GET", "/nobody%0Ahas%20GET%20this/", "404"],
        ["bob", "GET", "/enter/*/", "302"],
        ["bob", "POST", "/assignments/hw/", "302"],
    ]
    assert all(re.fullmatch(r"\S+Z 127.0.0.1( \S+){6}", line) for line in lines)
    assert link.rpartition(":")[2] not in log.read_text()
    assert "secret" not in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


def test_the_access_log_is_bounded_and_its_newest_lines_stay(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers and their threads write it: a piece that is full is set aside once, and the oldest go."""
    monkeypatch.setattr(access_log, "MAX_LOG_BYTES", 2_000)
    folder = door.root / ".autograder" / "serve"
    lines = [f"2030-05-01T09:00:00Z 127.0.0.1 ada GET /{number:04d}/ 200 1 1ms" for number in range(2_000)]
    with override_settings(COURSE_ROOT=door.root), ThreadPoolExecutor(8) as threads:
        list(threads.map(access_log.write, lines))
    pieces = list(folder.glob("access-*.log"))
    assert access_log.MAX_LOGS - 1 <= len(pieces) <= access_log.MAX_LOGS + 1
    assert sum(piece.stat().st_size for piece in pieces) < (access_log.MAX_LOGS + 1) * 3_000
    assert all(piece.stat().st_mode & 0o777 == 0o600 for piece in pieces)
    kept = {line for piece in pieces for line in piece.read_text().splitlines()}
    assert kept <= set(lines), "no line is mixed with another one"
    assert set(lines[-100:]) <= kept


def test_a_log_that_cannot_be_written_stops_no_page(door: Door) -> None:
    client = door.visitor("ada")
    (log,) = (door.root / ".autograder" / "serve").glob("access-*.log")
    log.unlink()
    log.mkdir()
    assert client.get("/assignments/").status_code == 200


def test_somebody_elses_link_asks_before_it_ends_a_session(door: Door) -> None:
    client = door.visitor("ada")
    path = f"/enter/{visitors.token('bob')}/"
    page = client.get(path)
    assert page.status_code == 200
    assert "You are here as Ada A. (ada). This link is that of Bob B. (bob)." in page.content.decode()
    assert "You hand in as Ada A. (ada)." in client.get("/assignments/hw/").content.decode()
    assert client.post(path).status_code == 302
    assert "You hand in as Bob B. (bob)." in client.get("/assignments/hw/").content.decode()


def test_no_other_site_can_change_the_person_of_a_session(door: Door) -> None:
    client = door.visitor("ada", enforce_csrf_checks=True)
    assert client.post(f"/enter/{visitors.token('bob')}/").status_code == 403


def test_a_wrong_link_does_not_end_a_session(door: Door) -> None:
    client = door.visitor("ada")
    client.get("/enter/wrong/")
    assert client.get("/assignments/").status_code == 200


def test_who_leaves_the_course_or_the_page_is_out(door: Door) -> None:
    client = door.visitor("ada")
    people = door.root / "people.csv"
    people.write_text(people.read_text().replace("ada,Ada A.,", "ada,Ada A.,left"))
    assert client.get("/assignments/").status_code == 401
    client = door.visitor("bob")
    client.post("/leave/")
    assert client.get("/assignments/").status_code == 401


@pytest.mark.parametrize(
    ("header", "address_", "status"),
    [
        ({"HTTP_X_LOGIN": "s1"}, "127.0.0.1", 200),
        ({"HTTP_X_LOGIN": "bob"}, "127.0.0.1", 200),
        ({"HTTP_X_LOGIN": "ada"}, "127.0.0.1", 401),  # her login is s1
        ({"HTTP_X_LOGIN": "Ada A."}, "127.0.0.1", 401),
        ({"HTTP_X_LOGIN": "carl"}, "127.0.0.1", 401),
        ({"HTTP_X_LOGIN": "bob"}, "10.1.2.3", 401),
        ({"HTTP_X_LOGIN": "bob"}, "", 401),
        ({"HTTP_REMOTE_USER": "ada"}, "127.0.0.1", 401),
        ({}, "127.0.0.1", 401),
    ],
)
def test_a_campus_logins_header_counts_from_its_proxy_alone(
    door: Door, header: dict[str, str], address_: str, status: int
) -> None:
    settings_file = door.root / "course.yaml"
    settings_file.write_text(
        settings_file.read_text().replace("staff:", "header: X-Login, proxies: [127.0.0.1], staff:")
    )
    (door.root / "people.csv").write_text(
        "id,name,status,sis_login\nada,Ada A.,,s1\nbob,Bob B.,,\ncarl,Carl C.,left,\n"
    )
    client = Client(HTTP_HOST="127.0.0.1", REMOTE_ADDR=address_)
    assert client.get("/assignments/", **header).status_code == status


def test_a_header_from_anywhere_is_refused(door: Door) -> None:
    """Attack 75: each user of the machine can send a header from 127.0.0.1, so the place is named or there is none."""
    settings_file = door.root / "course.yaml"
    settings_file.write_text(settings_file.read_text().replace("staff:", "header: X-Login, staff:"))
    with pytest.raises(CourseError, match="needs 'proxies'"):
        load_course(door.root)


def test_no_header_of_a_stranger_names_a_path() -> None:
    """Attack 74: gunicorn takes SCRIPT_NAME from local addresses, and a proxy may hand it on."""
    assert WebServer("127.0.0.1:0").cfg.forwarder_headers == []


@pytest.mark.parametrize(
    ("bind", "is_local"),
    [
        ("127.0.0.1:8000", True),
        ("[::1]:8000", True),
        ("localhost:80", True),
        ("unix:/run/door/web.sock", True),
        ("0.0.0.0:8000", False),
        ("[::]:8000", False),
        (":8000", False),
        ("8000", False),
        ("door.example:8000", False),
    ],
)
def test_a_door_without_a_proxy_listens_to_this_machine_alone(tmp_path: Path, bind: str, is_local: bool) -> None:
    """Attack 74: forty slow senders stop a bare door; a person may say that it is to be open."""
    for options, is_refused in (([], not is_local), (["--without-proxy"], False)):
        with mock.patch("autograder.extensions.serve.processes.run_web") as run:
            command = ["--course", str(tmp_path), "--only", "web", "--bind", bind, *options]
            with mock.patch("autograder.extensions.serve.django_settings.configure"):
                result = CliRunner().invoke(serve, command)
        assert run.called is not is_refused, result.output


def test_a_page_of_another_site_asks_before_it_lets_a_person_in(door: Door) -> None:
    """Attack 74: else what a student hands in afterwards is that of the link's person."""
    path, foreign = f"/enter/{visitors.token('bob')}/", {"Sec-Fetch-Site": "cross-site"}
    client = door.visitor()
    assert "Is this you?" in client.get(path, headers=foreign).content.decode()
    assert client.get("/assignments/").status_code == 401
    assert client.post(path, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 302
    assert client.get("/assignments/").status_code == 200
    assert client.get(path, headers=foreign).status_code == 302  # who is here already is not asked


def test_an_encrypted_door_asks_where_a_browser_does_not_say_from_where_it_comes(door: Door) -> None:
    settings_file = door.root / "course.yaml"
    settings_file.write_text(settings_file.read_text().replace("staff:", "url: 'https://door.example', staff:"))
    client = door.visitor()
    assert client.get(f"/enter/{visitors.token('bob')}/").status_code == 200
    assert client.get(f"/enter/{visitors.token('bob')}/", headers={"Sec-Fetch-Site": "none"}).status_code == 302


def test_a_unix_socket_counts_where_it_is_named_among_the_proxies(door: Door) -> None:
    settings_file = door.root / "course.yaml"
    settings_file.write_text(settings_file.read_text().replace("staff:", "header: X-Login, proxies: [unix], staff:"))
    statuses = [
        Client(HTTP_HOST="127.0.0.1", REMOTE_ADDR=source).get("/assignments/", HTTP_X_LOGIN="ada").status_code
        for source in ("", "127.0.0.1")
    ]
    assert statuses == [200, 401]


@pytest.mark.parametrize(("front", "status"), [("127.0.0.1:8000", 401), ("unix:/run/door/front.sock", 200)])
def test_behind_a_front_on_a_port_a_header_that_is_written_later_counts_for_nobody(
    door: Door, monkeypatch: pytest.MonkeyPatch, front: str, status: int
) -> None:
    """Attack 75: the front hands each request on by a Unix socket, and with it whatever header its sender wrote."""
    monkeypatch.setenv(FRONT_VARIABLE, front)
    before = health.course_fault(door.course)
    settings_file = door.root / "course.yaml"
    settings_file.write_text(settings_file.read_text().replace("staff:", "header: X-Login, proxies: [unix], staff:"))
    client = Client(HTTP_HOST="127.0.0.1", REMOTE_ADDR="")
    assert client.get("/assignments/", HTTP_X_LOGIN="ada").status_code == status
    assert client.get("/staff/", HTTP_X_LOGIN="meier").status_code == status
    assert before == ""
    assert ("'header' needs --bind unix:PATH" in health.course_fault(door.course)) is (status == 401)
    assert door.visitor("ada").get("/assignments/").status_code == 200, "links open it as before"


def test_a_unix_socket_is_for_its_user_and_group() -> None:
    assert WebServer("unix:/run/door/web.sock").cfg.umask == 0o007


def test_a_connection_outlives_the_time_between_two_looks_at_a_receipt() -> None:
    assert WebServer("127.0.0.1:0").cfg.keepalive > 10


IMPATIENT_THREADS = 4
IMPATIENT = f"""
import sys
from pathlib import Path
from autograder.extensions.serve.django_settings import configure
course = configure(Path(sys.argv[1]))
from gunicorn.workers import gthread
from autograder.extensions.serve import processes, web_server
gthread.DEFAULT_WORKER_DATA_TIMEOUT = 1.0  # for the rest of a body that nobody reads
web_server.SILENT_SECONDS = web_server.STALLED_SECONDS = web_server.GRACE_SECONDS = 1
web_server.PROCESSES, web_server.THREADS = 1, {IMPATIENT_THREADS}
processes.run_web(course, sys.argv[2])
"""


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """Address of a web process with few threads that waits a second for a silent or slow sender."""
    course = tiny_course(tmp_path_factory.mktemp("impatient"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = free.getsockname()
    command = [sys.executable, "-c", IMPATIENT, str(course.root), f"127.0.0.1:{address[1]}"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(300):
                with contextlib.suppress(OSError), socket.create_connection(address):
                    break
                time.sleep(0.1)
            yield address
        finally:
            process.terminate()


@pytest.mark.integration
@pytest.mark.parametrize(
    "begun", [b"G", b"POST /enter/x/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\nx"], ids=["header", "body"]
)
def test_senders_who_stop_hold_no_thread_for_ever(impatient: tuple[str, int], begun: bytes) -> None:
    with contextlib.ExitStack() as silent:
        for _ in range(2 * IMPATIENT_THREADS):
            silent.enter_context(socket.create_connection(impatient)).sendall(begun)
        with contextlib.closing(HTTPConnection(*impatient, timeout=60)) as connection:
            connection.request("GET", "/assignments/", headers={"Host": "127.0.0.1"})
            assert connection.getresponse().status == 401


@pytest.mark.integration
def test_senders_who_drip_hold_no_thread_for_ever(impatient: tuple[str, int]) -> None:
    with contextlib.ExitStack() as stack:
        drips = [stack.enter_context(socket.create_connection(impatient)) for _ in range(2 * IMPATIENT_THREADS)]
        for sender in drips:
            sender.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: ")
        connection = stack.enter_context(socket.create_connection(impatient))
        connection.sendall(b"GET /assignments/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        connection.settimeout(0.3)
        for _ in range(200):
            for sender in drips:
                with contextlib.suppress(OSError):
                    sender.send(b"x")
            with contextlib.suppress(TimeoutError):
                assert connection.recv(12) == b"HTTP/1.1 401"
                break
        else:
            pytest.fail("the threads wait for those who drip")


@pytest.mark.parametrize(("size", "pieces"), [(1, 2), (15 * 1024, 10)], ids=["drip", "slow line"])
def test_a_sender_has_to_keep_a_pace_and_a_slow_line_keeps_it(
    monkeypatch: pytest.MonkeyPatch, size: int, pieces: int
) -> None:
    clock = itertools.count(step=15)
    assert SILENT_SECONDS > 15
    monkeypatch.setattr(web_server, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    ours, theirs = socket.socketpair()
    with theirs, PacedSocket(ours.detach()) as paced:
        with contextlib.suppress(ConnectionResetError):
            for number in range(10):
                theirs.sendall(bytes(size))
                paced.recv(size)
                received = number + 1
        assert received == pieces


def test_an_answer_to_a_slow_line_is_cut_where_nothing_of_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_server, "STALLED_SECONDS", 1)
    ours, theirs = socket.socketpair()
    with theirs, PacedSocket(ours.detach()) as paced, pytest.raises(BlockingIOError):
        paced.sendall(bytes(8 << 20))


def test_without_the_setting_no_header_counts(door: Door) -> None:
    for name in ("HTTP_X_LOGIN", "HTTP_REMOTE_USER", "REMOTE_USER", "HTTP_"):
        client = Client(HTTP_HOST="127.0.0.1")
        assert client.get("/assignments/", **{name: "ada"}).status_code == 401


def test_metrics_come_for_a_staff_token(door: Door) -> None:
    client = Client(HTTP_HOST="127.0.0.1")
    assert client.get("/metrics", HTTP_AUTHORIZATION=f"Bearer {visitors.token('ada')}").status_code == 403
    door.hand_in()
    answer = client.get("/metrics", HTTP_AUTHORIZATION=f"Bearer {visitors.token('meier')}")
    assert "autograder_serve_hand_ins_waiting 1\n" in answer.content.decode()
    assert "ada" not in answer.content.decode()


def test_the_secret_and_uploads_are_their_owners_alone(door: Door) -> None:
    door.hand_in()
    folder = door.root / ".autograder/serve"
    assert {path.name for path in (folder, *folder.rglob("*")) if path.stat().st_mode & 0o077} == set()
    assert settings.COURSE_ROOT == Path(door.root)


def test_a_folder_with_setgid_is_shared_with_its_group(tmp_path: Path) -> None:
    course = tiny_course(tmp_path)
    folder = state_folder.folder(course)
    folder.mkdir(parents=True)
    folder.chmod(0o2770)
    state_folder.prepare(course)
    modes = {path.name: oct(path.stat().st_mode & 0o7777) for path in folder.iterdir()}
    folders = dict.fromkeys(("uploads", "incoming", "tables"), "0o2770")
    shared = {**folders, "secret": "0o660", "door.sqlite3": "0o660"}
    assert modes == shared


@pytest.mark.parametrize("host", ["door.example", "door.example:8443"], ids=["nginx's $host", "nginx's $http_host"])
@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://door.example:8443", 302),
        ("https://door.example", 403),
        ("https://evil.example:8443", 403),
        ("null", 403),
    ],
)
def test_forms_come_from_the_doors_address_alone(door: Door, host: str, origin: str, status: int) -> None:
    """Behind https on another port and below a path, each form is one of this door's pages."""
    settings_file = door.root / "course.yaml"
    url = "https://door.example:8443/dl101"
    settings_file.write_text(settings_file.read_text().replace("hosts: [door.example]", f"url: '{url}'"))
    values = django_settings._values(door.course, "x")
    names = ("ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "CSRF_COOKIE_PATH", "SESSION_COOKIE_PATH")
    with override_settings(**{name: values[name] for name in names}), override_script_prefix("/dl101/"):
        client = Client(enforce_csrf_checks=True, HTTP_HOST=host)
        answer = client.get(f"/enter/{visitors.token('ada')}/", headers={"Sec-Fetch-Site": "none"})
        assert answer.headers["Location"] == "/dl101/"
        assert {cookie["path"] for cookie in answer.cookies.values()} == {"/dl101/"}
        page = client.get("/assignments/hw/").content.decode()
        assert re.findall(r'(?:href|action|src)="/(?!dl101/)[^"]*', page) == []
        (token,) = set(re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page.partition("</nav>")[2]))
        data = {"csrfmiddlewaretoken": token, "file": SimpleUploadedFile("nb.ipynb", NOTEBOOK)}
        answer = client.post("/assignments/hw/", data, HTTP_ORIGIN=origin)
        assert answer.status_code == status
        assert Job.objects.count() == (status == 302)


def test_every_page_of_staff_stays_below_the_prefix(door: Door) -> None:
    door.hand_in("ada")
    client = door.visitor("meier")
    with override_script_prefix("/dl101/"):
        for path in ("", "submissions/", "preview/", "reports/", "people/", "acts/", "log/", "students/hw/ada/"):
            page = client.get(f"/staff/{path}").content.decode()
            assert '"/dl101/staff/log/"' in page
            assert re.findall(r'(?:href|action|src)="/(?!dl101/)[^"]*', page) == []


@pytest.mark.parametrize(
    ("path", "seen"), [("/dl101/staff/", "/staff/"), ("/dl101", "/"), ("/dl1012/", "/dl1012/"), ("/staff/", "/staff/")]
)
def test_a_request_is_below_the_prefix_also_where_the_web_server_took_it_away(path: str, seen: str) -> None:
    found: dict[str, str] = {}
    web_server.below("/dl101", lambda environ, start: found.update(environ) or [])({"PATH_INFO": path}, None)
    assert found == {"SCRIPT_NAME": "/dl101", "PATH_INFO": seen}


@pytest.mark.parametrize(
    "url",
    [
        "door.example",
        "ftp://door.example",
        "https://door.example/?x",
        "https://a@door.example",
        "https://door.example/a b",
    ],
)
def test_an_address_that_is_none_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(CourseError, match="no address like"):
        tiny_course(tmp_path, yaml=YAML + f'serve: {{url: "{url}"}}\n')


def test_an_address_settles_cookies_origin_and_path(tmp_path: Path) -> None:
    values = {}
    for name, url in (("a", "https://door.example:8443/dl101/"), ("b", "http://lan:8000"), ("c", "http://[::1]:80/x")):
        course = tiny_course(tmp_path / name, yaml=YAML + f"serve: {{url: '{url}'}}\n")
        values[name] = django_settings._values(course, "secret")
    assert [each["SESSION_COOKIE_SECURE"] for each in values.values()] == [True, False, False]
    assert [each["CSRF_COOKIE_PATH"] for each in values.values()] == ["/dl101/", "/", "/x/"]
    assert values["a"]["CSRF_TRUSTED_ORIGINS"] == ["https://door.example:8443"]


def test_a_host_with_a_port_is_one_that_forms_may_come_from(tmp_path: Path) -> None:
    course = tiny_course(tmp_path, yaml=YAML + 'serve: {hosts: ["door.example:8443"]}\n')
    values = django_settings._values(course, "secret")
    assert "door.example" in values["ALLOWED_HOSTS"]
    assert values["CSRF_TRUSTED_ORIGINS"] == ["https://door.example:8443"]
