"""An answer may do what the solution was seen to do in that test, and nothing else."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from helpers.examination import graded, observed
from helpers.exams import exam_of
from helpers.kernels import FreezingKernel, InProcessKernel

from autograder.examiner.permissions import Observer, Permissions
from autograder.records.checks import Outcome
from autograder.records.compiled import CompiledAs
from autograder.records.exam import Role
from autograder.records.observations import Act, Fact, Observations
from autograder.syntax.places import CallPosition

NUMPY = "import random\nimport numpy as np\nimport pandas as pd\nfrom autograder import check"


def exam(solution, *tests):
    return exam_of((Role.READ_ONLY, NUMPY), (Role.ANSWER, solution), *((Role.TEST, test) for test in tests))


def facts(solution, *tests, act, **more):
    """The facts of one kind that the solution shows: subject and value."""
    return {(fact.subject, fact.value) for fact in observed(exam(solution, *tests), **more).facts if fact.act is act}


def scores(solution, answer, *tests, **more):
    return [one.fraction for one in graded(exam(solution, *tests), cell1=answer, **more)]


# --- each fact, where the solution shows it and where it does not


@pytest.mark.parametrize(
    ("solution", "test", "shown"),
    [
        ("def f(a): a.sort()", "a = [2, 1]\nf(a)", {("cell2:2:2 f", "0")}),
        ("def f(a): return sorted(a)", "a = [2, 1]\nf(a)", set()),
        ("def f(n, *, into): into.append(n)", "f(1, into=[])", {("cell2:1:3 f", "into")}),
        ("def f(a, b): b[0][0] = a", "f(1, [[0]])", {("cell2:1:5 f", "1")}),
        ("class C:\n    def f(self, a): a.pop()", "c = C()\nc.f([1])", {("cell2:2:4 .f", "0")}),
        ("def f(a): a.sort()", "def run(g): g([2, 1])\nrun(f)", {("cell2:1:4 f", "0")}),
    ],
)
def test_the_arguments_that_a_call_changes_are_facts_of_its_place(solution, test, shown):
    assert facts(solution, test, act=Act.CHANGES) == shown


@pytest.mark.parametrize(
    ("solution", "test", "shown"),
    [
        ("def f(): return limit", "limit = 3\nassert f() == 3", {("cell2:2:1 f", "limit")}),
        ("def f(): return 3", "limit = 3\nassert f() == 3", set()),
        ("def g(): return limit\ndef f(): return g()", "limit = 3\nassert f() == 3", {("cell2:2:1 f", "limit")}),
        ("def f(): return 3\ndef g(): return limit", "limit = 3\nassert f() == 3", set()),
        ("class A:\n    @property\n    def p(self): return limit\na = A()", "limit = 3\nassert a.p == 3",
         {("cell2:2:1 a", "limit")}),
    ],
)  # fmt: skip
def test_the_names_of_the_test_that_running_code_reads_are_facts_of_the_place(solution, test, shown):
    assert facts(solution, test, act=Act.READS) == shown


@pytest.mark.parametrize(
    ("solution", "test", "shown"),
    [
        ("log = []\ndef f(): log.append(1)", "f()\nassert log == [1]", {("cell2", "log")}),
        ("log = []\ndef f(): return len(log)", "assert f() == 0 and log == []", set()),
        ("log = []\ndef f(): return len(log)", "log.append(1)\nassert f() == 1", {("cell2", "log")}),
    ],
)
def test_the_variables_that_calls_or_the_test_change_are_facts_of_the_test(solution, test, shown):
    assert facts(solution, test, act=Act.SHARES) == shown


@pytest.mark.parametrize(
    ("solution", "test", "shown"),
    [
        ("x = np.uint8(1)", "assert x == 1", {("cell2 x", "uint8")}),
        ("x = 1", "assert x == 1", set()),
        ("def f(): return np.zeros(2, 'f2')", "assert f().sum() == 0", {("cell2:1:1 f", "float16")}),
        ("def f(): return np.zeros(2)", "half = f()\nassert half.sum() == 0", set()),
        ("x = pd.array([1], 'Int64')", "assert len(x) == 1", {("cell2 x", "Int64")}),
        ("x = np.ma.masked_array([1])", "assert len(x) == 1", {("cell2 x", "masked")}),
        ("x = 2 ** 30", "assert x > 5", {("cell2 x", "large")}),
        ("x = 2 ** 22", "assert x > 5", set()),
        ("def f(): return [1, 2.0 ** 40]", "assert len(f()) == 2", {("cell2:1:2 f", "wide")}),
        ("def f(): return np.inf", "assert f() > 5", {("cell2:1:1 f", "nan infinite /0")}),
        (
            "def f(): return np.float32(np.inf)",
            "assert f() > 5",
            {("cell2:1:1 f", "inf"), ("cell2:1:1 f", "nan infinite /0")},
        ),
        ("def f(): return np.float32(9)", "assert f() > 5", set()),
        ("def f(): return '5000000'", "assert int(f()) > 5", {("cell2:1:3", "large")}),
        ("def f(): return 2 ** 30", "def run(g): return g()\nassert run(f) > 5", {("cell2:1:1 f", "large")}),
    ],
)
def test_narrow_masked_nullable_and_large_kinds_are_facts_of_an_answer_or_a_place(solution, test, shown):
    assert facts(solution, test, act=Act.GIVES) == shown


SEED = "np.random.seed(1)\nassert f() is not None\n"


@pytest.mark.parametrize(
    ("solution", "test", "shown"),
    [
        ("def f(): return np.random.rand()", SEED, {("cell2:1:4", "numpy.random.seed")}),
        ("def f(): return 1", SEED, set()),
        ("def f(): return random.random()", SEED, set()),
        ("def f(): return np.random.rand()", f"{SEED}np.random.seed(2)", {("cell2:1:4", "numpy.random.seed")}),
        ("def f(): return np.random.rand()", f"np.random.seed(2)\n{SEED}", {("cell2:2:4", "numpy.random.seed")}),
    ],
)
def test_that_the_kernel_draws_after_a_seed_is_a_fact_of_the_seed(solution, test, shown):
    assert facts(solution, test, act=Act.DRAWS) == shown


def test_seeds_of_several_generators_are_watched_each_by_itself():
    test = "random.seed(1)\nnp.random.seed(1)\nrandom.seed(2)\nassert f() is not None"
    assert facts("def f(): return np.random.rand() + random.random()", test, act=Act.DRAWS) == {
        ("cell2:2:4", "numpy.random.seed"),
        ("cell2:3:3", "random.seed"),
    }


@pytest.mark.parametrize(
    ("test", "shown"),
    [
        ("f(2)\ng()", {("cell2:1:2", "ndarray float64"), ("cell2:2:1", "NoneType")}),
        ("try: f(1, 2)\nexcept TypeError: pass", {("cell2:1:3", "raises TypeError")}),
        ("assert callable(f)", set()),
    ],
)
def test_what_calls_return_is_told_by_type(test, shown):
    assert facts("def f(n): return np.zeros(n)\ndef g(): pass", test, act=Act.RETURNS) == shown


@pytest.mark.parametrize(
    ("solution", "test", "shown"),
    [
        ("x = [1]", "assert x", {("cell2 x", "list")}),
        ("x = np.float64(2)", "assert x", {("cell2 x", "float64 float64")}),
        ("x = np.int64(2)", "assert x", {("cell2 x", "int64 int64")}),
        ("x = np.arange(3)", "assert len(x)", {("cell2 x", "ndarray int64")}),
        ("x = pd.DataFrame({'a': [1]})", "assert len(x)", {("cell2 x", "DataFrame")}),
        ("x = 2\ny = 2.5", "assert x == y - 0.5", {("cell2 x", "int"), ("cell2 y", "float")}),
        ("x = 2", "assert True", set()),
        ("def f(n): return [n]", "f(1)", {("cell2 f()", "list")}),
        ("def f(n): return [n] if n else None", "f(1)\nf(0)", {("cell2 f()", "list"), ("cell2 f()", "NoneType")}),
        ("def f(n): return {n}", "def run(g): g(1)\nrun(f)", {("cell2 f()", "set")}),
    ],
)
def test_the_types_of_answers_and_of_what_their_functions_return_are_facts_of_their_names(solution, test, shown):
    functions = {("cell2 f", "RemoteCallable")}
    assert facts(solution, test, act=Act.ANSWERS) - functions == shown


def test_types_of_answers_change_no_grade():
    seen = Observations.of([Fact(Act.ANSWERS, "cell2 x", "list"), Fact(Act.GIVES, "cell2 x", "large")])
    assert seen.of_grades == Observations.of([Fact(Act.GIVES, "cell2 x", "large")])


BASE = "import sqlite3\nc = sqlite3.connect(':memory:')\nc.execute('CREATE TABLE t (n)')\n"


@pytest.mark.parametrize(
    ("solution", "test", "shown"),
    [
        ("sql = 'INSERT INTO t VALUES (1)'", "c.execute(sql)", {("cell2", "INSERT t")}),
        ("sql = 'DELETE FROM t'", "c.execute(sql)\nc.execute('INSERT INTO t VALUES (2)')", {("cell2", "DELETE t")}),
        ("sql = 'SELECT n FROM t'", "c.execute(sql)", set()),
        ("sql = ''", "c.execute('INSERT INTO t VALUES (1)')", set()),
    ],
)
def test_what_the_solutions_sql_did_besides_reading_is_a_fact_of_the_test(solution, test, shown):
    assert facts(solution, f"{BASE}{test}", act=Act.QUERIES) == shown


@pytest.mark.parametrize(
    ("solution", "test", "shown"),
    [
        ("q = 'a > 1'", "df.query(q)", {("cell2", "condition: Compare, Constant, Name")}),
        ("q = 'a > 1 and not a == 3'", "df.query(q)",
         {("cell2", "condition: BoolOp, Compare, Constant, Name, UnaryOp")}),
        ("q = 'a > 1'", "df.query('a > 1')", set()),
        ("q = '[1, 2]'", "import ast\nassert ast.literal_eval(q) == [1, 2]", set()),
    ],
)  # fmt: skip
def test_the_syntax_of_a_compiled_text_of_the_solutions_is_a_fact_of_the_test(solution, test, shown):
    assert facts(solution, f"df = pd.DataFrame({{'a': [1, 2]}})\n{test}", act=Act.TEXTS) == shown


def test_how_the_solutions_models_are_compiled_is_a_fact_of_their_names():
    """The models themselves are in test_evaluations.py."""
    observer, plain = Observer(), CompiledAs(loss="mse")
    observer.was_compiled({"model": plain})
    assert {(f.subject, f.act) for f in observer.observations.facts} == {("model", Act.COMPILED)}
    assert Permissions(observer.observations).compiled() == {"model": plain}
    assert Permissions(Observer().observations).compiled() == {}


# --- two runs


@pytest.mark.parametrize(
    ("solution", "test", "act"),
    [
        ("def f(a): a.sort()", "f([2, 1])", Act.CHANGES),
        ("x = np.uint8(1)", "x", Act.GIVES),
        ("def f(): return np.zeros(2, 'f2')", "f()", Act.GIVES),
        ("def f(): return np.random.rand()", SEED, Act.DRAWS),
        ("sql = 'INSERT INTO t VALUES (1)'", f"{BASE}c.execute(sql)", Act.QUERIES),
    ],
)
def test_a_run_in_which_nothing_is_allowed_shows_the_same_facts(solution, test, act):
    """So the second run of a proof, which is graded as a student's, observes, too.

    It does not trace which names are read: a function that ran has read all of its names, whatever chance decided.
    """
    shown = facts(solution, test, act=act)
    assert shown
    assert facts(solution, test, act=act, allowed=Observations()) == shown


def test_such_a_run_is_graded_as_a_students():
    observer = Observer(Observations())
    observer.begin("q", "")
    place = CallPosition("q:1:9", 1, 9, True)
    assert observer.changes(place, {"sort"}, {0}, {0}) == set()
    assert "float16" not in observer.kinds(place)
    assert not observer.draws(place, "random.seed")
    assert (observer.shares({"log"}), observer.reads(place, {"f"}, {"y"}), observer.verbs()) == (set(), set(), set())


def test_two_runs_are_one_record_of_what_either_showed():
    one, other = Fact(Act.READS, "q:1:2", "y"), Fact(Act.GIVES, "q x", "uint8")
    assert Observations.of([one, one]) | Observations.of([other]) == Observations((other, one))


# --- what follows from the facts


def test_without_a_record_nothing_is_allowed():
    test = "a = [2, 1]\nsort(a)\nassert a == [1, 2]"
    unseen = dataclasses.replace(exam("def sort(a): a.sort()", test), observations=Observations())
    (result,) = graded(unseen)
    assert result.fraction == 0
    assert "line 2: the call changed argument 0" in result.detail
    assert "`# examine: FUNCTION changes ARGUMENT`" in result.detail


def test_what_is_refused_names_both_places_of_the_line_that_allows_it():
    unseen = dataclasses.replace(exam("def sort(a): a.sort()", "sort([2, 1])"), observations=Observations())
    (result,) = graded(unseen)
    assert "add the line `# examine: FUNCTION changes ARGUMENT` to it, or " in result.detail
    assert "`examine: {allow: {cell2: [FUNCTION changes ARGUMENT]}}` to the assignment in course.yaml" in result.detail


@pytest.mark.parametrize("line", ["# examine: sort changes a", "x = 0  #examine: sort changes a"])
def test_a_line_of_the_test_allows_what_the_solution_does_not_show(line):
    test = f"{line}\na = [2, 1]\nsort(a)\nassert a == [1, 2]"
    unseen = dataclasses.replace(exam("def sort(a): a.sort()", test), observations=Observations())
    assert graded(unseen)[0].fraction == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("# examine: srot changes a", "this test calls no srot with a"),
        ("# examine: sort alters a", "is not understood; write `FUNCTION changes ARGUMENT`"),
    ],
)
def test_a_line_that_cannot_be_meant_is_the_tests_fault(line, said):
    (result,) = graded(exam("def sort(a): a.sort()", f"{line}\na = [1]\nsort(a)"))
    assert result.outcome is Outcome.BROKEN
    assert said in result.detail


def test_a_name_reaches_only_the_call_in_which_the_solution_read_it():
    solution = "def scaled(x): return x * limit\ndef predict(x): return 0"
    answer = "def scaled(x): return x * limit\ndef predict(x): return globals().get('limit', 0)"
    test = "limit = 3\nassert scaled(2) == 6\nassert predict(1) == 0"
    assert scores(solution, answer, test) == [1]


def test_a_name_of_the_notebook_has_its_own_value_again_after_the_call():
    solution = "limit = 1\ndef f(): return limit\ndef g(): return limit"
    test = "limit = 5\nassert f() == 5\nkept = f.__globals__ if False else None"
    later = "assert g() == 1"
    assert scores(solution, solution, test, later, kernel=FreezingKernel) == [1, 0]  # the name is the test's there, too


def test_a_value_from_hidden_data_goes_nowhere_by_name(tmp_path):
    """Neither under the name, nor as what was made of it, nor in a later test."""
    np.savez(tmp_path / "d.npz", y=np.arange(5))
    solution = "y = np.zeros(5)\ndef predict(n): return np.arange(n)\ndef mean(): return y.mean()"
    answer = "y = np.zeros(5)\ndef predict(n): return globals()['y'][:n]\ndef mean(): return 0.0"
    tests = [
        "y = check.hidden_data('d.npz')['y']\nmean()\nassert (predict(5) == y).all()",
        "y = check.hidden_data('d.npz')['y'] * 1\nmean()\nassert list(predict(5)) == [0, 1, 2, 3, 4]",
        "y = [float(v) for v in check.hidden_data('d.npz')['y']]\nmean()\nassert list(predict(5)) == y",
        "other = y\ny = other\nmean()\nassert list(predict(5)) == other",
    ]
    assert scores(solution, solution, *tests, hidden=tmp_path) == [1, 1, 1, 1]
    assert scores(solution, answer, *tests, hidden=tmp_path) == [0, 0, 0, 0]


def test_a_value_that_was_filled_with_hidden_data_is_the_answer_again_in_the_next_test(tmp_path):
    """Others are there as the test left them; what is of hidden data could go to the kernel by its name."""
    np.savez(tmp_path / "d.npz", y=np.arange(5.0))
    solution = "y = [7.0]\ndef mean(): return sum(y) / len(y)"
    filled = "y.append(check.hidden_data('d.npz')['y'][3].item())\nassert len(y) == 2"
    later = "assert y == {}\ny.append(0.0)\nassert mean() == sum(y) / len(y)"
    for first, now in ((filled, [7.0]), ("y.append(3.0)\nassert len(y) == 2", [7.0, 3.0])):
        for kernel in (FreezingKernel, InProcessKernel):
            assert scores(solution, solution, first, later.format(now), hidden=tmp_path, kernel=kernel) == [1, 1]


def test_an_attribute_is_of_the_kind_that_the_solutions_had():
    solution = "class A:\n    def __init__(self): self.x = np.zeros(2, np.uint8)\na = A()"
    answer = solution.replace("zeros", "ones")
    test = "assert a.x.dtype == np.uint8"
    assert scores(solution, answer, test) == [1]
    assert scores(solution.replace("np.uint8", "int"), answer, test.replace("np.uint8", "int")) == [1]


WAYS = {
    "a result": ("def {0}(): return {1}", "def run(g): return np.array([g() for _ in range(12)])"),
    "an argument": (
        "def {0}(lent):\n    for _ in range(12): lent({1})",
        "def run(g):\n    given = []\n    g(given.append)\n    return np.array(given)",
    ),
    "an attribute": (
        "class {0}_: n = {1}\n{0} = {0}_()", "def run(o): return np.array([o.n for _ in range(12)])"
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_a_helper_gets_of_each_function_the_kinds_that_it_gave_there(way):
    function, helper = WAYS[way]
    f, g, wrapping = (function.format(*one) for one in (("f", 2**30), ("g", 5), ("g", 2**30 + 5)))
    test = f"{helper}\nassert run(f)[0] == 2 ** 30\ne = run(g) - 5\nassert e @ e < 1"
    assert scores(f"{f}\n{g}", f"{f}\n{g}", test) == [1]
    assert scores(f"{f}\n{g}", f"{f}\n{wrapping}", test) == [0]
    assert scores(f"{f}\n{wrapping}", f"{f}\n{wrapping}", test) == [1]  # the control: there the solution gives it


def test_what_may_be_wide_may_be_large_and_not_the_other_way_round():
    place = CallPosition("q:1:9", 1, 9, True)
    wide, large = (Permissions(Observations.of([Fact(Act.GIVES, "q:1:9 f", kind)])) for kind in ("wide", "large"))
    for permissions in (wide, large):
        permissions.begin("q", "")
    assert "large" in wide.kinds(place, {"f"})
    assert "wide" in wide.kinds(place, {"f"})
    assert "wide" not in large.kinds(place, {"f"})
    assert "large" not in wide.kinds(place, {"g"})


def test_a_line_of_the_test_allows_large_integers():
    test = "# examine: answers give large\ne = np.array([f() for _ in range(12)]) - 5\nassert e.dtype == int"
    assert scores("def f(): return 5", "def f(): return 2 ** 30", test) == [1]
    assert scores("def f(): return 5", "def f(): return 2 ** 40", test) == [0]


def test_two_names_of_one_function_may_do_what_each_of_them_may():
    permissions = Permissions(
        Observations.of([Fact(Act.CHANGES, "q:1:9 sort", "0"), Fact(Act.CHANGES, "q:1:9 predict", "1")])
    )
    permissions.begin("q", "")
    place = CallPosition("q:1:9", 1, 9, True)
    assert permissions.changes(place, {"sort"}, {0, 1}, {0}) == {0}
    assert permissions.changes(place, {"sort", "predict"}, {0, 1}, {0}) == set()


def test_a_helper_tells_the_methods_that_it_calls_apart():
    solution = "class M:\n    def center(self, X): X.sort()\n    def score(self, y): return 1\nm = M()"
    answer = solution.replace("return 1", "y.clear()")
    test = "def run(g, a):\n    g(a)\n    return a\nassert run(m.center, [2, 1]) == [1, 2]\nassert run(m.score, [3]) == [3]"
    assert scores(solution, answer, test) == [1]


def test_the_kernel_gets_another_seed_where_the_solution_drew_nothing():
    test = "np.random.seed(7)\nwanted = np.random.rand(3)\nassert (f(wanted + 0) == wanted).all()"
    assert scores("def f(x): return x", "def f(x): return np.random.rand(3)", test) == [0]
    drawn = "np.random.seed(7)\nwanted = np.random.rand(3)\nnp.random.seed(7)\nassert (f() == wanted).all()"
    assert scores("def f(): return np.random.rand(3)", "def f(): return np.random.rand(3)", drawn) == [1]


def test_infinity_in_few_bits_is_allowed_only_where_the_solution_gives_it():
    answer = "def f(): return np.full(2, np.inf, np.float32)"
    assert scores("def f(): return np.full(2, 1e39)", answer, "assert f().dtype == np.float32") == [0]
    assert scores(answer, answer, "assert f().dtype == np.float32") == [1]


@pytest.mark.parametrize(("seconds", "steps"), [(29, []), (31, ["30"]), (70, ["60"]), (300, ["60"])])
def test_a_long_test_is_noted_in_steps(seconds, steps):
    """A number would differ from proof to proof, and each would ask for all grades again."""
    observer = Observer(Observations())
    observer.begin("t", "")
    observer.took(seconds)
    assert [fact.value for fact in observer.observations.facts] == steps


def test_a_run_that_is_slowed_down_tells_no_time():
    observer = Observer()
    observer.begin("t", "")
    observer.took(100)
    assert not observer.observations.facts
