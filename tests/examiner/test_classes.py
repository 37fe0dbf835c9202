"""The student's classes here: classes, whatever the kernel says of them, and never more than it may say."""

from __future__ import annotations

import copy
import types

import pytest
from helpers.kernels import Names, described, remote_after

from autograder.errors import CourseError, RemoteError
from autograder.examiner.remote.proxy import RemoteCallable, RemoteObject

SOURCE = """
class Base: pass
class Child(Base): pass
class Wrong(ValueError): pass
class Quits(SystemExit): pass
class Stops(KeyboardInterrupt): pass
class Rude(BaseException): pass
class Meta(type):
    def __instancecheck__(cls, other): return True
    def __subclasscheck__(cls, other): return True
    def __eq__(cls, other): return True
    __hash__ = type.__hash__
class Everything(metaclass=Meta): pass
class Posing:
    @property
    def __class__(self): return int
class Loud:
    def __exit__(self, *a): return True
    def __enter__(self): return self
class Vec(list): pass
base, child, posing, loud, vec = Base(), Child(), Posing(), Loud(), Vec([1])
def raises(kind): raise kind('x')
def quits(): raise Quits(0)
def stops(): raise Stops
def rude(): raise Rude
"""


@pytest.fixture
def student():
    return Names(*remote_after(SOURCE))


def test_instances_and_subclasses_are_what_the_notebook_says(student):
    assert isinstance(student.child, student.Base)
    assert type(student.child) is student.Child
    assert issubclass(student.Child, student.Base)
    assert not isinstance(student.base, student.Child)
    assert not isinstance(3, student.Base)


def test_a_class_has_no_say_in_what_is_an_instance_of_it(student):
    assert not isinstance(3, student.Everything)
    assert not issubclass(int, student.Everything)


def test_an_object_is_no_instance_of_a_plain_type(student):
    for one in (student.posing, student.vec, student.base):
        assert not isinstance(one, int | list | str | float | dict | tuple)
        assert isinstance(one, RemoteObject)


@pytest.mark.parametrize("name", ["Quits", "Stops", "Rude"])
def test_what_ends_a_program_is_no_exception_here(student, name):
    assert not isinstance(getattr(student, name), type)
    with pytest.raises(RemoteError):
        getattr(student, name.lower())()


def test_an_exception_is_one_of_the_students_and_of_its_built_in_class(student):
    with pytest.raises(student.Wrong) as caught:
        student.raises(student.Wrong)
    assert isinstance(caught.value, ValueError)
    assert not isinstance(caught.value, KeyError)
    assert copy.copy(caught.value.args) == ("x",)


def test_a_with_block_does_not_swallow_what_the_test_found_wrong(student):
    with student.loud:
        raise KeyError("a test's own, of a built-in type")
    for error in (AssertionError("wrong"), RemoteError("x"), KeyboardInterrupt()):
        with pytest.raises(type(error)), student.loud:
            raise error


GOOD = {"name": "Base", "doc": None, "bases": [], "builtins": ["object"], "calls": False, "truth": False}
CLAIMS = [
    None,
    3,
    {},
    {**GOOD, "name": 5},
    {**GOOD, "name": "__class__ = 1"},
    {**GOOD, "doc": 7},
    {**GOOD, "bases": 4},
    {**GOOD, "bases": [1, "x", int]},
    {**GOOD, "builtins": None},
    {**GOOD, "builtins": ["SystemExit", "BaseException"]},
    {**GOOD, "builtins": ["KeyboardInterrupt", "BaseException"]},
    {**GOOD, "builtins": ["eval", "open", "int"]},
    {**GOOD, "builtins": [["ValueError"]]},
    {**GOOD, "builtins": ["int", "list"]},
    {**GOOD, "calls": "yes"},
]


@pytest.mark.parametrize("claim", CLAIMS, ids=range(len(CLAIMS)))
def test_whatever_is_said_of_a_class_it_is_remote(student, monkeypatch, claim):
    monkeypatch.setitem(described.OPERATIONS, "class", lambda kind: claim)
    kind, one = student.Base, student.base
    assert isinstance(kind, RemoteCallable) or issubclass(kind, RemoteObject)
    assert isinstance(one, RemoteObject)
    assert not isinstance(one, BaseException | int | list)


def test_a_class_that_is_its_own_ancestor_is_remote(student, monkeypatch):
    monkeypatch.setitem(
        described.OPERATIONS, "class", lambda kind: {**GOOD, "bases": [kind, type("X", (), {"__module__": "__main__"})]}
    )
    assert isinstance(student.base, RemoteObject)


def test_an_endless_line_of_ancestors_ends(student, monkeypatch):
    def claim(kind):
        return {**GOOD, "bases": [type("X", (), {"__module__": "__main__"})]}

    monkeypatch.setitem(described.OPERATIONS, "class", claim)
    assert isinstance(student.base, RemoteObject)


def test_an_exception_that_is_said_to_be_another_is_caught_as_its_class_alone(student, monkeypatch):
    monkeypatch.setitem(
        described.OPERATIONS, "class", lambda kind: {**GOOD, "name": kind.__name__, "builtins": ["Exception"]}
    )
    with pytest.raises(student.Wrong) as caught:
        student.raises(student.Wrong)
    assert not isinstance(caught.value, ValueError)


def test_a_test_that_derives_from_a_class_of_the_students_is_told_to_run_in_the_kernel(student):
    for bases in ((student.Base,), (student.Wrong,), (student.Base, type("Own", (), {}))):
        with pytest.raises(CourseError, match="Mine derives from a class of the notebook: mark the test"):
            types.new_class("Mine", bases)


def test_special_methods_are_there_where_the_class_has_them(student):
    student.kernel.run("class Sized:\n    def __len__(self): return 2\nsized = Sized()", 1)
    student.number, _ = student.remote.ask("snapshot")
    assert (hasattr(student.sized, "__len__"), hasattr(student.base, "__len__")) == (True, False)
    assert (hasattr(student.Sized, "__len__"), hasattr(student.Base, "__len__")) == (True, False)
    assert student.sized.__len__() == 2


def test_a_long_loop_is_read_in_few_questions(student):
    student.kernel.run(
        "def count(n):\n    for i in range(n): yield i\ndef breaks():\n    yield from range(50)\n    raise KeyError('end')",
        1,
    )
    student.number, _ = student.remote.ask("snapshot")
    before = len(student.kernel.requests)
    assert list(student.count(5000)) == list(range(5000))
    assert len(student.kernel.requests) - before < 60
    walk = iter(student.breaks())
    assert [next(walk) for _ in range(50)] == list(range(50))
    with pytest.raises(KeyError):
        next(walk)
