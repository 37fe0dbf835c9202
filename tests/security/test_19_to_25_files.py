"""Acceptance tests 19 to 25: archives, files and notebooks that are handed in, and what people read of them."""

from __future__ import annotations

import csv
import io
import json
import os
import socket
import subprocess
import sys
import tarfile
import warnings
import zipfile
from pathlib import Path

import nbformat
import pytest
from attacks import FULL, MARKUP, each, of
from generated_notebooks import naive_maximum
from helpers.archives import ATTACKS as ARCHIVES
from helpers.archives import WHOLE, bomb_tar_gz, overlapping, zip_with
from helpers.clock import PATIENCE_SECONDS, own_seconds
from helpers.injections import INJECTIONS
from helpers.memory import growth
from helpers.pages import inert
from helpers.pipeline import Graded, grade, seen_by_student
from helpers.tiny import Here, cell, grade_in_this_process, notebook, submit, tiny_course

from autograder.extensions.gradebook.database import opened
from autograder.records.course import Course
from autograder.submission import CollectStatus, collect

sandboxed = pytest.mark.sandbox
ANSWER = "def double(x):\n    return 2 * x"


def collected(course: Course, data: bytes) -> list[str]:
    """The reasons for which a student's archive is refused, where bob's beside it is taken."""
    inbox = course.root.parent / "inbox"
    inbox.mkdir(exist_ok=True)
    (inbox / "eve_1_2_hw.zip").write_bytes(data)
    (inbox / "bob_1_3_nb.ipynb").write_text(notebook(cell(ANSWER, "double", solution=True)))
    found = collect(course, "hw", inbox)
    assert [c.student for c in found if c.status is not CollectStatus.REFUSED] == ["bob"]
    written = {str(p.relative_to(course.root)) for p in (course.root / "submitted").rglob("*") if p.is_file()}
    assert written == {"submitted/bob/hw/nb.ipynb", "submitted/bob/hw/timestamp.txt"}
    return [c.reason for c in found if c.status is CollectStatus.REFUSED]


# --- 19, 20


@pytest.mark.parametrize("kind", [k for k in ARCHIVES if "member too large" not in k])
def test_19_a_hostile_archive_is_refused_and_nobody_elses(tmp_path: Path, kind: str) -> None:
    (reason,) = collected(tiny_course(tmp_path / "course"), ARCHIVES[kind]())
    assert reason.isprintable()


def test_19_control_an_ordinary_unpacker_leaves_its_folder(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("../outside"))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    buffer.seek(0)
    with tarfile.open(fileobj=buffer) as archive:
        archive.extractall(tmp_path / "inside", filter="fully_trusted")
    assert (tmp_path / "outside").exists()
    assert (tmp_path / "inside/link").is_symlink()


BOMBS = {
    "100 MiB of zeros": lambda: zip_with(("nb.ipynb", b"{}"), ("zeros", b"\0" * (100 << 20))),
    "a tar that announces a terabyte": bomb_tar_gz,
    "members that share their bytes": overlapping,
    "a header of 4 GiB": WHOLE["huge header"][0],
    "a size below zero": WHOLE["negative size"][0],
}


@pytest.mark.parametrize("kind", BOMBS)
def test_20_a_bomb_is_refused_before_it_takes_memory(tmp_path: Path, kind: str) -> None:
    data = BOMBS[kind]()
    with growth() as grown:
        began = own_seconds()
        assert collected(tiny_course(tmp_path / "course"), data)
        assert own_seconds() - began < 5
    assert grown[0] < 40


@pytest.mark.integration
def test_20_control_an_ordinary_unpacker_takes_it_all() -> None:
    data = BOMBS["100 MiB of zeros"]()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert len(archive.read("zeros")) > 500 * len(data)


# --- 21

WRITES = "### BEGIN SOLUTION\nopen('out.txt', 'w').write('42')\n### END SOLUTION"
READS = "### BEGIN HIDDEN TESTS\nassert open('out.txt').read() == '42'\n### END HIDDEN TESTS"
OUTPUTS = {
    "honest": ("open('out.txt', 'w').write('42')", 2),
    "symlink": ("import os; os.symlink('/etc/hostname', 'out.txt')", 0),
    "symlink-to-a-right-one": ("import os; open('/tmp/x', 'w').write('42'); os.symlink('/tmp/x', 'out.txt')", 0),
    "fifo": ("import os; os.mkfifo('out.txt')", 0),
    "hard-link": ("import os; os.link('/etc/passwd', 'out.txt')", 0),
    "sparse": ("open('out.txt', 'wb').truncate(1 << 40)", 0),
    "sparse-at-the-limit": ("open('out.txt', 'wb').truncate(511 << 20)", 0),
    "folder": ("import os; os.mkdir('out.txt')", 0),
    "socket": ("import socket; socket.socket(socket.AF_UNIX).bind('out.txt')", 0),
    "swapped-sockets": (
        "import os\nfor name in os.listdir('/run/kernel'):\n    path = f'/run/kernel/{name}'\n"
        "    os.unlink(path); os.symlink('/tmp/bait', path)\nopen('out.txt', 'w').write('42')",
        2,
    ),
}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    course = tiny_course(tmp_path_factory.mktemp("outputs") / "course", solution=WRITES, test=READS)
    for name, (answer, _) in OUTPUTS.items():
        submit(course, name, answer)
    return grade(course, "--workers", "2", name="hw")


@sandboxed
@pytest.mark.parametrize("name", OUTPUTS)
def test_21_only_a_plain_file_is_an_output(outputs: Graded, name: str) -> None:
    assert outputs.grades[name].score == OUTPUTS[name][1]
    assert outputs.exit_code == 0


@pytest.mark.integration
@pytest.mark.parametrize("kind", ["fifo", "symlink-to-a-right-one"])
def test_21_control_a_grader_that_opens_the_file_waits_or_follows(folder: Path, kind: str) -> None:
    source = OUTPUTS[kind][0].replace("/tmp/x", str(folder / "x")) + "\nassert open('out.txt').read() == '42'"
    try:
        seconds = 1 if kind == "fifo" else PATIENCE_SECONDS
        done = subprocess.run([sys.executable, "-c", source], cwd=folder, timeout=seconds, check=False).returncode
    except subprocess.TimeoutExpired:
        done = -1
    assert done == (-1 if kind == "fifo" else 0)


def test_21_control_who_opens_a_swapped_socket_by_its_path_gets_elsewhere(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bait, socket.socket(socket.AF_UNIX) as client:
        bait.bind(str(folder / "bait"))
        bait.listen()
        (folder / "kernel").symlink_to(folder / "bait")
        client.connect(str(folder / "kernel"))
        bait.settimeout(1)
        bait.accept()[0].close()


# --- 22

HONEST = notebook(cell(ANSWER, "double", solution=True))
MALFORMED = {
    "deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "wide": b"[" + b"[]," * 1_500_000 + b"1]",
    "nan": HONEST.replace('"nbformat": 4,', '"nbformat": 4, "x": NaN,').encode(),
    "huge-number": HONEST.replace('"nbformat": 4,', '"nbformat": 4, "x": 1e999,').encode(),
    "many-digits": HONEST.replace('"nbformat": 4,', f'"nbformat": 4, "x": {"9" * 5000},').encode(),
    "twice": HONEST.replace('"nbformat": 4,', '"nbformat": 4, "cells": [],').encode(),
    "latin-1": HONEST.replace("double", "d\u00f6uble").encode("latin-1"),
    "utf-16": HONEST.encode("utf-16"),
    "cut": HONEST.encode()[:-5],
    "empty": b"",
    "list": b"[]",
}


@pytest.fixture(scope="module")
def malformed(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    course = tiny_course(tmp_path_factory.mktemp("malformed") / "course")
    for name, data in MALFORMED.items():
        (submit(course, name) / "nb.ipynb").write_bytes(data)
    with (submit(course, "500-mb") / "nb.ipynb").open("wb") as file:
        file.truncate(500 << 20)
    os.mkfifo(submit(course, "fifo") / "pipe")
    path = submit(course, "pipe") / "nb.ipynb"
    path.unlink()
    os.mkfifo(path)
    submit(course, "honest")
    return grade(course, "--workers", "2", name="hw")


@sandboxed
@pytest.mark.parametrize("name", [*MALFORMED, "500-mb", "pipe"])
def test_22_a_malformed_notebook_is_a_grade_that_says_so(malformed: Graded, name: str) -> None:
    given = malformed.grades[name]
    assert (given.status, given.score, given.max_score) == ("invalid", 0, 2)
    assert given.notebooks[0].message.startswith("nb.ipynb: ")


@sandboxed
def test_22_the_batch_goes_on(malformed: Graded) -> None:
    assert malformed.grades["honest"].score == 2
    assert malformed.exit_code == 0
    assert malformed.not_graded == []


@pytest.mark.parametrize("name", ["nan", "huge-number", "twice"])
def test_22_control_pythons_reader_takes_it(name: str) -> None:
    assert json.loads(MALFORMED[name])["nbformat"] == 4


def test_22_control_deep_nesting_stops_pythons_reader() -> None:
    with pytest.raises(RecursionError):
        json.loads(MALFORMED["deep"])


# --- 23


@sandboxed
@each(of(23))
def test_23_edits_of_the_instructors_cells_change_neither_maximum_nor_score(graded, name: str) -> None:
    assert graded.done.points(name) == pytest.approx(graded.right(name))
    assert graded.done.grades[name].max_score == 10


@sandboxed
def test_23_control_the_notebook_that_was_handed_in_says_other_points(graded) -> None:
    handed_in = json.loads((graded.course.submitted("23-points-and-ids", "numbers") / "numbers.ipynb").read_text())
    assert naive_maximum(handed_in) > 100


# --- 24


@sandboxed
def test_24_markup_of_outputs_is_inert_in_feedback_and_terminal(graded) -> None:
    assert graded.done.points("24-markup") == pytest.approx(FULL)
    (page,) = graded.course.feedback("24-markup", "numbers").glob("*.html")
    inert(page.read_text())
    notebook = nbformat.read(graded.course.autograded("24-markup", "numbers") / "numbers.ipynb", as_version=4)
    kinds = {kind for c in notebook.cells for o in c.get("outputs", ()) for kind in o.get("data", ())}
    assert not kinds & {"text/html", "image/svg+xml", "application/javascript", "text/markdown", "text/latex"}
    assert "shown 24" in seen_by_student(graded.course, "24-markup")
    assert graded.done.output.replace("\n", "").isprintable()


def test_24_control_an_ordinary_page_runs_it() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from nbconvert import HTMLExporter

        made = nbformat.v4.new_code_cell(
            "x", outputs=[nbformat.v4.new_output("display_data", data={"text/html": MARKUP})]
        )
        text, _ = HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[made]))
    assert "<script>alert(24)" in text


# --- 25


@pytest.mark.integration
def test_25_names_of_people_are_no_formulas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who hands in cannot have such a name; a gradebook that has it gives text."""
    course = tiny_course(tmp_path / "course")
    submit(course, "ada")
    inbox = tmp_path / "inbox"
    for name in ("=1+1", "@SUM(A1)", "+1"):
        (inbox / name / "hw").mkdir(parents=True)
        (inbox / name / "hw/nb.ipynb").write_text(HONEST)
    assert {c.status for c in collect(course, "hw", inbox)} == {CollectStatus.REFUSED}
    with opened(course) as book:
        book.add_student("ada", first_name="=HYPERLINK(1)", last_name="@SUM(A1)")
    grade_in_this_process(monkeypatch, Here())
    assert grade(course, name="hw").exit_code == 0
    rows = list(csv.reader((course.root / "grades.csv").read_text().splitlines()))
    assert not [value for row in rows[1:] for value in row if value[:1] in "=+-@\t" and value[:1]]


@pytest.mark.parametrize("text", INJECTIONS)
def test_25_control_csv_alone_keeps_a_formula(text: str) -> None:
    buffer = io.StringIO()
    csv.writer(buffer).writerow([text])
    assert next(csv.reader(io.StringIO(buffer.getvalue(), newline=""))) == [text]
