"""Which texts become code where tests run: the instructor's, and what a few libraries make of checked names."""

from __future__ import annotations

import builtins
import re
import subprocess
import sys

import pytest
from helpers.examination import graded, outcome
from helpers.exams import exam_of
from helpers.grids import each_once

from autograder.records.checks import Outcome
from autograder.records.exam import Role

RUN = "__import__('builtins').ran_in_examiner.append(1)"
QUERY = "@pd.io.common.os.sys.modules['builtins'].ran_in_examiner.append(1)"
TABLE = "import pandas as pd\ntable = pd.DataFrame({'a': [1, 2], 'b': ['x', 'y']})\n"
TEMPLATE = "{{ cycler.__init__.__globals__.__builtins__.ran_in_examiner.append(1) }}"

HELD = {
    "a mapping proxy": ("import types\nheld = types.MappingProxyType({{'q': {!r}}})", "held['q']"),
    "a chain of dicts": ("import collections\nheld = collections.ChainMap({{'q': {!r}}})", "held['q']"),
    "a view of a dict": ("held = {{'q': {!r}}}.values()", "list(held)[0]"),
    "an item of a dict": ("held = {{'q': {!r}}}.items()", "list(held)[0][1]"),
    "a table": ("import pandas as pd\nheld = pd.DataFrame({{'q': [{!r}]}})", "held.q[0]"),
    "the name of a column": ("import pandas as pd\nheld = pd.DataFrame({{{!r}: [1]}})", "held.columns[0]"),
    "the name of a series": ("import pandas as pd\nheld = pd.Series([1], name={!r})", "held.name"),
    "a pattern": ("import re\nheld = re.compile(re.escape({!r}))", "re.sub(r'\\\\(.)', r'\\1', held.pattern)"),
    "a field of a dtype": ("import numpy as np\nheld = np.dtype([({!r}, 'i4')])", "held.names[0]"),
    "numbers": ("held = list({!r}.encode())", "bytes(held).decode()"),
    "its two halves": ("held = {!r}\nheld = [held[:20], held[20:]]", "held[0] + held[1]"),
    "a text backwards": ("held = {!r}[::-1]", "held[::-1]"),
    "a title": (
        "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.set_title({!r})\nheld = ax",
        "held.get_title()",
    ),
    "an exception": ("def f(): raise ValueError({!r})", "error()"),
}
RAISES = "def error():\n    try: f()\n    except ValueError as e: return e.args[0]\n"
DOES = {
    "query": (QUERY, "table.query({})"),
    "query with other spaces": (QUERY.replace(".", " . "), "table.query({}, engine='python')"),
    "query with and": (f"(a > 0) & ({QUERY} == None)", "table.query({})"),
    "eval with an assignment": (f"c = {QUERY}", "table.eval({})"),
    "eval with or": (f"(a == 1) | (a == {QUERY})", "table.eval({}, engine='python')"),
    "exec": (RUN, "exec({})"),
}


@pytest.mark.parametrize(("held", "does"), each_once(HELD, DOES))
def test_no_container_and_no_rewriting_makes_a_text_of_the_students_code(held, does, monkeypatch):
    ran: list[int] = []
    monkeypatch.setattr(builtins, "ran_in_examiner", ran, raising=False)
    answer, taken = HELD[held]
    text, used = DOES[does]
    test = f"{TABLE}import re\n{RAISES if taken == 'error()' else ''}{used.format(taken)}"
    result = outcome(answer.format(text), test, released="")
    assert ran == []
    assert (result.outcome, result.fraction) == (Outcome.BROKEN, 0), result.detail
    assert " is refused: " in result.detail


OTHERS = {
    "jinja2": (f"def f(): return {TEMPLATE!r}", "import jinja2\njinja2.Template(f()).render()"),
    "jinja2's environment": (
        f"def f(): return {TEMPLATE!r}",
        "import jinja2\njinja2.Environment().from_string(f()).render()",
    ),
    "jinja2's dictionary": (
        f"def f(): return {TEMPLATE!r}",
        "import jinja2\njinja2.Environment(loader=jinja2.DictLoader({'a': f()})).get_template('a').render()",
    ),
    "sympy": (f"def f(): return {RUN!r}", "import sympy\nsympy.sympify(f())"),
    "sympy's parser": (f"def f(): return '2' + {RUN!r}", "from sympy.parsing import parse_expr\nparse_expr(f())"),
    "a symbol's name": (f"def f(): return {RUN!r}", "import sympy\nsympy.lambdify((), sympy.Symbol(f()))()"),
    "patsy": (f"def f(): return {'x + ' + RUN!r}", "import patsy\npatsy.dmatrix(f(), {'x': [1, 2]})"),
    "numexpr": (f"def f(): return {RUN!r}", "import numexpr\nnumexpr.evaluate(f(), sanitize=False)"),
    "timeit": (f"def f(): return {RUN!r}", "import timeit\ntimeit.timeit(f(), number=1)"),
    "timeit's beginning": (f"def f(): return {RUN!r}", "import timeit\ntimeit.timeit('pass', setup=f(), number=1)"),
    "code of bytes": (
        f"def f(): return __import__('marshal').dumps(compile({RUN!r}, 'x', 'exec'))",
        "import marshal\nexec(marshal.loads(f()))",
    ),
    "a tree made by hand": (
        "def f(): return 'ran_in_examiner'",
        "import ast\nexec(compile(ast.Expression(ast.Name(f(), ast.Load(), lineno=1, col_offset=0)), 'x', 'eval'))",
    ),
    "code made by hand": ("def f(): return b'\\x97\\x00d\\x00S\\x00'", "(lambda: 0).__code__.replace(co_code=f())"),
    "a function within a query of the test's": (
        f"def f(): return {RUN!r}",
        f"{TABLE}def g(): return eval(f())\ntable.query('a == @g()', engine='python')",
    ),
    "a class of a pickle": (
        "def f(): return [*__import__('pickle').dumps(eval) + b'']",
        "import pickle\npickle.loads(bytes(f()))",
    ),
    "a program": ("def f(): return 'true'", "import subprocess\nsubprocess.run([f()])"),
    "a name of the test's": ("class P:\n    def __repr__(self): return 'p'\np = P()", "assert eval(repr(p)) == p"),
    "a name of the test's, by pandas": ("def f(): return 'want'", f"{TABLE}want = 3\nassert pd.eval(f()) == want"),
    "a name of the test's, in a query": (
        "def f(): return 'a in @want'",
        f"{TABLE}want = [1]\nassert len(table.query(f())) == 1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("attack", OTHERS)
def test_nor_does_another_library(attack, monkeypatch):
    answer, test = OTHERS[attack]
    for name in re.findall(r"(?:import|from) (sympy|patsy|numexpr)", test):
        pytest.importorskip(name)
    ran: list[int] = []
    monkeypatch.setattr(builtins, "ran_in_examiner", ran, raising=False)
    result = outcome(answer, test, released="")
    assert ran == []
    assert (result.outcome, result.fraction) == (Outcome.BROKEN, 0), result.detail
    assert " is refused: " in result.detail


def test_the_detail_says_what_to_write_instead():
    result = outcome("def f(): return 'len(a) > 1'", f"{TABLE}assert len(table.query(f()))", released="")
    assert "compiling 'len (a )>1'" in result.detail
    assert "df.query('a > @limit')" in result.detail
    assert result.message == "This test could not be run; a person will look at it."


F = "def f(x): return x"
FINE = {
    "dataclasses": "import dataclasses\n@dataclasses.dataclass(order=True)\nclass P:\n    x: int\n    y: 'str' = ''\nassert P(f(1)) < P(2)",
    "named tuples": "import collections, typing\nP = collections.namedtuple('P', 'a b')\nclass Q(typing.NamedTuple):\n    a: int\n"
    "assert P(f(1), 2).a == Q(1).a",
    "enumerations": "import enum\nclass C(enum.Enum):\n    A = 1\nassert C(f(1)) is C.A and enum.Enum('X', 'p q').p.value == 1",
    "annotations": "import typing\ndef g(x: 'list[int] | None'): pass\nassert typing.get_type_hints(g)['x'] == (list[int] | None) and f(1)",
    "timeit of a function": "import timeit\nassert timeit.timeit(lambda: f(1), number=3) < 5",
    "timeit of a text": "import timeit\nassert min(timeit.repeat('f(x)', setup='x = 1', globals={'f': f}, number=2)) < 5",
    "distributions": "from scipy import stats\nassert abs(stats.norm(0, 1).cdf(f(0.0)) - 0.5) < 1e-9 and stats.beta(2, 3).rvs(3).size == 3",
    "mocks with a signature": "from unittest import mock\nm = mock.create_autospec(len)\nm([f(1)])\nm.assert_called_once()",
    "query": f"{TABLE}k = f(1)\nassert len(table.query('a > @k')) == 1 == len(table.query('a.isin([2]) & (b == \"y\")'))",
    "query with backticks": "import pandas as pd\nassert len(pd.DataFrame({'a b': [1]}).query('`a b`.abs() > 0')) == f(1)",
    "eval": f"{TABLE}assert table.eval('c = a + 1').c.sum() == 5 and pd.eval('1 + 2') == f(3)",
    "query in the engine of Python": f"{TABLE}assert len(table.query('a.abs() > 1', engine='python')) == f(1)",
    "a template of the test's": "import jinja2\nassert jinja2.Template('{% if n %}{{ n }}{% endif %}').render(n=f('({')) == '({'",
    "sympify": "import sympy\nx = sympy.Symbol('x')\nassert sympy.sympify('x**2 + 1').subs(x, 3) == f(10)",
    "lambdify": "import sympy\nx = sympy.Symbol('x')\nassert sympy.lambdify(x, sympy.diff(x**3))(2) == f(12)",
    "solve": "import sympy\nx = sympy.Symbol('x')\nassert sympy.solve(x**2 - 4, x) == [-2, f(2)]",
    "a formula": "import patsy\nimport numpy as np\nassert patsy.dmatrix('x + np.log(x) + center(x)', {'x': [1.0, 2]}).shape == (2, 4)",
    "a graph": "import networkx as nx\nassert nx.shortest_path_length(nx.path_graph(5), 0, f(4)) == 4",
    "numexpr": "import numexpr\nimport numpy as np\na = np.arange(3)\nassert numexpr.evaluate('a * 2 + 1')[1] == f(3)",
    "hypothesis": "import hypothesis, hypothesis.strategies as st\n@hypothesis.settings(max_examples=3, database=None, deadline=None)\n"
    "@hypothesis.given(st.integers())\ndef t(n): assert f(n) == n\nt()",
    "plain pickles": "import pickle, decimal, datetime\nimport numpy as np\nv = [f(1), decimal.Decimal(2), datetime.date(2020, 1, 1), {3}]\n"
    "assert pickle.loads(pickle.dumps(v)) == v and pickle.loads(pickle.dumps(np.arange(3)))[2] == 2",
    "literals": "import ast\nassert ast.literal_eval(f('[1, (2,)]')) == [1, (2,)] == eval(f('[1, (2,)]'))",
    "constants": "assert eval('f(1) + 1') == 2\nexec('y = f(3)')\nassert y == 3",
    "a syntax tree that is looked at": "import ast\nassert isinstance(ast.parse(f('print(1)')).body[0].value, ast.Call)",
    "inspect": "import inspect, random\nassert 'def shuffle' in inspect.getsource(random.Random) and inspect.signature(len) and f(1)",
    "attrs": "import attr\n@attr.define\nclass P:\n    x: int\nassert P(f(1)).x == 1",
    "styles of plots": "import matplotlib.pyplot as plt\nplt.style.use('ggplot')\nfig, ax = plt.subplots()\nax.set_title('$x^2$')\n"
    "import io\nfig.savefig(io.BytesIO())\nplt.close('all')\nassert f(1)",
    "single dispatch": "import functools\n@functools.singledispatch\ndef g(x): return 0\n@g.register\ndef _(x: int): return 1\nassert g(f(1)) == 1",
}  # fmt: skip


@pytest.mark.parametrize("test", FINE)
def test_what_libraries_make_by_themselves_and_what_stands_in_the_test_is_compiled(test):
    for name in re.findall(r"import (sympy|patsy|networkx|numexpr|attr)\b", FINE[test]):
        pytest.importorskip(name)
    result = outcome(F, FINE[test], released="", seconds=60.0)
    assert result.fraction == 1, result.detail


@pytest.mark.parametrize(
    "condition", ["a > 1", "a > 1 and b == 'y'", "(a > 1) & (b != 'x') | (a == 9)", "b in ['y', 'z'] and not a < -1.5"]
)
def test_a_condition_on_columns_may_be_the_students(condition):
    result = outcome(f"condition = {condition!r}", f"{TABLE}assert table.query(condition).a.tolist() == [2]")
    assert result.fraction == 1, result.detail


def test_texts_of_locked_cells_are_the_instructors():
    exam = exam_of(
        (Role.READ_ONLY, "def measured(g): return eval('g(3) + 1')"),
        (Role.ANSWER, "def f(x): return x"),
        (Role.TEST, "assert measured(f) == 4"),
    )
    (result,) = graded(exam)
    assert result.fraction == 1, result.detail


def test_a_test_that_goes_on_after_a_refusal_is_broken_all_the_same():
    test = "try:\n    eval(f())\nexcept Exception:\n    pass"
    assert outcome("def f(): return 'print(1)'", test, released="").outcome is Outcome.BROKEN


@pytest.mark.integration
def test_an_extension_module_that_compiles_a_text_while_it_is_loaded_is_imported() -> None:
    """What Keras imports does, where no template has imported it before."""
    code = (
        "from autograder.examiner.student_text.taint import deny_student_code\n"
        "with deny_student_code('import optree') as refused:\n"
        "    import optree\n"
        "print(refused, optree.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[] optree\n", "")
