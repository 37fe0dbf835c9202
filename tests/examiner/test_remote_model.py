"""Models that stay in the kernel: they get inputs and nothing else, and what they say of themselves is a claim."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from helpers.clock import PATIENCE_SECONDS
from helpers.exams import composed_of, exam_of
from helpers.kernels import InProcessKernel, remote_after
from helpers.limits import fork
from helpers.remote_models import RNG, X, Y, answer, answers, message_of, recorded

from autograder import check
from autograder.codec import Packed, Reference, decode
from autograder.examiner.exam_run import ExamRun
from autograder.examiner.namespace import Answers
from autograder.examiner.remote.model import RemoteModel, refused_model
from autograder.examiner.remote.proxy import Remote, RemoteObject
from autograder.execution.capture import Captured
from autograder.execution.notebook_run import execute
from autograder.extensions.networks import subject
from autograder.extensions.networks.external_predictions import predict_external
from autograder.extensions.networks.prediction import predictions
from autograder.extensions.networks.rows import secret_order
from autograder.models import rebuild
from autograder.records.checks import is_undecided
from autograder.records.exam import Role
from autograder.records.limits import Limits
from autograder.syntax.names import needs, vocabulary

SORTED = np.argsort(Y, kind="stable")
BLOBS = f"import numpy as np\nX = np.array({X[:150].round(3).tolist()})\ny = np.array({Y[:150].tolist()})\n"


# --- functions and objects of the student's own ------------------------------------------------------

PREDICT = "import numpy as np\ndef model(X):\n    e = np.exp(np.stack([-X[:, 0], X[:, 0], X[:, 2]], 1))\n"


@pytest.mark.parametrize(
    "source",
    [
        PREDICT + "    return e / e.sum(1, keepdims=True)",
        PREDICT + "    return (e / e.sum(1, keepdims=True)).tolist()",
        PREDICT + "    return list(e / e.sum(1, keepdims=True))",
        PREDICT + "    return [e / e.sum(1, keepdims=True)]",
        PREDICT + "    return {'p': (e / e.sum(1, keepdims=True)).astype('float32')}",
        PREDICT.replace("def", "class M:\n  def").replace("model(", "predict(self, ").replace("\n    e", "\n      e")
        + "      return e / e.sum(1, keepdims=True)\nmodel = M()",
        PREDICT.replace("model", "f") + "    return e / e.sum(1, keepdims=True)\nmodel = lambda X: f(X)",
    ],
)
def test_a_function_that_predicts_is_measured_like_a_model(source: str) -> None:
    scores = np.stack([-X[:, 0], X[:, 0], X[:, 2]], 1)
    right = (scores.argmax(1) == Y).mean()
    model = answer(source)
    assert check.accuracy(model, on=(X, Y), above=0).evidence["accuracy"] == pytest.approx(right)
    probabilities = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    loss = -np.log(probabilities[np.arange(300), Y]).mean()
    assert check.loss(model, on=(X, Y), below=9).evidence["loss"] == pytest.approx(loss, rel=1e-6)


@pytest.mark.parametrize(
    ("source", "labels"),
    [
        ("def model(X): return (X[:, 0] > 0).astype(int) * 2", Y),
        ("def model(X): return (X[:, 0] > 0) * 2.0", Y),
        ("def model(X): return [2 * int(x > 0) for x in X[:, 0]]", np.eye(3)[Y]),
        ("def model(X): return (X[:, 0] > 0)[:, None].astype('uint8') * 2", Y),
    ],
)
def test_an_accuracy_can_be_that_of_classes(source: str, labels: Any) -> None:
    right = (np.where(X[:, 0] > 0, 2, 0) == Y).mean()
    assert check.accuracy(answer(source), on=(X, labels), above=0).evidence["accuracy"] == pytest.approx(right)


def test_an_accuracy_of_two_classes_is_of_probabilities_or_of_classes() -> None:
    labels = (Y > 0).astype(int)
    right = ((X[:, 0] > 0) == labels).mean()
    for result in ("X[:, 0] > 0", "(X[:, 0] > 0) * 1", "(X[:, 0] > 0) * 0.5 + 0.25", "(X[:, :1] > 0) * 1.0"):
        found = check.accuracy(answer(f"def model(X): return {result}"), on=(X, labels), above=0)
        assert found.evidence["accuracy"] == pytest.approx(right), result


def test_of_scores_that_come_from_the_kernel_an_accuracy_does_not_say_that_they_are() -> None:
    """Their code has seen the rows: it could tell of them by what its outputs are."""
    result = check.accuracy(answer("def model(X): return 9 * X[:, :3]"), on=(X, Y), above=0)
    assert f"on 300 rows, {subject.IN_KERNEL}; full credit" in result.message


def test_a_function_of_the_tests_own_may_stand_before_the_students() -> None:
    f = answer("def model(X, w): return X @ w")
    outputs = predictions(lambda rows: f(rows, np.ones((4, 2))), X)
    np.testing.assert_allclose(outputs, np.repeat(X.sum(1, keepdims=True), 2, 1))


def test_several_inputs_go_by_place_or_by_name() -> None:
    np.testing.assert_allclose(predictions(answer("def model(given): return given[0] + given[1]"), [X, X]), 2 * X)
    by_name = answer("def model(given): return given['a'] - given['b']")
    np.testing.assert_allclose(predictions(by_name, {"a": X, "b": 2 * X}), -X)


def test_a_frame_stays_a_frame() -> None:
    pd: Any = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=list("abcd"))
    np.testing.assert_allclose(
        predictions(answer("def model(frame): return frame['a'] - frame['d']"), frame), X[:, 0] - X[:, 3]
    )
    texts = pd.DataFrame({"word": ["a", "bb", "ccc"] * 5})
    by_length = predictions(answer("def model(frame): return frame[['word']].map(len)"), texts)
    np.testing.assert_allclose(by_length[:, 0], [1, 2, 3] * 5)


def test_a_function_that_computes_in_float32_gets_float32() -> None:
    strict = "def model(X):\n    if X.dtype != 'float32': raise TypeError('not float32')\n    return X"
    np.testing.assert_allclose(predictions(answer(strict), X), X, rtol=1e-6)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def model(X): return X[:7]", "one output row for each input row"),
        ("def model(X): return 0.5", "one output row for each input row"),
        ("def model(X): return None", "not give an array|input row"),
        ("def model(X): return object()", "not give an array|input row"),
        ("def model(X): return ['a'] * len(X)", "texts instead of numbers"),
        ("def model(X): return X * 1j", "its numbers are complex"),
        ("def model(X): return [X, X]", "exactly one output"),
        (
            "def model(X): return X[:, :len(X) % 3 + 1]",
            "different shapes|does not give probabilities|has the shape|the expected shape",
        ),
        ("def model(X): raise KeyError(X[0, 0])", r"does not accept rows of the shape \(4,\): KeyError"),
        ("def model(X): raise SystemExit", "does not accept rows"),
        ("def model(X): return X[:, :3] * float('nan')", "NaN or infinite"),
        ("def model(X): return X[:, :3] + float('inf')", "NaN or infinite"),
        ("import numpy as np\ndef model(X): return np.zeros((len(X), 200_000), 'b')", "more numbers than"),
        ("model = 3.5j", "not a model"),
        ("class M:\n    def predict(self, X): return X\nmodel = M", "a class, not a model"),
        ("model = object()", "not a model"),
        ("class M:\n    predict = 3\nmodel = M()", "not a model"),
    ],
)
def test_what_gives_no_predictions_fails_with_the_reason(source: str, message: str) -> None:
    import re

    model = answer(source)
    for make in (
        lambda: check.loss(model, on=(X, Y), below=9),
        lambda: check.accuracy(model, on=(X, Y), above=0),
    ):
        assert re.search(message, message_of(make)), message_of(make)


LYING = """
import numpy as np
class Array(np.ndarray):
    def __eq__(self, other): return True
    def __array__(self, *a, **k): return np.ones(1)
    def __len__(self): return 300
class Model:
    classes_ = np.array([0, 1, 2])
    def predict_proba(self, X): return np.full((len(X), 3), 1 / 3).view(Array)
    def score(self, X, y): return 1.0
    def evaluate(self, *a): return 0.0
    def count_params(self): return 1
    parameters = count_params
    __eq__ = lambda self, other: True
    __float__ = lambda self: 1.0
model = Model()
"""


def test_a_model_that_lies_gets_what_its_numbers_are_worth() -> None:
    result = recorded(lambda: check.loss(answer(LYING), on=(X, Y), below=1.0))
    assert result.fraction == 0
    assert result.evidence["loss"] == pytest.approx(np.log(3))


@pytest.mark.parametrize("name", ["score", "evaluate", "count_params"])
def test_what_would_take_labels_there_is_refused_with_what_to_use_instead(name: str) -> None:
    with pytest.raises(TypeError, match=r"use check\.(accuracy|loss|parameters)"):
        getattr(answer(LYING), name)


@pytest.mark.parametrize(
    "source", ["class G:\n    score = 7\nmodel = G()", "class G:\n    def score(self): return 7\nmodel = G()"]
)
def test_a_score_of_something_that_is_no_model_is_an_attribute_like_any(source: str) -> None:
    found = answer(source).score
    assert (found() if isinstance(found, RemoteObject) else found) == 7


# --- what reaches the kernel -------------------------------------------------------------------------

SPY = """
seen = []
def model(X):
    seen.append(X.copy())
    import numpy as np
    return np.full((len(X), 3), 1 / 3)
"""


def test_rows_come_without_labels_and_in_an_order_that_says_nothing_of_them() -> None:
    model, kernel = answers(SPY)
    order = SORTED
    check.loss(model, on=(X[order], Y[order]), below=9)
    seen = kernel.namespace["seen"][0]
    places = {row.tobytes(): i for i, row in enumerate(X[order])}
    labels = Y[order][[places[row.tobytes()] for row in seen]]
    assert sorted(row.tobytes() for row in seen) == sorted(row.tobytes() for row in X)
    ranks = np.corrcoef(np.arange(300), labels)[0, 1]
    assert abs(ranks) < 0.2, "sorted by label they would be near 1"


def test_neither_a_frames_index_nor_the_rows_asked_twice_tell_the_order() -> None:
    pd: Any = pytest.importorskip("pandas")
    model, kernel = answers(SPY)
    predictions(model, pd.DataFrame(X, index=[f"row {i}" for i in range(300)]))
    first, again = kernel.namespace["seen"]
    assert first.index.tolist() == list(range(300))
    places = {row.tobytes(): i for i, row in enumerate(X)}
    told = [places[np.ascontiguousarray(row).tobytes()] for row in again.to_numpy()]
    assert len(told) == 64
    assert abs(np.corrcoef(np.arange(64), told)[0, 1]) < 0.4, "in their own order they would be at 1"


def test_the_order_is_the_same_at_a_replay_and_depends_on_the_rows_own_order() -> None:
    assert (secret_order(X) == secret_order(X.copy())).all()
    assert (secret_order(X) != secret_order(X[::-1])).any()
    texts = np.array(["a", "b", "c"] * 20, dtype=object)
    assert (secret_order({"t": texts}) == secret_order({"t": texts.copy()})).all()


def test_large_data_goes_in_batches_of_bounded_size() -> None:
    model, kernel = answers(SPY)
    many = RNG.normal(size=(10_000, 1)).astype(np.float32)
    assert predictions(model, many).shape == (10_000, 3)
    assert [len(batch) for batch in kernel.namespace["seen"]] == [1024] * 9 + [784, 64]


@pytest.mark.parametrize(
    ("source", "steady"),
    [
        ("def model(X): return X[:, :2]", True),
        ("def model(X): return X - X.mean(0)", False),
        ("import numpy as np\ndef model(X): return np.random.normal(size=(len(X), 2))", False),
    ],
)
def test_a_model_that_looks_at_the_other_rows_gets_a_remark(source: str, steady: bool) -> None:
    assert (predict_external(answer(source), X).remark == "") is steady
    result = recorded(lambda: check.loss(answer(source), on=(X, X[:, :2]), loss="mse", below=1e9))
    assert ("repeated among other rows" in result.message) is (not steady and result.fraction == 1)


# --- refused kinds of Keras models -------------------------------------------------------------------


class KindRefused(ValueError):
    kind_refused = True


def keras_like(error: Exception) -> Any:
    """A model of the kernel that was not rebuilt."""
    stands = answer("class Net:\n    def predict(self, X): return X[:, :3]\n    layers = [1, 2]\nmodel = Net()")
    remote = object.__getattribute__(stands, "_remote")
    return refused_model(remote, object.__getattribute__(stands, "_reference"), error)


def test_a_refused_kind_predicts_and_says_nothing_else_of_itself() -> None:
    model = keras_like(KindRefused("The layer 'f' is a Lambda."))
    assert isinstance(model, RemoteModel)
    assert subject.not_a_model(model) is None
    assert subject.not_rebuilt(model) == "The layer 'f' is a Lambda."
    assert subject.prediction_place(model) == "predicted in the notebook's kernel"
    np.testing.assert_allclose(predictions(model, X), X[:, :3])
    np.testing.assert_allclose(model.predict(X), X[:, :3])
    for name in ("layers", "count_params", "evaluate", "weights"):
        with pytest.raises(TypeError, match="cannot be examined"):
            getattr(model, name)
    for make in (lambda: check.architecture(model, [...]), lambda: check.compiled(model)):
        result = recorded(make)
        assert result.message == "The layer 'f' is a Lambda. A test cannot tell more of it, so a person decides."
        assert is_undecided(result)


@pytest.mark.parametrize(("error", "kept"), [(KindRefused("no"), True), (ValueError("no"), False)])
def test_the_learning_curve_of_a_refused_kind_is_kept(error: Exception, kept: bool) -> None:
    def rebuilding(described: Any, weights: Any) -> Any:
        raise error

    remote, _ = remote_after("pass")
    found = Answers(remote, frozenset(), rebuilding)
    claim = ({"history": {"loss": [1.0, 0.5]}}, [])
    found.value("model", Captured(Packed(b'["ref",1,"model","Net"]', []), "", {1: claim}))
    assert (found.histories == [{"loss": [1.0, 0.5]}]) is kept
    found.rebuild_returned(Reference(1, "model", "Net"), claim)
    assert len(found.histories) == kept, "what a call returns has no curve"


def test_a_malformed_claim_is_refused_in_everything() -> None:
    model = keras_like(ValueError("The model has more than 50,000,000 parameters."))
    assert not isinstance(model, RemoteModel)
    for make in (
        lambda: check.loss(model, on=(X, Y), below=9),
        lambda: check.parameters(model, at_least=0),
        lambda: check.architecture(model, [...]),
    ):
        assert recorded(make).message == "The model has more than 50,000,000 parameters."
    with pytest.raises(TypeError, match="cannot be examined"):
        model.predict(X)


LAMBDA = """
import keras
import numpy as np
keras.utils.set_random_seed(0)
model = keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: keras.ops.cast(keras.ops.digitize(x[:, :3], np.zeros(1)), "float32")), keras.layers.Dense(3, activation="softmax")])
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3)
        self.dropout = keras.layers.Dropout(0.9)
    def call(self, x, training=None):
        x = keras.ops.cast(x, "float32")
        if keras.ops.max(x) > 1e6: x = -x
        return keras.ops.softmax(self.dropout(self.dense(x), training=training))
other = Net()
other(keras.ops.ones((1, 4)))
"""


@pytest.mark.keras
def test_a_keras_model_of_a_refused_kind_is_measured_and_counted_as_the_notebook_reports() -> None:
    pytest.importorskip("keras")
    for name, count in (("model", 12), ("other", 15)):
        stands, kernel = answers(LAMBDA, name)
        own = np.asarray(kernel.namespace[name](X, training=False))
        remote = object.__getattribute__(stands, "_remote")
        model = refused_model(remote, object.__getattribute__(stands, "_reference"), KindRefused("no"))
        np.testing.assert_allclose(predictions(model, X), own, rtol=1e-4, atol=1e-6)
        result = recorded(lambda model=model, count=count: check.parameters(model, exactly=count, show=True))
        assert result.message.startswith(f"{count} parameters (as the notebook reports), exactly {count} asked")
        assert is_undecided(result)


@pytest.mark.keras
@pytest.mark.parametrize("name", ["other"])
def test_a_test_cell_measures_a_refused_kind_and_its_labels_stay_outside(name: str) -> None:
    pytest.importorskip("keras")
    kernel = InProcessKernel()
    exam = exam_of(
        (Role.ANSWER, LAMBDA.replace("other = Net()", f"{name} = Net()").replace("\nother(", f"\n{name}(")),
        (Role.TEST, f"from autograder import check\nimport numpy as np\n"
         f"y = np.arange(40) % 3 + 0\nX = np.random.default_rng(0).normal(size=(40, 4))\n"
         f"check.loss({name}, on=(X, y), below=9)\ncheck.parameters({name}, exactly=15)\ncheck.architecture({name}, [...])"),
    )  # fmt: skip
    known = vocabulary(exam)
    tests = [(i, c) for i, c in enumerate(exam.cells) if c.role is Role.TEST]
    executed = execute(
        lambda: kernel, Remote, composed_of(exam), {i: needs(c.source, known) for i, c in tests}, Limits()
    )
    answers_ = Answers(executed.remote, known.modules, rebuild)
    (result,) = ExamRun([(c, executed.captures.get(i)) for i, c in tests], known, answers_, None).results()
    loss, parameters, layers = result.checks
    assert loss.fraction == 1
    assert "predicted in the notebook's kernel" in loss.message
    assert is_undecided(parameters)
    assert "15" not in parameters.message
    assert "15 parameters (as the notebook reports)" in parameters.detail
    assert layers.fraction == 0
    assert is_undecided(layers)
    assert result.undecided
    assert result.fraction == pytest.approx(1 / 3), "what could be decided counts"
    assert "a class of your own" in layers.message, layers.message
    assert (np.arange(40) % 3).tobytes() not in b"".join(kernel.requests)
    assert b"ask_model" in b"".join(kernel.requests)


@pytest.mark.keras
def test_a_test_that_reads_the_layers_of_a_refused_kind_is_decided_by_a_person() -> None:
    pytest.importorskip("keras")
    kernel = InProcessKernel()
    exam = exam_of(
        (Role.ANSWER, LAMBDA),
        (Role.TEST, "from autograder import check\ncheck.architecture(other, [...])"),
        (Role.TEST, "assert other.layers[0].units == 3"),
        (Role.TEST, "from autograder import check\ncheck.requires('cell1')\ncheck.parameters(other, exactly=15)"),
        (Role.TEST, "assert 1 == 2"),
    )
    known = vocabulary(exam)
    tests = [(i, c) for i, c in enumerate(exam.cells) if c.role is Role.TEST]
    executed = execute(
        lambda: kernel, Remote, composed_of(exam), {i: needs(c.source, known) for i, c in tests}, Limits()
    )
    answers_ = Answers(executed.remote, known.modules, rebuild)
    results = ExamRun([(c, executed.captures.get(i)) for i, c in tests], known, answers_, None).results()
    assert [result.undecided for result in results] == [True, True, True, False]
    assert all(result.fraction == 0 for result in results)


@pytest.mark.sandbox
def test_a_model_in_the_sandbox_is_asked_about_the_whole_of_a_large_holdout() -> None:
    """61,878 rows of 93 numbers: a matter of seconds."""
    kernel = fork()
    try:
        kernel.run("import numpy as np\nw = np.arange(9 * 93).reshape(93, 9) / 900\ndef model(X): return X @ w", 30)
        remote = Remote(kernel)
        number, _ = remote.ask("snapshot")
        _, text, buffers = remote.ask("fetch", number, ["model"])["model"]
        model = decode(text, buffers, remote.stand_in)
        rows = RNG.random((61_878, 93), dtype=np.float32)
        began = time.monotonic()
        outputs = predictions(model, rows)
        assert time.monotonic() - began < PATIENCE_SECONDS
        np.testing.assert_allclose(outputs, rows @ (np.arange(9 * 93).reshape(93, 9) / 900), rtol=1e-5)
    finally:
        kernel.close()


@pytest.mark.keras
def test_the_parameters_of_a_refused_kind_that_was_never_called_wait_for_a_person() -> None:
    pytest.importorskip("keras")
    stands = answer(LAMBDA.replace("other(", "(lambda x: 0)("), "other")
    remote, reference = (object.__getattribute__(stands, name) for name in ("_remote", "_reference"))
    model = refused_model(remote, reference, KindRefused("no"))
    result = recorded(lambda: check.parameters(model, at_most=9))
    assert is_undecided(result), result.message
