"""What a test lends to the student's code: used while the test waits, by number, and nothing more of it gets there."""

from __future__ import annotations

import builtins
import functools
import io
import time

import pytest
from helpers.clock import PATIENCE_SECONDS
from helpers.examination import graded, outcome
from helpers.exams import exam_of
from helpers.kernels import Names, remote_after
from helpers.limits import fork
from scipy import sparse

from autograder.codec import CodecError, Packed, Reference, decode, encode
from autograder.errors import LostError, RemoteError, TooOftenError
from autograder.examiner.remote import callbacks
from autograder.examiner.remote.callbacks import MAX_QUESTIONS
from autograder.examiner.remote.exceptions import rebuilt_exception
from autograder.examiner.remote.proxy import Remote
from autograder.examiner.undecided import why_undecided
from autograder.records.checks import Outcome
from autograder.records.exam import Role

SOURCE = """
kept = []
def apply(f, *a, **k): return f(*a, **k)
def keep(f): kept.append(f)
def use(): return kept[0](1)
def give(): return kept[0]
def swallow(f):
    try: return f()
    except ValueError as e: return (type(e).__name__, e.args)
def wrap(f):
    try: f()
    except Exception as e: raise RuntimeError('wrapped') from e
def in_thread(f):
    import threading
    found = []
    def run():
        try: found.append(f(1))
        except Exception as e: found.append(type(e).__name__)
    t = threading.Thread(target=run); t.start(); t.join()
    return found[0]
def public(f): return sorted(n for n in dir(f) if not n.startswith('__'))
def reach(f): return [getattr(f, '__globals__', {}).get('SECRET'), getattr(f, '__code__', None) and f.__code__.co_filename]
def where(f): return (f.__module__, f.__qualname__)
class Thing: pass
def thing(f): return f(Thing())
"""
SECRET = "canary-4711"


@pytest.fixture
def student():
    return Names(*remote_after(SOURCE))


def test_a_function_of_the_tests_is_called_with_plain_values_and_gives_them(student):
    assert student.apply(lambda x, *, y: [x, y], (1, 2), y={"a": 3}) == [(1, 2), {"a": 3}]


def test_a_callback_may_call_the_students_functions(student):
    assert student.apply(lambda x: student.apply(lambda y: y + 1, x) * 2, 5) == 12


def test_an_object_of_the_students_comes_to_a_callback_as_a_remote_object(student):
    kinds = []
    student.thing(lambda t: kinds.append(type(t) is student.Thing))
    assert kinds == [True]


def test_what_a_callback_raises_comes_back_as_itself(student):
    class Own(Exception):
        pass

    error = Own("x")

    def fails():
        raise error

    with pytest.raises(Own) as caught:
        student.apply(fails)
    assert caught.value is error


def test_what_a_callback_raises_is_the_built_in_type_there(student):
    class Own(ValueError):
        pass

    def fails():
        raise Own("x", 1)

    assert student.swallow(fails) == ("ValueError", ("x", 1))
    with pytest.raises(RuntimeError, match="wrapped"):
        student.wrap(fails)


def test_what_an_assertion_of_the_tests_says_does_not_get_there(student):
    def fails():
        raise AssertionError(SECRET)

    with pytest.raises(AssertionError, match=SECRET):
        student.apply(fails)
    assert SECRET not in repr(student.kernel.server.callbacks.raised)


def test_a_callback_ends_with_its_cell(student):
    student.keep(lambda x: x)
    assert student.use() == 1
    student.remote.callbacks.forget()
    with pytest.raises(TypeError):
        student.use()


def test_nothing_listens_while_nothing_is_asked(student):
    student.keep(lambda x: x)
    cell = student.kernel.run("use()", 1)
    assert cell.status == "error"
    assert "while the test waits" in cell.error


def test_a_thread_of_the_students_can_not_use_it(student):
    assert student.in_thread(lambda x: x) == "RuntimeError"


def test_the_test_itself_stays_here(student):
    def given():
        """Doc."""
        return SECRET and 1

    assert student.reach(given)[0] is None
    assert "test_callbacks" not in str(student.reach(given)[1])
    assert student.public(given) == []
    student.apply(given)
    assert SECRET.encode() not in b"".join(student.kernel.requests)


def test_what_is_given_back_is_the_tests_own(student):
    given = lambda x: x  # noqa: E731
    student.keep(given)
    assert student.give() is given


@pytest.mark.parametrize(
    ("function", "named"),
    [
        (len, ("builtins", "len")),
        (eval, ("builtins", "eval")),
        (io.open, (io.open.__module__, "open")),
        (time.sleep, ("time", "sleep")),
    ],
)
def test_a_librarys_function_is_the_kernels_own(student, function, named):
    """A lent ``eval`` or ``getattr`` would run for the student, here."""
    assert student.where(function) == named
    assert not student.remote.callbacks.given


@pytest.mark.parametrize("door", [eval, getattr, exec, open, __import__])
def test_a_part_of_a_door_is_not_lent(student, door):
    with pytest.raises(CodecError):
        student.apply(functools.partial(door, "1"))
    assert student.apply(functools.partial(pow, 2), 3) == 8


@pytest.mark.parametrize(
    "question",
    [
        (-5, "call", (), {}, ""),
        (0, "call", (), {}, ""),
        ("x", "call", (), {}, ""),
        ([], "call", (), {}, ""),
        (-2, "__getattribute__", ("__globals__",), {}, ""),
        (-2, "next", (), {}, ""),
        (-2, "read", (), {}, ""),
        (-2, ["call"], (), {}, ""),
        (-2, "call", [], {}, ""),
        (-2, "call", (), [], ""),
        (-2, "call", (), {1: 2}, ""),
        (-2, "call", (), {}, 5),
        (-2, "call"),
        5,
    ],
)
def test_a_question_that_is_none_is_an_error_of_the_kernels(student, question):
    student.keep(lambda *a, **k: 1)
    assert set(student.remote.callbacks.given) == {-2}
    outcome, said = decode(*student.remote.callbacks.answer(encode(question), (), student.remote.stand_in))
    assert (outcome, said["type"]) == ("raised", "TypeError")
    for unreadable in (
        Packed(b"{", []),
        encode(sparse.bsr_array([[0, 1.5], [2, 0]])),
        encode(({}, "call", (), {}, "")),
    ):
        outcome, _ = decode(*student.remote.callbacks.answer(unreadable, (), student.remote.stand_in))
        assert outcome == "raised"


def test_questions_have_an_end(student):
    student.remote.callbacks.asked = MAX_QUESTIONS - 2
    with pytest.raises(TooOftenError, match="100,001 times"):
        [student.apply(lambda x: x, 1) for _ in range(3)]


def test_a_reply_that_tells_of_an_exception_that_never_was_is_an_error(student):
    class Liar:
        def exchange(self, request, timeout=None, answer=None):
            return encode(("raised", {"callback": 3}, ""))

    remote = Remote(Liar())
    with pytest.raises(Exception, match="cannot be read"):
        remote.ask("call")


def test_a_handle_of_the_tests_own_that_was_not_given_is_no_answer(student):
    with pytest.raises(CodecError):
        student.remote.stand_in(Reference(-77, "callback", ""))


def test_input_and_print_are_their_own_again_after_the_call(student):
    before = builtins.input, builtins.print
    student.kernel.run("def ask(): return input()", 1)
    student.number, _ = student.remote.ask("snapshot")
    builtins.input = lambda *a: "5"
    try:
        assert student.ask() == "5"
    finally:
        builtins.input = before[0]
    assert (builtins.input, builtins.print) == before


@pytest.fixture(scope="module")
def sandboxed():
    kernel = fork()
    kernel.run(SOURCE + "import time\ndef loops(f):\n    while True: f(1)\ndef ask(): return input('? ')", 10)
    yield kernel
    kernel.close()


@pytest.mark.sandbox
def test_in_a_sandbox_questions_go_both_ways(sandboxed):
    names = Names(Remote(sandboxed), sandboxed)
    assert names.apply(lambda x: names.apply(lambda y: y + 1, x) * 2, 5) == 12
    file = io.StringIO("a\nb\n")
    assert names.apply(list, file) == ["a\n", "b\n"]
    with pytest.raises(ZeroDivisionError):
        names.apply(lambda: 1 / 0)
    assert names.in_thread(lambda x: x) == "RuntimeError"
    assert names.apply(lambda x: x, 1) == 1


@pytest.mark.sandbox
def test_in_a_sandbox_an_endless_conversation_is_stopped(sandboxed):
    names = Names(Remote(sandboxed), sandboxed)
    began = time.monotonic()
    with pytest.raises((RemoteError, RuntimeError)):  # its KeyboardInterrupt, or the end of the kernel
        names.remote.ask("call", names.loops, (lambda x: x,), {}, timeout=1)
    assert time.monotonic() - began < PATIENCE_SECONDS
    if not sandboxed.ended():
        assert names.apply(lambda x: x, 1) == 1


@pytest.mark.sandbox
def test_in_a_sandbox_a_test_that_is_stopped_in_a_callback_leaves_the_kernel_usable(sandboxed):
    class Stop(BaseException):
        pass

    def stops(x):
        raise Stop

    names = Names(Remote(sandboxed), sandboxed)
    with pytest.raises(Stop):
        names.apply(stops, 1)
    try:
        assert names.apply(lambda x: x, 1) == 1
    except LostError as error:
        pytest.fail(str(error))


NEWTON = "def root(f, n):\n    for _ in range(n):\n        f(2)\n    return f(2)"


def test_a_call_that_uses_a_function_of_the_test_too_often_waits_for_a_person(monkeypatch):
    monkeypatch.setattr(callbacks, "MAX_QUESTIONS", 60)
    monkeypatch.setattr(callbacks, "MANY_QUESTIONS", 50)
    test = "def square(x): return x * x\nassert root(square, 10) == 4\nassert root(square, 1000) == 4"
    solution = NEWTON.replace("    for _ in range(n):\n        f(2)\n", "")
    exam = exam_of((Role.ANSWER, solution), (Role.TEST, test))
    assert graded(exam)[0].fraction == 1
    result = graded(exam, cell0=NEWTON)[0]
    assert (result.outcome, result.undecided) == (Outcome.FAILED, True)
    assert "took too long" in result.message
    assert result.message.endswith("these calls are slow, so a person will look at it.")
    assert "square" not in result.message
    assert "`square` was called 60 times" in result.detail
    assert "ends a program" not in result.detail


def test_a_call_that_is_stopped_for_another_reason_is_the_students():
    raised = rebuilt_exception({"classes": ["KeyboardInterrupt", "BaseException"], "args": [], "text": ""})
    assert str(raised) == "the code took too long and was stopped"
    assert not why_undecided([raised])


@pytest.mark.parametrize(
    ("function", "count"),
    [
        ("lambda x: x", 1),
        ("lambda a, b: a", 2),
        ("lambda: 1", 0),
        ("f", 2),
    ],
)
def test_a_function_of_the_test_says_how_many_arguments_it_takes(function: str, count: int) -> None:
    """Libraries count them, as optimizers of teaching libraries do."""
    test = f"def f(slope, intercept): return slope\nassert count({function}) == {count}"
    for answer in (
        "def count(f): return f.__code__.co_argcount",
        "import inspect\ndef count(f): return len(inspect.signature(f).parameters)",
    ):
        result = outcome(answer, test)
        assert result.fraction == 1, result.detail


def test_a_function_with_parameters_is_called_by_place_and_by_name() -> None:
    test = "def line(x, slope): return 10 * x + slope\nassert both(line) == (12, 12, 12)"
    result = outcome("def both(f): return f(1, 2), f(1, slope=2), f(slope=2, x=1)", test)
    assert result.fraction == 1, result.detail
    wrong = outcome("def both(f): return f(1)", test)
    assert "TypeError" in wrong.message


@pytest.mark.parametrize(
    ("function", "call"),
    [("lambda *xs: sum(xs)", "f(4, 5)"), ("lambda x, by=3: x + by", "f(4)"), ("lambda *, a=1, b=2: a + b", "f(b=5)")],
)
def test_a_function_with_defaults_or_any_number_of_arguments_takes_what_it_took(function: str, call: str) -> None:
    result = outcome(f"def use(f): return {call}", f"f = {function}\nassert use(f) == {call}")
    assert result.fraction == 1, result.detail


def test_a_function_that_wraps_the_students_is_no_question_about_its_parameters() -> None:
    test = (
        "import functools\n@functools.wraps(f)\ndef wrapped(*args): return f(*args)\n"
        "wrapped.__name__ = 'f(x'\nassert use(wrapped) == 4"
    )
    result = outcome("def f(x): return 2 * x\ndef use(g): return g(2)", test)
    assert result.fraction == 1, result.detail
