"""Models of scikit-learn, PyTorch, TensorFlow and PyTensor, and what they are made of, as the kernel reports it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers.remote_models import X, Y, answer, answers, message_of, recorded

from autograder import check
from autograder.errors import CourseError
from autograder.extensions.networks import subject
from autograder.extensions.networks.external_predictions import predict_external
from autograder.extensions.networks.prediction import NoPrediction, predictions
from autograder.kernel import model_questions
from autograder.records.checks import is_undecided

pytest.importorskip("sklearn")
needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed here")

FIT = f"""
import warnings; warnings.simplefilter("ignore")
import numpy as np
from sklearn.pipeline import make_pipeline, Pipeline, FeatureUnion
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import StandardScaler, PolynomialFeatures
from sklearn.decomposition import PCA
from sklearn.linear_model import *
from sklearn.svm import *
from sklearn.tree import *
from sklearn.ensemble import *
from sklearn.neural_network import *
from sklearn.neighbors import *
from sklearn.naive_bayes import *
from sklearn.model_selection import GridSearchCV
X = np.array({X[:120].round(3).tolist()}); y = np.array({Y[:120].tolist()})
"""


def fitted(expression: str, labels: str = "y") -> str:
    return f"{FIT}\nmodel = {expression}\nmodel.fit(X, {labels})"


# --- scikit-learn ------------------------------------------------------------------------------------

CLASSIFIERS = [
    ("LogisticRegression()", "predict_proba"),
    ("make_pipeline(StandardScaler(), PCA(3), LogisticRegression())", "predict_proba"),
    ("GridSearchCV(DecisionTreeClassifier(random_state=0), {'max_depth': [2, 3]}, cv=2)", "predict_proba"),
    ("GaussianNB()", "predict_proba"),
    ("LinearSVC()", "decision_function"),
    ("RidgeClassifier()", "decision_function"),
    ("SVC(probability=True, random_state=0)", "predict_proba"),
    ("NearestCentroid()", "predict_proba"),
    ("Perceptron()", "decision_function"),
]


@pytest.mark.parametrize("expression", [expression for expression, _ in CLASSIFIERS])
def test_a_classifier_is_as_accurate_as_its_own_predictions(expression: str) -> None:
    model, kernel = answers(fitted(expression))
    own = kernel.namespace["model"].predict(X)
    result = recorded(lambda: check.accuracy(model, on=(X, Y), above=0))
    assert result.evidence["accuracy"] == pytest.approx((own == Y).mean())
    assert "predicted in the notebook's kernel" in result.message
    assert result.evidence["in_kernel"] is True


def test_a_loss_of_scores_is_of_their_softmax_or_sigmoid() -> None:
    from sklearn.metrics import log_loss

    model, kernel = answers(fitted("LogisticRegression()"))
    own = log_loss(Y, kernel.namespace["model"].predict_proba(X))
    assert check.loss(model, on=(X, Y), below=9).evidence["loss"] == pytest.approx(own)
    two = answers(fitted("LinearSVC()", "y > 0"))
    scores = two[1].namespace["model"].decision_function(X)
    result = check.loss(two[0], on=(X, (Y > 0).astype(int)), below=9, from_logits=True)
    assert result.evidence["loss"] == pytest.approx(np.logaddexp(0, np.where(Y > 0, -scores, scores)).mean())


@pytest.mark.parametrize(
    ("labels", "columns"),
    [
        ("y", [0, 1, 2]),
        ("np.array(['b', 'c', 'a'])[y]", [1, 2, 0]),
        ("np.array(['b', 'c', 'a'], dtype=object)[y]", [1, 2, 0]),
        ("y.astype(float)", [0, 1, 2]),
        ("2 * y + 1", [1, 3, 5]),
        ("y - 1", [0, 1, 2]),
        ("y == 2", [0, 0, 1]),
    ],
)
def test_columns_stand_where_the_labels_say(labels: str, columns: list[int]) -> None:
    """Whole numbers from 0 are columns; other classes stand in their order, as LabelEncoder numbers them."""
    for expression, decided in (("LogisticRegression()", False), ("NearestCentroid()", True)):
        model, kernel = answers(fitted(expression, labels))
        outputs = predict_external(model, X, decided=decided).outputs
        assert outputs.shape == (300, max(columns) + 1)
        own = kernel.namespace["model"]
        known = own.classes_.tolist()
        predicted = own.predict(X).tolist()
        places = dict(zip(sorted(known), sorted(set(columns)), strict=True))
        np.testing.assert_array_equal(outputs.argmax(1), [places[item] for item in predicted])


def test_a_class_that_was_never_seen_has_no_probability() -> None:
    outputs = predictions(answer(fitted("LogisticRegression()", "np.where(y == 1, 2, y)")), X)
    assert outputs.shape == (300, 3)
    assert (outputs[:, 1] == 0).all()
    model = answer(fitted("LogisticRegression()", "np.minimum(y, 1)"))
    assert 0 < check.accuracy(model, on=(X, Y), above=0).evidence["accuracy"] < 1
    assert 1 < check.loss(model, on=(X, np.eye(3)[Y]), below=99).evidence["loss"] < 99


def test_a_regressor_is_measured_by_what_it_predicts() -> None:
    model, kernel = answers(fitted("make_pipeline(StandardScaler(), Ridge())", "X[:, 0] * 2"))
    own = ((kernel.namespace["model"].predict(X) - Y) ** 2).mean()
    assert check.loss(model, on=(X, Y), loss="mse", below=99).evidence["loss"] == pytest.approx(own)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (FIT + "model = LogisticRegression()", "This estimator is not fitted yet: call its fit first."),
        (FIT + "model = make_pipeline(StandardScaler(), Ridge())", "This estimator is not fitted yet"),
        (FIT + "model = GridSearchCV(Ridge(), {})", "This estimator is not fitted yet"),
        (fitted("StandardScaler()"), "This estimator does not predict"),
        (FIT + "model = LogisticRegression", "This is a class, not a model"),
    ],
)
def test_what_does_not_predict_says_why(source: str, message: str) -> None:
    model = answer(source)
    assert message_of(lambda: check.loss(model, on=(X, Y), below=9)).startswith(message)


PATCHED = fitted("LogisticRegression()") + "\nmodel.predict_proba = lambda X: "


@pytest.mark.parametrize(
    ("lie", "message"),
    [
        ("np.full((len(X), 3), 2)", "does not give probabilities"),
        ("np.full((len(X), 3), np.nan)", "NaN or infinite"),
        ("np.eye(3)[:1]", "one output row for each input row"),
        ("np.eye(7)[np.zeros(len(X), int)]", "one number for each of its classes"),
        ("'right'", "one output row for each input row|texts"),
    ],
)
def test_a_patched_estimator_only_ever_gets_inputs(lie: str, message: str) -> None:
    import re

    assert re.search(message, message_of(lambda: check.loss(answer(PATCHED + lie), on=(X, Y), below=9)))


def test_hostile_classes_are_no_classes() -> None:
    source = (
        fitted("NearestCentroid()")
        + "\nmodel.classes_ = np.array([0, 9_999])\nmodel.predict = lambda X: np.zeros(len(X), int)"
    )
    with pytest.raises(NoPrediction, match="more numbers than"):
        predictions(answer(source), np.zeros((6000, 4)))
    source = fitted("GaussianNB()") + "\nmodel.classes_ = np.array([0, 0, 1])"
    assert predictions(answer(source), X).shape == (300, 3)


@pytest.mark.parametrize(
    ("expression", "count", "what"),
    [
        ("LogisticRegression()", 15, "coef_ and intercept_"),
        ("make_pipeline(StandardScaler(), PCA(2), LogisticRegression())", 9, "coef_ and intercept_"),
        ("MLPClassifier((5,), max_iter=3)", 4 * 5 + 5 + 5 * 3 + 3, "coefs_ and intercepts_"),
        ("DecisionTreeClassifier(max_depth=1)", 3, "nodes of its trees"),
        ("RandomForestClassifier(4, max_depth=1, random_state=0)", 12, "nodes of its trees"),
        ("GradientBoostingClassifier(n_estimators=2, max_depth=1)", 18, "nodes of its trees"),
        ("HistGradientBoostingClassifier(max_iter=2, max_leaf_nodes=2)", 18, "nodes of its trees"),
        ("GaussianNB()", 24, "theta_ and var_"),
        ("GridSearchCV(Ridge(), {'alpha': [1]}, cv=2)", 5, "coef_ and intercept_"),
    ],
)
def test_the_size_of_an_estimator_is_the_notebooks_word_so_a_person_decides(
    expression: str, count: int, what: str
) -> None:
    model = answer(fitted(expression))
    result = recorded(lambda: check.parameters(model, exactly=count, show=True))
    assert result.message.startswith(f"{count} parameters ({what}, as the notebook reports), exactly {count} asked")
    assert result.evidence == {"parameters": count, "reported": True}
    assert is_undecided(result)
    for show in (None, False):  # asked after the last cell: a number that a hidden input may stand in
        result = recorded(lambda: check.parameters(model, exactly=count, show=show))  # noqa: B023
        assert (result.fraction, is_undecided(result), dict(result.evidence)) == (0, True, {})
        assert str(count) not in result.message
        wrong = recorded(lambda: check.parameters(model, exactly=count + 1, show=show))  # noqa: B023
        assert (wrong.fraction, wrong.message) == (0, "The parameters are not as many as asked.")
        assert not is_undecided(wrong)
    free = recorded(lambda: check.parameters(model, exactly=count, weight=0))
    assert (free.fraction, is_undecided(free)) == (1, False), "no points follow from it"


def test_what_has_no_parameters_is_not_counted() -> None:
    message = message_of(lambda: check.parameters(answer(fitted("KNeighborsClassifier()")), at_least=0))
    assert message == "This model has nothing that could be counted as its parameters."


PIPELINE = fitted(
    "make_pipeline(StandardScaler(), make_pipeline(PCA(n_components=2), 'passthrough'), LogisticRegression(C=0.5))"
)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([check.layer("StandardScaler"), check.layer("PCA", n_components=2), check.layer("LogisticRegression", C=0.5)], ""),
        ([..., check.layer("LogisticRegression", C=check.between(0.1, 1), fit_intercept=True)], ""),
        ([check.layer("*"), check.optional(check.layer("PCA")), check.any_of(check.layer("Ridge"), check.layer("LogisticRegression"))], ""),
        ([..., check.layer("LogisticRegression", C=1.0)], "layer 3: LogisticRegression with C 0.5, expected 1.0"),
        ([check.layer("StandardScaler"), check.layer("LogisticRegression")], "layer 2: PCA(n_components=2) is one too many"),
        ([..., check.layer("MLPClassifier")], "after layer 3: MLPClassifier is missing"),
    ],
)  # fmt: skip
def test_the_steps_of_a_pipeline_are_its_layers(layers: list[Any], message: str) -> None:
    result = recorded(lambda: check.architecture(answer(PIPELINE), layers, show=True))
    assert (result.message if result.fraction < 1 else "") == message
    quiet = recorded(lambda: check.architecture(answer(PIPELINE), layers))
    assert quiet.message == ("The layers are not as asked." if message else "as asked")
    assert "what the notebook's kernel reports" in result.detail


@pytest.mark.keras
def test_a_pattern_of_one_library_fits_no_model_of_another() -> None:
    keras: Any = pytest.importorskip("keras")
    message = message_of(lambda: check.architecture(answer(PIPELINE), [..., check.dense(9)]))
    assert message == "This is not a Keras model (it is a scikit-learn estimator)."
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(9)])
    message = message_of(lambda: check.architecture(model, [check.layer("Ridge")]))
    assert message == "This is not a scikit-learn model (it is a Keras Sequential)."
    for other in ("def model(X): return X", "model = 3"):
        message = message_of(lambda: check.architecture(answer(other), [check.layer("Ridge")]))  # noqa: B023
        assert message.startswith("This is not a")


def test_the_best_estimator_of_a_search_stands_for_it() -> None:
    model = answer(fitted("GridSearchCV(make_pipeline(StandardScaler(), Ridge()), {'ridge__alpha': [3.0]}, cv=2)"))
    assert (
        message_of(lambda: check.architecture(model, [check.layer("StandardScaler"), check.layer("Ridge", alpha=3)]))
        == ""
    )


def test_branches_come_before_what_joins_them() -> None:
    source = fitted(
        "make_pipeline(ColumnTransformer([('a', make_pipeline(PCA(1), StandardScaler()), [0, 1]), ('b', 'drop', [2])]),"
        " FeatureUnion([('c', PolynomialFeatures(2))]), Ridge())"
    )
    names = ["PCA", "StandardScaler", "ColumnTransformer", "PolynomialFeatures", "FeatureUnion", "Ridge"]
    assert message_of(lambda: check.architecture(answer(source), [check.layer(name) for name in names])) == ""


def test_no_text_of_the_kernels_reaches_a_message() -> None:
    source = fitted("make_pipeline(StandardScaler(), LogisticRegression(solver='lbfgs', C=0.25))")
    source += "\nmodel[-1].solver = 'hidden-input'\nmodel[0].__class__ = type('HiddenInput', (StandardScaler,), {})"
    layers = [check.layer("StandardScaler"), check.layer("LogisticRegression", solver="saga", C=1)]
    result = recorded(lambda: check.architecture(answer(source), layers, show=True))
    assert result.message == (
        "layer 1: a class of your own, expected StandardScaler; "
        "layer 2: LogisticRegression with solver of another kind, expected saga; layer 2: LogisticRegression with C 0.25, expected 1"
    )
    assert "idden" not in result.message + result.detail


def test_a_class_of_the_students_own_is_not_the_librarys() -> None:
    source = (
        FIT + "class StandardScaler(StandardScaler): pass\nmodel = make_pipeline(StandardScaler(), Ridge()).fit(X, y)"
    )
    message = message_of(
        lambda: check.architecture(answer(source), [check.layer("StandardScaler"), check.layer("Ridge")], show=True)
    )
    assert message == "layer 1: a class of your own, expected StandardScaler"


@pytest.mark.parametrize(
    "parts",
    [
        "None",
        "[1]",
        "[('Ridge', 'sklearn', {'alpha': object()}, [])]",
        "[('Ridge', 'sklearn', {3: 1}, [])]",
        "[('a',) * 4] * 9999",
    ],
)
def test_a_lie_about_the_steps_is_no_answer(parts: str) -> None:
    source = (
        fitted("Ridge()")
        + f"\nfrom _kernel_agent.kernel import model_questions as q\nkept = q.QUESTIONS['layers']\nq.QUESTIONS['layers'] = lambda m: {parts}"
    )
    model, kernel = answers(source)
    try:
        message = message_of(lambda: check.architecture(model, [check.layer("Ridge")]))
        assert message == "The layers of this model cannot be read."
    finally:
        exec("q.QUESTIONS['layers'] = kept", kernel.namespace)


@pytest.mark.keras
@pytest.mark.parametrize("claim", ["None", "{'family': 'keras'}", "{'family': 3}", "{'family': 'sklearn', 'classes': [0] * 9, 'counted': '<b>', 'parameters': -1, 'problem': 7}"])  # fmt: skip
def test_a_lie_about_a_model_makes_it_no_better(claim: str) -> None:
    source = (
        fitted("Ridge()")
        + f"\nfrom _kernel_agent.kernel import model_questions as q\nkept = q.QUESTIONS['describe']\nq.QUESTIONS['describe'] = lambda m: {claim}"
    )
    model, kernel = answers(source)
    try:
        for make in (
            lambda: check.parameters(model, at_least=0),
            lambda: check.compiled(model),
            lambda: check.architecture(model, [check.dense()]),
            lambda: check.loss(model, on=(X, Y), below=99),
        ):
            assert recorded(make).fraction == 0
        assert subject.parameter_count(model) is None
    finally:
        exec("q.QUESTIONS['describe'] = kept", kernel.namespace)


def test_no_claim_whatever_is_more_than_a_failed_check() -> None:
    """Any plain value in any place of a claim: read, or no model; never an exception of the examiner's."""
    from autograder.extensions.networks.external_model import _read
    from autograder.extensions.networks.layer_reports import reported_steps

    model = answers(fitted("GaussianNB()"))[1].namespace["model"]
    claim = subject.external_model(model)
    assert claim is not None
    draw, honest = np.random.default_rng(0), model_questions.describe(model)
    values: list[Any] = [None, True, -1, 10**400, 0.5, float("nan"), "x", "predict", "sklearn", "Ridge", b"", [], [[1]], [1, "a"], {}, {1: 2}, (), X, [X], {"alpha": X}, ["alpha"], {"alpha": 10**400}]  # fmt: skip
    for _ in range(2000):
        described = dict(honest)
        for key in draw.choice(list(described), 2):
            described[str(key)] = values[draw.integers(len(values))]
        part = ["Ridge", "sklearn", {"alpha": 1.0}, ["alpha"]]
        part[draw.integers(4)] = values[draw.integers(len(values))]
        found = _read(described, True, lambda how, batch: None, lambda part=part: [tuple(part)], lambda given: None)
        if found is not None:
            str(found)
            for step in reported_steps(found) or []:
                str(step)


def test_in_a_notebook_the_same_checks_work_on_the_estimator_itself() -> None:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=2.0).fit(X, Y)
    assert check.architecture(model, [check.layer("LogisticRegression", C=2)]).fraction == 1
    assert check.parameters(model, exactly=15).message == "15 parameters (coef_ and intercept_), exactly 15 asked"
    result = check.accuracy(model, on=(X, Y), above=0)
    assert result.evidence["accuracy"] == pytest.approx(model.score(X, Y))
    assert "kernel" not in result.message
    with pytest.raises(AssertionError, match="not fitted yet"):
        check.loss(LogisticRegression(), on=(X, Y), below=9)


# --- PyTorch -----------------------------------------------------------------------------------------

TORCH = """
import torch
from torch import nn
torch.manual_seed(0)
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5))
        self.head = nn.Linear(8, 3, bias=False)
        for p in self.body[0].parameters(): p.requires_grad = False
    def forward(self, x): return self.head(self.body(x))
model = Net()
"""


@needs_torch
def test_a_module_predicts_in_evaluation_mode_and_is_left_as_it_was() -> None:
    model, kernel = answers(TORCH)
    own = kernel.namespace["model"]
    outputs = predictions(model, X)
    assert own.training
    own.eval()
    torch = kernel.namespace["torch"]
    np.testing.assert_allclose(
        outputs, own(torch.tensor(X, dtype=torch.float32)).detach().numpy(), rtol=1e-4, atol=1e-6
    )
    assert check.accuracy(model, on=(X, Y), above=0, probabilities=False).fraction == 1
    assert check.loss(model, on=(X, Y), below=9, from_logits=True).fraction == 1


@needs_torch
def test_parameters_of_a_module_that_is_not_read_are_those_of_parameters() -> None:
    model = answer(TORCH.replace("self.body(x)", "torch.special.bessel_j0(self.body(x))"))
    total = recorded(lambda: check.parameters(model, exactly=40 + 16 + 24, show=True))
    assert total.message.startswith("80 parameters (as the notebook reports)")
    for kind in ("trainable", "non_trainable"):
        assert is_undecided(recorded(lambda: check.parameters(model, exactly=40, kind=kind)))  # noqa: B023


@needs_torch
@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([check.layer("Linear", out_features=8), check.layer("BatchNorm1d"), check.layer("ReLU"), check.layer("Dropout", p=0.5),
          check.layer("Linear", in_features=8, out_features=3, bias=False)], ""),
        ([..., check.layer("Dropout"), ...], "layer 5: Linear(in_features=8, out_features=3, bias=False)"),
        ([..., check.layer("Linear", out_features=9)], "layer 4: Linear with out_features 3, expected 9"),
        pytest.param([..., check.layer("StandardScaler")], "This is not a scikit-learn model (it is a PyTorch module).",
                     marks=pytest.mark.keras),  # whose class it is may be asked of Keras
    ],
)  # fmt: skip
def test_the_leaves_of_a_module_are_its_layers(layers: list[Any], message: str) -> None:
    result = recorded(lambda: check.architecture(answer(TORCH), layers))
    if "Dropout" in str(layers) and len(layers) == 3:
        assert result.fraction == 1, "a name that Keras has too is read as PyTorch's"
    else:
        assert (result.message if result.fraction < 1 else "") == message


@needs_torch
def test_a_module_of_pytorch_is_one_layer_whatever_is_inside() -> None:
    source = "from torch import nn\nmodel = nn.Sequential(nn.ModuleList([nn.MultiheadAttention(4, 2), nn.Flatten()]), nn.Identity())"
    layers = [
        check.layer("MultiheadAttention", embed_dim=4, num_heads=2),
        check.layer("Flatten"),
        check.layer("Identity"),
    ]
    assert message_of(lambda: check.architecture(answer(source), layers)) == ""


@needs_torch
def test_wrong_names_of_pytorch_are_the_authors_mistake() -> None:
    with pytest.raises(CourseError, match="Did you mean Linear"):
        check.architecture(answer(TORCH), [check.layer("Lineal")])
    with pytest.raises(CourseError, match=r"no attribute 'out_feature'\. Did you mean out_features"):
        check.architecture(answer(TORCH), [check.layer("Linear", out_feature=3)])


# --- TensorFlow and PyTensor functions ---------------------------------------------------------------

FUNCTIONS: list[tuple[str, str, Callable[[Any], Any]]] = [
    ("tensorflow", "import tensorflow as tf\nw = tf.Variable(tf.ones((4, 3)))\n@tf.function\ndef model(x): return tf.matmul(x, w)",
     lambda x: x @ np.ones((4, 3))),
    ("tensorflow", "import tensorflow as tf\nw = tf.ones((4, 3))\ndef model(x): return tf.nn.relu(tf.cast(x, tf.float32) @ w)",
     lambda x: np.maximum(x @ np.ones((4, 3)), 0)),
    ("jax", "import jax, jax.numpy as jnp\nmodel = jax.jit(lambda x: x @ jnp.ones((4, 3)))", lambda x: x @ np.ones((4, 3))),
    ("pytensor", "import pytensor as th, pytensor.tensor as T, numpy as np\nx = T.matrix()\nw = th.shared(np.ones((4, 3)))\n"
     "model = th.function([x], x @ w, mode='FAST_COMPILE')", lambda x: x @ np.ones((4, 3))),
    ("pytensor", "import pytensor as th, pytensor.tensor as T, numpy as np\nx = T.fmatrix()\nmodel = th.function([x], [x * 2], mode='FAST_COMPILE')",
     lambda x: 2 * x),
]  # fmt: skip


@pytest.mark.keras
@pytest.mark.parametrize(("library", "source", "own"), FUNCTIONS, ids=[f"{f[0]}-{i}" for i, f in enumerate(FUNCTIONS)])
def test_a_compiled_function_is_a_model(library: str, source: str, own: Callable[[Any], Any]) -> None:
    pytest.importorskip(library)
    np.testing.assert_allclose(predictions(answer(source), X), own(X), rtol=1e-5, atol=1e-5)


STEP = """
import pytensor as th, pytensor.tensor as T, numpy as np
x = T.matrix()
w = th.shared(np.zeros(4))
model = th.function([x], x @ w, updates=[(w, w + 1)], mode='FAST_COMPILE')
"""


def test_a_step_of_a_training_is_not_called() -> None:
    pytest.importorskip("pytensor")
    model, kernel = answers(STEP)
    assert "it is a training step" in message_of(lambda: check.loss(model, on=(X, Y), loss="mse", below=9))
    assert kernel.namespace["w"].get_value().tolist() == [0, 0, 0, 0]
