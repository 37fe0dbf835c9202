"""Languages of students' pages: what the browser asks for, with catalogues that are whole and up to date."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.doors import Door

from autograder.extensions.serve import jobs
from autograder.extensions.serve.models import Job, JobState

ROOT = Path(__file__).parents[3]
GERMAN = {"HTTP_ACCEPT_LANGUAGE": "de-AT,de;q=0.9,en;q=0.5"}


def test_the_catalogues_are_whole_and_their_compiled_files_fresh() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/catalogues.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


@pytest.mark.parametrize(
    ("accepted", "language", "words"),
    [
        ("de", "de", "Abgeben"),
        ("de-AT,de;q=0.9,en;q=0.5", "de", "Abgeben"),
        ("fr,de;q=0.5", "de", "Abgeben"),
        ("fr", "en", "Hand in"),
        ("", "en", "Hand in"),
        ("en-GB,de;q=0.9", "en", "Hand in"),
        ("../../etc, *;q=x", "en", "Hand in"),
    ],
)
def test_a_page_is_in_the_browsers_language(door: Door, accepted: str, language: str, words: str) -> None:
    answer = door.visitor("ada").get("/assignments/hw/", HTTP_ACCEPT_LANGUAGE=accepted)
    page = answer.content.decode()
    assert f'<html lang="{language}">' in page
    assert f"<button>{words}</button>" in page
    assert "Accept-Language" in answer.headers["Vary"]


def test_dates_attempts_and_refusals_are_german_too(door: Door) -> None:
    settings = door.root / "course.yaml"
    settings.write_text(
        settings.read_text().replace(
            "title: Doubling", "title: Doubling\n    due: 2030-03-02 18:00\n    attempts: {total: 3}"
        )
    )
    ada = door.visitor("ada")
    assert "Fällig am 2. März 2030, 18:00" in ada.get("/assignments/", **GERMAN).content.decode()
    assert "noch 3 von 3 Versuchen" in ada.get("/assignments/", **GERMAN).content.decode()
    refusal = ada.post("/assignments/hw/", **GERMAN)
    assert (refusal.status_code, "Wählen Sie zuerst eine Datei" in refusal.content.decode()) == (400, True)
    assert "Hier ist nichts" in ada.get("/receipts/0/", **GERMAN).content.decode()
    assert "Wer sind Sie?" in door.visitor("").get("/", **GERMAN).content.decode()


def test_a_note_of_the_worker_is_translated_and_a_reason_of_collects_stays_as_it_is(door: Door) -> None:
    receipt = door.hand_in("ada").headers["Location"]
    for note, words in (
        (jobs.FOR_A_PERSON, "Das liegt nicht an Ihnen"),
        ("It was refused: <b>x", "It was refused: &lt;b&gt;x"),
    ):
        Job.objects.update(state=JobState.PERSON, note=note)
        assert words in door.visitor("ada").get(receipt, **GERMAN).content.decode()


def test_names_are_escaped_once_in_a_translated_sentence(door: Door) -> None:
    people = door.root / "people.csv"
    people.write_text(people.read_text().replace("Ada A.", "Ada & <b>B</b>"))
    for language in ("de", "en"):
        page = door.visitor("ada").get("/assignments/hw/", HTTP_ACCEPT_LANGUAGE=language).content.decode()
        assert "Ada &amp; &lt;b&gt;B&lt;/b&gt; (ada)" in page


@pytest.mark.parametrize("path", ["/staff/", "/staff/submissions/", "/staff/people/", "/staff/log/", "/staff/preview/"])
def test_staffs_pages_are_in_english_altogether(door: Door, path: str) -> None:
    page = door.visitor("meier").get(path, **GERMAN).content.decode()
    assert '<html lang="en">' in page
    assert not re.search(r"Abmelden|wartet|bewertet", page)
