"""The students of the class that is graded for these tests: what each tries, and what it is worth."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterable
from dataclasses import dataclass

import generated_classes
import probing
import pytest
from helpers.cheats import (
    EQUAL,
    NOTHING,
    PROBE,
    SNOOP,
    TRANSFORMER,
    WRONG,
    delete_tests,
    duplicate_all,
    rename_and_raise,
    retype,
)
from helpers.pipeline import POINTS, Student

CELL_SECONDS = 3
MEMORY_MIB, PROCESSES, DISK_MIB, OUTPUT_MIB = 512, 64, 16, 2
LIMITS = (
    f"{{cell_seconds: {CELL_SECONDS}, notebook_seconds: 60, memory_mib: {MEMORY_MIB}, processes: {PROCESSES}, "
    f"disk_mib: {DISK_MIB}, output_mib: {OUTPUT_MIB}}}"
)


@dataclass(frozen=True)
class Attack:
    """One submission: answers by grade_id (the others are right, or wrong for a cheat), and what may come of it."""

    student: Student
    gains: frozenset[str] | None = None
    """The tests that pass where answers and tests share a process; None where another control shows the attack."""
    status: str = "completed"
    message: str = ""
    """A part of the sentence that the student reads of the run."""


def cheat(*gains: str, trick: str = "", **answers: str) -> Attack:
    """Wrong answers behind a trick; the tests in ``gains`` fall for it in one process, and none may here."""
    answers = {**WRONG, **answers}
    answers["mean"] = f"{trick}\n{answers['mean']}"
    return Attack(Student(answers, NOTHING), frozenset(gains))


def stops(line: str, status: str, message: str, *, dies: bool = True) -> Attack:
    """Right answers, and in the third of four something that ends the cell, or the kernel with it."""
    lost = ("test-line", "test-rescale") if dies else ("test-line",)
    return Attack(Student({"line": line}, dict.fromkeys(lost, 0.0)), None, status, message)


def told(probe: str) -> Attack:
    """Right answers, and a look around of which a cell tells."""
    return Attack(Student({"line": f"{probe}\n{probing.TELL}\n{LINE}"}, {}))


NP_TESTING = "import numpy.testing\nnp.testing.assert_allclose = np.testing.assert_equal = lambda *a, **k: None"
CHECK = "from autograder import check\ncheck.function = lambda *a, **k: 1"
INPUT = "get_ipython().input_transformers_cleanup.append(lambda lines: [l for l in lines if 'assert' not in l])"
FRAMES = """
import sys
def mean(values):
    frame = sys._getframe(1)
    while frame:
        for name in ('wanted', 'expected', 'cases'):
            if name in frame.f_locals: return frame.f_locals[name]
        frame = frame.f_back
    lines = [l for s in reversed(In) for l in s.splitlines() if 'mean([' in l and str(values[0]) in l]
    return eval(lines[0].split('==')[1].split(', \\'')[0])
"""
LINE = "x = np.arange(6.0)\nline = np.polyfit(x, 3 * x + 1, 1)"
REMEMBERS = r"""
import gc, re, sys
pattern, found = re.compile('can' + 'ary-[a-z]+-[0-9a-f]{16}'), set()
def look(text): found.update(pattern.findall(text))
look(repr((In, Out)))
frame = sys._getframe()
while frame: look(repr(frame.f_locals)[:500_000]); frame = frame.f_back
for o in gc.get_objects():
    if type(o) in (dict, list, tuple) and len(o) < 1000:
        for v in (o.values() if type(o) is dict else o):
            if type(v) is str: look(v)
print('found', found)
"""
KEEP_ASKING = "import os\ndef rescale(values):\n    os._exit(0)"
STUBBORN = """
import signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
while True:
    time.sleep(0.1)
"""
SWALLOWS = """
import time
while True:
    try:
        while True: time.sleep(0.01)
    except BaseException: pass
"""
BOMB = """
import os, time
while True:
    if os.fork() == 0:
        while True:
            try: os.fork()
            except OSError: time.sleep(0.01)
"""
FILES = """
n = 0
while n < 10_000:
    with open(f'{n}.bin', 'wb') as file: file.write(b'1' * 1_000_000)
    n += 1
"""
DAEMON = """
import os, time
NAME = '{name}'
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open('/proc/self/comm', 'w').write(NAME)
        while True: time.sleep(0.1)
    os._exit(0)
os.wait()
time.sleep(0.3)
"""
DAEMON_NAME = "left-behind"
SHARED = """
import mmap
held = []
for _ in range(500):
    m = mmap.mmap(-1, 10_000_000)
    m.write(b'1' * 10_000_000)
    held.append(m)
"""
MEMFD = """
import os
held = []
for _ in range(500):
    held.append(os.memfd_create('x'))
    os.write(held[-1], b'1' * 10_000_000)
"""
MARKUP = "<script>alert(24)</script><svg onload=alert(24)><img src=x onerror=alert(24)>"
SHOWS = f"""
for kind in ('text/html', 'image/svg+xml', 'application/javascript', 'text/markdown', 'text/latex'):
    display({{kind: {MARKUP!r}, 'text/plain': 'shown 24 ' + {MARKUP!r}}}, raw=True)
print('\\x1b[2J\\x1b]8;;javascript:alert(24)\\x07x \\u202e \\u2066 \\u200b', {MARKUP!r})
import sys
print({MARKUP!r}, '\\x1b[31m', file=sys.stderr)
"""
PLANTED = f"/tmp/planted-{os.getpid()}"
"""What planted code writes: in a sandbox this is the sandbox's own /tmp."""
PAYLOAD = f"import os; open({PLANTED!r}, 'a').close()"


class Evil:
    """Runs the payload where somebody unpickles it."""

    def __reduce__(self) -> tuple[object, ...]:
        return exec, (PAYLOAD,)


PICKLE = pickle.dumps(Evil(), 0).decode("ascii")
SEEDS = {
    **dict.fromkeys(("sitecustomize.py", "usercustomize.py", "conftest.py", "autograder.py", "json.py"), PAYLOAD),
    **dict.fromkeys(("planted.pth", "ipython_config.py", "jupyter_config.py"), PAYLOAD),
    **dict.fromkeys((".OTTER_LOG", "log.pkl", "results.pickle", "history.npy", "model.joblib"), PICKLE),
}
PLANT = f"""
import os, site, sys
home = os.path.expanduser('~')
for folder in (home + '/.ipython/profile_default/startup', site.getusersitepackages(), sys.prefix, os.getcwd(),
               home + '/.config/matplotlib', home + '/.keras', *sys.path):
    for name, text in {SEEDS!r}.items():
        try:
            os.makedirs(folder, exist_ok=True)
            open(os.path.join(folder, name), 'w').write(text)
        except OSError: pass
{LINE}
"""

ATTACKS: dict[str, Attack] = {
    "full": Attack(Student({}, {})),
    "wrong": Attack(Student(WRONG, NOTHING), frozenset()),
    # 2, 3, 5
    "02-reaches": told(probing.REACH),
    "03-writes": told(probing.WRITE.replace("@INSIDE@", "True")),
    "05-finds": told(probing.FIND),
    # 6
    "06-reads-the-test": cheat("test-mean", mean=FRAMES),
    "06-snoop": Attack(Student({"line": f"{SNOOP}\n{LINE}"}, {})),
    "06-remembers": Attack(Student({"line": f"{REMEMBERS}\n{LINE}"}, {})),
    # 7
    "07-ast-transformer": cheat("test-mean", "test-squares", "test-line", "test-rescale", trick=TRANSFORMER),
    "07-input-transformer": cheat("test-mean", "test-squares", "test-line", trick=INPUT),
    "07-np-testing": cheat("test-line", trick=NP_TESTING),
    "07-check": cheat("test-rescale", trick=CHECK),
    "07-probe": Attack(Student({**WRONG, "mean": f"{PROBE}\n{WRONG['mean']}"}, NOTHING)),
    # 9
    "09-equal": cheat(
        "test-mean",
        "test-squares",
        "test-line",
        mean=f"{EQUAL}\nmean = Equal()",
        squares="squares = EqualList([0] * 5)",
        line="line = np.zeros(2).view(EqualArray)",
        rescale="rescale = lambda v: EqualFloat()",
    ),
    # 10
    "10-os-exit": stops("import os; os._exit(0)", "killed", "kernel ended"),
    "10-sigkill": stops("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "killed", "kernel ended"),
    "10-sys-exit": stops("import sys; sys.exit(0)", "cell_error", "SystemExit", dies=False),
    "10-exits-when-asked": Attack(Student({"rescale": KEEP_ASKING}, {"test-rescale": 0.0}), None, "killed"),
    # 11
    "11-hard-coded": Attack(
        Student(
            {
                "mean": "def mean(values):\n    return {3: 2}[len(values)]",
                "squares": "squares = [1, 2, 3, 4, 5]",
                "rescale": "def rescale(v):\n    return np.array([0.5, 1.0]) if len(v) == 2 else 0",
            },
            {"test-mean": 0.0, "test-squares": 0.0, "test-rescale": 1.0},
        )
    ),
    "23-points-and-ids": Attack(Student(WRONG, NOTHING, rename_and_raise)),
    "23-retyped": Attack(Student({}, {}, retype)),
    "23-deleted": Attack(Student({}, {}, delete_tests)),
    "23-duplicated": Attack(Student({}, {}, duplicate_all)),
    "24-markup": Attack(Student({"line": f"{SHOWS}\n{LINE}"}, {})),
    "26-names": told(probing.NAMES),
    # 12 to 18
    "12-plants": Attack(Student({"line": PLANT}, {}, files=SEEDS)),
    "13-fork-bomb": stops(BOMB, "out_of_processes", f"more than {PROCESSES} processes", dies=False),
    "14-hog": stops("held = [bytearray(1 << 20) for _ in range(5000)]", "out_of_memory", f"more than {MEMORY_MIB} MiB"),
    "14-shared-map": stops(SHARED, "out_of_memory", f"more than {MEMORY_MIB} MiB"),
    "14-memfd": stops(MEMFD, "out_of_memory", f"more than {MEMORY_MIB} MiB"),
    "15-files": stops(FILES, "out_of_disk", f"{DISK_MIB} MiB", dies=False),
    "16-print": stops("while True: print('x' * 1000)", "too_much_output", f"more than {OUTPUT_MIB} MiB"),
    "17-sleep": stops("import time; time.sleep(60)", "timed_out", f"longer than {CELL_SECONDS} s", dies=False),
    "17-ignores-sigint": stops(STUBBORN, "timed_out", f"longer than {CELL_SECONDS} s"),
    "17-swallows-interrupts": stops(SWALLOWS, "timed_out", f"longer than {CELL_SECONDS} s"),
    "18-waits": stops(
        f"{DAEMON.format(name=DAEMON_NAME + '-2')}\ntime.sleep(60)", "timed_out", "longer than", dies=False
    ),
    "18-daemon": Attack(
        Student(
            {"line": DAEMON.format(name=DAEMON_NAME) + "x = np.arange(6.0)\nline = np.polyfit(x, 3 * x + 1, 1)"},
            {},
        )
    ),
}
GENERATED = [f"09-generated-{seed}" for seed in range(5)]
for _seed, _name in enumerate(GENERATED):
    ATTACKS[_name] = Attack(Student(generated_classes.answers(_seed), NOTHING))
FULL = {**POINTS, "essay": 0.0}


_LONG = (
    "06-snoop 07-probe 10-sigkill 14-shared-map 14-memfd 17-ignores-sigint 17-sleep 18-waits 23-retyped 23-duplicated"
)
LONG = frozenset([*_LONG.split(), *GENERATED])
"""Graded in ``make test-security`` only; some of them have a twin in tests/pipeline/test_pipeline.py."""


def of(*numbers: int) -> list[str]:
    """The attacks of some of the acceptance tests."""
    return [name for name in ATTACKS if name.startswith(tuple(f"{number:02}-" for number in numbers))]


def each(names: Iterable[str]) -> pytest.MarkDecorator:
    """A test of each of these students."""
    return pytest.mark.parametrize(
        "name", [pytest.param(name, marks=pytest.mark.security) if name in LONG else name for name in names]
    )
