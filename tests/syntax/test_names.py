"""Whose a name is: decided from the instructor's source."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest
from helpers.examination import graded
from helpers.exams import exam_of

from autograder.records.checks import Outcome
from autograder.records.exam import Role
from autograder.syntax.names import bindings, loaded_names, needs, vocabulary


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("assert squares(1) == [1]", {"squares"}),
        ("x = 1\nx + y", {"x", "y"}),
        ("del helper", {"helper"}),
        ("[f(i) for i in data]", {"f", "data"}),
        ("(lambda a: a + b)(1)", {"b"}),
        ("def test():\n    local = 1\n    return local + outer\ntest()", {"outer", "test"}),
        ("class T:\n    a = given\n    def m(self): return other", {"given", "other"}),
        ("try:\n    f()\nexcept NameError as e:\n    print(e)", {"f", "NameError", "print", "e"}),
        ("import numpy as np\nnp.sum(v)", {"np", "v"}),
        ("with open(p) as f: f.read()", {"open", "p", "f"}),
        ("f'{a}{b!r:{c}}'", {"a", "b", "c"}),
    ],
)
def test_loaded_names_are_the_globals_in_every_scope(source, names):
    # Python 3.12 and later count a comprehension's own variable among the names around it: one too many does no harm.
    assert loaded_names(source) - {"i"} == names


def test_bindings_tell_imports_and_definitions_from_assignments():
    found = bindings("import os.path\nfrom numpy import sum as total\ndef f(): x = 1\nclass C: y = 2\na, (b, *c) = 1, (2,)\n"
                     "for i in a:\n    with b as w: import math\n")  # fmt: skip
    assert set(found.definitions) == {"os", "total", "f", "C"}
    assert found.imported == {"os", "total"}
    assert found.assigned == {"a", "b", "c", "i", "w", "math"}
    assert {"os.path", "numpy", "math"} <= found.modules


def test_magics_do_not_hide_the_imports_beside_them():
    assert set(bindings("%matplotlib inline\nimport numpy as np\n!ls").definitions) == {"np"}


EXAM = exam_of(
    (
        Role.READ_ONLY,
        "import numpy as np\nfrom keras import Sequential\ndef helper(f): return f(LIMIT)\nLIMIT = 3",
    ),
    (Role.ANSWER, "import math\ndef squares(n): return n * scale\nscale = 1\ny = 2"),
    (Role.TEST, "def hidden_helper(v): return v\nexpected = 9\nassert helper(squares) == expected"),
    (Role.TEST, "assert hidden_helper(np.sum(squares(3))) == y"),
)


@pytest.mark.parametrize("line", ["np.random.randint?", "np.sin??", "?np", "%matplotlib inline", "!ls", "files = !ls"])
def test_a_cell_with_magics_or_questions_is_read_like_any_other(line: str) -> None:
    """Its names count."""
    source = f"import numpy as np\n{line}\nx = np.ones(3, dtype=np.uint8)\ndef add(a): a.append(1)\nclass A: pass"
    known = vocabulary(exam_of((Role.READ_ONLY, source), (Role.TEST, "assert x.sum() == 3")))
    assert {"x", "add", "A", "np"} <= known.students
    assert {"add", "A", "np"} <= known.trusted.keys()


def test_imports_and_locked_definitions_are_the_examiners_to_make():
    known = vocabulary(EXAM)
    assert set(known.trusted) == {"np", "Sequential", "helper", "math", "LIMIT"}


def test_helpers_of_tests_can_not_be_taken_over():
    known = vocabulary(EXAM)
    assert {"hidden_helper", "expected"} <= known.own
    assert "hidden_helper" not in needs(EXAM.cells[3].source, known)


def test_a_test_needs_what_the_locked_helpers_that_it_uses_need():
    exam = exam_of(
        (Role.READ_ONLY, "def helper(f): return f(LIMIT)\nLIMIT = compute()"),
        (Role.ANSWER, "f = 1"),
        (Role.TEST, "helper(f)"),
    )
    assert needs(exam.cells[2].source, vocabulary(exam)) >= {"f", "LIMIT"}


def test_only_globals_that_the_instructors_functions_read_take_plain_values():
    known = vocabulary(EXAM)
    assert "scale" in known.parameters
    assert "y" not in known.parameters
    assert "y" in known.students


LOCKED = [
    "from numpy.testing import *",
    "try:\n    from numpy.testing import assert_allclose\nexcept ImportError:\n    from numpy import assert_allclose",
    "if True:\n    def assert_allclose(a, b): assert a == b",
    "assert_allclose = lambda a, b: a == b",
    "assert_allclose = 1e-6",
]


@pytest.mark.parametrize("locked", LOCKED)
def test_what_a_locked_cell_defines_in_whatever_way_is_the_instructors(locked):
    known = vocabulary(exam_of((Role.READ_ONLY, locked), (Role.ANSWER, "f = 1"), (Role.TEST, "assert_allclose(f, 1)")))
    assert "assert_allclose" in known.trusted
    assert "assert_allclose" not in needs("assert_allclose(f, 1)", known)


@pytest.mark.parametrize(
    "locked", ["data = [1]\nshow(data)", "data = load()", "data = 1\nprint()\ndata = 2", "data = 1\ndata += 1"]
)
def test_what_the_students_code_can_change_is_taken_from_the_kernel(locked):
    known = vocabulary(exam_of((Role.READ_ONLY, locked), (Role.ANSWER, "f = 1")))
    assert "data" in needs("data", known)


def test_pythons_own_names_are_pythons_unless_the_instructor_binds_them():
    assert "abs" not in needs("abs(f)", vocabulary(exam_of((Role.ANSWER, "f = 1"))))
    assert "abs" in needs("abs(f)", vocabulary(exam_of((Role.ANSWER, "def abs(x): return x"))))


def test_a_name_that_the_solution_defines_itself_is_the_students_even_if_imported_elsewhere():
    known = vocabulary(exam_of((Role.READ_ONLY, "from math import sqrt"), (Role.ANSWER, "def sqrt(x): ...")))
    assert "sqrt" not in known.trusted


# --- an answer that only imports ---------------------------------------------------------------------

IMPORTS = [
    ("import numpy as np", "assert np.ones(3).sum() == 3"),
    ("import numpy as np", "assert 'np' in globals()\nassert np.__name__ == 'numpy'"),
    ("import math, statistics", "assert statistics.mean([1, 3]) == 2"),
    ("from math import sqrt, floor", "assert sqrt(16) == 4 and floor(2.5) == 2"),
    ("import matplotlib.pyplot as plt", "assert plt.figure is not None"),
    ("from math import *", "assert hypot(3, 4) == 5"),
    ("import os.path as p", "assert p.join('a', 'b') == 'a/b'"),
    ("try:\n    import simplejson as json\nexcept ImportError:\n    import json", "assert json.loads('1') == 1"),
]


@pytest.mark.parametrize(("answer", "test"), IMPORTS)
def test_an_answer_that_only_imports_is_needed(answer: str, test: str) -> None:
    exam = exam_of((Role.ANSWER, answer), (Role.TEST, test))
    assert graded(exam)[0].fraction == 1
    (blank,) = graded(exam, cell0="# YOUR CODE HERE")
    assert (blank.fraction, blank.outcome) == (0, Outcome.FAILED)


@pytest.mark.parametrize(
    "bound", ["np = 5", "import math as np", "def np(): pass", "import types\nnp = types.ModuleType('math')"]
)
def test_another_object_under_the_name_is_no_import(bound: str) -> None:
    exam = exam_of((Role.ANSWER, "import numpy as np"), (Role.TEST, "assert np.ones(3).sum() == 3"))
    assert graded(exam, cell0=bound)[0].fraction == 0


def test_what_replaces_an_import_decides_nothing() -> None:
    """The name has to be bound; what stands for it is the examiner's own import."""
    exam = exam_of((Role.ANSWER, "import math\nx = 3"), (Role.TEST, "assert math.isclose(x, 3)"))
    fake = "import types\nmath = types.ModuleType('math')\nmath.isclose = lambda *a: True\nx = 4"
    assert graded(exam, cell0=fake)[0].fraction == 0


FAKE = "class np:\n    class testing:\n        def assert_allclose(*a): pass\nx = 4"


@pytest.mark.parametrize("fake", [FAKE, FAKE.replace("class np:", "class N:") + "\nnp = N()"])
def test_an_object_with_the_names_of_a_module_decides_nothing(fake: str) -> None:
    exam = exam_of((Role.ANSWER, "import numpy as np\nx = 3"), (Role.TEST, "np.testing.assert_allclose(x, 3)"))
    assert graded(exam, cell0=fake)[0].fraction == 0


PASSING = ["mean = lambda x: sum(x) / len(x)", "Stack = list", "def expit(x): return 0.5"]


@pytest.mark.parametrize(
    ("answer", "test", "same", "others"),
    [
        ("from math import gcd", "assert gcd(4, 6) == 2", ["import math\ngcd = math.gcd"],
         ["def gcd(a, b): return 1", "gcd = 5", "gcd = max", "from math import lcm as gcd", "class gcd: pass"]),
        ("from statistics import mean", "assert mean([1, 3]) == 2", ["from numpy import mean"],
         ["def mean(x): return 0", "mean = lambda x: sum(x) / len(x)"]),
        ("from math import pi", "assert round(pi, 2) == 3.14", ["from numpy import pi"], ["pi = 3", "pi = [3.14]"]),
        ("from collections import deque as Stack", "s = Stack()\ns.append(1)\nassert s.pop() == 1", [],
         ["class Stack: pass", "from collections import OrderedDict as Stack", "Stack = list"]),
        ("from scipy.special import expit", "assert expit(0) == 0.5", [], ["def expit(x): return 0.5"]),
        ("from scipy.stats import norm", "assert norm.cdf(0) == 0.5", ["from scipy import stats\nnorm = stats.norm"],
         ["from numpy.linalg import norm", "class N:\n    def __call__(self): pass\nnorm = N()"]),
        ("from random import choice", "assert choice([1]) == 1", ["import random\nchoice = random.choice"], []),
    ],
)  # fmt: skip
def test_an_answer_that_could_be_imported_is_no_import(
    answer: str, test: str, same: list[str], others: list[str]
) -> None:
    """The import stands for no other answer: the test says of it what it is worth."""
    exam = exam_of((Role.ANSWER, answer), (Role.TEST, test))
    for source in (answer, *same):
        assert graded(exam, cell0=source)[0].fraction == 1, source
    for source in others:
        result = graded(exam, cell0=source)[0]
        assert result.fraction == (source in PASSING), source
        assert result.outcome in (Outcome.PASSED, Outcome.FAILED), source


def test_a_star_import_of_an_answer_that_is_not_there_names_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the examiner, the module of an answer file that cannot be imported raises whatever it is asked."""

    class Absent(ModuleType):
        def __getattr__(self, name: str) -> object:
            raise NameError(f"name {self.__name__!r} is not defined")

    monkeypatch.setitem(sys.modules, "absent_answer", Absent("absent_answer"))
    assert set(bindings("from absent_answer import *\nrows = f()").assigned) == {"rows"}


@pytest.mark.parametrize("statement", ["from math import gcd, floor", "from math import *"])
def test_an_import_of_several_names_binds_none_that_is_the_students_to_write(statement: str) -> None:
    """A later answer defines `floor` anew: the import is the source of `gcd` alone."""
    exam = exam_of(
        (Role.ANSWER, statement),
        (Role.ANSWER, "def floor(x): return int(x)"),
        (Role.TEST, "assert gcd(4, 6) == 2 and floor(2.5) == 2"),
    )
    assert graded(exam)[0].fraction == 1
    assert graded(exam, cell1="def floor(x): return 0")[0].fraction == 0
    assert graded(exam, cell0="from math import gcd", cell1="")[0].fraction == 0


def test_names_of_one_import_may_be_the_students_and_the_imports() -> None:
    exam = exam_of((Role.ANSWER, "from math import gcd, lcm"), (Role.TEST, "assert gcd(4, 6) == 2 and lcm(4, 6) == 12"))
    own = "def {}(*a): return 0"
    assert graded(exam)[0].fraction == 1
    assert graded(exam, cell0="from math import lcm\n" + own.format("gcd"))[0].fraction == 0
    assert graded(exam, cell0="from math import gcd\n" + own.format("lcm"))[0].fraction == 0


@pytest.mark.parametrize("role", [Role.READ_ONLY, Role.FREE])
def test_an_import_of_a_given_cell_is_there_in_any_case(role: Role) -> None:
    exam = exam_of((role, "import math"), (Role.ANSWER, "import math\nx = 3"), (Role.TEST, "assert math.isclose(x, 3)"))
    assert graded(exam, cell1="x = 3")[0].fraction == 1


def test_a_test_that_imports_for_itself_needs_no_import_of_the_students() -> None:
    exam = exam_of((Role.ANSWER, "import math\nx = 3"), (Role.TEST, "import math\nassert math.isclose(x, 3)"))
    assert graded(exam, cell0="x = 3")[0].fraction == 1


def test_a_locked_helper_that_needs_the_students_import_fails_without_it() -> None:
    exam = exam_of(
        (Role.ANSWER, "import math"),
        (Role.READ_ONLY, "class Shape:\n    unit = math.pi"),
        (Role.READ_ONLY, "def close(a, b): return math.isclose(a, b)"),
        (Role.TEST, "assert Shape.unit > 3"),
        (Role.TEST, "assert close(1, 1)"),
    )
    assert [r.fraction for r in graded(exam)] == [1, 1]
    blank = graded(exam, cell0="pass")
    assert [(r.fraction, r.outcome) for r in blank] == [(0, Outcome.FAILED)] * 2
