"""Acceptance tests 57, 58, 61 and 62: lines that say a hidden input, files that name other files, endless numbers, given data.

Each question is answered by eve, who cheats, and by ada, who is honest, and graded in the sandbox.
"""

from __future__ import annotations

import json
import math
import re
import types
from collections.abc import Callable, Iterator

import pytest
from questions import Class, Question, Sheet

from autograder.codec import decode, standard_library
from autograder.examiner.origin import MAX_LINES, MAX_TOLD

pytestmark = pytest.mark.sandbox

STARTS = ["warm", pytest.param("cold", marks=pytest.mark.security)]


def messages(graded: Class, student: str) -> Iterator[str]:
    """What a student reads of the tests, beside the notebook that was handed in."""
    done = graded.notebook(student)
    yield done.message
    for question in done.questions:
        yield from question.message.splitlines()
        yield from (check.message for check in question.checks)


# --- 57: exceptions that say a hidden input -------------------------------------------------------------

MANY = range(300)
"""Many more lines than MAX_LINES, each of which would be the input."""
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
INPUTS = {name: 227 + number for number, name in enumerate(ATTACKS)}
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
def numbers(request: pytest.FixtureRequest, graded_sheet: Callable[..., Class]) -> Class:
    return graded_sheet("exceptions", request.param)


def test_57_no_exception_says_its_input(numbers: Class) -> None:
    read = list(messages(numbers, "eve"))
    assert [text for text in read if re.search(r"input_is_\d", text)] == []
    assert len([text for text in read if "raise" in text]) >= len(ATTACKS), "that there were exceptions is told"
    assert set(numbers.points("eve").values()) == {0.0}
    assert set(numbers.points("ada").values()) == {1.0}


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


# --- 58: files that name other files --------------------------------------------------------------------

READS = """
import io, os, h5py
def where():
    # Where the labels lie in hidden data that have the sizes of the public ones.
    file, y = io.BytesIO(), np.array([0, 1, 1, 0, 1, 0])
    np.savez(file, X=np.arange(12.0).reshape(6, 2), y=y)
    return file.getvalue().find(y.tobytes())
PATH = 'hidden/holdout.npz'
if not os.path.exists(PATH):
    PATH = '/opt/examiner/course/source/hw/' + PATH
def save(name):
    with h5py.File(name, 'w') as f:
        f.create_dataset('y', (6,), 'i8', external=[(PATH, where(), 48)])
"""
PLAIN = """
import h5py
def save(name):
    with h5py.File(name, 'w') as f:
        f.create_dataset('y', data=[0, 1, 1, 0, 1, 0], chunks=(3,), compression='gzip')
"""


def saved(name: str, *, before: str = "", call: str = "") -> Question:
    """Predictions in a file, which a cell writes, or a call of the test."""
    test = f"{call}\ndata = check.hidden_data('holdout.npz')\nimport h5py\n"
    test += f"with h5py.File({name!r}) as f:\n    assert (f['y'][:] == data['y']).all()"
    writes = "" if call else f"save({name!r})"
    return Question(f"{before}{READS}{writes}", f"{PLAIN}{writes}", test)


FILES = {
    "58-written": saved("pred.h5"),
    "58-other-name": saved("pred.csv", before="os.remove('pred.h5')"),
    "58-in-a-call": saved("made.h5", before="os.remove('pred.csv')", call="save('made.h5')"),
}


@pytest.fixture(scope="module", params=STARTS)
def files(request: pytest.FixtureRequest, graded_sheet: Callable[..., Class]) -> Class:
    return graded_sheet("files", request.param)


def test_58_no_file_reads_another_one(files: Class) -> None:
    assert set(files.points("eve").values()) == {0.0}
    said = [text for text in messages(files, "eve") if text]
    assert ["external storage" in text for text in said] == [True] * len(FILES)
    assert not any(q.needs_manual_grade for q in files.notebook("eve").questions)


def test_58_honest_files_are_read(files: Class) -> None:
    assert set(files.points("ada").values()) == {1.0}


def test_58_control_in_one_process_the_file_has_the_labels(files: Class) -> None:
    assert files.unguarded.passed == {f"test-{name}" for name in FILES}


# --- 61: numbers without end ----------------------------------------------------------------------------

HUGE = """
from fractions import Fraction
ABOVE, BELOW = 3 ** 600_000, 2 ** 900_000
def huge(k):
    # Made without a division, which costs its maker minutes, too.
    made = Fraction(1)
    made._numerator, made._denominator = ABOVE + k, BELOW
    return made
"""
UNLIMITED = """
import sys
for module in list(sys.modules.values()):
    for name in ('MAX_FRACTION_BITS', 'MAX_DIVISION_STEPS'):
        if hasattr(module, name):
            setattr(module, name, 1 << 60)
"""
ENDLESS = {
    "61-variable": Question(
        f"{HUGE}thirds = [huge(k) for k in range(40)]", "from fractions import Fraction\nthirds = [Fraction(1, 3)] * 3",
        "assert thirds == [thirds[0]] * 3", fools=False,
    ),
    "61-call": Question(
        f"{HUGE}def fifths(n):\n    return [huge(k) for k in range(40)]",
        "from fractions import Fraction\ndef fifths(n):\n    return [Fraction(1, 5)] * n",
        "from fractions import Fraction\nassert fifths(5) == [Fraction(1, 5)] * 5", fools=False,
    ),
    "61-patched": Question(  # the kernel's own limits are gone, and the message is as long as it may be
        f"{UNLIMITED}{HUGE}def sixths(n):\n    return [huge(k) for k in range(40)]",
        "from fractions import Fraction\ndef sixths(n):\n    return [Fraction(1, 6)] * n",
        "from fractions import Fraction\nassert sixths(6) == [Fraction(1, 6)] * 6", fools=False,
    ),
    "61-harmonic": Question(
        HARMONIC := "from fractions import Fraction\ndef harmonic(n):\n    return sum(Fraction(1, k) for k in range(1, n + 1))",
        HARMONIC, "assert abs(harmonic(3000) - 8.58) < 0.01 and harmonic(3) == harmonic(2) + harmonic(1) / 3", earned=1.0,
    ),
}  # fmt: skip


@pytest.fixture(scope="module", params=STARTS)
def endless(request: pytest.FixtureRequest, graded_sheet: Callable[..., Class]) -> Class:
    return graded_sheet("endless", request.param)


def test_61_a_huge_fraction_is_a_failed_answer(endless: Class) -> None:
    assert endless.points("eve") == {f"test-{name}": one.earned for name, one in ENDLESS.items()}
    done = endless.notebook("eve")
    assert not any(question.needs_manual_grade for question in done.questions)
    said = {question.id: question.message for question in done.questions}
    assert "a fraction of more than 65,536 bits" in said["test-61-variable"]
    assert "an answer that cannot be read" in said["test-61-patched"]


def test_61_fractions_of_thousands_of_digits_are_values(endless: Class) -> None:
    assert set(endless.points("ada").values()) == {1.0}


def test_61_control_a_decoder_without_limits_divides_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """The steps of 40 such fractions are those of some minutes; they are counted here instead of taken."""
    steps: list[int] = []
    limit = standard_library.MAX_DIVISION_STEPS
    monkeypatch.setattr(standard_library, "MAX_FRACTION_BITS", 1 << 60)
    monkeypatch.setattr(standard_library, "MAX_DIVISION_STEPS", 1 << 60)
    counting = types.SimpleNamespace(Fraction=lambda n, d: steps.append(n.bit_length() * d.bit_length() >> 6))
    monkeypatch.setattr(standard_library, "fractions", counting)
    one = ["Fraction", ["int", hex(3**500_000)], ["int", hex(2**900_000)]]
    decode(json.dumps(["list", [one] * 40]).encode())
    assert sum(steps) > 100 * limit


# --- 62: given tables -----------------------------------------------------------------------------------

PEOPLE = "name,pay\nann,5\nbob,9\ncleo,7\n"
GIVEN = "import numpy as np\nimport pandas as pd\nfrom autograder import check\ndf = pd.read_csv('people.csv')"
MEAN = "def mean_pay(table):\n    return table['pay'].mean()"
TABLES = {
    "62-changed": Question(
        "df['pay'] = 1.0\ndef mean_pay(table): return 1.0", MEAN, "assert mean_pay(df) == df['pay'].mean()"
    ),
    "62-rebound": Question(
        "df = pd.DataFrame({'name': ['ann'], 'pay': [1.0]})\ndef rich(table): return ['ann']",
        "def rich(table):\n    return sorted(table[table.pay > 6].name)",
        "assert rich(df) == sorted(df[df.pay > df.pay.mean() - 1].name)",
    ),
    "62-deleted": Question(
        "df = df[:0]\ndef total(table): return 0", "def total(table):\n    return table.pay.sum()",
        "assert total(df) == df.pay.sum()",
    ),
    "62-honest": Question(
        "df = df.dropna()\n" + MEAN.replace("mean_pay", "honest"), MEAN.replace("mean_pay", "honest"),
        "assert honest(df) == df['pay'].mean() == 7", earned=1.0, fools=False,
    ),
}  # fmt: skip
SHEETS = {
    "exceptions": Sheet(NUMBERS),
    "files": Sheet(FILES),
    "endless": Sheet(ENDLESS),
    "tables": Sheet(TABLES, start=GIVEN, files={"people.csv": PEOPLE}),
}


@pytest.fixture(scope="module", params=STARTS)
def tables(request: pytest.FixtureRequest, graded_sheet: Callable[..., Class]) -> Class:
    return graded_sheet("tables", request.param)


def test_62_a_test_computes_with_the_released_table(tables: Class) -> None:
    assert tables.points("eve") == {f"test-{name}": one.earned for name, one in TABLES.items()}
    assert set(tables.points("ada").values()) == {1.0}


def test_62_control_in_one_process_it_computes_with_the_students(tables: Class) -> None:
    assert tables.unguarded.passed == {f"test-{name}" for name, one in TABLES.items() if one.fools}
