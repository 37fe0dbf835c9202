"""Variables of the environment that a test sets are there for the student's code, and only while it answers the test."""

from __future__ import annotations

import os

from helpers.examination import graded, outcome
from helpers.exams import exam_of
from helpers.kernels import InProcessKernel

from autograder.examiner.remote.console import Console
from autograder.extensions.pytest_files.pytest_files import with_tests
from autograder.kernel.callbacks import console
from autograder.records.checks import Outcome
from autograder.records.exam import Role


def test_what_a_test_sets_and_removes_is_told_to_the_kernel(monkeypatch):
    monkeypatch.setenv("BEFORE", "1")
    monkeypatch.setenv("LANG", "C")
    told = Console()
    assert told.replaced() == {}
    monkeypatch.setenv("CITY", "Basel")
    monkeypatch.setenv("LANG", "de")
    monkeypatch.delenv("BEFORE")
    monkeypatch.setenv("PYTEST_CURRENT_TEST", "tests/test_hidden.py::test_city")
    assert told.replaced() == {"environ": {"CITY": "Basel", "LANG": "de", "BEFORE": None}}
    told.begin()
    assert told.replaced() == {}


def test_the_kernel_has_them_while_it_answers(monkeypatch):
    monkeypatch.delenv("CITY", raising=False)
    monkeypatch.setenv("BEFORE", "1")
    with console({"environ": {"CITY": "Basel", "BEFORE": None}}, {}, ()):
        assert (os.environ["CITY"], "BEFORE" in os.environ) == ("Basel", False)
    assert ("CITY" in os.environ, os.environ["BEFORE"]) == (False, "1")


def test_what_the_students_code_sets_stays(monkeypatch):
    monkeypatch.setenv("CITY", "Bern")
    with console({"environ": {"CITY": "Basel"}}, {}, ()):
        os.environ["CITY"] = "Chur"
    assert os.environ["CITY"] == "Chur"


def listening() -> tuple[type[InProcessKernel], list[bytes]]:
    """A kernel, and the requests that it gets.

    It shares its environment with the test, so that what the student's code reads proves nothing.
    """
    requests: list[bytes] = []

    class Listens(InProcessKernel):
        def exchange(self, request, timeout=None, answer=None):
            requests.append(request.text)
            return super().exchange(request, timeout, answer)

    return Listens, requests


CITY = "import os\ndef city(): return os.environ.get('CITY')"


def test_each_request_of_the_test_carries_them():
    kernel, requests = listening()
    test = "import os\nfrom unittest import mock\nwith mock.patch.dict(os.environ, CITY='Basel'):\n    assert city() == 'Basel'"
    result = outcome(CITY, test, kernel=kernel)
    assert result.outcome is Outcome.PASSED
    assert any(b'"call"' in text and b'"Basel"' in text for text in requests)


FILE = """\
import pytest

@pytest.mark.points(1)
def test_city(student, monkeypatch):
    monkeypatch.setenv("CITY", "Basel")
    assert student.city() == "Basel"

@pytest.mark.points(1)
def test_no_city(student):
    assert student.city() is None
"""


def test_in_a_test_file_a_call_carries_what_monkeypatch_sets_until_the_test_ends(monkeypatch, tmp_path):
    monkeypatch.delenv("CITY", raising=False)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_nb.py").write_text(FILE)
    exams, _ = with_tests({"nb": exam_of((Role.ANSWER, CITY))}, tmp_path)
    kernel, requests = listening()
    results = graded(exams["nb"], kernel=kernel, honest=InProcessKernel)
    assert [result.outcome for result in results] == [Outcome.PASSED] * 2, [result.detail for result in results]
    assert [b'"Basel"' in text for text in requests if b'"call"' in text] == [True, False]
