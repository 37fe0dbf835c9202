"""The command `similar`: what it reads of a course, what else it finds, and its page."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from helpers.browser import in_browser, misfits, violations, with_axe
from helpers.pages import inert
from helpers.samples import assignment as sample_assignment
from helpers.samples import cell, checked, course, exam, grade
from helpers.tiny import cell as raw_cell
from helpers.tiny import notebook, submit, tiny_course

from autograder.cli import main
from autograder.exchange.blob_container import pack
from autograder.exchange.outcome import Recording
from autograder.extensions.insight import traces
from autograder.extensions.insight.likeness import compared_class
from autograder.extensions.insight.similar_page import write_similar_page
from autograder.extensions.insight.student_work import StudentWork, WrittenCell, work_of
from autograder.extensions.insight.traces import graded_traces, shared_traces
from autograder.records.course import Course
from autograder.records.exam import Exam, Role

ODD = "def double(x):\n    zwischenwert = [x for _ in range({n})]\n    return sum(zwischenwert[: 2]) + {n} - {n}"


def variants() -> list[str]:
    """Ten answers, of which the first and the last are alike but for their names."""
    ways = ["x * 2", "x + x", "sum([x, x])", "x << 1", "2.0 * x / 1", "x - (-x)", "4 * x // 2", "int(x * 2)"]
    bodies = [
        f"def double(x):\n    result = {way}\n    print({n}, result)\n    return result" for n, way in enumerate(ways)
    ]
    return [ODD.format(n=17), *bodies, ODD.format(n=17).replace("zwischenwert", "tmp")]


def class_of_ten(root: Path) -> Course:
    made = tiny_course(root)
    for number, answer in enumerate(variants()):
        submit(made, f"s{number}", answer)
    return made


def run(made: Course, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["similar", "hw", "--course", str(made.root), *arguments])


def works(*sources: str, **more: Any) -> list[StudentWork]:
    return [StudentWork((f"s{n}",), (WrittenCell("q", "code", text),), **more) for n, text in enumerate(sources)]


# --- the command -------------------------------------------------------------------------------------


def test_the_two_who_are_alike_stand_first_and_the_page_shows_both_texts(tmp_path: Path) -> None:
    made = class_of_ten(tmp_path)
    result = run(made)
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[1].split()[:2] == ["s0", "s9"]
    assert "talk with both" in result.output
    text = inert((made.reports / "hw-similar.html").read_text()).text
    assert "zwischenwert" in text
    assert "tmp = [x for _ in range(17)]" in text
    assert "honest twins" in text


def test_a_class_in_which_nobody_is_alike_has_an_empty_list_and_the_same_exit_code(tmp_path: Path) -> None:
    made = tiny_course(tmp_path)
    for number in range(9):
        submit(made, f"s{number}", f"def double(x):\n    return x + x  # {'abcdefghi'[number]}")
    assert run(made).exit_code == 0
    assert "No two works share" in inert((made.reports / "hw-similar.html").read_text()).text


def test_few_works_are_refused_and_old_ones_fill_the_class(tmp_path: Path) -> None:
    made = tiny_course(tmp_path / "course")
    submit(made, "ada", variants()[0])
    refused = run(made)
    assert refused.exit_code == 2
    assert "among fewer than 8, nothing is unusual" in refused.output
    earlier = class_of_ten(tmp_path / "earlier")
    result = run(made, "--old", str(earlier.root / "submitted"))
    assert result.exit_code == 0, result.output
    assert {line.split()[0] for line in result.output.splitlines()[1:3]} == {"ada"}
    assert "s0/hw/nb" in result.output
    assert "(earlier term)" in (made.reports / "hw-similar.html").read_text()


def test_what_cannot_be_read_is_named_and_costs_nobody_the_list(tmp_path: Path) -> None:
    made = class_of_ten(tmp_path)
    folder = made.submitted("zoe", "hw")
    folder.mkdir(parents=True)
    (folder / "nb.ipynb").write_text("{no notebook")
    (made.root / "submitted/s4/hw/nb.ipynb").unlink()
    (made.root / "submitted/s4/hw/nb.ipynb").symlink_to("/etc/passwd")
    result = run(made)
    assert result.exit_code == 0
    assert "zoe: no notebook that can be read" in result.output
    assert "s4: no notebook that can be read" in result.output


def test_members_of_a_team_are_one_work(tmp_path: Path) -> None:
    made = class_of_ten(tmp_path)
    yaml = (made.root / "course.yaml").read_text().replace("title: Doubling", "title: Doubling\n    team_size: 2")
    (made.root / "course.yaml").write_text(yaml)
    (made.root / "teams.csv").write_text("assignment,team,student\nhw,t1,s0\nhw,t1,s9\n")
    result = run(made)
    assert result.exit_code == 0, result.output
    assert not [line for line in result.output.splitlines() if line.split()[:2] == ["s0", "s9"]]


# --- what a student wrote ----------------------------------------------------------------------------


def read(*cells: dict[str, Any]) -> StudentWork:
    import nbformat

    sample = Exam(
        "hw",
        "nb",
        (
            cell(Role.FREE, None, "import numpy"),
            cell(Role.ANSWER, "double", "def double(x): ..."),
            cell(Role.TEST, "test", "assert double(1) == 2", 2),
        ),
    )
    return work_of(sample, nbformat.reads(notebook(*cells), as_version=4).cells)


def test_only_answers_and_own_cells_are_a_students_work() -> None:
    work = read(
        raw_cell("import numpy"),
        raw_cell("y = 2", "double", solution=True),
        raw_cell("helper = 1"),
        raw_cell("assert double(1) == 2", "test", grade=True, locked=True, points=2),
        raw_cell("Thoughts", kind="markdown"),
    )
    assert [(each.question, each.source, each.added) for each in work.cells] == [
        ("double", "y = 2", False),
        ("double", "helper = 1", True),
        ("double", "Thoughts", True),
    ]


def test_edits_of_the_exams_cells_are_noted_in_words() -> None:
    work = read(raw_cell("y = 2", "double", solution=True), raw_cell("z = 3"))
    assert work.edits == ("a code cell added after double", "given cell 1 changed or removed", "cell test removed")


# --- traces ------------------------------------------------------------------------------------------


def test_a_trace_counts_if_few_share_it() -> None:
    names = ["total"] * 5 + ["zwischenwert"] * 2 + ["ergebnis"]
    shared = shared_traces([], works(*(f"{name} = 1" for name in names)))
    assert shared == {(5, 6): {traces.NAMES: ["zwischenwert"]}}


def test_ids_of_added_cells_are_traces_unless_they_count() -> None:
    one = WrittenCell("q", "code", "a = 1", added=True, cell_id="9f3a77b1")
    counted = WrittenCell("q", "code", "b = 1", added=True, cell_id="cell-12")
    ours = WrittenCell("q", "code", "c = 1", added=False, cell_id="77777777")
    pair = [StudentWork((name,), (one, counted, ours)) for name in ("ada", "bob")]
    assert shared_traces([exam()], pair) == {(0, 1): {traces.CELL_IDS: ["9f3a77b1"]}}


def test_numbers_of_runs_are_a_trace_where_they_are_not_one_after_the_other() -> None:
    odd, plain = (3, 9, 4, 17, 18), (1, 2, 3, 4, 5)
    assert shared_traces([], works("", "", run_numbers=odd)) == {(0, 1): {traces.RUNS: ["3, 9, 4, 17, 18"]}}
    assert shared_traces([], works("", "", run_numbers=plain)) == {}


def test_the_order_of_edits_is_part_of_the_trace() -> None:
    first, second = works("", "", edits=("cell a removed", "cell b removed"))
    assert shared_traces([], [first, second])[0, 1][traces.EDITS] == ["cell a removed; then cell b removed"]
    assert shared_traces([], [first, replace(second, edits=first.edits[::-1])]) == {}


def test_losses_curves_wrong_values_and_arrays_come_from_grade_and_recording() -> None:
    made = grade(loss=0.71)
    check = checked("parameters", 0.0, "61,001 parameters, at most 50,000 asked", loss=0.6931471805599453)
    lost = replace(made.notebooks[0].questions[0], score=0.0, checks=(check,))
    made = replace(made, notebooks=(replace(made.notebooks[0], questions=(lost,), history={"loss": (2.0, 1.5)}),))
    recorded = pack({}, {"transcript.json": b"x" * 5000, "0": b"\0" * 4096, "1": b'{"a": 1}' * 500, "2": b"short"})
    listed = graded_traces(made, [Recording(recorded), Recording(b"damaged"), Recording(None)])
    assert listed[traces.LOSSES] == {f"{lost.id}: 0.6931471805599453"}
    assert "ends at 1.5 after 2 epochs" in str(listed[traces.CURVES])
    assert listed[traces.VALUES] == {f"{lost.id}, parameters: 61,001 parameters, at most 50,000 asked"}
    (array,) = listed[traces.WEIGHTS]
    assert array.startswith("an array of 4,096 bytes")


def test_two_old_works_are_no_pair() -> None:
    assert shared_traces([], works("zwischenwert = 1", "zwischenwert = 1", old=True)) == {}


# --- the page ----------------------------------------------------------------------------------------


def test_all_that_students_wrote_is_text_on_the_page(tmp_path: Path) -> None:
    """Names, ids, comments, code and texts are hostile; the page has no tag, handler or link of theirs."""
    evil = "</pre><script>alert(1)</script><img src=x onerror=alert(2)>\u202e\"'&lt;\x1b[31m{{ 7*7 }}"
    code = f"x = '''{evil}'''\ny = [x for x in range(10) if x % 3 == 1] + [zwischen for zwischen in x]  # {evil}"
    cells = (WrittenCell(evil, "code", code, True, evil), WrittenCell(evil, "markdown", evil * 3))
    twins = [StudentWork((f"{evil}{n}",), cells, (5, 3, 9, 9, 1), (evil, evil)) for n in range(2)]
    others = works(*(f"{'abcdefgh'[n]} = {n} + {n * n} - ({n} * 17) // {n + 3}" for n in range(8)))
    sample = [exam()]
    compared = compared_class(sample, [*twins, *others], 20)
    path = write_similar_page(course(tmp_path), sample_assignment(), compared, shared_traces(sample, [*twins, *others]))
    page = path.read_text()
    assert compared.pairs
    assert "alert(1)" in inert(page).text
    assert "<script" not in page
    assert "49" not in inert(page).text
    traced = write_similar_page(
        course(tmp_path), sample_assignment(), replace(compared, pairs=()), shared_traces(sample, list(twins))
    )
    assert "whose files share something odd" in inert(traced.read_text()).text


@pytest.fixture
def alike(tmp_path: Path) -> str:
    """A page with one pair that shares all kinds of things, its texts unfolded."""
    source = f"values = [number for number in range(10) if number % 3 == 1]  # {'a long comment ' * 6}"
    cells = (
        WrittenCell("model", "code", source, True, "f00dbabe"),
        WrittenCell("text", "markdown", "Words of these two alone. " * 9),
    )
    edits = ("cell 3 removed", "a code cell added after model")
    twins = [StudentWork((f"a_student_whose_name_is_long_{n}",), cells, (5, 3, 9, 9, 1), edits) for n in range(2)]
    every = [*twins, *works(*(f"{'abcdefgh'[n]} = {n} + {n * n} - ({n} * 17)" for n in range(8)))]
    traced = shared_traces([exam()], every)
    path = write_similar_page(course(tmp_path), sample_assignment(), compared_class([exam()], every, 20), traced)
    return path.read_text().replace("<details", "<details open")


@pytest.mark.integration
@in_browser
def test_nothing_of_the_page_is_cut_on_any_screen(alike: str) -> None:
    assert misfits({"similar": alike}) == []


@pytest.mark.integration
@with_axe
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing(alike: str, dark: bool) -> None:
    assert "Words of these two alone" in alike
    assert violations(alike, dark=dark) == []


def test_json_of_a_notebook_with_hostile_values_is_read_or_refused(tmp_path: Path) -> None:
    made = class_of_ten(tmp_path)
    hostile = json.loads(notebook(raw_cell("x = 1", "double", solution=True)))
    hostile["cells"][0]["execution_count"] = 10**30
    (made.root / "submitted/s3/hw/nb.ipynb").write_text(json.dumps(hostile))
    assert run(made).exit_code == 0
