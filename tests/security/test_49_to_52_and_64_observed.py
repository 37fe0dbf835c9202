"""Acceptance tests 49 to 52 and 64: what an answer may do because some solution does it somewhere.

Each question is answered by eve, who cheats, and by ada, who is honest, and graded in the sandbox.
"""

from __future__ import annotations

import pytest
from questions import Class, Question, Sheet, graded_class

pytestmark = pytest.mark.sandbox

DATA = "data = check.hidden_data('holdout.npz')\nX, y = data['X'], data['y']\n"
Y = "def accuracy(guess):\n    return (guess == y).mean()"
LOOKS = f"y = np.zeros(6)\n{Y}\ndef predict(X):\n    return globals()['y'][:len(X)]"
THINKS = f"y = np.zeros(6)\n{Y}\ndef predict(X):\n    return np.array([0, 1, 1, 0, 1, 0])[:len(X)]"
FIT = (
    "class Line:\n    def fit(self, X, y):\n        self.w = np.linalg.lstsq(X, y, rcond=None)[0]\n        return self"
)
SPOILS = "class Line:\n    def fit(self, X, y):\n        y[:] = 0\n        X[:] = 0\n        self.w = np.zeros(X.shape[1])\n        return self"
PREDICTS = "\n    def predict(self, X):\n        return X @ self.w"
CENTER = "def center(X):\n    X -= X.mean(axis=0)"
WEIGHTS = "np.random.seed(123)\nw = np.random.randn(3)\nX = np.random.randn(20, 3)\nfound = weights(X, X @ w)\n"
HALF = (
    "def whole(x): return int(x)\nhalf = 0.5\nbyte = 8\nf1, i1 = 0.9, 3\ncodes = ['a']\ndef load_data(): return codes"
)
FILL = "def {0}(a, b):\n    with open(a) as f: text = f.read()\n    with open(b, 'w') as f: f.write(text.upper())"
EMPTY = "def {0}(a, b):\n    for path in (a, b): open(path, 'w').close()"
FILLED = (
    "for i in range(3):\n    with open(f'in_{i}.txt', 'w') as f: f.write('abc' * (i + 2))\n    BEFORE\n"
    "    CALL(f'in_{i}.txt', f'out_{i}.txt')\n"
    "    with open(f'in_{i}.txt') as a, open(f'out_{i}.txt') as b: assert a.read().upper() == b.read()"
)
SHOUT = (
    "def shout(path):\n    with open(path) as f: text = f.read()\n    with open(path, 'w') as f: f.write(text.upper())"
)

QUESTIONS = {
    "49-looks-labels-up": Question(LOOKS, THINKS, f"{DATA}accuracy(np.zeros(6))\nassert (predict(X) == y).all()"),
    "49-under-a-check": Question(
        LOOKS, THINKS, f"{DATA}accuracy(np.zeros(6))\ny = np.array(y)\nassert np.mean(predict(X) == y) == 1.0"
    ),
    "49-control-reads-a-limit": Question(
        "def clipped(x): return min(x, limit)", "def clipped(x): return min(x, limit)",
        "limit = 3\nassert clipped(9) == 3\nlimit = 4\nassert clipped(9) == 4", earned=1.0,
    ),
    "50-rewrites-labels": Question(
        SPOILS + PREDICTS, FIT + PREDICTS,
        "rng = np.random.default_rng(0)\nX = rng.normal(size=(20, 2))\ny = X @ [2.0, 1.0]\nm = Line()\nm.fit(X, y)\n"
        "assert np.allclose(m.predict(X), y)",
    ),
    "50-control-centers": Question(
        CENTER, CENTER, "X = np.arange(6.0).reshape(3, 2)\ncenter(X)\nassert np.allclose(X.mean(axis=0), 0)", earned=1.0
    ),
    "51-draws-what-is-expected": Question(
        "def weights(X, y): return np.random.randn(3)",
        "def weights(X, y): return np.linalg.lstsq(X, y, rcond=None)[0]", f"{WEIGHTS}assert np.allclose(found, w)",
        fools=False,
    ),
    "51-seeds-of-many": Question(
        "def weights(X, y):\n    import random\n    return [random.random() for _ in range(3)]",
        "def weights(X, y): return list(y[:3])",
        "import random\nrandom.seed(5)\nw = [random.random() for _ in range(3)]\nrandom.seed(5)\nassert weights(None, w) == w",
    ),
    "51-control-draws": Question(
        "def noise(n): return np.random.rand(n)", "def noise(n): return np.random.rand(n)",
        "np.random.seed(9)\na = noise(4)\nnp.random.seed(9)\nassert (a == noise(4)).all() and len(set(a)) == 4", earned=1.0,
    ),
    "52-words-allow-nothing": Question(
        f"{HALF}\ndef total(x): return np.float16('inf')", f"{HALF}\ndef total(x): return 100_000 + x",
        "assert total(7) == 100_007 and half == 0.5 and byte == 8 and f1 > i1 / 4 and load_data() == codes",
    ),
    "52-wraps": Question(
        "def sixteen(): return np.uint8(0)", "def sixteen(): return 16",
        "short, half = 16, 8\nassert (sixteen() - short) ** 2 == 0",
    ),
    "52-control-a-picture": Question(
        "def gray(n): return np.full((n, n), 128, np.uint8)", "def gray(n): return np.full((n, n), 128, np.uint8)",
        "assert gray(2).dtype == np.uint8 and gray(2).sum() == 512", earned=1.0,
    ),
    "64-empties-both": Question(
        EMPTY.format("convert"), FILL.format("convert"), FILLED.replace("CALL", "convert").replace("BEFORE", "pass")
    ),
    "64-empties-both-that-the-test-made": Question(
        EMPTY.format("fill"), FILL.format("fill"),
        FILLED.replace("CALL", "fill").replace("BEFORE", "open(f'out_{i}.txt', 'w').close()"),
    ),
    "64-control-in-place": Question(
        SHOUT, SHOUT,
        "for i in range(3):\n    with open(f'text_{i}.txt', 'w') as f: f.write('abc')\n    shout(f'text_{i}.txt')\n"
        "    with open(f'text_{i}.txt') as f: assert f.read() == 'ABC'", earned=1.0,
    ),
}  # fmt: skip


@pytest.fixture(scope="module", params=["warm", pytest.param("cold", marks=pytest.mark.security)])
def points(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Class:
    root = tmp_path_factory.mktemp("observed") / "course"
    return graded_class(root, Sheet(QUESTIONS), kernels=request.param, observed=False)


def of(number: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", [name for name in QUESTIONS if name.startswith(number)])


def worth_its_work(points: Class, name: str) -> None:
    assert points.points("eve")[f"test-{name}"] == QUESTIONS[name].earned
    assert points.points("ada")[f"test-{name}"] == 1


@of("49")
def test_49_a_name_that_some_function_reads_carries_no_hidden_labels(points: Class, name: str) -> None:
    worth_its_work(points, name)


@of("50")
def test_50_a_call_that_is_a_statement_rewrites_no_labels(points: Class, name: str) -> None:
    worth_its_work(points, name)


@of("51")
def test_51_a_seed_of_a_test_draws_nothing_for_an_answer(points: Class, name: str) -> None:
    worth_its_work(points, name)


@of("52")
def test_52_a_word_of_the_exam_allows_no_narrow_numbers(points: Class, name: str) -> None:
    worth_its_work(points, name)


@of("64")
def test_64_a_call_empties_no_file_that_the_test_compares_with(points: Class, name: str) -> None:
    worth_its_work(points, name)


def passes_in_one_process(points: Class, number: str) -> None:
    fooled = {f"test-{n}" for n, one in QUESTIONS.items() if n.startswith(number) and (one.fools or one.earned)}
    assert {name for name in points.unguarded.passed if name.startswith(f"test-{number}")} == fooled


def test_49_control_in_one_process_labels_are_looked_up(points: Class) -> None:
    passes_in_one_process(points, "49")


def test_50_control_in_one_process_labels_are_rewritten(points: Class) -> None:
    passes_in_one_process(points, "50")


def test_51_control_in_one_process_the_seed_is_shared(points: Class) -> None:
    passes_in_one_process(points, "51")


def test_52_control_in_one_process_few_bits_equal_what_they_should_not(points: Class) -> None:
    passes_in_one_process(points, "52")


def test_64_control_in_one_process_an_empty_file_equals_another(points: Class) -> None:
    passes_in_one_process(points, "64")
