"""Acceptance test 46: an examiner that is taken over reaches its own submission's grade, and nothing else.

Whatever runs in the place of the examiner's program has all that a takeover could give: these tests run scripts there.
What such a process may say of its grade is in tests/exchange/test_outcome.py.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from conftest import Host
from helpers.pipeline import ASSIGNMENT, Student, hand_in, make_course, release

from autograder.coordinator import batch
from autograder.coordinator.grading_sandboxes import examiner_sandbox
from autograder.coordinator.templates import Templates
from autograder.exchange.work import Work
from autograder.exchange.work_layout import stand_in
from autograder.kernel.workfiles import RELEASED_FILES
from autograder.records.course import Course
from autograder.release.build import build
from autograder.sandbox import Sandbox
from autograder.sandbox.kernel_job import kernel_job
from autograder.sandbox.work_files import work_files

pytestmark = pytest.mark.sandbox
SECONDS = 60.0


@pytest.fixture(scope="module")
def canaries() -> dict[str, str]:
    """Words planted where an examiner has nothing to look for."""
    return {what: f"canary-{what}-{secrets.token_hex(8)}" for what in ("gradebook", "neighbour", "home", "other")}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory, canaries: dict[str, str]) -> Course:
    root = tmp_path_factory.mktemp("course-of-46") / "course"
    root.mkdir()
    made = make_course(root)
    release(made, proof=False)
    hand_in(made, "ada", Student({}, {}))
    path = hand_in(made, "bob", Student({}, {}))
    path.with_name("own.txt").write_text(canaries["neighbour"])
    (root / "gradebook.db").write_text(canaries["gradebook"])
    hidden = root / "source/other/hidden"
    hidden.mkdir(parents=True)
    (hidden / "secret.txt").write_text(canaries["other"])
    (root / "notes.txt").write_text(canaries["home"])
    return made


@pytest.fixture(scope="module")
def work(course: Course) -> Work:
    (made,) = batch.plan(course, build(course, course.assignments[ASSIGNMENT]), ["ada"])
    return made


@pytest.fixture(scope="module")
def templates(work: Work) -> Iterator[Templates]:
    with Templates(work, kernels=2, executed=True) as made:
        yield made


@pytest.fixture(params=["forked", pytest.param("started", marks=pytest.mark.security)])
def wall(request: pytest.FixtureRequest, templates: Templates) -> Sandbox:
    """Both ways in which an examiner comes to be."""
    return templates.examiner()[0] if request.param == "forked" else examiner_sandbox()


def inside(wall: Sandbox, templates: Templates, script: str) -> Any:
    """What a script says that runs in the place of the examiner's program."""
    job = templates.examiner_job()
    process = wall.start(replace(job, argv=(job.argv[0], "-I", "-c", script)))
    try:
        assert process.wait(SECONDS) == 0, process.stderr()
        return json.loads(process.stdout().splitlines()[-1])
    finally:
        process.close()


def outside(script: str) -> Any:
    """What the same script says without a wall."""
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


SEARCHES = """
import json, os
words = {words!r}
found = set()
for top in {tops!r}:
    for folder, folders, files in os.walk(top):
        if folder in ("/proc", "/sys", "/usr") or "site-packages" in folder or ".venv" in folder:
            folders[:] = []
            continue
        for name in files:
            path = os.path.join(folder, name)
            try:
                if os.path.getsize(path) < 1 << 20 and os.path.isfile(path):
                    with open(path, "rb") as file:
                        content = file.read()
                    found |= {{what for what, word in words.items() if word.encode() in content}}
            except OSError:
                pass
found |= {{what for what, word in words.items() if word in json.dumps(dict(os.environ))}}
print(json.dumps(sorted(found)))
"""


def test_46_no_course_gradebook_or_other_submission(
    wall: Sandbox, templates: Templates, course: Course, canaries: dict[str, str]
) -> None:
    assert inside(wall, templates, SEARCHES.format(words=canaries, tops=["/"])) == []


def test_46_control_who_is_not_walled_in_finds_them(course: Course, canaries: dict[str, str]) -> None:
    assert outside(SEARCHES.format(words=canaries, tops=[str(course.root)])) == sorted(canaries)


def test_46_it_has_the_hidden_data_of_its_own_exam(wall: Sandbox, templates: Templates) -> None:
    """Which its tests read."""
    script = (
        "import json, os\n"
        "(name,) = os.listdir('/opt/examiner/course')\n"
        "course = f'/opt/examiner/course/{name}'\n"
        f"print(json.dumps([sorted(os.listdir(course)), sorted(os.listdir(course + '/source/{ASSIGNMENT}/hidden'))]))"
    )
    assert inside(wall, templates, script) == [["source", "words.txt"], ["heights.npz"]]


WRITES = """
import json, os
kept = []
for path in {paths!r}:
    try:
        with open(path, "ab") as file:
            file.write(b"x")
        kept.append(path)
    except OSError:
        pass
    try:
        os.rename(path, path + ".old")
        kept.append(path)
    except OSError:
        pass
print(json.dumps(kept))
"""


def test_46_what_it_has_of_the_course_it_cannot_write(wall: Sandbox, templates: Templates) -> None:
    course = stand_in(templates.staged.course).name
    hidden = f"/opt/examiner/course/{course}/source/{ASSIGNMENT}/hidden/heights.npz"
    paths = [hidden, "/opt/examiner/common", "/etc/passwd"]
    assert inside(wall, templates, WRITES.format(paths=paths)) == []


CONNECTS = """
import json, socket
reached = []
for kind, family, place in (("tcp", socket.AF_INET, ("127.0.0.1", @TCP@)), ("abstract", socket.AF_UNIX, @ABSTRACT@)):
    with socket.socket(family) as made:
        made.settimeout(1)
        if made.connect_ex(place) == 0:
            reached.append(kind)
print(json.dumps(reached))
"""


def test_46_no_network(wall: Sandbox, templates: Templates, host: Host) -> None:
    script = host.told(CONNECTS, "46")
    assert inside(wall, templates, script) == []
    assert outside(script) == ["tcp", "abstract"]


SIGNALS = """
import json, os
seen = [int(name) for name in os.listdir("/proc") if name.isdigit()]
strangers = [pid for pid in seen if pid not in (1, os.getpid())]
status = open("/proc/self/status").read()
print(json.dumps([strangers, status.split("CapEff:")[1].split()[0], status.split("Seccomp:")[1].split()[0]]))
"""


def test_46_no_other_process_no_capability_and_a_filter(wall: Sandbox, templates: Templates) -> None:
    assert inside(wall, templates, SIGNALS) == [[], "0" * 16, "2"]


GROWS = """
import json, resource
try:
    kept = [bytearray(64 << 20) for _ in range({count})]
except MemoryError:
    pass
print(json.dumps("grown"))
"""


def test_46_its_memory_is_limited(wall: Sandbox, templates: Templates, work: Work) -> None:
    """By the assignment's limit; here by a smaller one, which is reached sooner."""
    job = templates.examiner_job()
    assert job.limits.memory_mib == work.assignment.limits.examiner_memory_mib
    limits, grows = replace(job.limits, memory_mib=768), GROWS.format(count=2 * 768 // 64)
    process = wall.start(replace(job, argv=(job.argv[0], "-I", "-c", grows), limits=limits))
    try:
        assert process.wait(SECONDS) not in (0, None)
        assert process.usage().out_of_memory
    finally:
        process.close()


def mounts_in(wall: Sandbox, templates: Templates, course: Course) -> str:
    """The table of mounts that a student's cell can read, in a kernel with all of its files."""
    files = work_files(templates.staged.released)
    job = kernel_job(files, course.assignments[ASSIGNMENT].limits, "key", hidden_paths=(course.root,))
    process = wall.start(
        replace(job, argv=(job.argv[0], "-I", "-S", "-c", "print(open('/proc/self/mountinfo').read())"))
    )
    try:
        process.wait(SECONDS)
        return process.stdout()
    finally:
        process.close()


@pytest.mark.parametrize("how", ["forked", "started"])
def test_36_the_table_of_mounts_names_no_course(how: str, templates: Templates, course: Course) -> None:
    """Released files are bound from a folder whose name says nothing."""
    forks = templates.kernel_sandbox()
    assert forks is not None
    table = mounts_in(forks if how == "forked" else forks.cold, templates, course)
    assert f"{RELEASED_FILES}/words.txt" in table
    assert not [word for word in (str(course.root), "submitted", "source") if word in table]


def test_46_examiners_start_isolated(templates: Templates) -> None:
    """No module is taken from the folder that a command is started in, nor from the user's own packages."""
    assert templates.examiner_job().argv[1] == "-I"
    assert not {"PYTHONPATH", "PYTHONSTARTUP", "PYTHONHOME"} & set(templates.examiner_job().env)
    assert os.environ.get("HOME", "/root") not in templates.examiner_job().env.values()
