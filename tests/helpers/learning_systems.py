"""Learning systems on this machine, as far as their documented APIs are used; requests are kept for a look."""

from __future__ import annotations

import json
import re
import threading
from contextlib import contextmanager
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

TOKEN = "a-secret"


class Fake:
    """What the server knows, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict]] = []
        self.tokens: list[tuple[str, str]] = []
        self.fail_next: list[tuple[int, dict]] = []
        self.failure: object = {}
        self.url = ""

    def answer(self, method: str, path: str, query: dict, form: dict, files: dict) -> tuple[int, dict, object]:
        raise NotImplementedError


class FakeCanvas(Fake):
    """A course 12 with an assignment 5678 of 20 points and two students, whose lists have one item a page."""

    def __init__(self) -> None:
        super().__init__()
        self.users = [
            {"id": 7, "name": "Jane Doe", "sortable_name": "Doe, Jane", "sis_user_id": "s7", "login_id": "jd"},
            {"id": 8, "name": "Max Roe", "sortable_name": "Roe, Max", "sis_user_id": None, "login_id": "mr"},
        ]
        self.points = 20.0
        self.submissions = {user["id"]: {"user_id": user["id"], "score": None, "excused": False} for user in self.users}
        self.comments: dict[int, list[dict]] = {7: [], 8: []}
        self.uploads: dict[int, bytes] = {}
        self.numbers = 100

    def answer(self, method, path, query, form, files):
        course = "/api/v1/courses/12"
        if method == "GET" and path == f"{course}/assignments/5678":
            return 200, {}, {"id": 5678, "points_possible": self.points}
        if method == "GET" and path == f"{course}/users":
            return self._page(path, query, self.users)
        if method == "GET" and path == f"{course}/assignments/5678/submissions":
            asked = query.get("include[]") == "submission_comments"
            listed = [
                {**one, **({"submission_comments": self.comments[user]} if asked else {})}
                for user, one in self.submissions.items()
            ]
            return self._page(path, query, listed)
        if method == "PUT" and (found := re.fullmatch(rf"{course}/assignments/5678/submissions/(\d+)", path)):
            user = int(found[1])
            if "submission[posted_grade]" in form:
                self.submissions[user]["score"] = float(form["submission[posted_grade]"])
            if "comment[text_comment]" in form:
                files_ = [form["comment[file_ids][]"]] if "comment[file_ids][]" in form else []
                self.numbers += 1
                number = self.numbers
                self.comments[user].append({"id": number, "comment": form["comment[text_comment]"], "files": files_})
            return 200, {}, {**self.submissions[user], "submission_comments": self.comments[user]}
        if method == "PUT" and (found := re.fullmatch(rf"{course}/.*/submissions/(\d+)/comments/(\d+)", path)):
            (comment,) = [c for c in self.comments[int(found[1])] if c["id"] == int(found[2])]
            comment["comment"] = form["comment"]
            return 200, {}, comment
        if method == "DELETE" and (found := re.fullmatch(rf"{course}/.*/submissions/(\d+)/comments/(\d+)", path)):
            there = self.comments[int(found[1])]
            (comment,) = [c for c in there if c["id"] == int(found[2])]
            there.remove(comment)
            return 200, {}, comment
        if method == "POST" and path.endswith("/comments/files"):
            return 200, {}, {"upload_url": f"{self.url}/inst-fs/{form['name']}", "upload_params": {"key": "k"}}
        if method == "POST" and path.startswith("/inst-fs/"):
            number = 900 + len(self.uploads)
            assert form == {"key": "k"}
            self.uploads[number] = files["file"]
            return 201, {"Location": f"{self.url}/api/v1/files/{number}/create_success"}, {}
        if method == "GET" and (found := re.fullmatch(r"/api/v1/files/(\d+)/create_success", path)):
            return 200, {}, {"id": int(found[1])}
        return 404, {}, {"errors": [{"message": "not found"}]}

    def _page(self, path, query, items):
        number = int(query.get("page", "1"))
        rest = urlencode({**query, "page": number + 1})
        more = {"Link": f'<{self.url}{path}?{rest}>; rel="next"'} if number < len(items) else {}
        return 200, more, items[number - 1 : number]


class FakeMoodle(Fake):
    """A course 3 with an assignment 44 (cmid 144) of 20 points and two people."""

    def __init__(self) -> None:
        super().__init__()
        self.users = [
            {"id": 101, "username": "jd", "email": "jd@example.org", "fullname": "Jane Doe", "idnumber": "s7"},
            {"id": 102, "username": "mr", "email": "mr@example.org", "fullname": "Max Roe", "idnumber": ""},
        ]
        self.maximum = 20
        self.grades: dict[int, str] = {}
        self.comments: dict[int, str] = {}
        self.files: dict[int, list[str]] = {}
        self.drafts: dict[int, tuple[str, bytes]] = {}

    def answer(self, method, path, query, form, files):
        if path == "/webservice/upload.php":
            assert form["token"] == TOKEN
            number = 500 + len(self.drafts)
            self.drafts[number] = ("hands-on.html", files["file_1"])
            return 200, {}, [{"itemid": number, "filename": "hands-on.html"}]
        if path != "/webservice/rest/server.php":
            return 404, {}, {}
        if form.get("wstoken") != TOKEN:
            return 200, {}, {"exception": "moodle_exception", "errorcode": "invalidtoken", "message": "Invalid token"}
        return 200, {}, getattr(self, form["wsfunction"])(form)

    def core_enrol_get_enrolled_users(self, form):
        assert form["courseid"] == "3"
        return self.users

    def mod_assign_get_assignments(self, form):
        return {"courses": [{"id": 3, "assignments": [{"id": 44, "cmid": 144, "name": "H", "grade": self.maximum}]}]}

    def mod_assign_get_grades(self, form):
        assert form["assignmentids[0]"] == "44"
        grades = [{"userid": user, "grade": grade, "attemptnumber": 0} for user, grade in self.grades.items()]
        return {"assignments": [{"assignmentid": 44, "grades": grades}] if grades else [], "warnings": []}

    def mod_assign_get_submission_status(self, form):
        user = int(form["userid"])
        editor = [{"name": "comments", "text": self.comments.get(user, ""), "format": 1}]
        files = [{"filename": name} for name in self.files.get(user, [])]
        return {
            "feedback": {
                "plugins": [
                    {"type": "comments", "editorfields": editor},
                    {"type": "file", "fileareas": [{"area": "feedback_files", "files": files}]},
                ]
            }
        }

    def mod_assign_save_grade(self, form):
        assert {"attemptnumber", "addattempt", "workflowstate", "applytoall"} <= form.keys()
        user = int(form["userid"])
        self.grades[user] = f"{float(form['grade']):.5f}"
        if "plugindata[assignfeedbackcomments_editor][text]" in form:
            self.comments[user] = f"<p>{form['plugindata[assignfeedbackcomments_editor][text]']}</p>"
        if "plugindata[files_filemanager]" in form:
            self.files[user] = [self.drafts[int(form["plugindata[files_filemanager]"])][0]]


@contextmanager
def served(fake: Fake):
    """Serve a fake on the loopback interface."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self._answer("GET")

        def do_POST(self):
            self._answer("POST")

        def do_PUT(self):
            self._answer("PUT")

        def do_DELETE(self):
            self._answer("DELETE")

        def _answer(self, method):
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            form, files = _parsed(self.headers.get("Content-Type") or "", body)
            query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
            fake.asked.append((method, parts.path, form))
            fake.tokens.append((parts.path, self.headers.get("Authorization") or ""))
            if fake.fail_next:
                status, headers = fake.fail_next.pop(0)
                content = fake.failure
            else:
                status, headers, content = fake.answer(method, parts.path, query, form, files)
            data = json.dumps(content).encode()
            self.send_response(status)
            for key, value in {**headers, "Content-Type": "application/json", "Content-Length": len(data)}.items():
                self.send_header(key, str(value))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _parsed(kind: str, body: bytes) -> tuple[dict, dict]:
    """Read a form or JSON, and the files of a form with several parts."""
    if kind.endswith("json"):
        return json.loads(body), {}
    if not kind.startswith("multipart/"):
        return {key: values[-1] for key, values in parse_qs(body.decode(), keep_blank_values=True).items()}, {}
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
    form, files = {}, {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        if part.get_filename():
            files[name] = part.get_payload(decode=True)
        else:
            form[name] = part.get_payload(decode=True).decode()
    return form, files
