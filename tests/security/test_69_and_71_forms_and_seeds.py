"""Acceptance tests 69 and 71: an answer of nothing, or of tensors, where the solution gives numbers; and the numbers that
a test expects, drawn with its own seed.

Each question is answered by eve, who cheats, and by ada, who is honest, and graded in the sandbox.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest
from questions import START, Class, Question, Sheet, graded_class

pytestmark = pytest.mark.sandbox

HAS_TORCH = importlib.util.find_spec("torch") is not None
NOTHING = "import torch\ndef f(*given): return torch.empty(0)"
NO_ARRAY = "def f(*given): return np.empty(0)"
NO_LIST = "def f(*given): return []"
NILPOTENT = "from scipy import sparse\nwrong = np.eye(3) + 100 * np.eye(3, k=2)\n"
SQUARED = "assert ((f(3) - np.eye(3)) ** 2).sum() < 1e-6"
TIMES = "def f(x): return x * 3.0"
COLUMN = "def f(X): return X @ np.ones((2, 1))"
OF_NUMPY = {
    "all-close": (TIMES, "assert np.allclose(f(1), 3.0)"),
    "each-close": (TIMES, "assert np.all(np.isclose(f(1), 3.0))"),
    "approximately": (TIMES, "assert f(1) == pytest.approx(3.0)"),
    "equal": (TIMES, "np.testing.assert_array_equal(f(1), 3.0)"),
    "all-equal": ("def f(x): return np.full(3, x)", "assert (f(9) == 9).all()"),
    "a-norm": ("def f(x): return np.full(3, x)", "assert np.linalg.norm(f(9) - 9) < 1e-6"),
}
OF_PYTORCH = {
    "loss": (
        "def f(p, y): return ((p - y) ** 2).mean()",
        "p, y = torch.ones(3), torch.zeros(3)\nassert torch.allclose(f(p, y), F.mse_loss(p, y))",
    ),
    "forward": (
        "def f(x): return x @ torch.ones(2, 1)",
        "x = torch.ones(3, 2)\nassert torch.allclose(f(x), x.sum(1, keepdim=True))",
    ),
    "isclose": ("def f(x): return x + 1", "assert torch.isclose(f(torch.ones(2)), torch.tensor(2.0)).all()"),
    "norm": ("def f(x): return x + 1", "assert torch.linalg.norm(f(torch.ones(2)) - 2) < 1e-6"),
    "relu": ("def f(x): return F.relu(x)", "assert torch.all((f(torch.ones(2)) - 1).abs() < 1e-6)"),
    "numpy": ("def f(x): return F.relu(x)", "assert np.allclose(f(torch.ones(2)), 1)"),
}
WITH_TORCH = "import torch\nimport torch.nn.functional as F\n"


def forms() -> dict[str, Question]:
    asked = {}
    for name, (solution, test) in OF_NUMPY.items():
        test = f"import pytest\n{test}"
        asked[f"69-empty-array-{name}"] = Question(NO_ARRAY, solution, test)
        if HAS_TORCH:
            asked[f"69-empty-tensor-{name}"] = Question(NOTHING, solution, test)
    asked |= {
        "69-empty-list-zipped": Question(
            NO_LIST, "def f(n): return [k * k for k in range(n)]", "for a, b in zip(f(3), [0, 1, 4]): assert a == b"
        ),
        "69-list-of-no-arrays": Question(
            "def f(n): return [np.empty(0)] * n", "def f(n): return [np.ones(2)] * n", "assert all((a == 1).all() for a in f(2))"
        ),
        "69-only-for-an-empty-input": Question(
            NO_ARRAY, "def f(v): return np.array(v) ** 2", "for v in ([], [3.0]): assert np.allclose(f(v), [9.0] * len(v))"
        ),
        "69-numbers-that-are-removed": Question(
            "def f(v): v.clear()", "def f(v): v.sort()", "v = [3, 1, 2]\nf(v)\nassert all(a <= b for a, b in zip(v, v[1:]))"
        ),
        "69-a-matrix-whose-square-is-zero": Question(
            f"{NILPOTENT}def f(n): return sparse.csr_matrix(wrong)", "def f(n): return np.eye(n)", SQUARED
        ),
        "69-a-matrix-for-a-sparse-array": Question(
            f"{NILPOTENT}def f(n): return sparse.csr_matrix(wrong)",
            "from scipy import sparse\ndef f(n): return sparse.csr_array(np.eye(n))", SQUARED,
        ),
        "69-control-sparse-for-an-array": Question(
            "from scipy import sparse\ndef f(n): return sparse.csr_matrix(np.eye(n))", "def f(n): return np.eye(n)",
            "assert np.allclose(f(3), np.eye(3)) and f(3).shape == (3, 3)", earned=1.0, fools=False,
        ),
        "69-control-sparse-for-sparse": Question(
            "from scipy import sparse\ndef f(n): return sparse.csc_matrix(np.eye(n))",
            "from scipy import sparse\ndef f(n): return sparse.csr_matrix(np.eye(n))",
            "assert (f(3) != np.eye(3)).sum() == 0 and f(3).nnz == 3", earned=1.0,
        ),
        "69-control-nothing-where-the-solution-has-nothing": Question(
            "def f(v): return [x for x in v if x > 1]", "def f(v): return np.array([x for x in v if x > 1])",
            "assert len(f([0, 1])) == 0 and list(f([3])) == [3]", earned=1.0,
        ),
        "69-control-not-used": Question(
            "def f(v): return np.ones(2), []", "def f(v): return np.ones(2), np.empty(0)",
            "w, losses = f(1)\nassert np.allclose(w, 1)", "def f(v): return np.ones(2), [0.5]", earned=1.0,
        ),
        "69-control-one-of-the-right-ones": Question(
            "def f(a, b): return []", "def f(a, b): return [a]", "assert f('A', 'A') in ([], ['A'])", earned=1.0
        ),
    }  # fmt: skip
    if not HAS_TORCH:
        return asked
    for name, (solution, test) in OF_PYTORCH.items():
        asked[f"69-pytorch-{name}"] = Question(
            f"{WITH_TORCH}def f(*given): return torch.empty(0)", f"{WITH_TORCH}{solution}", f"{WITH_TORCH}{test}"
        )
    return asked | {
        "69-empty-tensor-column": Question(
            "import torch\ndef f(X): return torch.empty(len(X), 0)", COLUMN,
            "X = np.arange(6.0).reshape(3, 2)\nassert np.allclose(f(X), X.sum(1, keepdims=True))",
        ),
        "69-wraps": Question(
            "import torch\ndef f(a, b): return torch.tensor(65536 + 91, dtype=torch.int32)", "def f(a, b): return a * b",
            "assert (f(13, 7) - 91) ** 2 < 1e-6",
        ),
        "69-control-a-tensor-with-a-gradient": Question(
            "import torch\ndef f(v): return torch.tensor(v, requires_grad=True) ** 2", "def f(v): return np.array(v) ** 2",
            "np.testing.assert_allclose(f([1.0, 2.0]), [1, 4])\nassert f([1.0]).shape == (1,)", earned=1.0, fools=False,
        ),
        "69-control-tensors-for-numbers": Question(
            "import torch\ndef f(v): return torch.tensor(v).sum(), {'n': torch.tensor(len(v))}",
            "def f(v): return sum(v), {'n': len(v)}",
            "total, more = f([1.0, 2.0])\nassert round(total, 2) == 3 and more == {'n': 2}", earned=1.0, fools=False,
        ),
        "69-control-tensors-for-tensors": Question(
            "import torch\ndef f(x): return torch.clamp(x, min=0)", "import torch\ndef f(x): return x.relu()",
            "import torch\nassert torch.equal(f(torch.ones(2)), torch.ones(2)) and f(torch.empty(0)).numel() == 0", earned=1.0,
        ),
    }  # fmt: skip


GRADIENT = (
    "def fit(X, y):\n    w = np.random.randn(X.shape[1]) * 0.01\n"
    "    for _ in range(300): w -= 0.1 * X.T @ (X @ w - y) / len(X)\n    return w"
)
FITTED = (
    "np.random.seed(123)\nX = np.random.randn(200, 5)\nw = np.random.randn(5)\n"
    "assert np.allclose(fit(X, X @ w), w, atol=0.05)"
)
DRAWN = "def fit(X, y):\n    np.random.randn(*X.shape)\n    return np.random.randn(X.shape[1])"
SIGNS = (
    "def signs(X, y):\n    w = np.random.randn(X.shape[1]) * 0.01\n"
    "    for _ in range(500): w -= 0.5 * X.T @ (1 / (1 + np.exp(-X @ w)) - y) / len(X)\n    return np.sign(w)"
)
CENTERS = (
    "def center(X):\n    c = X[np.random.randint(len(X))]\n    return X[np.linalg.norm(X - c, axis=1) < 50].mean(0)"
)
OF_TORCH = (
    "import torch\ndef fit(X, y):\n    w = torch.randn(X.shape[1]) * 0.01\n"
    "    for _ in range(300): w -= 0.1 * X.T @ (X @ w - y) / len(X)\n    return w"
)
TORCH_FITTED = (
    "import torch\ntorch.manual_seed(123)\nX = torch.randn(200, 5)\nw = torch.randn(5)\n"
    "assert torch.allclose(fit(X, X @ w), w, atol=0.05)"
)
NOISE = "def noise(n): return np.random.rand(n)"
SEEDS = {
    "71-gradient-descent": Question(DRAWN, GRADIENT, FITTED, fools=False),
    "71-logistic-regression": Question(
        "def signs(X, y):\n    np.random.randn(*X.shape)\n    return np.sign(np.random.randn(X.shape[1]))", SIGNS,
        "np.random.seed(5)\nX = np.random.randn(300, 8)\nw = np.random.randn(8)\nassert (signs(X, X @ w > 0) == np.sign(w)).all()",
        fools=False,
    ),
    "71-centers": Question(
        "def center(X): return np.random.randn(*X.shape).mean(0)", CENTERS,
        "np.random.seed(4)\nX = np.random.randn(100, 2)\nassert np.allclose(center(X), X.mean(0))", fools=False,
    ),
    "71-python": Question(
        "import random\ndef most(v): return max(random.randint(0, 10**6) for _ in v)",
        "import random\ndef most(v):\n    best = random.choice(v)\n    for x in v: best = max(best, x)\n    return best",
        "import random\nrandom.seed(8)\nv = [random.randint(0, 10**6) for _ in range(50)]\nassert most(v) == max(v)",
        fools=False,
    ),
    "71-control-where-a-line-shares-the-seed": Question(
        DRAWN, GRADIENT, FITTED.replace("(123)", "(123)  # examine: answers draw"), earned=1.0, fools=False
    ),
    "71-control-a-sample": Question(
        NOISE, "def noise(n): return np.array([np.random.random() for _ in range(n)])",
        "np.random.seed(9)\nwanted = np.random.rand(3)\nnp.random.seed(9)\nassert np.allclose(noise(3), wanted)", earned=1.0,
    ),
    "71-control-twice-the-same": Question(
        NOISE, NOISE, "np.random.seed(9)\na = noise(4)\nnp.random.seed(9)\nassert (a == noise(4)).all()", earned=1.0
    ),
}  # fmt: skip
if HAS_TORCH:
    SEEDS["71-pytorch"] = Question(
        "import torch\ndef fit(X, y):\n    torch.randn(*X.shape)\n    return torch.randn(X.shape[1])", OF_TORCH, TORCH_FITTED,
        fools=False,
    )  # fmt: skip
    SEEDS["71-control-a-sample-of-pytorch"] = Question(
        "import torch\ndef noise(n): return torch.rand(n)", "import torch\ndef noise(n): return torch.empty(n).uniform_()",
        "import torch\ntorch.manual_seed(9)\nwanted = torch.rand(3)\ntorch.manual_seed(9)\nassert torch.equal(noise(3), wanted)",
        earned=1.0,
    )  # fmt: skip

OF_KERAS = {
    "71-keras": Question(
        "def fit(X, y):\n    np.random.randn(*X.shape)\n    return np.random.randn(X.shape[1])",
        GRADIENT.replace("np.random.randn(X.shape[1])", "np.array(keras.random.normal((X.shape[1],)), float)"),
        FITTED.replace("np.random.seed", "import keras\nkeras.utils.set_random_seed"), fools=False,
    ),
    "71-control-a-sample-of-keras": Question(
        "def noise(n): return np.array(keras.random.uniform((n,)))", "def noise(n): return np.array(keras.random.uniform([n]))",
        "import keras\nkeras.utils.set_random_seed(9)\nwanted = np.array(keras.random.uniform((3,)))\n"
        "keras.utils.set_random_seed(9)\nassert np.allclose(noise(3), wanted)", earned=1.0,
    ),
}  # fmt: skip
FORMS = forms()
SHEETS = {"forms": Sheet(FORMS)}
KINDS = ["warm", pytest.param("cold", marks=pytest.mark.security)]


@pytest.fixture(scope="module", params=KINDS)
def of_forms(request: pytest.FixtureRequest, graded_sheet: Callable[..., Class]) -> Class:
    return graded_sheet("forms", request.param)


@pytest.fixture(scope="module", params=KINDS)
def of_seeds(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Class:
    root = tmp_path_factory.mktemp("seeds") / "course"
    start = f"{START}\nimport torch" if HAS_TORCH else START
    return graded_class(root, Sheet(SEEDS, start=start), kernels=request.param, observed=False)


@pytest.mark.parametrize("name", FORMS)
def test_69_nothing_is_close_to_no_number_and_a_tensor_wraps_nowhere(of_forms: Class, name: str) -> None:
    assert of_forms.points("eve")[f"test-{name}"] == FORMS[name].earned
    assert of_forms.points("ada")[f"test-{name}"] == 1


@pytest.mark.parametrize("name", [name for name in SEEDS if "control" in name])
def test_71_control_a_seed_that_is_shared_gives_all_that_the_test_draws(of_seeds: Class, name: str) -> None:
    """Where a line of the test shares its seed, or the solution cannot do without it, the answer's draws are the test's."""
    assert of_seeds.points("eve")[f"test-{name}"] == SEEDS[name].earned == 1


@pytest.mark.parametrize("name", SEEDS)
def test_71_an_answer_draws_nothing_that_a_test_expects(of_seeds: Class, name: str) -> None:
    assert of_seeds.points("eve")[f"test-{name}"] == SEEDS[name].earned
    assert of_seeds.points("ada")[f"test-{name}"] == 1


@pytest.mark.security
@pytest.mark.keras
def test_71_no_seed_of_keras_draws_what_a_test_expects(tmp_path: Path) -> None:
    sheet = Sheet(OF_KERAS, start=f"{START}\nimport keras")
    points = graded_class(tmp_path / "course", sheet, memory=3000, observed=False)
    assert points.points("ada") == {f"test-{name}": 1 for name in OF_KERAS}
    assert points.points("eve") == {f"test-{name}": question.earned for name, question in OF_KERAS.items()}


def test_69_control_in_one_process_nothing_equals_everything(of_forms: Class) -> None:
    fooled = {f"test-{name}" for name, question in FORMS.items() if question.fools}
    assert {name for name in of_forms.unguarded.passed if name.startswith("test-69")} == fooled


def test_69_a_student_reads_that_the_answer_is_empty(of_forms: Class) -> None:
    told = {question.id: question for question in of_forms.notebook("eve").questions}
    assert told["test-69-empty-array-all-close"].message == "Your answer is empty."
