"""The masked notebook: verdicts instead of hidden tests, nothing active, nbgrader's tools content."""

import base64
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from helpers.samples import DUE, HIDDEN, PNG, a_class, cell, composed, course, exam, grade, run, stopped
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.utils import compute_checksum, determine_grade, is_grade

from autograder.examination.shown_cells import annotated_notebook
from autograder.exchange.images import Encoder
from autograder.extensions.gradebook import nbgraders as gradebook
from autograder.records.checks import Outcome
from autograder.records.composed_notebook import ComposedCell
from autograder.records.exam import Role
from autograder.records.grade import QuestionGrade
from autograder.records.run import CellRun

HOSTILE_OUTPUTS = [
    {"output_type": "display_data", "data": {"text/html": "<script>alert(1)</script>"}, "metadata": {}},
    {"output_type": "display_data", "data": {"application/javascript": "alert(2)"}, "metadata": {}},
    {"output_type": "display_data", "data": {"image/svg+xml": "<svg onload=alert(3)>"}, "metadata": {}},
    {
        "output_type": "display_data",
        "data": {"text/markdown": "<img src=x onerror=alert(4)>"},
        "metadata": {},
    },
    {
        "output_type": "display_data",
        "data": {"text/latex": "$\\href{javascript:alert(5)}{x}$"},
        "metadata": {},
    },
    {"output_type": "display_data", "data": {"image/png": 'x" onerror="alert(6)'}, "metadata": {}},
    {"output_type": "execute_result", "data": "alert(7)", "metadata": {}, "execution_count": 1},
    {"output_type": "update_display_data", "data": {"text/plain": "alert(8)"}},
    {"output_type": "alert(9)"},
]


def masked(answer="model = build()", prose="Deeper.", outputs=(), one=None):
    made = composed(exam(), answer, prose)
    (book,) = (one or grade()).notebooks
    return annotated_notebook(made, run(made, outputs), book)


def by_id(notebook):
    return {c.metadata.nbgrader.grade_id: c for c in notebook.cells if "nbgrader" in c.metadata}


@pytest.mark.parametrize("one", a_class(), ids=lambda g: f"{g.student}-{g.status}")
def test_nbgrader_finds_our_scores_in_it(one):
    """determine_grade on each test cell gives the question's score; on a written answer, none."""
    notebook = masked(one=one)
    scores = {question.id: question.score for question in one.notebooks[0].questions}
    for name, found in by_id(notebook).items():
        if is_grade(found) and found.cell_type == "code":
            assert determine_grade(found)[0] == pytest.approx(scores[name])


def test_a_hidden_test_is_nowhere_in_it():
    """Neither the source nor a detail of the examiner, for any verdict."""
    for one in a_class():
        assert "hidden-canary" not in nbformat.writes(masked(one=one))


def test_a_hidden_test_that_was_composed_by_mistake_is_not_in_it():
    """The released source comes from the exam, whatever the composed cell says."""
    made = composed(exam())
    leaky = tuple(replace(c, source=HIDDEN) if c.role is Role.TEST else c for c in made.cells)
    leaky = replace(made, cells=leaky)
    assert "hidden-canary" not in nbformat.writes(annotated_notebook(leaky, run(leaky), grade().notebooks[0]))


def test_it_is_a_valid_notebook_with_nbgraders_metadata():
    """nbformat and nbgrader both accept it; locked cells still have their checksum."""
    notebook = masked()
    nbformat.validate(notebook)
    MetadataValidator().validate_nb(notebook)
    for found in by_id(notebook).values():
        if found.metadata.nbgrader.locked:
            assert compute_checksum(found) == found.metadata.nbgrader.checksum


def test_the_same_submission_makes_the_same_notebook():
    """No random cell ids: a replay is byte for byte the same."""
    assert nbformat.writes(masked()) == nbformat.writes(masked())


def test_verdicts_say_what_was_found():
    """A pass has no error, partial credit has its number, a failure has an error, each with its checks."""
    cells = by_id(masked(one=grade(loss=0.63, parameters=200_000)))
    assert [o.output_type for o in cells["layers"].outputs] == ["stream"]
    assert [o.output_type for o in cells["holdout"].outputs] == ["stream", "execute_result"]
    assert [o.output_type for o in cells["parameters"].outputs] == ["stream", "error"]
    assert "200,000 parameters; at most 150,000 are allowed." in cells["parameters"].outputs[0].text


@pytest.mark.parametrize(
    ("outcome", "name"),
    [(Outcome.SKIPPED, "NotRun"), (Outcome.BROKEN, "NotGraded"), (Outcome.FAILED, "Failed")],
)
def test_the_error_says_why_there_is_no_credit(outcome, name):
    """Not run, not graded and failed are told apart."""
    (book,) = grade().notebooks
    question = QuestionGrade("layers", 0, 4, outcome, "So it is.")
    one = replace(grade(), notebooks=(replace(book, questions=(question,)),))
    error = by_id(masked(one=one))["layers"].outputs[-1]
    assert (error.ename, error.evalue) == (name, "So it is.")


def test_a_test_without_a_grade_is_no_pass():
    """No report is never a pass, here either."""
    (book,) = grade().notebooks
    notebook = masked(one=replace(grade(), notebooks=(replace(book, questions=()),)))
    assert determine_grade(by_id(notebook)["layers"])[0] == 0


def test_text_and_images_stay():
    """What the student printed and plotted is there, and so is the traceback."""
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": ["epoch 1\n", "epoch 2\n"]},
        {"output_type": "display_data", "data": {"image/png": PNG, "text/plain": "<Figure>"}, "metadata": {}},
        {
            "output_type": "error",
            "ename": "ValueError",
            "evalue": "no",
            "traceback": ["\x1b[31mValueError\x1b[0m"],
        },
    ]
    stream, image, error = by_id(masked(outputs=outputs))["model"].outputs
    assert stream.text == "epoch 1\nepoch 2\n"
    assert image.data == {"image/png": Encoder().encode("image/png", PNG), "text/plain": "<Figure>"}
    assert error.ename == "ValueError"


def test_a_picture_is_the_kits_own_bytes_or_a_line_that_says_why_not():
    """nbgrader's feedback shows what lies in this notebook."""
    commented = base64.b64encode(base64.b64decode(PNG) + b"<script>alert(1)</script>").decode()
    outputs = [
        {"output_type": "display_data", "data": {"image/png": commented}, "metadata": {}},
        {"output_type": "display_data", "data": {"image/png": PNG[:60], "text/plain": "<Figure>"}, "metadata": {}},
        {"output_type": "display_data", "data": {"image/jpeg": PNG, "image/svg+xml": "<svg/>"}, "metadata": {}},
    ]
    clean, cut, mistaken = by_id(masked(outputs=outputs))["model"].outputs
    assert clean.data == {"image/png": Encoder().encode("image/png", PNG)}
    assert cut.data == {"text/plain": "<Figure>\n[This picture is not shown: it is damaged.]"}
    assert mistaken.data == {"text/plain": "[This picture is not shown: it is not in JPEG format.]"}


def test_nothing_active_of_the_students_outputs_stays():
    """HTML, JavaScript, SVG, Markdown, LaTeX and images that are not base64 are left out."""
    text = nbformat.writes(masked(outputs=HOSTILE_OUTPUTS))
    assert "alert(" not in text


HOSTILE_PROSE = [
    ("<script>alert(1)</script>", "<script"),
    ("<IMG SRC=x onerror=alert(1)>", "<IMG"),
    ("[x](javascript:alert(1))", "javascript:"),
    ("[x](JaVa\\Script\\:alert(1))", "Script\\:"),
    ("[x](&#106;avascript&colon;alert(1))", "(&#106"),
    ("<!-- x --><?php ?></div>", "<!--"),
]


@pytest.mark.parametrize(("prose", "gone"), HOSTILE_PROSE)
def test_a_students_prose_is_inert_for_nbconvert(prose, gone):
    """Written answers lose their HTML and script links, not their text."""
    source = by_id(masked(prose=prose))["why"].source
    assert gone not in source


def test_the_instructors_html_stays():
    """Cells that are as released may have HTML in them."""
    spoken = cell(Role.READ_ONLY, "intro", "<b>Your turn</b>", kind="markdown")
    made = replace(exam(), cells=(spoken, *exam().cells[1:]))
    notebook = annotated_notebook(composed(made), run(composed(made)), grade().notebooks[0])
    assert by_id(notebook)["intro"].source == "<b>Your turn</b>"


def test_a_students_metadata_is_not_taken_over():
    """Points, ids, widgets and attachments of the submission don't reach it."""
    free = ComposedCell(
        Role.FREE, "code", "x = 1", metadata={"nbgrader": {"points": 100, "grade_id": "evil"}, "evil": 1}
    )
    made = replace(composed(exam()), cells=(free, *composed(exam()).cells))
    assert "evil" not in nbformat.writes(annotated_notebook(made, run(made), grade().notebooks[0]))


def test_a_run_that_ended_early_still_makes_a_whole_notebook():
    """Cells that were never reached are there without outputs, and say so."""
    made = composed(exam())
    short = replace(run(made), cells=(CellRun("ok"),))
    one = stopped("ada", "timed_out", "A cell ran longer than 20 s and was stopped.", 0)
    notebook = annotated_notebook(made, short, one.notebooks[0])
    assert len(notebook.cells) == len(made.cells)
    assert notebook.cells[2].metadata.autograder.run == "not_run"


@pytest.mark.slow
@pytest.mark.integration
def test_nbgrader_generates_feedback_from_it(tmp_path):
    """The real command: it joins by grade_id, shows our scores, and neither a hidden test nor live HTML."""
    here = course(tmp_path)
    name = "keras-fully-connected"
    one = grade(loss=0.63, parameters=200_000)
    notebook = masked(prose="<script>alert(1)</script>", outputs=HOSTILE_OUTPUTS, one=one)
    for folder in (here.submitted("ada", name), here.autograded("ada", name)):
        folder.mkdir(parents=True)
        (folder / "timestamp.txt").write_text(DUE.isoformat())
    nbformat.write(notebook, here.autograded("ada", name) / "network.ipynb")
    here.source(name).mkdir(parents=True)
    gradebook.record(here, [exam()], [one])

    nbgrader(here.root, "generate_feedback", name)
    page = (here.feedback("ada", name) / "network.html").read_text()
    assert f"(Score: {one.score:.2f}".rstrip("0") in page
    assert "200,000 parameters; at most 150,000 are allowed." in page
    assert "hidden-canary" not in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_formgrader_lists_the_submission(tmp_path):
    """The data behind its pages: the assignment and the submission with its score, time and state."""
    from nbgrader.apps import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory

    here = course(tmp_path)
    name = "keras-fully-connected"
    one = grade(loss=0.63, hours=-5)
    for folder in (here.submitted("ada", name), here.autograded("ada", name)):
        folder.mkdir(parents=True)
        (folder / "timestamp.txt").write_text(one.submitted_at.isoformat())
    nbformat.write(masked(one=one), here.autograded("ada", name) / "network.ipynb")
    nbformat.write(masked(one=one), here.submitted("ada", name) / "network.ipynb")
    here.source(name).mkdir(parents=True)
    gradebook.record(here, [exam()], [one])

    directory = CourseDirectory(root=str(tmp_path), course_id="dl101")
    api = NbGraderAPI(directory)
    (listed,) = api.get_assignments()
    assert (listed["name"], listed["max_score"], listed["num_submissions"]) == (name, 17, 1)
    submission = api.get_submission(name, "ada")
    assert (submission["score"], submission["max_score"]) == (10, 17)
    assert (submission["autograded"], submission["needs_manual_grade"]) == (True, True)
    # Not listed where the times in submitted/ and in the gradebook differ: it would ask for autograding then.
    assert api.get_autograded_students(name) == {"ada"}


def nbgrader(root, *arguments):
    """Run nbgrader's command as a person would, with nothing of this machine's configuration."""
    home = root / "home"
    home.mkdir(exist_ok=True)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "HOME": str(home), "JUPYTER_CONFIG_DIR": str(home), "PATH": path}
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments, "--CourseDirectory.course_id=dl101"],
        cwd=root,
        env=environment,
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode()


def test_the_exam_decides_the_metadata():
    """Roles map to nbgrader's flags; a free cell has none."""
    flags = {
        name: (m.grade, m.solution, m.locked, m.task)
        for name, m in ((n, c.metadata.nbgrader) for n, c in by_id(masked()).items())
    }
    assert flags == {
        "intro": (False, False, True, False),
        "model": (False, True, False, False),
        "layers": (True, False, True, False),
        "parameters": (True, False, True, False),
        "holdout": (True, False, True, False),
        "why": (True, True, False, False),
        "sketch": (False, False, False, True),
    }
    assert json.loads(nbformat.writes(masked()))["metadata"]["kernelspec"]["name"] == "python3"
