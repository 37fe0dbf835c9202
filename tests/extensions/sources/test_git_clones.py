"""Git clones as hand-ins: which commit counts, whose it is, and what a stranger's repository may not do."""

from __future__ import annotations

import json
import os
import resource
import shutil
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from helpers.git_clones import DUE, HOUR, LAYERS, LOSSES, RELEASED, WORK, commit, git, make_git_course, put

from autograder.records.course import Course
from autograder.submission import Collected, CollectStatus, collect, pack, read_timestamp
from autograder.submissions.export_names import ExportLayout
from autograder.submissions.hand_ins import HandIns

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed"),
]
LATE = {"losses.py": "late = 1\n"}


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return make_git_course(tmp_path / "course")


@pytest.fixture
def clones(tmp_path: Path) -> Path:
    folder = tmp_path / "clones"
    folder.mkdir()
    return folder


def collected(course: Course, clones: Path, received: datetime | None = None) -> tuple[Collected, ...]:
    return collect(course, "hw1", clones, layout=ExportLayout("git"), received=received)


def only(found: tuple[Collected, ...]) -> Collected:
    assert len(found) == 1, [str(one) for one in found]
    return found[0]


def handed_in(course: Course, student: str) -> dict[str, str]:
    folder = course.submitted(student, "hw1")
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_text() for name, path in files.items() if name not in ("timestamp.txt", ".origin")}


# --- which commit ------------------------------------------------------------------------------------


def test_the_newest_commit_before_the_due_date_counts_and_its_id_is_on_the_page(course: Course, clones: Path) -> None:
    commit(clones / "ada", RELEASED, DUE - 5 * HOUR)
    counts = commit(clones / "ada", {**WORK, ".gitignore": "x", ".github/x.yml": "x"}, DUE - HOUR)
    commit(clones / "ada", LATE, DUE + HOUR)
    found = only(collected(course, clones))
    assert (found.status, found.student, found.timestamp) == (CollectStatus.COLLECTED, "ada", DUE - HOUR)
    assert found.reason == f"commit {counts[:12]}; 1 later commit left out; 2 of 2 files changed"
    assert handed_in(course, "ada") == WORK
    (note,) = HandIns(course).dates("ada", "hw1").notes
    assert note == f"commit {counts} of 2 March 2026, 17:00 UTC"
    assert only(collected(course, clones)).status is CollectStatus.UNCHANGED


def test_what_lies_in_the_clones_folder_does_not_count(course: Course, clones: Path) -> None:
    commit(clones / "ada", WORK, DUE - HOUR)
    put(clones / "ada", {"losses.py": "not committed\n"})
    collected(course, clones)
    assert handed_in(course, "ada") == WORK


def test_an_extension_moves_the_date_until_which_commits_count(course: Course, clones: Path) -> None:
    (course.root / "extensions.csv").write_text("student,assignment,days\nada,hw1,1\n")
    for student in ("ada", "bob"):
        commit(clones / student, WORK, DUE - HOUR)
        commit(clones / student, LATE, DUE + HOUR)
    collected(course, clones)
    assert handed_in(course, "ada")["losses.py"] == LATE["losses.py"]
    assert handed_in(course, "bob")["losses.py"] == LOSSES


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_commits_without_any_work_give_way_to_late_work(tmp_path: Path, clones: Path, newline: str) -> None:
    """A service makes the first commit, of what was released: it is in time, and nobody's work."""
    course = make_git_course(tmp_path / "closing", close=DUE + 2 * HOUR)
    released = {name: text.replace("\n", newline) for name, text in RELEASED.items()}
    commit(clones / "ada", {"README.md": "empty"}, DUE - 6 * HOUR)
    commit(clones / "ada", {**released, "hw2/losses.py": "other work\n"}, DUE - 5 * HOUR)
    commit(clones / "ada", {"README.md": "by Ada"}, DUE - HOUR)
    commit(clones / "ada", WORK, DUE + HOUR / 2)
    commit(clones / "ada", LATE, DUE + 3 * HOUR)
    found = only(collected(course, clones))
    assert found.timestamp == DUE + HOUR / 2
    assert "is older, and as it was released" in found.reason
    assert handed_in(course, "ada")["losses.py"] == LOSSES


def test_where_nobody_worked_the_newest_commit_in_time_counts(course: Course, clones: Path) -> None:
    commit(clones / "ada", RELEASED, DUE - 5 * HOUR)
    commit(clones / "ada", {"README.md": "sorry"}, DUE + HOUR)
    found = only(collected(course, clones))
    assert (found.status, found.timestamp) == (CollectStatus.COLLECTED, DUE - 5 * HOUR)


def test_a_notebook_that_was_only_run_is_no_work(tmp_path: Path, clones: Path) -> None:
    """Saving it changes outputs, ids and metadata; the late answer counts, not the run that was in time."""
    course = make_git_course(tmp_path / "notebooks", close=DUE + 2 * HOUR)
    path = course.release("hw1") / "hw1.ipynb"
    notebook = json.loads(path.read_text())
    cell = {"cell_type": "code", "metadata": {}, "source": "x = 1", "outputs": [], "execution_count": None}
    path.write_text(json.dumps({**notebook, "cells": [cell]}))
    run = {
        **cell,
        "source": ["x = 1"],
        "execution_count": 3,
        "outputs": [{"output_type": "stream", "name": "stdout", "text": "1"}],
    }
    empty = {**cell, "source": ""}
    saved = json.dumps({**notebook, "cells": [run, empty]}, indent=1)
    answered = json.dumps({**notebook, "cells": [{**run, "source": "x = 2"}]})
    commit(clones / "ada", {"hw1.ipynb": saved}, DUE - HOUR)
    commit(clones / "ada", {"hw1.ipynb": answered}, DUE + HOUR)
    commit(clones / "bob", {"hw1.ipynb": answered}, DUE - HOUR)
    commit(clones / "bob", {"hw1.ipynb": saved}, DUE + HOUR)
    times = {one.student: one.timestamp for one in collected(course, clones)}
    assert times == {"ada": DUE + HOUR, "bob": DUE - HOUR}


def test_work_that_was_taken_back_later_counts_as_of_its_commit(course: Course, clones: Path) -> None:
    commit(clones / "ada", WORK, DUE - 5 * HOUR)
    commit(clones / "ada", RELEASED, DUE - HOUR)
    assert only(collected(course, clones)).timestamp == DUE - 5 * HOUR


def test_without_a_commit_in_time_the_newest_counts_and_is_late(course: Course, clones: Path) -> None:
    commit(clones / "ada", WORK, DUE + HOUR)
    commit(clones / "ada", {"losses.py": LOSSES + "\n"}, DUE + 2 * HOUR)
    assert only(collected(course, clones)).timestamp == DUE + 2 * HOUR


def test_a_commit_after_the_close_gives_way_to_one_before_it(tmp_path: Path, clones: Path) -> None:
    course = make_git_course(tmp_path / "closing", close=DUE + 2 * HOUR)
    commit(clones / "ada", WORK, DUE + HOUR)
    commit(clones / "ada", LATE, DUE + 3 * HOUR)
    assert only(collected(course, clones)).timestamp == DUE + HOUR


def test_a_time_that_counts_for_all_takes_the_newest_commit_whatever_its_date(course: Course, clones: Path) -> None:
    """Clones that were made at the deadline hold what was pushed by then; a computer's clock may be wrong."""
    commit(clones / "ada", {**WORK, **LATE}, DUE + 90 * HOUR)
    assert only(collected(course, clones, received=DUE)).timestamp == DUE
    assert handed_in(course, "ada")["losses.py"] == LATE["losses.py"]


def test_a_branch_that_was_merged_later_counts_as_of_its_merge(course: Course, clones: Path) -> None:
    commit(clones / "ada", WORK, DUE - 3 * HOUR)
    git(clones / "ada", "checkout", "-q", "-b", "experiment")
    commit(clones / "ada", {"losses.py": "broken\n"}, DUE - HOUR)
    git(clones / "ada", "checkout", "-q", "main")
    git(clones / "ada", "merge", "-q", "--no-ff", "-m", "merge", "experiment", at=DUE + HOUR)
    collected(course, clones)
    assert handed_in(course, "ada") == WORK


@pytest.mark.parametrize("form", ["clone", "fetched", "mirror", "inner", "shared disk"])
def test_clones_come_in_several_forms(course: Course, clones: Path, tmp_path: Path, form: str) -> None:
    origin = tmp_path / "origin"
    commit(origin, RELEASED if form == "fetched" else WORK, DUE - 2 * HOUR)
    words = {"mirror": ["--mirror"], "shared disk": ["--local"]}.get(form, ["--no-local"])
    target = {"mirror": "ada.git", "inner": "ada/hw1"}.get(form, "ada")
    git(tmp_path, "clone", "-q", *words, str(origin), str(clones / target))
    if form == "fetched":
        commit(origin, WORK, DUE - HOUR)
        git(clones / "ada", "fetch", "-q")
    assert only(collected(course, clones)).student == "ada"
    assert handed_in(course, "ada") == WORK


@pytest.mark.parametrize("options", [["--object-format=sha256"], ["--ref-format=reftable"]])
def test_other_formats_of_repositories_are_read(course: Course, clones: Path, options: list[str]) -> None:
    (clones / "ada").mkdir()
    git(clones / "ada", "init", "-q", "-b", "main", *options)
    commit(clones / "ada", WORK, DUE - HOUR)
    git(clones / "ada", "gc", "-q")
    assert only(collected(course, clones)).status is CollectStatus.COLLECTED
    assert handed_in(course, "ada") == WORK


def test_a_repository_for_the_whole_term_has_a_folder_for_each_assignment(course: Course, clones: Path) -> None:
    files = {**{f"hw1/{name}": text for name, text in WORK.items()}, "hw2/losses.py": "other\n", "README.md": "me"}
    commit(clones / "ada", files, DUE - HOUR)
    collected(course, clones)
    assert handed_in(course, "ada") == WORK


# --- whose it is -------------------------------------------------------------------------------------


def people(course: Course, text: str) -> None:
    (course.root / "people.csv").write_text(text)


def test_classrooms_names_are_read_by_the_rosters_column(course: Course, clones: Path) -> None:
    people(course, "id,name,github\ns1,Ada,ada-l\ns2,Bob,bobby\n")
    commit(clones / "hw1-ada-l", WORK, DUE - HOUR)
    commit(clones / "Homework 1-bobby", WORK, DUE - HOUR)
    commit(clones / "hw1-eve", WORK, DUE - HOUR)
    found = {one.item: one for one in collected(course, clones)}
    assert {name: one.student for name, one in found.items()} == {"hw1-ada-l": "s1", "Homework 1-bobby": "s2", "hw1-eve": "eve"}  # fmt: skip
    assert "not in the roster" in found["hw1-eve"].reason


def test_a_login_that_is_anothers_id_is_nobodys(course: Course, clones: Path) -> None:
    """A login is its user's choice: Mallory may call herself s1 there. A folder that staff named is whose it says."""
    people(course, "id,name\ns1,Ada\n")
    commit(clones / "hw1-s1", WORK, DUE - HOUR)
    found = only(collected(course, clones))
    assert found.status is CollectStatus.REFUSED
    assert "which its user chose" in found.reason
    (clones / "hw1-s1").rename(clones / "s1")
    assert only(collected(course, clones)).student == "s1"


def test_a_teams_repository_is_its_first_members(course: Course, clones: Path) -> None:
    people(course, "id,name,team\nzoe,Zoe,Foxes\nada,Ada,Foxes\n")
    commit(clones / "foxes", WORK, DUE - HOUR)
    assert only(collected(course, clones)).student == "ada"


@pytest.mark.parametrize(
    ("folder", "roster", "student", "claimed"),
    [
        ("bob", "id,name,github\nrobert,Robert,bob\nbob,Bob,bobby\n", "robert", "bob"),
        ("ann.lee", "", "ann.lee", "ann"),
        ("ann.git", "id,name,github\ns1,Sue,ann\nann,Ann,annie\n", "s1", "ann"),
        ("ada", "", "ada", "ada"),
    ],
)
def test_an_archive_in_a_clone_never_says_whose_it_is(
    course: Course, clones: Path, tmp_path: Path, folder: str, roster: str, student: str, claimed: str
) -> None:
    """Robert's login is Bob's id, and his archive says that it is Bob's."""
    if roster:
        people(course, roster)
    put(tmp_path / "work", {"hw1.ipynb": (course.release("hw1") / "hw1.ipynb").read_bytes(), **WORK})
    package = pack(tmp_path / "work", student=claimed, assignment="hw1", now=DUE - HOUR).path
    commit(clones / folder, {"w.zip": package.read_bytes()}, DUE - HOUR)
    found = only(collected(course, clones))
    assert (found.status, found.student) == (CollectStatus.COLLECTED, student)
    assert ("its submission.json names “" in found.reason) == (claimed != student)
    assert [path.name for path in course.directory("submitted").iterdir()] == [student]


def test_a_notebook_below_one_folder_is_found_beside_other_files(course: Course, clones: Path) -> None:
    (course.release("hw1") / "hw1.ipynb").write_text(
        json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": []})
    )
    commit(clones / "solo", {"README.md": "mine", "homework/hw1.ipynb": "{}", "data/x.csv": "1"}, DUE - HOUR)
    commit(clones / "twice", {"README.md": "mine", "a/hw1.ipynb": "{}", "b/hw1.ipynb": "{}"}, DUE - HOUR)
    found = {one.item: one for one in collected(course, clones)}
    assert found["solo"].status is CollectStatus.COLLECTED
    assert handed_in(course, "solo") == {"hw1.ipynb": "{}"}
    assert found["twice"].status is CollectStatus.REFUSED


def test_an_archive_in_a_clone_may_be_as_large_as_an_archive(course: Course, clones: Path, tmp_path: Path) -> None:
    for name, mib in (("ada", 60), ("bob", 101)):
        path = tmp_path / f"{name}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for file, text in WORK.items():
                archive.writestr(file, text)
            for number in range(3):
                archive.writestr(f"{number}.bin", bytes(mib * (1 << 20) // 3))
        commit(clones / name, {"w.zip": path.read_bytes()}, DUE - HOUR)
    found = {one.item: one for one in collected(course, clones)}
    assert found["ada"].status is CollectStatus.COLLECTED
    assert "larger than 100 MiB" in found["bob"].reason


def test_where_the_system_cannot_limit_git_it_runs_all_the_same(
    course: Course, clones: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """macOS has no prlimit."""
    monkeypatch.delattr(resource, "prlimit")
    commit(clones / "ada", WORK, DUE - HOUR)
    assert only(collected(course, clones)).status is CollectStatus.COLLECTED


# --- what is refused ---------------------------------------------------------------------------------


def test_one_clone_that_cannot_be_read_does_not_stop_the_others(course: Course, clones: Path, tmp_path: Path) -> None:
    origin = tmp_path / "origin"
    commit(origin, WORK, DUE - 2 * HOUR)
    commit(origin, LATE, DUE + HOUR)
    (clones / "empty").mkdir()
    git(clones / "empty", "init", "-q")
    (clones / "folder").mkdir()
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{origin}", str(clones / "shallow"))
    git(origin, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--filter=blob:none", "--no-checkout", f"file://{origin}", str(clones / "partial"))
    git(tmp_path, "clone", "-q", "--shared", str(origin), str(clones / "shared"))
    commit(clones / "zoe", WORK, DUE - HOUR)
    reasons = {one.item: one.reason for one in collected(course, clones) if one.status is CollectStatus.REFUSED}
    assert reasons.keys() == {"empty", "folder", "shallow", "partial", "shared"}
    assert reasons["empty"] == "the repository has no commit"
    assert reasons["folder"].startswith("it is no git repository")
    assert "--depth" in reasons["shallow"]
    assert "--filter" in reasons["partial"]
    assert "no commit" in reasons["shared"] or "--shared" in reasons["shared"]
    assert handed_in(course, "zoe") == WORK
    assert only(collected(course, _of(clones, "shallow"), received=DUE)).status is CollectStatus.COLLECTED


def _of(clones: Path, name: str) -> Path:
    folder = clones.parent / "one"
    folder.mkdir()
    (clones / name).rename(folder / name)
    return folder


def test_an_archive_is_no_folder_of_clones(course: Course, tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"x")
    assert only(collected(course, tmp_path / "x.zip")).reason.startswith("It is no folder")


# --- strangers ---------------------------------------------------------------------------------------


def test_nothing_that_a_repository_configures_runs(course: Course, clones: Path, tmp_path: Path) -> None:
    """Hooks, filters, a pager, a monitor, a partial clone's remote: each would leave a file if git obeyed it."""
    ran = tmp_path / "ran"
    repository = clones / "eve"
    commit(repository, {**WORK, ".gitattributes": "*.py filter=evil diff=evil text eol=crlf\n"}, DUE - HOUR)
    blob = git(repository, "rev-parse", "HEAD:net/layers.py")
    missing = repository / ".git/objects" / blob[:2] / blob[2:]
    evil = f"touch {ran}; cat"
    keys = (
        "core.fsmonitor",
        "core.pager",
        "core.sshCommand",
        "core.alternateRefsCommand",
        "core.askPass",
        "gpg.program",
    )
    for key in (*keys, "filter.evil.smudge", "filter.evil.clean", "diff.evil.textconv", "diff.evil.command"):
        git(repository, "config", key, evil)
    git(repository, "config", "log.showSignature", "true")
    git(repository, "config", "include.path", str(tmp_path / "more"))
    git(repository, "config", "core.hooksPath", str(tmp_path / "hooks"))
    git(repository, "config", "remote.origin.url", f"ext::sh -c touch% {ran}")
    git(repository, "config", "remote.origin.promisor", "true")
    git(repository, "config", "extensions.partialClone", "origin")
    git(repository, "config", "protocol.ext.allow", "always")
    (tmp_path / "hooks").mkdir()
    for hook in ("post-checkout", "post-index-change", "reference-transaction"):
        put(tmp_path / "hooks", {hook: f"#!/bin/sh\ntouch {ran}\n"})
        (tmp_path / "hooks" / hook).chmod(0o755)
    assert not ran.exists()
    assert only(collected(course, clones)).status is CollectStatus.COLLECTED
    assert handed_in(course, "eve") == WORK  # with its own line endings
    missing.unlink()  # a partial clone would fetch it
    assert only(collected(course, clones)).status is CollectStatus.REFUSED
    assert not ran.exists()


def test_links_and_submodules_are_left_out_and_named(course: Course, clones: Path, tmp_path: Path) -> None:
    put(tmp_path, {"secret.py": "secret = 1\n"})
    repository = clones / "eve"
    commit(repository, WORK, DUE - 2 * HOUR)
    (repository / "losses.py").unlink()
    (repository / "losses.py").symlink_to(tmp_path / "secret.py")
    git(repository, "add", "-A")
    git(repository, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},module")
    git(repository, "commit", "-q", "-m", "x", at=DUE - HOUR)
    found = only(collected(course, clones))
    assert "links and submodules were left out: losses.py, module" in found.reason
    assert "losses.py" not in handed_in(course, "eve")


@pytest.mark.parametrize("place", ["HEAD", "refs", "objects", "objects/pack", "pack", "objects/info/alternates"])
def test_no_link_leads_to_anothers_objects(course: Course, clones: Path, tmp_path: Path, place: str) -> None:
    """Mallory knows the id of Ada's commit, and lets her repository borrow Ada's objects."""
    ada = tmp_path / "ada"
    commit(ada, WORK, DUE - HOUR)
    git(ada, "repack", "-adq")
    mallory = clones / "mallory"
    commit(mallory, RELEASED, DUE - HOUR)
    git(mallory, "repack", "-adq")
    own, others = mallory / ".git", ada / ".git"
    (own / "refs/heads/main").write_text(git(ada, "rev-parse", "HEAD") + "\n")
    if place == "objects/info/alternates":
        put(own, {place: f"{others / 'objects'}\n"})
    elif place == "pack":
        for path in (others / "objects/pack").iterdir():
            (own / "objects/pack" / path.name).symlink_to(path)
    else:
        shutil.rmtree(own / place) if (own / place).is_dir() else (own / place).unlink()
        (own / place).symlink_to(others / place)
    assert only(collected(course, clones)).status is CollectStatus.REFUSED


def test_replaced_objects_do_not_count(course: Course, clones: Path) -> None:
    """A student could show people one file and have another graded."""
    repository = clones / "eve"
    commit(repository, WORK, DUE - HOUR)
    other = git(repository, "hash-object", "-w", "--stdin", given=b"replaced = 1\n")
    git(repository, "replace", git(repository, "rev-parse", "HEAD:losses.py"), other)
    collected(course, clones)
    assert handed_in(course, "eve") == WORK


def test_paths_that_leave_the_folder_refuse_the_hand_in(course: Course, clones: Path) -> None:
    repository = clones / "eve"
    commit(repository, WORK, DUE - 2 * HOUR)
    blob = git(repository, "hash-object", "-w", "--stdin", given=b"x = 1\n")
    inner = git(repository, "mktree", given=f"100644 blob {blob}\tx.py\n".encode())
    losses = git(repository, "rev-parse", "HEAD:losses.py")
    raw = b"".join(
        mode + b" " + name + b"\0" + bytes.fromhex(id)
        for mode, name, id in ((b"40000", b"..", inner), (b"100644", b"losses.py", losses))
    )
    tree = git(repository, "hash-object", "-t", "tree", "-w", "--literally", "--stdin", given=raw)
    evil = git(repository, "commit-tree", "-m", "x", tree, at=DUE - HOUR)
    (repository / ".git/refs/heads/main").write_text(evil + "\n")
    found = only(collected(course, clones))
    assert found.status is CollectStatus.REFUSED
    assert "leaves its folder" in found.reason


def test_a_tree_that_never_ends_costs_one_hand_in(course: Course, clones: Path) -> None:
    """Thirty trees, each with the one below it ten times over, are 10^30 files in a few objects."""
    repository = clones / "eve"
    commit(repository, WORK, DUE - HOUR)
    blob = git(repository, "rev-parse", "HEAD:losses.py")
    line = f"100644 blob {blob}\tx.py\n"
    for _ in range(30):
        tree = git(repository, "mktree", given=line.encode())
        line = "".join(f"040000 tree {tree}\t{number}\n" for number in range(10))
    evil = git(repository, "commit-tree", "-m", "x", tree, at=DUE - HOUR)
    (repository / ".git/refs/heads/main").write_text(evil + "\n")
    commit(clones / "zoe", WORK, DUE - HOUR)
    found = {one.item: one for one in collected(course, clones)}
    assert found["eve"].status is CollectStatus.REFUSED
    assert found["zoe"].status is CollectStatus.COLLECTED


def test_a_date_that_no_calendar_has_is_after_every_due_date(course: Course, clones: Path) -> None:
    repository = clones / "eve"
    first = commit(repository, WORK, DUE - HOUR)
    tree = git(repository, "rev-parse", "HEAD^{tree}")
    raw = f"tree {tree}\nparent {first}\nauthor s <s> 1 +0000\ncommitter s <s> {2**62} +0000\n\nx\n"
    evil = git(repository, "hash-object", "-t", "commit", "-w", "--literally", "--stdin", given=raw.encode())
    (repository / ".git/refs/heads/main").write_text(evil + "\n")
    found = only(collected(course, clones))
    assert (found.status, found.timestamp) == (CollectStatus.COLLECTED, DUE - HOUR)


def test_a_file_of_a_students_does_not_say_which_commit_it_is(course: Course, tmp_path: Path) -> None:
    """Hidden files are not collected, from a folder or a repository."""
    put(tmp_path / "inbox/eve", {**WORK, ".origin": "commit of somebody else"})
    collect(course, "hw1", tmp_path / "inbox")
    assert HandIns(course).dates("eve", "hw1").notes == ()
    assert read_timestamp(course.submitted("eve", "hw1")) is not None


def test_too_large_files_are_refused_before_they_are_written(course: Course, clones: Path) -> None:
    commit(clones / "eve", {**WORK, "net/big.bin": b"\0" * (51 << 20)}, DUE - HOUR)
    found = only(collected(course, clones))
    assert "is larger than 50 MiB" in found.reason


def test_a_commit_in_the_future_is_taken_as_of_now(course: Course, clones: Path) -> None:
    commit(clones / "eve", WORK, datetime.now(UTC) + timedelta(days=400))
    found = only(collected(course, clones))
    assert found.timestamp is not None
    assert found.timestamp <= datetime.now(UTC)
    assert "its time lies in the future" in found.reason
    assert os.path.exists(course.submitted("eve", "hw1"))  # noqa: PTH110
    assert handed_in(course, "eve")["net/layers.py"] == LAYERS


def test_clones_that_are_collected_without_the_layout_are_pointed_out(course: Course, clones: Path) -> None:
    from click.testing import CliRunner

    from autograder.cli import main

    (course.root / "course.yaml").write_text("course: c\nassignments:\n  hw1:\n    due: 2026-03-02T18:00+00:00\n")
    (course.root / "source/hw1").mkdir(parents=True)
    commit(clones / "ada", WORK, DUE - HOUR)
    words = ["collect", "hw1", str(clones), "--course", str(course.root)]
    assert "--layout git takes commits" in CliRunner().invoke(main, words).output
    done = CliRunner().invoke(main, [*words, "--layout", "git"])
    assert "commit" in done.output
    assert "--layout git takes" not in done.output
