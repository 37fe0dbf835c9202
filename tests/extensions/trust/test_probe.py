"""The comparison of two answers inside a kernel: alike, different or unclear."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from autograder.extensions.trust import probe
from autograder.extensions.trust.audit_equivalence import UNCLEAR, Comparison, read
from autograder.extensions.trust.probe import alike, as_code, plain


@pytest.fixture
def compared(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., dict[str, str]]]:
    """Compare two sources after some calls of the first."""

    def compare(
        right: str, other: str, *calls: str, names: str = "f", seconds: float = 20.0, **given: Any
    ) -> dict[str, str]:
        namespace: dict[str, Any] = {"np": np, **given}
        exec(right, namespace)
        probe.watch(namespace, names.split())
        for call in calls:
            exec(call, namespace)
        probe.compare(namespace, right, other, names.split(), seconds, 0)
        said: dict[str, str] = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
        return said

    probe._calls.clear()
    yield compare
    probe._calls.clear()


RIGHT = "def f(values, n):\n    return [v for v in values if v >= n]"
ALIKE = [
    (RIGHT, "def f(values, n):\n    return list(filter(lambda v: not v < n, values))", "f([1, 2, 3], 2)"),
    ("def f(x):\n    return x * 2.0", "def f(x):\n    return x + x", "f(np.array([1.0, 2.0]))"),
    ("def f(x):\n    return np.float64(x) / 3", "def f(x):\n    return x * (1 / 3)", "f(2.0)"),
    ("def f(n):\n    return sum(range(n))", "def f(n):\n    return n * (n - 1) // 2", "f(5)"),
]
DIFFERENT = [
    (RIGHT, "def f(values, n):\n    return [v for v in values if v > n]", "f([1, 2, 3], 0)"),
    ("def f(x):\n    return np.abs(x)", "def f(x):\n    return x", "f(np.array([1.0, -2.0]))"),
    (
        "def f(p):\n    return p.argmax()",
        "def f(p):\n    return len(p) - 1 - p[::-1].argmax()",
        "f(np.array([1, 3, 2]))",
    ),
    ("def f(x):\n    return x", "def f(x):\n    raise ValueError", "f(2)"),
    ("def f(x):\n    return x", "def f(x):\n    while True: pass", "f(2)"),
]


@pytest.mark.parametrize(("right", "other", "call"), ALIKE)
def test_functions_that_return_the_same_are_alike(compared: Any, right: str, other: str, call: str) -> None:
    assert compared(right, other, call)["verdict"] == "alike"


@pytest.mark.parametrize(("right", "other", "call"), DIFFERENT[:4])
def test_functions_that_differ_are_shown_with_an_input(compared: Any, right: str, other: str, call: str) -> None:
    said = compared(right, other, call)
    assert said["verdict"] == "different"
    assert said["why"].startswith("`f(")
    assert said["case"].startswith("((")


@pytest.mark.integration
def test_an_endless_loop_differs(compared: Any) -> None:
    assert compared(*DIFFERENT[4], seconds=2.0)["why"].endswith("takes too long instead of 2")


def test_no_input_is_drawn_that_was_never_of_this_kind(compared: Any) -> None:
    """No negative number where none was seen: the two differ there alone."""
    said = compared("def f(n):\n    return n", "def f(n):\n    return abs(n)", "f(3)", "f(0)")
    assert said["verdict"] == "alike"


def test_an_input_that_the_solution_refuses_counts_for_nothing(compared: Any) -> None:
    right = "def f(n):\n    if n > 3:\n        raise ValueError\n    return n"
    assert compared(right, "def f(n):\n    return n", "f(2)")["verdict"] == "alike"


def test_a_function_that_nobody_called_is_unclear(compared: Any) -> None:
    assert compared(RIGHT, RIGHT)["why"] == "no call of it was seen from which arguments could be drawn"


def test_a_function_that_never_gives_the_same_is_unclear(compared: Any) -> None:
    source = "import itertools\ncount = itertools.count()\ndef f(x):\n    return next(count)"
    assert compared(source, source, "f(1)")["verdict"] == "unclear"


def test_values_are_compared_where_they_are_used(compared: Any) -> None:
    right = "x = np.arange(6.0)\nline = np.polyfit(x, 3 * x + 1, 1)"
    assert compared(right, right.replace("6.0", "7.0"), names="line")["verdict"] == "alike"
    assert compared(right, right.replace("6.0", "7.0"), names="line x")["verdict"] == "different"
    assert compared(right, right.replace("3 *", "2 *"), names="line")["why"].startswith("`line` is np.array([")


class Network(ModuleType):
    """Stands for a network: it has weights."""

    def get_weights(self) -> list[Any]:
        return [np.ones(3)]


def test_networks_with_other_weights_are_unclear(compared: Any) -> None:
    class Other(Network):
        def get_weights(self) -> list[Any]:
            return [np.zeros(3)]

    given = {"Network": Network, "Other": Other}
    said = compared("model = Network('a')", "model = Other('a')", names="model", **given)
    assert said == {"verdict": "unclear", "why": "networks with other weights may be equally good"}
    assert compared("model = Network('a')", "model = Network('b')", names="model", **given)["verdict"] == "alike"


def test_networks_that_are_built_otherwise_are_not_alike_before_training(compared: Any) -> None:
    class Other(Network):
        def get_config(self) -> dict[str, Any]:
            return {"activation": "sigmoid", "name": self.__name__}

    said = compared("model = Network('a')", "model = Other('a')", names="model", Network=Network, Other=Other)
    assert said["verdict"] == "unclear"


EQUAL = [
    (1, 1.0),
    (0.1 + 0.2, 0.3),
    (float("nan"), float("nan")),
    ((1, 2), [1, 2]),
    (np.array([1.0, 2.0]), [1.0, 2.0]),
    (np.float32(0.1), 0.1),
    ({"a": (1,)}, {"a": [1.0]}),
    ("a", "a"),
    (None, None),
]
UNEQUAL = [
    (1, 2),
    (1, "1"),
    (0.1, 0.1001),
    (float("nan"), 0.0),
    (float("inf"), 1e308),
    ([1], [1, 2]),
    (np.zeros((2, 3)), np.zeros((3, 2))),
    (None, 0),
    ({"a": 1}, {"b": 1}),
]


@pytest.mark.parametrize(("one", "other", "same"), [(*p, True) for p in EQUAL] + [(*p, False) for p in UNEQUAL])
def test_values_are_equal_up_to_rounding(one: Any, other: Any, same: bool) -> None:
    assert alike(plain(one), plain(other)) is same
    assert alike(plain(other), plain(one)) is same


def test_a_value_is_shown_as_a_test_would_write_it() -> None:
    assert as_code(np.array([1, 2])) == "np.array([1, 2])"
    assert as_code(np.float64(0.5)) == "0.5"
    assert as_code(np.zeros((9, 9))) == "<array of shape (9, 9)>"


@pytest.mark.parametrize(
    "text", ["", "no json", '{"verdict": 3}', "[1]", '{"verdict": "alike", "why": 7}', '{"why": "x"}']
)
def test_what_a_kernel_prints_is_read_strictly(text: str) -> None:
    from autograder.records.run import CellRun

    found = read(CellRun("ok", ({"output_type": "stream", "name": "stdout", "text": text},)))
    assert isinstance(found, Comparison)
    assert found.verdict == UNCLEAR or (found.verdict, found.why) == ("alike", "7")


SOFTMAX = "def f(x):\n    e = np.exp(x - np.max(x))\n    return e / e.sum()"
NAIVE = "def f(x):\n    e = np.exp(x)\n    return e / e.sum()"


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_large_numbers_tell_a_softmax_that_overflows(compared: Any) -> None:
    assert compared(SOFTMAX, NAIVE, "f(np.array([1.0, 2.0, -3.0]))")["verdict"] == "different"


def test_an_answer_that_changes_its_argument_is_different(compared: Any) -> None:
    right, other = "def f(x):\n    return sorted(x)", "def f(x):\n    x.sort()\n    return x"
    assert compared(right, other, "f([2, 1])")["why"] == (
        "`f` changes its argument, and the solution leaves it as it is"
    )


def test_marks_and_capitals_tell_what_a_text_was_not_freed_of(compared: Any) -> None:
    right = "def f(x):\n    return x.strip('.,!').lower()"
    for other in ("def f(x):\n    return x.lower()", "def f(x):\n    return x.strip('.,!')"):
        assert compared(right, other, "f('cat')")["verdict"] == "different"


def test_a_generator_is_compared_by_its_values(compared: Any) -> None:
    right = "def f(n):\n    return [k * k for k in range(n)]"
    assert compared(right, "def f(n):\n    return (k ** 2 for k in range(n))", "f(4)")["verdict"] == "alike"
    assert compared(right, "def f(n):\n    return (k + k for k in range(n))", "f(4)")["verdict"] == "different"


def test_tables_are_compared_by_columns_and_rows_and_not_by_row_numbers(compared: Any) -> None:
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"]})
    right = "def f(t):\n    return t[t['a'] > 1].reset_index(drop=True)"
    alike = "def f(t):\n    return t[t['a'] > 1]"
    for other, verdict in ((alike, "alike"), (f"{alike}[['b']]", "different"), (f"{alike}[::-1]", "different")):
        assert compared(right, other, "f(t)", t=table)["verdict"] == verdict


def test_the_order_of_rows_counts_where_the_task_says_one(capsys: pytest.CaptureFixture[str]) -> None:
    pd = pytest.importorskip("pandas")
    right = "def f(t):\n    return t.sort_values('a')"
    namespace = {"t": pd.DataFrame({"a": [3, 1, 2], "b": ["x", "y", "z"]})}
    for has_order, verdict in ((True, "different"), (False, "alike"), (True, "different")):
        exec(right, namespace)
        probe.watch(namespace, ["f"])
        exec("f(t)", namespace)
        probe.compare(namespace, right, "def f(t):\n    return t", ["f"], 20, 0, has_order)
        assert json.loads(capsys.readouterr().out)["verdict"] == verdict


def test_letters_of_the_whole_alphabet_are_tried(compared: Any) -> None:
    right = "def f(text, n):\n    return [(ord(letter) - 97 + n) % 26 for letter in text]"
    assert compared(right, right.replace(" % 26", ""), "f('abc', 1)")["verdict"] == "different"


def test_functions_in_a_case_are_shown_as_they_can_be_copied() -> None:
    assert as_code(np.sin) == "np.sin"
    assert as_code(len) == "len"
    assert as_code(lambda x: x**2 + 1) == "lambda x: x ** 2 + 1"


def test_models_of_scikit_learn_are_compared_by_what_they_learned() -> None:
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    fitted = [preprocessing.StandardScaler().fit([[0.0], [x]]) for x in (1.0, 1.0, 2.0)]
    assert alike(plain(fitted[0]), plain(fitted[1]))
    assert not alike(plain(fitted[0]), plain(fitted[2]))


class Tensor:
    """Stands for a tensor of PyTorch: `detach` gives another tensor, and its dtype has the library's name before it."""

    def __init__(self, numbers: Any) -> None:
        self.array = np.asarray(numbers, np.float32)
        self.shape = self.array.shape

    dtype = "torch.float32"

    def detach(self) -> Tensor:
        return Tensor(self.array)

    def numpy(self) -> Any:
        return self.array

    def tolist(self) -> Any:
        return self.array.tolist()

    def min(self) -> Any:
        return self.array.min()

    def max(self) -> Any:
        return self.array.max()

    def size(self) -> Any:
        return self.shape

    def __mul__(self, other: Any) -> Tensor:
        return Tensor(self.array * getattr(other, "array", other))


def test_functions_of_tensors_are_compared(compared: Any) -> None:
    right, other = "def f(x):\n    return x * 2", "def f(x):\n    return x * 2 * (x.max() < 100)"
    assert (
        compared(right, right.replace("x * 2", "x * 4 * 0.5"), "f(Tensor([1, 2]))", Tensor=Tensor)["verdict"] == "alike"
    )
    different = compared(right, other, "f(Tensor([1, 2]))", Tensor=Tensor)
    assert different["verdict"] == "different", "large numbers are tried, too"
    assert different["why"].startswith("`f(np.array([")


def test_calls_with_large_tensors_are_no_examples(compared: Any) -> None:
    """A layer of a network may have been called with thousands of rows before a test called it with three."""
    large = "f(Tensor(np.zeros((500, 500))))"
    source = "def f(x):\n    return x * 2"
    assert (
        compared(source, source.replace("2", "3"), large, "f(Tensor([1, 2]))", Tensor=Tensor)["verdict"] == "different"
    )
