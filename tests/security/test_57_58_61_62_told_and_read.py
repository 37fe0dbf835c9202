"""Acceptance tests 57, 58, 61 and 62: lines that say a hidden input, files that name other files, endless numbers, given data.

Each question is answered by eve, who cheats, and by ada, who is honest, and graded in the sandbox.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import pytest
from questions import Class, Question, graded_class

from autograder.examiner.origin import MAX_LINES, MAX_TOLD

pytestmark = pytest.mark.sandbox

STARTS = ["warm", pytest.param("cold", marks=pytest.mark.security)]


def messages(graded: Class, student: str) -> Iterator[str]:
    """What a student reads of the tests, beside the notebook that was handed in."""
    (done,) = graded.done.grades[student].notebooks
    yield done.message
    for question in done.questions:
        yield from question.message.splitlines()
        yield from (check.message for check in question.checks)


# --- 57: exceptions that say a hidden input -------------------------------------------------------------

MANY = range(1_500)
EACH = "\n".join(f"    if x == {k}: raise ValueError  # input_is_{k}" for k in MANY)
ATTACKS = {
    "lines": f"def lines(x):\n{EACH}",
    "functions": "\n".join(f"def input_is_{k}(): raise ValueError" for k in MANY)
    + "\ndef functions(x): globals()[f'input_is_{x}']()",
    "methods": "class Steps:\n" + "\n".join(f"    def input_is_{k}(self): raise ValueError" for k in MANY)
    + "\ndef methods(x): getattr(Steps(), f'input_is_{x}')()",
    "redefined": "T = []\n" + "\n".join(f"def redefined(x): raise ValueError  # input_is_{k}\nT.append(redefined)" for k in MANY)
    + "\ndef redefined(x): T[x](x)",
    "classes": "\n".join(f"class input_is_{k}(ValueError): pass" for k in MANY)
    + "\ndef classes(x): raise globals()[f'input_is_{x}']",
    "compiled": f"def compiled(x):\n    import sys\n    file = sys._getframe().f_code.co_filename\n"
    f"    exec(compile('\\n' * (x + 4) + 'raise ValueError', file, 'exec'))\n{EACH}",
    "printed": "import warnings\ndef printed(x):\n    print(f'input_is_{x}')\n    warnings.warn(f'input_is_{x}')\n"
    "    raise UserWarning(f'input_is_{x}')",
}  # fmt: skip
INPUTS = {name: 1_027 + number for number, name in enumerate(ATTACKS)}
TYPES = """
kinds = [e for e in vars(__import__('builtins')).values() if isinstance(e, type) and issubclass(e, Exception)]
def types(x): raise kinds[x % len(kinds)]
"""
NUMBERS = {
    **{
        f"57-{name}": Question(attack, f"def {name}(x):\n    return x", f"assert {name}({INPUTS[name]}) == {INPUTS[name]}",
                               fools=False)
        for name, attack in ATTACKS.items()
    },
    "57-types": Question(
        TYPES, "def types(x):\n    return x",
        "\n".join(f"assert types({n}) == {n}" for n in range(40)) + "\ncheck.function(types, [(n, n) for n in range(40)])",
        fools=False,
    ),
}  # fmt: skip


@pytest.fixture(scope="module", params=STARTS)
def numbers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Class:
    return graded_class(tmp_path_factory.mktemp("numbers") / "course", NUMBERS, kernels=request.param)


def test_57_no_exception_says_its_input(numbers: Class) -> None:
    read = list(messages(numbers, "eve"))
    assert [text for text in read if re.search(r"input_is_\d", text)] == []
    assert len([text for text in read if "raise" in text]) >= len(ATTACKS), "that there were exceptions is told"
    assert set(numbers.done.points("eve").values()) == {0.0}
    assert set(numbers.done.points("ada").values()) == {1.0}


def test_57_a_page_tells_few_bits_by_exceptions(numbers: Class) -> None:
    """The bound that docs/security.md states: few different texts, one of MAX_LINES lines."""
    told = {text.partition("raise")[2] for text in messages(numbers, "eve") if "raise" in text}
    assert len(told) <= MAX_TOLD + 2, "and `an exception`, in the words of tests and of checks"
    assert len([text for text in told if "`" in text and ", line " in text]) <= 1
    assert math.log2(MAX_LINES) <= 6


def test_57_control_tracebacks_say_it(numbers: Class) -> None:
    """Where the traceback is shown, one hand-in tells the input word for word."""
    said = {name for name, number in INPUTS.items() if f"input_is_{number}" in numbers.unguarded.printed}
    assert said == set(ATTACKS)
