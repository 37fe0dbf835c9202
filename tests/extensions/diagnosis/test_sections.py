"""What pages show of a diagnosis: text as text, plots with texts, and each kind with its submissions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from helpers.pages import inert
from helpers.samples import assignment, course, grade

from autograder.extensions.diagnosis.class_section import held_back
from autograder.records.diagnosis import Diagnosis, HelpfulChange, LossCurve, TriedChange
from autograder.records.grade import Grade
from autograder.results.report import render_class_report, render_feedback

RATE = TriedChange("rate", "a learning rate of <b>0.001</b>", 0.9, 0.5)
EPOCHS = TriedChange("epochs", "twice the epochs, 20", 0.9, 0.88)
TOLD = Diagnosis(
    "mean_squared_error",
    90,
    0.05,
    (HelpfulChange(RATE, "With <b>it</b>, your network reaches 0.50.", LossCurve((1, 2), (0.8, 0.5))),),
    (RATE, EPOCHS),
    LossCurve((1, 2), (1.0, 0.9)),
)
SILENT = replace(TOLD, findings=())


def with_diagnoses(student: str, *diagnoses: Diagnosis) -> Grade:
    made = grade(student)
    return replace(made, notebooks=(replace(made.notebooks[0], diagnoses=diagnoses), *made.notebooks[1:]))


def feedback(folder: Path, *diagnoses: Diagnosis) -> str:
    return render_feedback(course(folder), assignment(), with_diagnoses("ada", *diagnoses), {})


def test_a_finding_stands_on_the_feedback_page_with_a_plot_that_has_a_text(tmp_path: Path) -> None:
    page = feedback(tmp_path, TOLD)
    text = inert(page).text
    assert "What would help your network" in text
    assert "With <b>it</b>, your network reaches 0.50." in text  # shown as text
    assert "twice the epochs, 20 0.9 0.88" in text
    assert "compared on 90 rows that it was not trained on" in text
    assert "your network 0.9 after epoch 2; with the change 0.5 after epoch 2" in page


def test_silence_names_what_was_tried(tmp_path: Path) -> None:
    text = inert(feedback(tmp_path, replace(SILENT, tried=(EPOCHS,)))).text
    assert "Nothing that was tried helps by more than 0.05: twice the epochs, 20." in text


def test_silence_after_a_gain_that_is_not_certain_names_no_bound() -> None:
    assert SILENT.summary.startswith("Nothing that was tried helps enough to be told: a learning rate of")


def test_a_network_that_cannot_be_trained_as_it_is_has_no_curve_and_no_number(tmp_path: Path) -> None:
    untrained = replace(RATE, before=None)
    told = replace(TOLD, findings=(replace(TOLD.findings[0], trial=untrained),), tried=(untrained,), curve=LossCurve())
    page = feedback(tmp_path, told)
    assert "no number 0.5" in inert(page).text
    assert "with the change 0.5 after epoch 2" in page


def test_a_network_that_could_not_be_tried_was_not_trained_again(tmp_path: Path) -> None:
    text = inert(feedback(tmp_path, Diagnosis("", 0, 0.0, note="There are 9 rows."))).text
    assert "There are 9 rows. It does not count for your points." in text
    assert "trained again" not in text


def test_without_a_diagnosis_the_page_says_nothing(tmp_path: Path) -> None:
    assert "What would help" not in feedback(tmp_path)


def test_the_class_report_groups_submissions_by_what_helps(tmp_path: Path) -> None:
    grades = [with_diagnoses("ada", TOLD), with_diagnoses("bob", TOLD), with_diagnoses("cy", SILENT), grade("dan")]
    text = inert("".join(render_class_report(course(tmp_path), assignment(), grades))).text
    assert "What holds back the class 3 submissions have a network that was diagnosed; for 2 of them" in text
    assert "The learning rate 2 submissions, the loss falls by 0.4 (median)" in text
    assert "Stopped too soon" not in text


def test_an_unknown_kind_or_a_loss_that_is_no_number_harms_no_report() -> None:
    strange = replace(TOLD, findings=(replace(TOLD.findings[0], trial=TriedChange("<script>", "", None, None)),))
    diverged = replace(TOLD, findings=(replace(TOLD.findings[0], trial=replace(RATE, before=None)),))
    groups = held_back([with_diagnoses("ada", strange), with_diagnoses("bob", diverged)])
    assert [(group.title, group.gain) for group in groups] == [("The learning rate", None)]
