"""Variables of the environment that a test sets are there for the student's code, and only while it answers the test."""

from __future__ import annotations

import os

from helpers.examination import outcome
from helpers.kernels import InProcessKernel

from autograder.examiner.remote.console import Console
from autograder.kernel.callbacks import console
from autograder.records.checks import Outcome


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


def test_each_request_of_the_test_carries_them():
    requests = []

    class Listens(InProcessKernel):
        def exchange(self, request, timeout=None, answer=None):
            requests.append(request.text)
            return super().exchange(request, timeout, answer)

    test = "import os\nfrom unittest import mock\nwith mock.patch.dict(os.environ, CITY='Basel'):\n    assert city() == 'Basel'"
    result = outcome("import os\ndef city(): return os.environ.get('CITY')", test, kernel=Listens)
    assert result.outcome is Outcome.PASSED
    assert any(b'"call"' in text and b'"Basel"' in text for text in requests)
