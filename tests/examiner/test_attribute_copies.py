"""Lists, dicts and arrays that are attributes of a student's object, and that a test changes in place."""

from __future__ import annotations

import pytest
from helpers.examination import graded
from helpers.exams import exam_of

from autograder.examiner.remote.attribute_copies import attributes_changed
from autograder.records.exam import Role

NET = """
import numpy as np
class Net:
    def __init__(self):
        self.params = {'W': np.ones((2, 2)), 'b': np.zeros(2)}
        self.items, self.scale = [], np.ones(2)
        self._deep = [1, 2]
    @property
    def deep(self): return list(self._deep)
    def loss(self, X): return float(((X @ self.params['W'] + self.params['b']) * self.scale).sum())
    def scaling(self): return self.scale
    def stack(self): return self.items
    def copied(self): return list(self.items)
    def column(self, j): return self.params['W'][:, j]
    def top(self): return self.items[-1]
    def push(self, x): self.items.append(x)
def weights_of(net): return net.params
"""
GRADIENT = """
import numpy as np
def numeric_gradient(f, x, h=1e-5):
    grad = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        old = x[place]
        x[place] = old + h
        high = f(x)
        x[place] = old - h
        low = f(x)
        x[place] = old
        grad[place] = (high - low) / (2 * h)
    return grad
"""
ONE = "import numpy as np\nm, X = Net(), np.ones((1, 2))\n"
TESTS = {
    "an item of a dict": "m.params['W'] = np.zeros((2, 2))\nassert m.loss(X) == 0",
    "an item of an array in a dict": "m.params['b'][0] = 5\nassert m.loss(X) == 9\nassert m.params['b'][0] == 5",
    "an array": "m.scale[:] = 0\nassert m.loss(X) == 0",
    "an array, by an operator": "m.scale[0] *= 3\nassert m.loss(X) == 8",
    "a list": "m.items.append(4)\nassert m.top() == 4\nm.items.extend([5])\nassert m.top() == 5 and m.items == [4, 5]",
    "a list that the object changes, too": "m.items.append(1)\nm.push(2)\nm.items.append(3)\nassert m.items == [1, 2, 3]",
    "a deletion": "m.push(1)\nm.push(2)\ndel m.items[-1]\nassert m.top() == 1",
    "another name": "p = m.params\np['b'] = np.ones(2)\nassert m.loss(X) == 6",
    "a loop": "for key, value in m.params.items(): value *= 0\nfor v in m.params.values(): v[...] = 0\nassert m.loss(X) == 0",
    "two objects": "n = Net()\nm.items.append(1)\nn.items.append(2)\nassert m.top() == 1 and n.top() == 2",
    "a helper of the instructor's": "for name in m.params:\n"
    "    assert np.allclose(numeric_gradient(lambda _: m.loss(X), m.params[name]), 1)",
    "a helper of the test's own": "def clear(x): x[...] = 0\nclear(m.scale)\nassert m.loss(X) == 0",
    "a library's function": "m.items.extend([3, 1])\nimport heapq\nheapq.heapify(m.items)\nassert m.top() == 3",
    "an array that a method returns": "m.scaling()[0] += 2\nassert m.loss(X) == 8 and m.scaling()[0] == 3",
    "places of such an array": "m.scaling().flat[0] -= 1\nassert m.loss(X) == 2",
    "a list that a method returns": "m.stack().append(4)\nassert m.top() == 4 and m.items == [4]",
    "such a list under a name": "s = m.stack()\ns.append(4)\nm.push(5)\nassert m.top() == 5 and m.stack() == [4, 5]",
    "an array that a function returns": "weights_of(m)['W'][...] = 0\nassert m.loss(X) == 0",
    "a view that a method returns": "m.column(0)[:] = 0\nassert m.loss(X) == 2",
    "a helper that changes what a method returns": "assert np.allclose(numeric_gradient(lambda _: m.loss(X), m.scaling()), 2)",
    "a method that gives a new list": "m.copied().append(3)\nassert m.copied() == []",
    "a property that gives a new list": "m.deep.append(3)\nassert m.deep == [1, 2]",
}


@pytest.mark.parametrize("name", TESTS)
def test_what_a_test_changes_in_an_attribute_is_changed(name: str) -> None:
    test = ONE + TESTS[name]
    exec(compile(f"{GRADIENT}{NET}\n{test}", "notebook", "exec"), {})  # as it is in a notebook
    result = graded(exam_of((Role.READ_ONLY, GRADIENT), (Role.ANSWER, NET), (Role.TEST, test)))[0]
    assert result.fraction == 1, result.detail


def test_an_object_that_ignores_it_fails() -> None:
    exam = exam_of((Role.ANSWER, NET), (Role.TEST, ONE + TESTS["an item of a dict"]))
    wrong = NET.replace("self.params['W'] +", "np.ones((2, 2)) +")
    assert graded(exam, cell0=wrong)[0].fraction == 0


def test_an_object_that_returns_a_copy_of_its_array_fails() -> None:
    exam = exam_of((Role.ANSWER, NET), (Role.TEST, ONE + TESTS["an array that a method returns"]))
    wrong = NET.replace("return self.scale", "return self.scale.copy()")
    assert graded(exam, cell0=wrong)[0].fraction == 0


def test_what_a_test_writes_goes_nowhere_where_the_solution_returned_a_copy() -> None:
    """A test may write what is expected into what it was given: no answer is to learn it by keeping that object."""
    test = ONE + "given = m.copied()\ngiven.append(77123)\nm.push(1)\nassert 77123 not in m.items"
    keeps = NET.replace("return list(self.items)", "return self.items")
    exam = exam_of((Role.ANSWER, NET), (Role.TEST, test))
    assert graded(exam, cell0=keeps)[0].fraction == 1


def test_what_a_test_writes_into_its_own_list_stays_here_though_a_call_returned_it() -> None:
    top = "    def top(self)"
    solution = NET.replace(top, f"    def same(self, x): return x\n    def kept(self): return []\n{top}")
    keeps = solution.replace("return x\n", "self.x = x; return x\n").replace("return []", "return self.x")
    test = ONE + "own = m.same([1])\nown.append(77123)\nassert 77123 not in m.kept()"
    exam = exam_of((Role.ANSWER, solution), (Role.TEST, test))
    assert graded(exam)[0].fraction == 1
    assert graded(exam, cell0=keeps)[0].fraction == 1


def test_a_list_that_is_only_read_is_a_copy() -> None:
    """It is what it was when the test asked for it."""
    test = ONE + "before = m.items\nm.push(1)\nassert before == [] and m.items == [1]"
    assert graded(exam_of((Role.ANSWER, NET), (Role.TEST, test)))[0].fraction == 1


@pytest.mark.parametrize(
    ("source", "attributes"),
    [
        ("m.params['W'] = 1", {"params"}),
        ("del m.items[0]", {"items"}),
        ("m.layers[0].W[1] += 1", {"layers", "W"}),
        ("m.items.append(m.last)", {"items", "last"}),
        ("p = m.params\np['W'] = 1", {"params"}),
        ("for p in m.weights.values(): p[...] = 0", {"weights", "values"}),
        ("check(m.params['W'])", {"params"}),
        ("def fill(x): x[0] = 1\nfill(m.params)", {"params"}),
        ("from numpy import allclose\nassert allclose(m.params, 1)", set()),
        ("from helpers.exams import exam_of\nexam_of(m.params)", {"params"}),
        ("assert m.items == [1] and len(m.params)", set()),
        ("m.data().flat[0] += 1", {"data", "flat"}),
        ("w = weights(m)\nw[0] = 1", {"weights"}),
        ("m.x = 5", set()),
        ("def", set()),
    ],
)
def test_which_attributes_a_test_changes_is_read_from_it(source: str, attributes: set[str]) -> None:
    assert attributes_changed(source, {"check"}) == attributes
