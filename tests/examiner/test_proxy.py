"""Remote objects: the student's code answers, and decides nothing."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from helpers.kernels import remote_after
from scipy import sparse

from autograder.codec import CodecError, Packed, decode, encode
from autograder.errors import LostError, RemoteError
from autograder.examiner.permissions import Observer
from autograder.examiner.remote.proxy import RemoteObject

SOURCE = '''
class Always:
    """Equal to everything."""
    x = 3
    def __eq__(self, other): return True
    __ne__ = __lt__ = __le__ = __gt__ = __ge__ = lambda self, other: True
    def __bool__(self): return True
    def __array__(self, *args): raise RuntimeError
    def __hash__(self): return 1
    def __len__(self): return 3
    def __getitem__(self, i): return 10 * i
    def __add__(self, other): return 1
    def __radd__(self, other): return 2
    def __contains__(self, item): return item == 5
    def __enter__(self): return "in"
    def __exit__(self, *a): return True
    def __repr__(self): return "always"

class Custom(ValueError): pass

def squares(n):
    print("called", n)
    return [i * i for i in range(n)]

def sort(values): values.sort()
def fails(): raise Custom("bad", 3)
def divides(): return 1 / 0
def leaves(): raise SystemExit(0)
def stops(): raise KeyboardInterrupt
def count():
    yield from (1, 2, 3)
async def later(): return 1
async def waits(coroutine): return 1 + await coroutine
def apply(f, x): return f(x)
answer = Always()
'''


@pytest.fixture
def student():
    remote, kernel = remote_after(SOURCE)
    number, names = remote.ask("snapshot")
    values = remote.ask("fetch", number, names)

    class Names:
        def __getattr__(self, name):
            _, text, buffers = values[name]
            return decode(text, buffers, remote.stand_in)

    found = Names()
    found.remote, found.kernel = remote, kernel
    remote.permissions = Observer()
    return found


def test_calling_sends_plain_arguments_and_gives_plain_results(student):
    assert student.squares(4) == [0, 1, 4, 9]


def test_what_the_function_prints_is_printed_here(student, capsys):
    student.squares(2)
    assert capsys.readouterr().out == "called 2\n"


def test_a_list_that_the_function_changes_is_changed_here(student):
    values = [3, 1, 2]
    student.sort(values)
    assert values == [1, 2, 3]
    array = np.array([3, 1, 2])
    student.sort(array)
    assert array.tolist() == [1, 2, 3]


def test_an_exception_comes_back_as_its_own_class_or_its_nearest_built_in_type(student):
    with pytest.raises(ValueError, match="bad") as caught:
        student.fails()
    assert isinstance(caught.value, student.Custom)
    assert caught.value.args == ("bad", 3)
    with pytest.raises(ZeroDivisionError) as caught:
        student.divides()
    assert type(caught.value) is ZeroDivisionError


@pytest.mark.parametrize("name", ["leaves", "stops"])
def test_exits_of_the_students_code_end_nothing_here(student, name):
    with pytest.raises(RemoteError):
        getattr(student, name)()


def test_equality_of_a_remote_object_is_identity(student):
    assert not student.answer == 3
    assert student.answer != 3
    assert not student.answer == [1]
    assert student.answer == student.answer
    assert student.answer not in [1, 2, "x"]


def test_a_remote_object_has_no_truth_no_order_and_is_no_array(student):
    for act in (
        bool,
        lambda a: a < 1,
        lambda a: 1 < a,
        lambda a: a >= a,
        np.asarray,
        lambda a: np.isclose(a, 1),
    ):
        with pytest.raises(TypeError):
            act(student.answer)
    with pytest.raises((TypeError, AssertionError)):
        np.testing.assert_allclose(student.answer, 3)
    with pytest.raises((TypeError, AssertionError)):
        np.testing.assert_array_equal(student.answer, 3)


def test_attributes_items_length_operators_and_contexts_are_the_students(student):
    a = student.answer
    assert (a.x, a[2], len(a), a + a) == (3, 20, 3, 1)
    assert str(a) == "always"
    with a as inside:
        assert inside == "in"


def test_an_operator_with_a_value_of_the_tests_is_refused_and_the_value_not_sent(student):
    for act in (
        lambda a: a + 9999,
        lambda a: 9999 - a,
        lambda a: a + np.float64(9999),
        lambda a: np.float64(9999) + a,
    ):
        with pytest.raises(TypeError):
            act(student.answer)
    assert b"9999" not in b"".join(student.kernel.requests)


def test_membership_is_decided_by_the_plain_items_alone(student):
    assert 2 in student.count()
    assert 7 not in student.count()
    student.kernel.run(
        "class C:\n    def __contains__(self, i): return True\n    def __iter__(self): return iter([1])\nc = C()",
        1,
    )
    number, _ = student.remote.ask("snapshot")
    _, text, buffers = student.remote.ask("fetch", number, ["c"])["c"]
    c = decode(text, buffers, student.remote.stand_in)
    assert 9 not in c
    assert 1 in c


def test_generators_are_walked_one_by_one(student):
    assert list(student.count()) == [1, 2, 3]


def test_remote_objects_can_be_sent_back(student):
    assert student.apply(student.squares, 3) == [0, 1, 4]


def test_an_object_of_the_examiners_can_not_be_sent(student):
    with pytest.raises(CodecError, match="Remote cannot be copied to another process"):
        student.apply(student.squares, student.remote)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (
            "numpy.random.default_rng(0)",
            "a Generator cannot be copied to another process. A test can pass plain data.*; seed globally",
        ),
        ("random.Random(0)", "a Random cannot be copied to another process.*seed globally"),
        (
            "matplotlib.figure.Figure().add_subplot(title='expected')",
            "an Axes cannot be copied to another process.*return them",
        ),
        ("sqlite3.connect(':memory:')", "a Connection cannot be copied to another process.*the path of the database"),
        ("sklearn.linear_model.LinearRegression()", "in a cell of the notebook, and pass it by its name"),
        ("asyncio.Lock()", "a Lock cannot be copied to another process.*pass a Mock, or make it in a cell"),
        (
            "type('Account', (asyncio.Lock,), {})()",
            "an Account cannot be copied to another process.*pass a Mock, or make it in a cell",
        ),
    ],
)
def test_what_can_not_be_sent_has_a_remedy(student, made, said):
    module = made.partition("(")[0].rpartition(".")[0]
    module = "asyncio" if "asyncio" in made else module
    names = {module.partition(".")[0]: __import__(module)} if module else {}
    with pytest.raises(CodecError, match=said):
        student.apply(student.squares, eval(made, {"__name__": "tests"} | names))


def test_an_async_function_is_waited_for(student):
    assert asyncio.run(student.later()) == 1


def test_a_coroutine_can_be_sent_back(student):
    """Until it has run, it is the kernel's own."""
    later = student.later()
    assert asyncio.run(student.waits(later)) == 2
    later.close()
    spent = student.later()
    assert asyncio.run(spent) == 1
    with pytest.raises(CodecError, match="a coroutine cannot be copied"):
        student.waits(spent)


def test_only_what_is_callable_there_is_callable_here(student):
    assert callable(student.squares)
    assert not callable(student.answer)
    assert isinstance(student.answer, RemoteObject)


def test_a_kernel_that_is_gone_stays_gone(student):
    squares = student.squares
    student.kernel.close()
    for _ in range(2):
        with pytest.raises(LostError, match="gone"):
            squares(1)


class Liar:
    """A kernel that answers with whatever it likes."""

    def __init__(self, packed):
        self.packed = packed

    def exchange(self, request, timeout=None, answer=None):
        return self.packed


@pytest.mark.parametrize(
    "reply",
    [
        Packed(b"{", []),
        encode(3),
        encode(("ok",)),
        encode(("ok", 1, 2)),
        encode(("perfect", 1, "")),
        encode(("raised", None, "")),
        encode(("raised", {"classes": 3}, "")),
        encode(("raised", {"classes": ["SystemExit", "BaseException"], "text": 4}, "")),
        encode(("raised", {"classes": ["KeyboardInterrupt"], "args": 7}, "")),
        encode(("raised", {"classes": ["eval", "open", "UnicodeDecodeError"], "args": [1]}, "")),
        encode(("raised", {"classes": [["x"]], "args": [1]}, "")),
        encode(["ok", (1, {}, {}), ""]),
        encode((np.zeros(2),) * 3),
        encode((np.zeros(2), 1, "")),
        encode(sparse.bsr_array([[0, 1.5], [2, 0]])),
        Packed(b'["ref",1,"object","__main__.Endless"]', []),
    ],
)
def test_a_reply_that_is_no_reply_is_an_error_of_the_students_side(student, reply):
    student.remote.link = Liar(reply)
    with pytest.raises(RemoteError):
        student.squares(1)
