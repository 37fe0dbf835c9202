"""Frozen copies of a sandboxed kernel: forks that keep a moment, and what becomes of them."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import pytest
from helpers.examination import graded
from helpers.exams import exam_of
from helpers.limits import ROOMY as LIMITS
from helpers.limits import fork, forked, started
from helpers.tiny import cell, notebook

from autograder.codec import decode
from autograder.errors import LostError
from autograder.examination.attempt import Conditions
from autograder.examination.notebook_grading import grade_notebook
from autograder.examiner.remote.proxy import Remote
from autograder.execution.capture import FrozenCopy
from autograder.execution.client import SandboxedKernel
from autograder.execution.own_kernel import sandboxed_kernel
from autograder.records.exam import Role
from autograder.records.limits import Limits
from autograder.records.observations import Observations
from autograder.sandbox import default_sandbox

pytestmark = pytest.mark.sandbox

OBJECT = "class Box: pass\nbox = Box(); box.value = 1\ndef read():\n    return box.value\n"


def copy_of(kernel: SandboxedKernel, source: str) -> tuple[Remote, FrozenCopy, object]:
    """Run a cell that defines ``read``; return the way to the kernel, a copy as of then, and ``read``."""
    assert kernel.run(source, 10).status == "ok"
    remote = Remote(kernel)
    number, _ = remote.ask("snapshot")
    _, text, buffers = remote.ask("fetch", number, ["read"])["read"]
    made, last = remote.ask("freeze", number, [], 300)
    assert made == "frozen", last
    return remote, FrozenCopy(number, last), decode(text, buffers, remote.stand_in)


def test_a_copy_keeps_its_moment_while_the_kernel_goes_on() -> None:
    with forked() as kernel:
        remote, copy, read = copy_of(kernel, OBJECT)
        assert kernel.run("box.value = 2", 10).status == "ok"
        with remote.asking_copy(copy):
            assert read() == 1
        assert read() == 2


def test_an_interrupted_cell_harms_no_copy() -> None:
    with forked() as kernel:
        remote, copy, read = copy_of(kernel, OBJECT)
        assert kernel.run("while True: pass", 0.5).status == "timed_out"
        with remote.asking_copy(copy):
            assert read() == 1


def test_a_call_without_end_ends_the_copy_and_not_the_kernel() -> None:
    endless = "import os\nhome = os.getpid()\ndef read():\n    while os.getpid() != home: pass\n    return 5"
    with forked() as kernel:
        remote, copy, read = copy_of(kernel, endless)
        with remote.asking_copy(copy), pytest.raises(LostError):
            remote.ask("call", read, (), {}, timeout=0.5)
        assert copy.snapshot in remote.gone
        remote.ending = None
        assert remote.ask("call", read, (), {})[0] == 5


def test_copies_are_no_children_of_the_kernel_and_print_nowhere() -> None:
    with forked() as kernel:
        source = (
            "def read():\n    import sys, os\n    print('seen'); print('unseen', file=sys.stderr); os.system('echo no')"
        )
        remote, copy, read = copy_of(kernel, source)
        waits = "import os\ntry:\n    os.wait()\nexcept ChildProcessError:\n    print('none')"
        assert kernel.run(waits, 5).outputs[0]["text"] == "none\n"
        with remote.asking_copy(copy):
            read()
        assert "".join(o["text"] for o in kernel.run("print('next')", 5).outputs) == "next\n"


def test_copies_that_need_too_much_memory_are_not_made() -> None:
    with forked() as kernel:
        remote, _, _ = copy_of(kernel, OBJECT + "data = bytearray(200 << 20)")
        number, _ = remote.ask("snapshot")
        made, why = remote.ask("freeze", number, [], 300)
        assert (made, "memory" in why) == ("not", True)


def test_a_notebook_whose_memory_the_copies_fill_runs_again_without_them() -> None:
    """Each copy keeps 90 MiB that the notebook has written over, until the notebook itself needs the room."""
    cells = [(Role.ANSWER, "data = bytearray(90 << 20)\ndef first():\n    return data[0]")]
    for number in (1, 2):
        cells += [(Role.ANSWER, f"data[:] = bytes([{number}]) * len(data)"), (Role.TEST, f"assert first() == {number}")]
    cells += [
        (Role.ANSWER, "data[:] = bytes(len(data))\nmore = b'x' * (310 << 20)"),
        (Role.TEST, "assert first() == 0"),
    ]
    limits = Limits(memory_mib=600)
    kernels = []

    def start() -> SandboxedKernel:
        kernels.append(sandboxed_kernel(default_sandbox(), {}, limits))
        return kernels[-1]

    exam = dataclasses.replace(exam_of(*cells), observations=Observations())
    results = graded(exam, start, limits=limits)
    assert [one.fraction for one in results] == [0.0, 0.0, 1.0]  # as at the end
    assert len(kernels) == 2


def test_a_test_whose_call_lacks_the_memory_that_copies_hold_runs_again_without_them(tmp_path: Path) -> None:
    cells = [
        (Role.ANSWER, "data = bytearray(90 << 20)\ndef f(mib):\n    return len(b'x' * (mib << 20)) >> 20"),
        (Role.ANSWER, "data[:] = bytes([1]) * len(data)"),
        (Role.TEST, "assert f(1) == 1"),
        (Role.ANSWER, "data[:] = bytes([2]) * len(data)"),
        (Role.TEST, "assert f(2) == 2"),
        (Role.ANSWER, "data[:] = bytes(len(data))"),
        (Role.TEST, "assert f(340) == 340"),
    ]
    exam = exam_of(*cells)
    made = [cell(c.source, str(c.grade_id), solution=c.role is Role.ANSWER) for c in exam.cells]
    (tmp_path / "nb.ipynb").write_text(notebook(*made))
    limits = Limits(memory_mib=620)
    kernels = []

    def start() -> SandboxedKernel:
        kernels.append(sandboxed_kernel(default_sandbox(), {}, limits))
        return kernels[-1]

    grade = grade_notebook(exam, tmp_path / "nb.ipynb", Conditions(start, limits)).grade
    assert [q.score for q in grade.questions] == [1.0] * 3, [q.detail for q in grade.questions]
    assert len(kernels) == 2


RUNS_THREADS = """
import _thread, sys, time, types
sys.modules["tensorflow"] = types.ModuleType("tensorflow")
_thread.start_new_thread(time.sleep, (60,))  # one that Python's module does not know
"""
TENSORFLOW = "import tensorflow as tf\nx = tf.add(1, 2)"


@pytest.mark.parametrize(
    "source", [RUNS_THREADS, pytest.param(TENSORFLOW, marks=[pytest.mark.slow, pytest.mark.keras])]
)
def test_no_copy_is_made_while_tensorflow_runs_threads(source: str) -> None:
    with started(Limits()) as kernel:
        assert kernel.run(f"{source}\nbox = object()", 120).status == "ok"
        remote = Remote(kernel)
        number, _ = remote.ask("snapshot")
        made, why = remote.ask("freeze", number, [], 2000)
        assert made == "not"
        assert "tensorflow" in why


WORKER = """
import queue, threading
asked, told = queue.Queue(), queue.Queue()
def work():
    while True:
        told.put(2 * asked.get())
threading.Thread(target=work, daemon=True).start()
def double(x):
    asked.put(x)
    return told.get()
"""
EXECUTOR = """
from concurrent.futures import ThreadPoolExecutor
workers = ThreadPoolExecutor(1)
workers.submit(int).result()
def double(x):
    return workers.submit(lambda: 2 * x).result()
"""
POOL = """
import multiprocessing
def twice(x): return 2 * x
pool = multiprocessing.get_context("fork").Pool(1)
def double(x):
    return pool.map(twice, [x])[0]
"""


@pytest.mark.parametrize("answer", [WORKER, EXECUTOR, POOL])
def test_a_function_that_waits_for_a_thread_of_the_notebook_is_asked_where_that_thread_is(answer: str) -> None:
    cells = [
        (Role.ANSWER, answer),
        (Role.TEST, "assert double(2) == 4"),
        (Role.ANSWER, "y = 1"),
        (Role.TEST, "assert y"),
    ]
    results = graded(exam_of(*cells), lambda: fork(LIMITS), limits=LIMITS)
    assert [one.fraction for one in results] == [1.0, 1.0]


def test_threads_that_have_ended_and_those_of_the_kernel_prevent_no_copy() -> None:
    ended = "import threading\nt = threading.Thread(target=print)\nt.start(); t.join()\n"
    with forked() as kernel:
        copy_of(kernel, OBJECT + ended + "t = threading.Timer(60, print)\nt.daemon = True\nt.start()")


def test_a_copy_has_a_position_of_its_own_in_each_open_file() -> None:
    lines = "open('f.txt', 'w').write('1\\n2\\n3\\n')\nf = open('f.txt')\ndef read():\n    return int(f.readline())"
    with forked() as kernel:
        remote, copy, read = copy_of(kernel, lines)
        with remote.asking_copy(copy):
            assert (read(), read()) == (1, 2)
        assert (read(), read()) == (1, 2)


def test_a_copy_takes_milliseconds() -> None:
    with forked() as kernel:
        remote, _, _ = copy_of(kernel, OBJECT)
        began, waited = time.monotonic(), kernel.waited()
        for _ in range(5):
            assert remote.ask("freeze", remote.ask("snapshot")[0], [], 768)[0] == "frozen"
        assert time.monotonic() - began - (kernel.waited() - waited) < 15  # a quiet machine needs 0.1 s
