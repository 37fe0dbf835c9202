"""Rebuilding: what a student's kernel claims becomes an equal model, or is refused with a reason."""

from __future__ import annotations

import copy
import tracemalloc
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers.clock import own_seconds
from helpers.graphs import small, subclassed
from helpers.rebuilding import outputs, sent

from autograder import check
from autograder.extensions.keras.kernel_side.keras_model import is_model
from autograder.extensions.keras.plan_reading import read_model
from autograder.models import RefusedModel, rebuild
from autograder.models import argument_values as v

pytestmark = [
    pytest.mark.keras,
    pytest.mark.usefixtures("eager"),
    pytest.mark.filterwarnings("ignore:Even though the `tf.config"),  # data are prepared in graphs all the same
]


@pytest.fixture(scope="module")
def keras() -> Any:
    """Keras, with a fixed seed."""
    keras = pytest.importorskip("keras")
    keras.utils.set_random_seed(3)
    return keras


def test_names_frozen_layers_and_initializers_survive(keras: Any) -> None:
    model = small(keras)
    model.layers[0].trainable = False
    twin = rebuild(*sent(model))
    assert [layer.name for layer in twin.layers] == [layer.name for layer in model.layers]
    assert len(twin.trainable_weights) == len(model.trainable_weights) == 2
    assert twin.layers[0].kernel_initializer.get_config() == model.layers[0].kernel_initializer.get_config()


def test_an_initializer_of_ones_own_becomes_the_layers_default(keras: Any) -> None:
    def mine(shape: Any, dtype: Any = None) -> Any:
        return keras.ops.ones(shape, dtype)

    dense = keras.layers.Dense(3, kernel_initializer=mine, bias_initializer="ones")
    twin = rebuild(*sent(keras.Sequential([keras.Input((4,)), dense]))).layers[0]
    assert type(twin.kernel_initializer) is keras.initializers.GlorotUniform
    assert type(twin.bias_initializer) is keras.initializers.Ones


@pytest.mark.parametrize(
    ("optimizer", "loss", "metrics"),
    [
        ("sgd", "categorical_crossentropy", ["accuracy"]),
        ("adam", "mse", None),
        ("rmsprop", "SparseCategoricalCrossentropy", ["sparse_categorical_accuracy"]),
    ],
)
def test_a_rebuilt_model_is_compiled_as_it_was(
    keras: Any, optimizer: str, loss: str, metrics: list[str] | None
) -> None:
    model = small(keras)
    model.compile(optimizer, loss, metrics=metrics)
    twin = rebuild(*sent(model))
    x, y = (
        np.ones((4, 4), "float32"),
        np.zeros((4,)) if loss.startswith("Sparse") else np.eye(3)[[0, 1, 2, 0]],
    )
    assert twin.optimizer.get_config() == model.optimizer.get_config()
    np.testing.assert_allclose(twin.evaluate(x, y, verbose=0), model.evaluate(x, y, verbose=0), rtol=1e-6)


def test_compile_objects_survive_with_their_settings(keras: Any) -> None:
    model = small(keras)
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    model.compile(
        keras.optimizers.SGD(schedule, momentum=0.9),
        keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
        metrics=[keras.metrics.TopKCategoricalAccuracy(k=2, name="top")],
    )
    twin = rebuild(*sent(model))
    assert twin.optimizer.momentum == 0.9
    assert float(twin.optimizer.learning_rate) == pytest.approx(0.1)
    x, y = np.ones((4, 4), "float32"), np.eye(3)[[0, 1, 2, 0]]
    assert twin.evaluate(x, y, verbose=0, return_dict=True) == pytest.approx(
        model.evaluate(x, y, verbose=0, return_dict=True), rel=1e-6
    )


def test_losses_and_metrics_that_were_given_as_functions_are_kept(keras: Any) -> None:
    model = small(keras)
    model.compile("sgd", keras.losses.categorical_crossentropy, metrics=[keras.metrics.categorical_accuracy])
    twin = rebuild(*sent(model))
    x, y = np.ones((4, 4), "float32"), np.eye(3)[[0, 1, 2, 0]]
    np.testing.assert_allclose(twin.evaluate(x, y, verbose=0), model.evaluate(x, y, verbose=0), rtol=1e-6)


@pytest.mark.parametrize(("name", "ours"), [("relu", "relu"), ("softmax", "softmax"), ("swish", "silu")])
def test_functions_of_tf_nn_are_activations(keras: Any, name: str, ours: str) -> None:
    tf = pytest.importorskip("tensorflow")
    given = [keras.Input((4,)), keras.layers.Dense(3, activation=getattr(tf.nn, name))]
    model = keras.Sequential([*given, keras.layers.Activation(getattr(tf.nn, name))])
    twin = rebuild(*sent(model))
    assert twin.layers[0].activation is twin.layers[1].activation is getattr(keras.activations, ours)


# --- what is refused ---------------------------------------------------------------------------------


def changed(claimed: dict[str, Any], path: list[Any], value: Any) -> dict[str, Any]:
    claimed = copy.deepcopy(claimed)
    place = claimed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return claimed


DENSE = ["config", "layers", 1, "config"]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ([*DENSE, "units"], 400_000_000, "units is 400000000, and must be a whole number"),
        ([*DENSE, "units"], 9_999_999, "shape|more than 50,000,000 parameters"),
        ([*DENSE, "units"], True, "units is True"),
        ([*DENSE, "units"], 5.0, "units is 5.0"),
        ([*DENSE, "units"], "5", "units is '5'"),
        ([*DENSE, "units"], 10**400, "units is a huge number"),
        ([*DENSE, "units"], 6, r"shape \(4, 5\), and should have \(4, 6\)"),
        ([*DENSE, "activation"], "os.system", "not one of Keras's own"),
        ([*DENSE, "use_bias"], 1, "use_bias is 1"),
        ([*DENSE, "lora_rank"], 4, "argument 'lora_rank'"),
        ([*DENSE, "dtype"], "string", "the dtype"),
        ([*DENSE, "dtype"], {"class_name": "QuantizedDTypePolicy"}, "the dtype"),
        (["config", "layers", 1, "class_name"], "TFSMLayer", "'TFSMLayer' cannot be graded"),
        (["config", "layers", 1, "class_name"], "__init__", "cannot be graded"),
        (["config", "layers", 1, "class_name"], ["Dense"], "a list"),
        (["config", "layers", 1, "module"], "os", "cannot be graded"),
        (["config", "layers", 1], None, "must be a dictionary"),
        (["config", "layers"], [], "no layers yet"),
        (["config", "layers"], [{}] * 1001, "at most 1000"),
        (["config"], "x" * 10**6, "must be a dictionary"),
        (["config", "layers", 0, "config", "batch_shape"], [None, -4], "input's shape"),
        (["config", "layers", 0, "config", "batch_shape"], [None] + [2] * 9, "input's shape"),
        (["config", "layers", 0, "config", "dtype"], "complex64", "dtype"),
        (["kind"], "Functional", "."),
        (["kind"], ["Sequential"], "kind a list"),
        (["shared"], True, "share a weight"),
    ],
)
def test_hostile_claims_are_refused(keras: Any, path: list[Any], value: Any, message: str) -> None:
    claimed, arrays = sent(small(keras))
    with pytest.raises(RefusedModel, match=message):
        rebuild(changed(claimed, path, value), arrays)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda arrays: arrays[:-1], "4 arrays of weights, and 3"),
        (lambda arrays: [*arrays, arrays[0]], "4 arrays of weights, and 5"),
        (lambda arrays: [arrays[0].astype(object), *arrays[1:]], "floating point"),
        (lambda arrays: [arrays[0].astype(int), *arrays[1:]], "floating point"),
        (lambda arrays: [arrays[0].tolist(), *arrays[1:]], "floating point"),
        (lambda arrays: [np.full_like(arrays[0], np.inf), *arrays[1:]], "not finite"),
        (lambda arrays: [arrays[0].view(np.matrix), *arrays[1:]], "floating point"),
        (lambda arrays: None, "no were found"),
    ],
)
def test_weights_that_do_not_fit_are_refused(keras: Any, spoil: Callable[[Any], Any], message: str) -> None:
    claimed, arrays = sent(small(keras))
    with pytest.raises(RefusedModel, match=message):
        rebuild(claimed, spoil(arrays))


def test_large_models_are_refused_before_anything_is_allocated(keras: Any) -> None:
    """10 million units on 4096 inputs would be 160 GB; the refusal takes no time and no memory."""
    claimed, arrays = sent(small(keras))
    big = changed(claimed, [*DENSE, "units"], v.MAX_SIZE)
    big = changed(big, ["config", "layers", 0, "config", "batch_shape"], [None, 4096])
    tracemalloc.start()
    start = own_seconds()
    with pytest.raises(RefusedModel, match="more than 50,000,000 parameters"):
        rebuild(big, arrays)
    assert own_seconds() - start < 10
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_the_budget_is_the_callers(keras: Any) -> None:
    claimed, arrays = sent(small(keras))
    assert rebuild(claimed, arrays, max_parameters=43).count_params() == 43
    with pytest.raises(RefusedModel, match="more than 42 parameters"):
        rebuild(claimed, arrays, max_parameters=42)


def test_huge_outputs_are_refused(keras: Any) -> None:
    """A layer without weights can still ask for memory."""
    layers = [keras.Input((64, 64, 3)), keras.layers.UpSampling2D(2)]
    claimed, arrays = sent(keras.Sequential(layers))
    claimed = changed(claimed, ["config", "layers", 1, "config", "size"], [4000, 4000])
    with pytest.raises(RefusedModel, match="too large"):
        rebuild(claimed, arrays)


def test_calls_that_multiply_are_refused(keras: Any) -> None:
    """A model that calls a model that calls a model: few lines that would be billions of calls."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    arrays = sent(model)[1]
    config = {"module": "keras", "class_name": "Sequential", "config": sent(model)[0]["config"]}

    def tensor(name: str, call: int) -> dict[str, Any]:
        return {"class_name": "__keras_tensor__", "config": {"keras_history": [name, call, 0]}}

    start = {
        "module": "keras.layers",
        "class_name": "InputLayer",
        "config": {"batch_shape": [None, 1]},
        "name": "i",
    }
    for _ in range(3):
        inputs = [tensor("i", 0), *(tensor("inner", call) for call in range(1500))]
        nodes = [{"args": [each], "kwargs": {}} for each in inputs]
        outer = {
            "layers": [{**start, "inbound_nodes": []}, {**config, "name": "inner", "inbound_nodes": nodes}],
            "input_layers": ["i", 0, 0],
            "output_layers": ["inner", 0 if config["class_name"] == "Sequential" else 1, 0],
        }
        config = {"module": "keras", "class_name": "Functional", "config": outer}
    with pytest.raises(RefusedModel, match="more than 2000 times"):
        rebuild({"library": "keras", "kind": "Functional", "config": config["config"]}, arrays)


def test_deep_nesting_is_refused(keras: Any) -> None:
    claimed, arrays = sent(small(keras))
    for _ in range(2000):
        layer = {"module": "keras", "class_name": "Sequential", "config": claimed["config"]}
        claimed = {"library": "keras", "kind": "Sequential", "config": {"layers": [layer]}}
    with pytest.raises(RefusedModel, match="more than 4 deep"):
        rebuild(claimed, arrays)


def test_layers_in_a_circle_are_refused(keras: Any) -> None:
    inputs = keras.Input((4,))
    claimed, arrays = sent(keras.Model(inputs, keras.layers.Dense(4, name="d")(inputs)))
    node = claimed["config"]["layers"][1]["inbound_nodes"][0]
    node["args"][0]["config"]["keras_history"] = ["d", 0, 0]
    with pytest.raises(RefusedModel, match="in a circle"):
        rebuild(claimed, arrays)


# --- inside the kernel -------------------------------------------------------------------------------


def test_only_keras_models_are_models(keras: Any) -> None:
    assert is_model(small(keras))
    assert not any(is_model(thing) for thing in (None, 3, keras.layers.Dense(3), keras.Sequential, keras))


def test_a_claim_reports_the_learning_curve(keras: Any) -> None:
    model = small(keras)
    model.compile("sgd", "categorical_crossentropy")
    model.fit(np.ones((4, 4)), np.eye(3)[[0, 1, 2, 0]], epochs=2, verbose=0)
    history = sent(model)[0]["history"]
    assert list(history) == ["loss"]
    assert len(history["loss"]) == 2


def test_a_claim_of_anything_is_json(keras: Any) -> None:
    """Unbuilt, uncompiled, subclassed without a configuration: a claim all the same."""
    for model in (keras.Sequential(), keras.Sequential([keras.layers.Dense(2)]), subclassed(keras)):
        claimed, arrays = sent(model)
        assert claimed["kind"] in ("Sequential", "Subclassed")
        assert arrays == []


def test_a_claim_survives_layers_that_raise(keras: Any) -> None:
    class Mine(keras.layers.Layer):
        @property
        def layers(self) -> Any:
            raise ValueError("no")

        def call(self, x: Any) -> Any:
            return x

    claimed, _ = sent(keras.Sequential([keras.Input((4,)), Mine()]))
    assert claimed["vocabularies"] == []


def test_plans_are_read_without_constructing_anything() -> None:
    with pytest.raises(RefusedModel, match="configuration is None"):
        read_model("Sequential", None)


@pytest.mark.parametrize("kind", ["Dense", "Embedding"])
def test_a_model_in_whole_numbers_is_read_with_its_kernels_in_scale(keras: Any, kind: str) -> None:
    first = keras.layers.Dense(8, activation="relu") if kind == "Dense" else keras.layers.Embedding(9, 8)
    rest = [] if kind == "Dense" else [keras.layers.GlobalAveragePooling1D()]
    model = keras.Sequential([keras.Input((4,)), first, *rest, keras.layers.Dense(3)])
    rows = np.random.default_rng(0).integers(0, 9, (6, 4)).astype("float32")
    count = model.count_params()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.quantize("int8")
    twin = rebuild(*sent(model))
    assert twin.count_params() == count
    own = outputs(model, rows)[0]
    np.testing.assert_allclose(outputs(twin, rows)[0], own, atol=0.02 * np.abs(own).max())
    assert check.architecture(twin, [..., check.dense(3)], input_shape=(4,))


def test_other_quantized_models_are_only_asked(keras: Any) -> None:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.quantize("float8")
    with pytest.raises(RefusedModel) as caught:
        rebuild(*sent(model))
    assert caught.value.kind_refused
