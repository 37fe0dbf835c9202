"""Sources of otter notebooks: what is read, and what is refused with notebook, cell and line."""

from __future__ import annotations

import json
import random

import pytest
from helpers.otter import SQUARE, block, code, config, course, exam_of, question, raw, release_of, text

from autograder.course.configuration import load_course
from autograder.errors import CourseError
from autograder.records.exam import Role
from autograder.release import exam_cache
from autograder.release.build import build, check, solution_notebook, write
from autograder.release.leaks import check_files, check_sources

X = block("solution", code("x = 1 # SOLUTION"))
IS_1 = block("tests", code("x", "1"))
Q = question("name: q", text("?"), X, IS_1)
EXCEPTIONS = config("tests: {ok_format: false}")


def refused(tmp_path, *cells) -> str:
    with pytest.raises(CourseError) as caught:
        exam_of(tmp_path, *cells)
    return str(caught.value)


def roles(exam) -> list[tuple[Role, str | None, float]]:
    return [(cell.role, cell.grade_id, cell.points) for cell in exam.cells]


def test_cells_get_the_roles_of_an_exam(tmp_path) -> None:
    manual = question("name: why\nmanual: true\npoints: 3", text("Why?"), block("solution", text("Because.")))
    exam = exam_of(tmp_path, config("export_cell: false"), code("import math"), Q, manual)
    assert roles(exam) == [
        (Role.READ_ONLY, "otter-1", 0),
        (Role.FREE, None, 0),
        (Role.READ_ONLY, "q-text", 0),
        (Role.ANSWER, "q-answer", 0),
        (Role.TEST, "q", 1),
        (Role.READ_ONLY, "why-text", 0),
        (Role.MANUAL, "why", 3),
        (Role.READ_ONLY, "otter-2", 0),
    ]
    assert exam.cells[6].released == "_Type your answer here, replacing this text._"
    assert [c.source for c in solution_notebook(exam).cells][3:7:3] == ["x = 1 # SOLUTION", "Because."]


def test_fenced_boundaries_are_boundaries(tmp_path) -> None:
    fenced = text("```otter\n# BEGIN QUESTION\nname: q\npoints: 2\n```\n\nWrite x.\n\n```otter\n# BEGIN SOLUTION\n```")
    between = text("```otter\n# END SOLUTION\n```\n```otter\n# BEGIN TESTS\n```")
    end = text("```otter\n# END TESTS\n```\n```otter\n# END QUESTION\n```")
    exam = exam_of(tmp_path, fenced, code("x = 1 # SOLUTION"), between, code("x", "1"), end)
    assert [(c.grade_id, c.points) for c in exam.questions] == [("q", 2)]
    assert [cell.released.strip() for cell in exam.cells if cell.grade_id == "q-text"] == ["Write x."]


def test_a_config_file_is_read_first_and_the_cell_overrides_it(tmp_path) -> None:
    folder = tmp_path / "source/hw"
    folder.mkdir(parents=True)
    (folder / "settings.yml").write_text("init_cell: false\ncheck_all_cell: true\nexport_cell: false\n")
    exam = exam_of(tmp_path, config("config_file: settings.yml\ncheck_all_cell: false"), Q)
    assert not [cell for cell in exam.cells if "grader.check_all" in cell.released or "import otter" in cell.released]
    (folder / "settings.yml").write_text("init_cell: false\n\nno_such: 1\n")
    assert "source/hw/settings.yml: line 3: unknown key 'no_such'" in refused(
        tmp_path, config("config_file: settings.yml")
    )


def test_assignments_may_share_a_config_file_of_the_course(tmp_path) -> None:
    (tmp_path / "source").mkdir()
    shared = tmp_path / "source/otter.yml"
    shared.write_text("init_cell: false\nexport_cell: false\nrequirements: ../requirements.txt\n")
    course(tmp_path, config("config_file: ../otter.yml"), Q)
    found = load_course(tmp_path)
    built = build(found, found.assignments["hw"])
    assert not [cell for cell in built.exams[0].cells if "import otter" in cell.released]
    exam_cache.save(found, found.assignments["hw"], built)
    assert exam_cache.load(found, found.assignments["hw"]) is not None
    shared.write_text("init_cell: true\n")
    assert exam_cache.load(found, found.assignments["hw"]) is None
    shared.write_text("init_cell: true\nno_such: 1\n")
    assert "source/otter.yml: line 2: unknown key 'no_such'" in refused(tmp_path, config("config_file: ../otter.yml"))


IGNORED = [
    ("generate: {sed: 1}", "line 2: 'sed' in 'generate' has no effect: otter does not know this key; did you mean"),
    (
        "generate: {public_multiplier: 0.5}",
        "the share of the points that all public tests earn; give public test cells points",
    ),
    ("generate: {pdf: true}", "grade manual questions on the page of `autograder review`"),
    ("export_cell: {pfd: true}", "'pfd' in 'export_cell' has no effect"),
    ("tests: {ok_fromat: true}", "'ok_fromat' in 'tests' has no effect: otter does not know this key; did you mean"),
]


@pytest.mark.parametrize(("settings", "message"), IGNORED)
def test_keys_that_otter_ignores_are_warnings(tmp_path, settings, message) -> None:
    course(tmp_path, config(settings), Q)
    (warning,) = check(release_of(tmp_path))
    assert warning.startswith("source/hw/nb.ipynb: cell 1: line 2: ")
    assert message in warning


def test_all_keys_that_otter_ignores_are_listed_at_once(tmp_path) -> None:
    of_a_test = code(CONFIGURED.format("pts: 1"), "1")
    cells = question("name: q\npoint: 1\nmodel: 2", text("?"), X, block("tests", of_a_test))
    course(tmp_path, config("generate:\n  sed: 1\n  pdfs: true"), *cells)
    places = [warning.split(": '")[0] for warning in check(release_of(tmp_path))]
    where = "source/hw/nb.ipynb: cell "
    assert places == [f"{where}{n}" for n in ("1: line 3", "1: line 4", "2: line 3", "2: line 4", "8: line 2")]
    message = refused(tmp_path, config("nme: hw\nfils: []"), Q)
    assert [line.rpartition("; ")[2] for line in message.splitlines()] == [
        "did you mean 'name'?",
        "did you mean 'files'?",
    ]


def test_a_manual_question_keeps_its_name(tmp_path) -> None:
    """Its tests, which earn nothing, have another."""
    exam = exam_of(tmp_path, question("name: q4\nmanual: true\npoints: 2", text("?"), X, IS_1))
    assert [(c.role, c.grade_id, c.points) for c in exam.questions] == [
        (Role.MANUAL, "q4", 2),
        (Role.TEST, "q4-tests", 0),
    ]


def test_a_manual_question_without_points_asks_for_some(tmp_path) -> None:
    answer = block("solution", text("Because."))
    course(tmp_path, question("name: q4\nmanual: true", text("Why?"), answer))
    asks, _ = check(release_of(tmp_path))  # and says that the notebook has no points
    assert asks.startswith("source/hw/nb.ipynb: cell 1: a person grades q4, and it has no points")
    course(tmp_path, question("name: q4\nmanual: true\npoints: 0", text("Why?"), answer))
    assert not [warning for warning in check(release_of(tmp_path)) if "q4" in warning]


def test_a_question_with_hidden_cases_only_gets_a_cell_of_its_own_for_them(tmp_path) -> None:
    exam = exam_of(tmp_path, question("name: q", text("?"), X, block("tests", code("# hidden\nx", "1"))))
    (index,) = [n for n, cell in enumerate(exam.cells) if cell.role is Role.TEST]
    assert exam.cells[index].released == "# The tests of q run when the notebook is graded."
    assert exam.cells[index - 1].metadata["otter"] == {"tests": ["q"]}


def test_prompts_ignores_and_markers(tmp_path) -> None:
    solved = code(
        "import random\nrandom.seed(1) # SEED\nsecret = 3 # SOLUTION NO PROMPT\nx = 1 # SOLUTION\n"
        "if x:\n    # BEGIN SOLUTION\n    y = 2\n    # END SOLUTION\nz = 3 # IGNORE\n"
        '""" # BEGIN PROMPT\n# your code\n""" # END PROMPT\nd["a"], y = 1, 2 # SOLUTION'
    )
    cells = question("name: q", text("?"), block("solution", solved), IS_1), code("# IGNORE\nnowhere = 1")
    exam = exam_of(tmp_path, config("generate: {seed: 3}"), *cells)
    (answer,) = [cell for cell in exam.cells if cell.role is Role.ANSWER]
    assert answer.released == 'import random\nx = ...\nif x:\n    ...\n# your code\nd["a"], y = ...'
    assert "# IGNORE" not in answer.source
    assert "secret = 3" in answer.source
    assert not [cell for cell in exam.cells if "nowhere" in cell.source]
    names = {"random": "the notebook's own", "numpy": "the notebook's own"}
    exec(exam.prelude, names)
    assert (names["random"], names["numpy"]) == ("the notebook's own", "the notebook's own")
    drawn = random.random()
    random.seed(3)
    assert drawn == random.random()


def test_a_seed_variable_has_the_students_value(tmp_path) -> None:
    seed = config("seed: {variable: rng_seed, autograder_value: 7, student_value: 42}")
    exam = exam_of(tmp_path, seed, code("rng_seed = 1\nrng_seed == 2"), Q)
    assert [c.released for c in exam.cells][1] == "rng_seed = 42\nrng_seed == 2"
    assert exam.prelude == "rng_seed = 7"


SETTINGS = [
    ("nme: hw", "line 2: unknown key 'nme' in the assignment config; did you mean 'name'?"),
    ("name: hw\nplugins: [a.B]", "line 3: 'plugins' cannot be kept: otter's plugins run inside its own grader"),
    ("generate: {grade_from_log: true}", "line 2: 'grade_from_log' cannot be kept: a log is written by the student's"),
    ("generate:\n  plugins:\n  - x", "line 3: 'plugins' cannot be kept"),
    ("generate: {score_threshold: 0.5}", "'score_threshold' cannot be kept: it changes the score after grading"),
    ("seed: {variable: 1x, autograder_value: 1}", "'1x', which is no name of Python's"),
    ("seed: {variable: s}", "a seed variable needs an autograder_value"),
    ("variables: {x: int}", "line 2: 'variables': otter 7 has dropped it"),
    ("exclude_conda_defaults: true", "'exclude_conda_defaults': otter 7 has dropped it"),
    ("runs_on: colab", "runs_on: colab needs tests: {files: true}"),
    ("runs_on: vscode", "'runs_on' is 'vscode'; it may be default, colab, jupyterlite"),
    ("init_cell: maybe", "line 2: 'init_cell' must be true or false, not 'maybe'"),
    ("files: {a: b}", "'files' must be a list of file names"),
    ("name: [", "line 2: not valid YAML"),
    ("files: [a.csv]", "the file 'a.csv' of the otter config is not there"),
    ("config_file: ../x.yml", "config_file: '../x.yml' cannot be read"),
    ("config_file: ../../../x.yml", "config_file: '../../../x.yml' leads out of the course"),
    ("config_file: ../a/../../x.yml", "config_file: '../a/../../x.yml' must not contain '..'"),
    ("config_file: no.yml", "config_file: 'no.yml' cannot be read"),
]


@pytest.mark.parametrize(("settings", "message"), SETTINGS)
def test_settings_that_do_not_fit_are_named(tmp_path, settings, message) -> None:
    assert message in refused(tmp_path, config(settings), Q)
    assert "source/hw/nb.ipynb" in refused(tmp_path, config(settings), Q)


EVERY_KEY = """\
name: hw
files: []
autograder_files: []
student_files: []
requirements: [numpy]
overwrite_requirements: false
environment: environment.yml
python_version: "3.13"
channel_priority_strict: true
init_cell: true
check_all_cell: false
show_question_points: false
export_cell: {instructions: "", pdf: true, filtering: true, force_save: false, run_tests: true, files: [], require_no_pdf_ack: false, ignore_log: false}
tests: {files: false, ok_format: true, url_prefix: null}
seed: {variable: s, autograder_value: 1, student_value: 2}
generate: {show_stdout: true, show_hidden: true, show_all_public: true, force_public_test_summary: false, seed: 1, seed_variable: s, grade_from_log: false, serialized_variables: {}, pdf: true, token: x, course_id: 1, assignment_id: 2, filtering: true, pagebreaks: true, use_submission_pdf: true, pdf_via_html: true, submit_blank_pdf_on_export_failure: true, warn_missing_pdf: true, debug: false, autograder_dir: /autograder, lang: python, miniconda_path: /x, plugins: [], logo: false, print_summary: false, print_score: false, zips: true, log_level: info, assignment_name: hw, score_threshold: null, points_possible: null}
run_tests: true
runs_on: default
solutions_pdf: filtered
template_pdf: true
plugins: []
save_environment: true
ignore_modules: [os]
strip_solutions_from_all_cells: false
suppress_no_tests_warning: true
"""


def test_every_key_of_otters_is_known(tmp_path) -> None:
    assert [q.grade_id for q in exam_of(tmp_path, config(EVERY_KEY), Q).questions] == ["q"]


QUESTIONS = [
    (question("points: 1", X), "cell 1: the question has no name"),
    (question("name: q\npoints: -1", X, IS_1), "'points' holds -1"),
    (question("name: q\npoints: {all: 1}", X, IS_1), "unknown key 'all' in 'points'"),
    (question("name: q\npoints: [1, 2]", X, IS_1), "'points' has 2 entries, and the question has 1 test cells"),
    (question("name: q\npoints: 2", X), "cell 1: q has points, and nothing that gives them"),
    (question("name: q\nmanual: true", text("?")), "q has no cell for an answer"),
    (question("name: a/b", X, IS_1), "no quotes and no slashes"),
    (Q + Q, "cell 10: there is a question 'q' already"),
    ([raw("# BEGIN QUESTION\nname: q"), *X], "cell 1: line 1: # BEGIN QUESTION has no # END QUESTION"),
    ([raw("# END QUESTION"), *Q], "cell 1: line 1: # END QUESTION ends nothing"),
    ([raw("# BEGIN SOLUTION")], "cell 1: line 1: # BEGIN SOLUTION outside of a question"),
    (question("name: q", question("name: r", X)), "cell 2: line 1: # BEGIN QUESTION inside another question"),
    (question("name: q", block("solution", *X)), "# BEGIN SOLUTION inside of # BEGIN SOLUTION"),
    (question("name: q", X, block("prompt"), block("prompt")), "a prompt comes before the solution"),
    (
        question("name: q", X, [raw("# BEGIN TEST"), code("x", "1"), raw("# END TEST")]),
        "'# BEGIN TEST' begins or ends nothing",
    ),
    (question("name: q", X, [code("# BEGIN TESTS"), code("x", "1")]), "'# BEGIN TESTS' is in a code cell"),
    ([text("```otter\n# BEGIN QUESTION\nname: q")], "cell 1: line 1: this ```otter has no ```"),
    ([*Q, config()], "cell 10: line 1: the assignment config comes after a question"),
]


@pytest.mark.parametrize(("cells", "message"), QUESTIONS, ids=[message[:50] for _, message in QUESTIONS])
def test_blocks_that_do_not_fit_are_named(tmp_path, cells, message) -> None:
    assert message in refused(tmp_path, *cells)


SOLUTIONS = [
    ("x = 1 # solution", "line 1: 'x = 1 # solution' is not a marker, and would be released"),
    ("# Begin Solution\nx = 1\n# End Solution", "line 1: '# Begin Solution' is not a marker"),
    ("# BEGIN SOLUTION\nx = 1", "line 1: # BEGIN SOLUTION without # END SOLUTION"),
    ("x = 1\n# END SOLUTION", "line 2: # END SOLUTION without # BEGIN SOLUTION"),
    ("# BEGIN IGNORE\nx = 1", "line 1: # BEGIN IGNORE without # END IGNORE"),
    ("x = 1 # SEED", "line 1: # SEED needs a seed for grading"),
    ('""" # BEGIN PLUGIN\na.B\n""" # END PLUGIN', "line 1: plugins run inside otter's own grader"),
]


@pytest.mark.parametrize(("source", "message"), SOLUTIONS)
def test_markers_that_would_hide_nothing_are_named(tmp_path, source, message) -> None:
    assert f"cell 4: {message}" in refused(
        tmp_path, question("name: q", text("?"), block("solution", code(source)), IS_1)
    )


def test_a_solution_outside_of_a_block_would_be_released(tmp_path) -> None:
    cells = code("x = 1 # SOLUTION"), Q
    assert "cell 1: line 1: 'x = 1 # SOLUTION' stands outside a solution" in refused(tmp_path, *cells)
    exam = exam_of(tmp_path, config("strip_solutions_from_all_cells: true"), *cells)
    assert "x = ..." in [cell.released for cell in exam.cells if cell.role is Role.FREE]


CONFIGURED = '""" # BEGIN TEST CONFIG\n{}\n""" # END TEST CONFIG\nx'
TESTS = [
    (config(), code("x ="), "cell 8: line 1: the test is not Python: invalid syntax: x ="),
    (config(), code("%time x"), "the test is not Python"),
    (config(), text("x"), "cell 8: a test is a code cell, not markdown"),
    (config(), code("# hidden"), "cell 8: the test has no code"),
    (config(), code(CONFIGURED.format("hiden: true")), "cell 8: line 2: unknown key 'hiden' in the test config"),
    (config(), code(CONFIGURED.format("\npoints: x")), "cell 8: line 3: 'points' must be a number from 0, not 'x'"),
    (config(), code('""" # BEGIN TEST CONFIG\npoints: 1\n"""'), "the test config has no"),
    (config(), code("from math import *\nsin(x)"), "cell 8: line 1: from math import *: import the names"),
    (config("autograder_files: [d.csv]"), code("open('d.csv')"), "line 1: tests do not run beside d.csv"),
    (EXCEPTIONS, code("assert x == 1"), "cell 8: line 1: a test of the exception format is a function"),
    (EXCEPTIONS, code("def t(env):\n    for n in env:\n        pass"), "line 2: which names this test takes from env"),
    (EXCEPTIONS, code("def t(env):\n    n = 'x'\n    env[n]"), "line 3: which names this test takes from env"),
]


@pytest.mark.parametrize(("head", "cell", "message"), TESTS, ids=[message[-40:] for *_, message in TESTS])
def test_tests_that_cannot_be_examined_are_named(tmp_path, head, cell, message) -> None:
    assert message in refused(tmp_path, head, question("name: q", text("?"), X, block("tests", cell)))


V0 = text("Write x.\n\n```\nBEGIN QUESTION\nname: q1\n```")
OLD = [
    ([text("```\nBEGIN ASSIGNMENT\nfiles: []\n```"), V0, code("x = 1 # SOLUTION"), code("## Test ##\nx")], 1, 2),
    ([V0, code("x = 1 # SOLUTION"), code("# HIDDEN TEST\nx > 0", "True")], 1, 4),
    ([config(), V0, code("x = 1 # SOLUTION")], 2, 4),
    ([text("<!--\nBEGIN QUESTION\nname: q1\n-->"), code("x = 1 # SOLUTION")], 1, 2),
    ([config(), question("name: q", text("?"), X, code("## HIDDEN TEST ##\nx", "1"))], 7, 1),
    ([code("x = 1"), code("## hidden test ##\nassert x == 1")], 2, 1),
]


@pytest.mark.parametrize(("cells", "cell", "line"), OLD)
def test_old_formats_are_named_as_what_they_are(tmp_path, cells, cell, line) -> None:
    """Nothing in them would be a test or a solution, so all of it would be released."""
    message = refused(tmp_path, *cells)
    assert message.startswith(f"source/hw/nb.ipynb: cell {cell}: line {line}: ")
    assert "the format of jassign and of otter's first versions (v0)" in message


def test_a_hidden_test_between_boundaries_may_say_so_as_before(tmp_path) -> None:
    exam = exam_of(tmp_path, question("name: q", text("?"), X, block("tests", code("## HIDDEN TEST ##\nx", "1"))))
    assert [cell.grade_id for cell in exam.questions] == ["q"]


def test_points_of_cases_beyond_the_questions_are_named(tmp_path) -> None:
    cell = code('""" # BEGIN TEST CONFIG\npoints: 3\n""" # END TEST CONFIG\nx', "1")
    message = "cell 1: its test cells have 3 points, more than the question's 2"
    assert message in refused(tmp_path, question("name: q\npoints: 2", text("?"), X, block("tests", cell)))


def test_the_linter_names_the_sources_cell_and_line(tmp_path) -> None:
    course(tmp_path, question("name: q", text("?"), X, block("tests", code("y = 1\neval(x)", "1"))))
    with pytest.raises(CourseError, match=r"source/hw/nb.ipynb: cell 7, line 2: '_otter_show\(eval\(x\)\)'"):
        check(release_of(tmp_path))


@pytest.mark.parametrize(
    "metadata",
    [
        {"kernelspec": {"name": "ir", "language": "R", "display_name": "R"}},
        {"kernelspec": {"name": "ir", "display_name": "R"}},
        {"language_info": {"name": "R"}},
    ],
)
def test_a_notebook_in_r_is_refused(tmp_path, metadata) -> None:
    course(tmp_path, Q)
    path = tmp_path / "source/hw/nb.ipynb"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"metadata": metadata}))
    with pytest.raises(CourseError, match=r"source/hw/nb\.ipynb: the notebook's language is 'R'; only Python can be"):
        release_of(tmp_path)


@pytest.mark.parametrize("suffix", ["Rmd", "qmd"])
def test_text_that_otter_reads_as_r_is_refused_by_name_and_line(tmp_path, suffix) -> None:
    course(tmp_path, Q)
    path = tmp_path / f"source/hw/first.{suffix}"
    path.write_text("# A report\n")
    release_of(tmp_path)
    path.write_text("---\ntitle: x\n---\n<!--\n# BEGIN QUESTION\nname: q1\n-->\n")
    with pytest.raises(CourseError, match=rf"source/hw/first.{suffix}: line 5: otter reads .{suffix} as R, and only"):
        release_of(tmp_path)
    (tmp_path / "source/hw/nb.ipynb").unlink()
    with pytest.raises(CourseError, match="otter reads"):
        release_of(tmp_path)


def test_marks_of_nbgrader_and_blocks_of_otter_are_not_mixed_in_a_notebook(tmp_path) -> None:
    cell = code("y = 1")
    cell["metadata"] = {"nbgrader": {"grade_id": "y", "schema_version": 3}}
    assert "cell 1: the cell has marks of nbgrader" in refused(tmp_path, cell, Q)


# --- files and the way to a release ------------------------------------------------------------------


def test_only_listed_files_are_released(tmp_path) -> None:
    root = course(tmp_path, config("files: [data]\nautograder_files: [data/secret.py]\nstudent_files: [own.csv]"), Q)
    folder = root / "source/hw"
    (folder / "data").mkdir()
    for name in ("data/a.csv", "data/secret.py", "own.csv", "notes.md", "environment.yml"):
        (folder / name).write_text("1")
    release = release_of(root)
    assert sorted(release.files) == ["data/a.csv"]
    assert release.left_out["notes.md"] == "not in files of the otter config"
    assert release.left_out["data/secret.py"] == "autograder_files or student_files of the otter config"


def test_a_course_mixes_notebooks_of_nbgrader_and_otter(tmp_path) -> None:
    root = course(tmp_path, SQUARE)
    meta = {"schema_version": 3, "grade": True, "solution": False, "locked": True, "task": False, "points": 1}
    test = code("assert True")
    test["metadata"] = {"nbgrader": meta | {"grade_id": "t"}}
    other = {"cells": [test], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    (root / "source/hw/other.ipynb").write_text(json.dumps(other))
    (root / "source/hw/words.txt").write_text("a")
    release = release_of(root)
    assert [(exam.notebook, exam.max_score) for exam in release.exams] == [("nb", 4), ("other", 1)]
    assert sorted(release.files) == ["words.txt"]


def test_nothing_of_a_solution_or_a_hidden_test_is_released(tmp_path) -> None:
    root = course(tmp_path, config(), SQUARE)
    found = load_course(root)
    release = build(found, found.assignments["hw"])
    check_sources(found, found.assignments["hw"])
    check_files(found, release)
    released = release.notebooks[0].text
    for secret in ("x * x", "square(-2)", "SOLUTION", "HIDDEN", "_otter_"):
        assert secret not in released
    assert "square(3)" in released


def test_the_cached_exam_is_the_exam(tmp_path) -> None:
    root = course(tmp_path, config("tests: {files: true}\ngenerate: {seed: 2}"), SQUARE)
    found = load_course(root)
    assignment = found.assignments["hw"]
    release = build(found, assignment)
    write(found, assignment, release)
    assert exam_cache.load(found, assignment) == release
    assert (root / "release/hw/tests/q1.py").read_text().startswith("OK_FORMAT = True\n\ntest = {")
    (root / "source/hw/settings.yml").write_text("a: 1")
    assert exam_cache.load(found, assignment) is None
