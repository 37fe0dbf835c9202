"""Functions of a notebook in another process: what goes with them, what comes back, and what is said when it cannot."""

from __future__ import annotations

import importlib
import itertools
import linecache
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from helpers.kernels import InProcessKernel

from autograder import check, codec
from autograder.codec import encode
from autograder.errors import CourseError, RemoteError
from autograder.examiner.remote.proxy import Remote
from autograder.extensions.backends import backends as module
from autograder.extensions.backends.kernel_side import backend_process, portable_function
from autograder.extensions.backends.kernel_side.portable_function import ElsewhereError, collect, rebuild

IN_KERNEL = importlib.import_module("_kernel_agent.extensions.backends.kernel_side.backend_process")
_numbers = itertools.count(1)


def notebook(*cells: str, namespace: dict[str, Any] | None = None) -> dict[str, Any]:
    """The names of a notebook after its cells; as in IPython, Python knows their source."""
    namespace = {"__name__": "__main__"} if namespace is None else namespace
    for cell in cells:
        file = f"<cell {next(_numbers)}>"
        linecache.cache[file] = (len(cell), None, cell.splitlines(True), file)
        exec(compile(cell, file, "exec"), namespace)
    return namespace


@pytest.fixture(autouse=True)
def _keeps_main(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


def there(function: Any, *args: Any) -> Any:
    """Carry a function to an empty namespace and call it, all in this process."""
    steps = codec.decode(*encode(collect(function)))
    return rebuild(steps)(*args)


# --- what goes along ---------------------------------------------------------------------------------

DECORATED = """\
import functools

def twice(g):
    @functools.wraps(g)
    def wrapped(x):
        return 2 * g(x)
    return wrapped

@twice
def f(x):
    return x + 1
"""
CLASSES = """\
class A:
    def twice(self, x):
        return 2 * x

class B(A):
    def f(self, x):
        return self.twice(x) + ONE

ONE = 1

def f(x):
    return B().f(x)
"""
INNER = """\
def make(c):
    def inner(x):
        text = '''
flush left'''
        return c * x + len(text)
    return inner

f = make(4)
"""


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["def f(x):\n    return x + 1"], 4),
        (["f = lambda x: x + 1"], 4),
        (["A = 2", "def f(x):\n    return x + A"], 5),
        (["def g(x):\n    return 2 * x", "def f(x):\n    return g(x) + g(1)"], 8),
        (["def f(n):\n    return n * f(n - 1) if n else 1"], 6),
        (["def even(n):\n    return n == 0 or odd(n - 1)", "def odd(n):\n    return n and even(n - 1)", "f = even"], 0),
        (["def g(x):\n    return x * 5", "h = g", "def f(x):\n    return h(x) + g(x)"], 30),
        (["import math", "def f(x):\n    return math.floor(x + math.pi)"], 6),
        (["from math import floor as down", "def f(x):\n    return down(x + 0.5)"], 3),
        (["from numpy import exp", "def f(x):\n    return float(exp(0 * x))"], 1.0),
        (["import numpy as np", "W = np.arange(3)", "def f(x):\n    return int((x * W).sum())"], 9),
        (["START = 7", "def f(x, start=START):\n    return x + start"], 10),
        (["import types", "def f(x: types.Any) -> int:\n    return x"][1:], 3),
        (["def f(x):\n    return [y + x for y in range(2)]"], [3, 4]),
        ([CLASSES], 7),
        ([DECORATED], 8),
        ([INNER], 23),
    ],
)
def test_a_function_takes_along_what_it_uses(cells: list[str], expected: Any) -> None:
    if "types.Any" in cells[0]:
        cells = ["from __future__ import annotations\n" + cells[0]]
    function = notebook(*cells)["f"]
    assert function(3) == expected
    assert there(function, 3) == expected


def test_what_a_name_stands_for_is_carried_as_it_is_now() -> None:
    assert there(notebook("A = 1", "def f():\n    return A", "A = 2")["f"]) == 2


def test_nothing_is_carried_that_the_function_does_not_use() -> None:
    names = notebook("SECRET = 3", "import os", "def g():\n    return 1", "def f():\n    return g()")
    assert [step[1] for step in collect(names["f"])] == [["g"], [portable_function.TARGET]]


SHADOWED = """\
def make(g):
    c = 2
    def inner():
        return c + g()
    return inner

c = 1

def g():
    return c

f = make(g)
"""


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "import threading\nlock = threading.Lock()\ndef f():\n    return lock",
            "`lock` cannot .* is a lock, which is no plain value. Make it inside",
        ),
        ("class A:\n    def g(self): ...\na = A()\ndef f():\n    return a", "`a` cannot .* is a A"),
        ("import functools\nf = functools.partial(int, 3)", "this function cannot .* is a partial"),
        ("f = [lambda: 1][0]", "lambda within a larger statement"),
        ("class A:\n    x = 1\ndef f():\n    return A.x", "`A` cannot .* no source text here. Define it with def"),
        ("exec('def f(): return 1')", "this function cannot .* no source text"),
        (SHADOWED, "`c` cannot .* two different things .* Rename one"),
    ],
)
def test_what_can_not_go_is_named_with_what_to_do(source: str, message: str) -> None:
    with pytest.raises(ElsewhereError, match=message) as caught:
        collect(notebook(source)["f"])
    assert caught.value.code == "carry"


def test_another_backends_library_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", type(sys)("tensorflow"))
    f = notebook("import tensorflow as tf", "def f(x):\n    return tf.exp(x)")["f"]
    assert collect(f, "tensorflow")
    with pytest.raises(ElsewhereError, match=r"`tf` .* belongs to tensorflow, .* jax is the backend. Use keras.ops"):
        collect(f, "jax")


# --- the other process -------------------------------------------------------------------------------


@pytest.fixture
def _any_backend(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Torch counts as installed, and as not yet imported: dummy functions need no Keras."""
    for probe in {backend_process, IN_KERNEL}:  # the package's, and the one that the in-process kernel uses
        monkeypatch.setattr(probe, "_backend_here", lambda: "")
    monkeypatch.setattr(backend_process.importlib.util, "find_spec", lambda name: object())
    yield
    for probe in {backend_process, IN_KERNEL}:
        for child in probe._children.values():
            child.end()


@pytest.mark.integration
@pytest.mark.usefixtures("_any_backend")
class TestTheOtherProcess:
    def test_it_is_another_one_that_has_the_backend_and_stays(self, capsys) -> None:
        source = "import os\ndef f():\n    print('hello')\n    return os.getpid(), os.environ['KERAS_BACKEND']"
        f = notebook(source)["f"]
        first, backend = backend_process.call(f, "torch")
        assert first != os.getpid()
        assert backend == "torch"
        assert backend_process.call(f, "torch")[0] == first
        assert capsys.readouterr().out == "hello\nhello\n"

    def test_each_call_has_a_namespace_of_its_own(self) -> None:
        f = notebook("A = []\ndef f():\n    A.append(1)\n    return len(A)")["f"]
        assert [backend_process.call(f, "torch"), backend_process.call(f, "torch")] == [1, 1]

    def test_arguments_and_results_travel_by_value(self) -> None:
        f = notebook("def f(x, *, k):\n    x += 1\n    return {'x': x, 'both': (x.sum(), [k])}")["f"]
        x = np.zeros((2, 3), np.float32)
        result = backend_process.call(f, "torch", (x,), {"k": "é"})
        assert result["x"].tolist() == [[1.0] * 3] * 2
        assert result["both"] == (6.0, ["é"])
        assert x.max() == 0

    def test_an_exception_comes_back_with_the_notebooks_line(self) -> None:
        source = "class Odd(ValueError):\n    def why(self): ...\ndef f(x):\n    raise Odd('no')"
        with pytest.raises(ValueError, match=r"^no$") as caught:
            backend_process.call(notebook(source)["f"], "torch", (1,))
        assert "raise Odd('no')" in str(caught.value.__cause__)

    @pytest.mark.parametrize(
        ("body", "kind", "message"),
        [
            ("import sys; sys.exit(3)", RuntimeError, "SystemExit"),
            ("import jax", ModuleNotFoundError, "No module named 'jax'"),
            ("return input()", EOFError, "EOF"),
            ("return object()", ElsewhereError, "cannot come back: an object cannot be copied to another process"),
            ("import os; os.write(2, b'last words'); os._exit(3)", ElsewhereError, "(?s)ended during.*last words"),
            ("while True: pass", ElsewhereError, "took longer than 1 s on torch"),
        ],
    )
    def test_every_end_has_an_exception(self, body: str, kind: type[Exception], message: str) -> None:
        names = notebook(f"def f():\n    {body}", "def g():\n    return 1")
        backend_process.call(names["g"], "torch")
        with pytest.raises(kind, match=message):
            backend_process.call(names["f"], "torch", seconds=1)
        assert backend_process.call(names["g"], "torch") == 1

    @pytest.mark.slow
    def test_an_interrupt_ends_the_call_and_its_process(self) -> None:
        names = notebook("def f():\n    while True: pass", "import os\ndef g():\n    return os.getpid()")
        before = backend_process.call(names["g"], "torch")
        timer = threading.Timer(0.5, signal.raise_signal, [signal.SIGINT])
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            backend_process.call(names["f"], "torch", seconds=20)
        assert backend_process.call(names["g"], "torch") != before

    def test_an_argument_that_is_not_plain_is_refused(self) -> None:
        f = notebook("def f(x):\n    return x")["f"]
        with pytest.raises(ElsewhereError, match="an argument cannot be given: an object cannot be copied"):
            backend_process.call(f, "torch", (object(),))


def test_the_other_process_has_as_many_threads_as_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
    settings = backend_process.environment("jax")
    assert [settings[k] for k in ("KERAS_BACKEND", "NPROC", "TF_CPP_MIN_LOG_LEVEL")] == ["jax", "3", "0"]
    assert set(os.environ) <= set(settings)


def test_a_backend_that_is_missing_is_said_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend_process.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ElsewhereError, match=r"jax is not installed here: `pip install jax`"):
        backend_process.call(notebook("def f():\n    return 1")["f"], "jax")
    with pytest.raises(ValueError, match="'theano' is no backend of Keras"):
        backend_process.call(len, "theano")
    with pytest.raises(CourseError, match="jax is not installed here"):
        check.on_backend(len, "jax")
    with pytest.raises(CourseError, match="no backend 'theano'"):
        check.on_backend(len, "theano")


def test_backends_are_found_without_importing_them(monkeypatch: pytest.MonkeyPatch) -> None:
    find = {"tensorflow": object(), "jax": None, "torch": object()}
    monkeypatch.setattr(importlib_util(), "find_spec", find.get)
    before = set(sys.modules)
    assert check.backends() == ("tensorflow", "torch")
    assert set(sys.modules) == before


def importlib_util() -> Any:
    return module.importlib.util


# --- in the examiner ---------------------------------------------------------------------------------


class Kernel(InProcessKernel):
    """The same agent, with cells whose source Python knows, as IPython's."""

    def run(self, source: str, seconds: float) -> Any:
        return notebook(source, namespace=self.namespace)


def remote_function(kernel: Any, *cells: str) -> Any:
    """The examiner's object for the name f after some cells."""
    for cell in cells:
        kernel.run(cell, 10)
    remote = Remote(kernel)
    number, _ = remote.ask("snapshot")
    _, text, buffers = remote.ask("fetch", number, ["f"])["f"]
    return codec.decode(text, buffers, remote.stand_in)


@pytest.mark.integration
@pytest.mark.usefixtures("_any_backend")
class TestInTheExaminer:
    def test_a_students_function_is_called_through_the_kernel(self) -> None:
        source = "import os\ndef f(x):\n    return os.environ['KERAS_BACKEND'], x * 2"
        f = check.on_backend(remote_function(Kernel(), source), "torch")
        with check.recording() as results:
            check.function(f, [(3, ("torch", 6)), (np.ones(2), ("torch", np.full(2, 2.0)))])
        assert results[0].fraction == 1

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ("raise ValueError('the argument was 4711')", "raises ValueError"),
            ("return lock", "uses something that cannot go to another process"),
            ("return object()", "returns something other than tensors"),
            ("import os; os._exit(1)", "ended its process on the backend torch"),
            ("while True: pass", "took longer than 1 s on the backend torch"),
        ],
    )
    def test_a_failure_is_said_in_the_examiners_words(self, body: str, message: str) -> None:
        f = remote_function(Kernel(), "import threading\nlock = threading.Lock()", f"def f(x):\n    {body}")
        with check.recording() as results:
            check.function(check.on_backend(f, "torch", seconds=1), [(4711, 1)])
        assert message in results[0].message
        assert "4711" not in results[0].message

    @pytest.mark.parametrize(
        "answer", [3, ("value",), ("value", 1, 2), ("failed", "nonsense", ""), ("failed", [], ""), None]
    )
    def test_an_answer_that_is_none_is_no_result(self, answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        f = remote_function(Kernel(), "def f(x):\n    return x")
        monkeypatch.setattr(sys.modules["_kernel_agent.kernel.server"].Server, "elsewhere", lambda *_: answer)
        with pytest.raises(RemoteError, match="an answer that cannot be read"):
            check.on_backend(f, "torch")(1)

    def test_it_runs_no_function_of_the_tests_own(self) -> None:
        with check.recording():
            with pytest.raises(CourseError, match="functions of the student's"):
                check.on_backend(lambda: 1, "torch")
            with pytest.raises(TypeError, match="this is not a function"):
                check.on_backend(3, "torch")


# --- with Keras, and in the sandbox ------------------------------------------------------------------

SOFTMAX = """\
import keras
import numpy as np
from keras import ops

class Regression(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(2, activation="softmax")

    def call(self, x):
        return self.dense(x)

def f(x):
    model = Regression()
    model.compile("sgd", "sparse_categorical_crossentropy")
    losses = model.fit(x, np.arange(len(x)) % 2, epochs=2, verbose=0).history["loss"]
    return keras.config.backend(), ops.softmax(x), model.dense.kernel, len(losses)
"""


@pytest.mark.keras
@pytest.mark.slow
def test_a_model_is_trained_on_jax() -> None:
    pytest.importorskip("jax")
    x = np.array([[0.0, 0.0], [0.0, np.log(3)]], np.float32)
    try:
        backend, p, kernel, epochs = backend_process.call(notebook(SOFTMAX)["f"], "jax", (x,), seconds=120)
    finally:
        for child in backend_process._children.values():
            child.end()
    assert (backend, epochs, kernel.shape) == ("jax", 2, (2, 2))
    assert np.allclose(p, [[0.5, 0.5], [0.25, 0.75]])


@pytest.mark.sandbox
def test_a_kernel_in_the_sandbox_can_start_the_other_process() -> None:
    from autograder.execution.own_kernel import sandboxed_kernel
    from autograder.records.limits import Limits
    from autograder.sandbox import default_sandbox

    if not check.backends():
        pytest.skip("no backend is installed")
    limits = Limits(cell_seconds=20, notebook_seconds=60, memory_mib=1024, processes=64, disk_mib=32, output_mib=8)
    kernel = sandboxed_kernel(default_sandbox(None), {}, limits)
    try:
        f = remote_function(
            kernel,
            "import os\nclass A:\n    def pid(self):\n        return os.getpid()\nhere = os.getpid()",
            "def f(x):\n    return os.environ['KERAS_BACKEND'], A().pid() == here, x",
        )
        backend = check.backends()[0]
        assert check.on_backend(f, backend)(5) == (backend, False, 5)
    finally:
        kernel.close()
