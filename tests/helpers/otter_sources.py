"""Otter sources for comparisons with otter-grader itself, and what students answer."""

from __future__ import annotations

from helpers.otter import SQUARE, block, code, config, question, raw, text

CONFIGURED = (
    '""" # BEGIN TEST CONFIG\npoints: 2\nsuccess_message: Right\nfailure_message: Wrong\n""" # END TEST CONFIG\n'
)
MANY = [
    config(
        "name: hw\nshow_question_points: true\ncheck_all_cell: true\nexport_cell: {pdf: false, instructions: Send it.}"
    ),
    code("import random\ny = 3"),
    SQUARE,
    question(
        "name: q2\nmanual: true\npoints: 1.5\nexport: true",
        text("Why?"),
        block("solution", text("Because."), code("y = 4 # SOLUTION")),
    ),
    code("# between"),
    question(
        "name: q3\nall_or_nothing: true\npoints: {each: 0.5}",
        text("One.\nTwo."),
        block("prompt", text("_Here_")),
        block(
            "tests", code(CONFIGURED.replace("points: 2\n", "") + "def f(a: int) -> int:\n    return a\n\nf(y)", "3")
        ),
    ),
    question(
        "name: q4\ncheck_cell: false",
        text("Hidden."),
        block("solution", code("if y:\n    # BEGIN SOLUTION\n    z = 1\n    # END SOLUTION\nz, u = 1, 2 # SOLUTION")),
        block("tests", code("for i in range(2):\n    print(i)\nelse:\n    print(z)", printed="0\n1\n1\n")),
    ),
    question("name: q5\nmanual: true\npoints: 2", block("prompt", code("# draw"))),
    text("```otter\n# BEGIN QUESTION\nname: q6\npoints: [1, 2]\n```\n\nFenced.\n```otter\n# BEGIN SOLUTION\n```"),
    code("w = 1 # SOLUTION"),
    raw("# END SOLUTION"),
    *block("tests", code("w", "1"), code("# HIDDEN\nw", "1")),
    raw("# END QUESTION"),
]
FUNCTIONS = [
    config("tests: {ok_format: false}\nseed: {variable: s, autograder_value: 3, student_value: 4}"),
    code("s = 1"),
    question(
        "name: q1\npoints: 2",
        text("?"),
        block("solution", code("def square(x):\n    return x * x # SOLUTION")),
        block(
            "tests",
            code(CONFIGURED.replace("2", "1") + "def test_it(square):\n    assert square(3) == 9"),
            code("# hidden\ndef test_more(square):\n    assert square(-1) == 1\ntest_more(square)"),
        ),
    ),
]

MARKERS = [
    config("strip_solutions_from_all_cells: true\ninit_cell: false\nexport_cell: {pdf: false, run_tests: false, files: [a.csv], ignore_log: true}\ngenerate: {seed: 3}"),
    code("y = 1 # SOLUTION\nz = 2"),
    code("## IGNORE ##\nnowhere = 1"),
    code("# IGNORE\nnowhere = 2"),
    question(
        "name: q1\npoints: 1",
        text("?"),
        block(
            "solution",
            code("x = 1 # SOLUTION\nx += 1 # SOLUTION\nn: int = 3 # SOLUTION\nif x: # SOLUTION\n    y = 2 # SOLUTION\n"
                 "d['k'], e = 1, 2 # SOLUTION\na.b = 3 # SOLUTION\nsecret = 4 # SOLUTION NO PROMPT\nf(1) # SOLUTION\n# kept"),
            code("import random\nrandom.seed(3) # SEED\ndef g(a):\n    # BEGIN SOLUTION NO PROMPT\n    b = a\n    return b\n    # END SOLUTION\n"
                 '    """ # BEGIN PROMPT\n    # your code\n    """ # END PROMPT\n\nfor i in range(3):\n    # BEGIN SOLUTION\n    print(i)\n    # END SOLUTION\n'
                 "h = 1 # IGNORE\n# BEGIN IGNORE\nk = 1\n# END IGNORE\nl = 2"),
            text("Only for you."),
            text("For all.", "otter_include"),
        ),
        block("tests", code("x", "1")),
    ),
]  # fmt: skip
"""Every marker of solutions, prompts, seeds and ignored parts."""
FILES = [
    config("name: hw\nruns_on: colab\ntests: {files: true}\nexport_cell: {force_save: true, filtering: false}"),
    SQUARE,
]
LITE = [
    config(
        "runs_on: jupyterlite\ntests: {files: true, url_prefix: 'tests'}\n"
        "export_cell: {require_no_pdf_ack: {message: No PDF.}}\nstudent_files: [own.csv]"
    ),
    SQUARE,
]

SCORED = [
    config("name: hw\nexport_cell: false\ngenerate: {seed: 42}"),
    code("import random\nimport numpy as np"),
    SQUARE,
    question(
        "name: q2\npoints: [1, 2, 3]",
        block("solution", code("a = 1 # SOLUTION")),
        block("tests", code("# HIDDEN\na > 0", "True"), code("a", "1"), code("a + 1", "2")),
    ),
    question(
        "name: q3\nall_or_nothing: true\npoints: {each: 0.5}",
        block("solution", code("b = [1] # SOLUTION")),
        block("tests", code("b.append(2)"), code("c = len(b)\nc", "2"), code("b[0]", "1")),
    ),
    question(
        "name: q4",
        block("solution", code("c = 'text' # SOLUTION")),
        block("tests", code(CONFIGURED + "c", "'text'"), code("len(c)", "4")),
    ),
    question(
        "name: q5\npoints: 3",
        block("solution", code("def draws(n):\n    # BEGIN SOLUTION\n    return [random.random() for _ in range(n)]\n    # END SOLUTION")),
        block("tests", code("len(draws(3))", "3"), code("# HIDDEN\nround(sum(draws(1)) >= 0)", "1")),
    ),
    question(
        "name: q6\npoints: 6",
        block("prompt", code("d = ...")),
        block("solution", code("d = {'k': 2} # SOLUTION NO PROMPT")),
        block("tests", code("# HIDDEN\nd['k']", "2"), code("# HIDDEN\nprint(d)", printed="{'k': 2}\n")),
    ),
    question(
        "name: q7\npoints: 1",
        block("solution", code("np.random.seed(42) # SEED\nx = np.random.random() # SOLUTION")),
        block("tests", code("bool(0 <= x < 1)", "True"), code("# HIDDEN\nint(x * 100)", "37")),
    ),
]  # fmt: skip
"""Questions with every way to give points, a seed, and names that a case binds or changes."""
ANSWERS = {
    "square": "def square(x):\n    return x * x",
    "a": "a = 1",
    "b": "b = [1]",
    "c": "c = 'text'",
    "draws": "def draws(n):\n    return [random.random() for _ in range(n)]",
    "d": "d = {'k': 2}",
    "x": "x = np.random.random()",
}
BLANKS = {
    "square": "def square(x):\n    ...",
    "a": "a = ...",
    "b": "b = ...",
    "c": "c = ...",
    "draws": "def draws(n):\n    ...",
    "d": "d = ...",
    "x": "x = ...",
}
"""Answer → the text that stands in its place."""
STUDENTS = {
    "right": ANSWERS,
    "partly": ANSWERS
    | {
        "square": "def square(x):\n    return 3 * x",
        "a": "a = 2",
        "b": "b = [2]",
        "c": "c = 'four'",
        "draws": "def draws(n):\n    return [-1.0] * n",
        "d": "d = {'k': 2, 'l': 3}",
        "x": "x = 0.5",
    },
    "raising": ANSWERS | {"square": "def square(x):\n    raise ValueError(x)", "b": "b = [1]\n1 / 0", "c": "1 / 0"},
    "blank": {},
}
FUNCTION_STUDENTS = {
    "right": {"square": "def square(x):\n    return x * x"},
    "partly": {"square": "def square(x):\n    return 3 * x"},
    "raising": {"square": "def square(x):\n    return undefined"},
    "blank": {},
}


def answered(notebook: dict, answers: dict[str, str]) -> dict:
    """Put a student's answers into the place of the blanks."""
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        for name, answer in answers.items():
            source = source.replace(BLANKS[name], answer)
        cell["source"] = source
    return notebook
