"""Attacks on the examiner's own reasoning: each once gave points, memory or code, and gives nothing now."""

from __future__ import annotations

import builtins

import pytest
from test_examine import outcome

from autograder.records import Outcome

# --- the student's text as code in the examiner ---------------------------------------------------------

RUN = "__import__('builtins').ran_in_examiner.append(1)"
CODE = {
    "an annotation of a function": (f'def f(x: "{RUN}"): pass', "import typing\nassert typing.get_type_hints(f)"),
    "an annotation of a class": (f'class P:\n    x: "{RUN}"', "import typing\nassert typing.get_type_hints(P)"),
    "an annotation, by inspect": (
        f'def f(x: "{RUN}"): pass',
        "import inspect\nassert inspect.get_annotations(f, eval_str=True)",
    ),
    "a docstring": (
        f'def f():\n    """\n    >>> {RUN}\n    """',
        "import doctest\ndoctest.run_docstring_examples(f, {'f': f})",
    ),
    "a docstring that doctest finds": (f'def f():\n    """\n    >>> {RUN}\n    """', "import doctest\nf\ndoctest.testmod()"),
    "a repr": (f'class P:\n    def __repr__(self): return "{RUN}"', "p = P()\nassert eval(repr(p)) == p"),
    "a text": (f'def f(): return "{RUN}"', "exec(f())"),
    "a text in an array": (f'import numpy as np\na = np.array(["{RUN}"])', "exec(str(a[0]))"),
    "bytes": (f'def f(): return b"{RUN}"', "exec(f())"),
    "what was printed": (
        f'def f(): print("{RUN}")',
        "import io, contextlib\nout = io.StringIO()\nwith contextlib.redirect_stdout(out): f()\nexec(out.getvalue())",
    ),
    "an argument of a lent function": (f'def f(g): g("{RUN}")', "f(lambda text: exec(text))"),
    "a source that is parsed first": (
        f"def f():\n    {RUN}",
        "import ast, inspect\ntree = ast.parse(inspect.getsource(f)).body[0]\n"
        "exec(compile(ast.Module(tree.body, []), 'x', 'exec'))",
    ),
    "a pickle": (
        f'class E:\n    def __reduce__(self): return (exec, ("{RUN}",))\n'
        "def dump(value):\n    import pickle\n    return pickle.dumps(E())",
        "import pickle\nassert pickle.loads(dump([1])) == [1]",
    ),
}  # fmt: skip


@pytest.mark.parametrize("attack", CODE)
def test_no_text_of_the_students_is_run_in_the_examiner(attack, monkeypatch):
    ran: list[int] = []
    monkeypatch.setattr(builtins, "ran_in_examiner", ran, raising=False)
    result = outcome(*CODE[attack], released="")
    assert ran == []
    assert (result.outcome, result.fraction) == (Outcome.BROKEN, 0)


@pytest.mark.parametrize(
    ("answer", "test"),
    [
        ("def f(x: 'int', y: 'list[int]'): pass", "import typing\nassert typing.get_type_hints(f)['y'] == list[int]"),
        ("def f(): return '[(1, 2)]'", "import ast\nassert ast.literal_eval(f()) == [(1, 2)]"),
        ("def f(): return sum([1])", "import ast, inspect\nassert 'sum' in ast.unparse(ast.parse(inspect.getsource(f)))"),
        ("def f(): return 'm(x): '", "import dataclasses\n@dataclasses.dataclass\nclass C:\n    x: str\nassert C(f()).x == 'm(x): '"),
        ("def f(): return 1", "import inspect\ninspect.getsource(f)\nassert eval('f() + 1') == 2"),
        ("def f(): return 3", "import pickle\nassert pickle.loads(pickle.dumps(slice(f()))) == slice(3)"),
    ],
)  # fmt: skip
def test_what_only_reads_a_text_of_the_students_still_works(answer, test):
    assert outcome(answer, test, released="").fraction == 1
