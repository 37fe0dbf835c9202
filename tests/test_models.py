"""Rebuilding: what a student's kernel claims becomes an equal model, or is refused with a reason."""

from __future__ import annotations

import contextlib
import copy
import json
import random
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograder.examiner.models import RefusedModel, rebuild
from autograder.examiner.models import values as v
from autograder.examiner.models.plan import read_model
from autograder.examiner.models.table import LAYERS
from autograder.probe.keras_model import claim, is_model

pytestmark = pytest.mark.keras

ROW, SEQUENCE, IMAGE, VOLUME, WORDS = (12,), (8, 4), (8, 8, 4), (4, 4, 4, 2), (6,)

LAYER_CASES: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    (
        "Dense",
        {"units": 5, "activation": "relu", "kernel_regularizer": "l2", "kernel_constraint": "max_norm"},
        ROW,
    ),
    ("Dense", {"units": 5, "use_bias": False, "kernel_initializer": "he_normal"}, SEQUENCE),
    *[("Activation", {"activation": name}, ROW) for name in ("tanh", "selu", "swish", "gelu", "log_softmax")],
    ("Identity", {}, ROW),
    ("Masking", {"mask_value": 0.5}, SEQUENCE),
    ("Dropout", {"rate": 0.3, "seed": 4}, ROW),
    ("AlphaDropout", {"rate": 0.3}, ROW),
    ("GaussianDropout", {"rate": 0.3}, ROW),
    ("GaussianNoise", {"stddev": 0.3}, ROW),
    ("SpatialDropout1D", {"rate": 0.3}, SEQUENCE),
    ("SpatialDropout2D", {"rate": 0.3}, IMAGE),
    ("SpatialDropout3D", {"rate": 0.3}, VOLUME),
    ("ActivityRegularization", {"l2": 0.1}, ROW),
    ("BatchNormalization", {}, ROW),
    ("BatchNormalization", {"scale": False, "axis": 1, "epsilon": 0.01}, IMAGE),
    ("LayerNormalization", {}, SEQUENCE),
    ("LayerNormalization", {"axis": [1, 2], "center": False}, IMAGE),
    ("GroupNormalization", {"groups": 2}, IMAGE),
    ("UnitNormalization", {}, ROW),
    ("RMSNormalization", {}, ROW),
    ("Normalization", {"mean": 2.0, "variance": 3.0}, ROW),
    ("Normalization", {"mean": [0.5] * 4, "variance": [2.0] * 4, "invert": True}, SEQUENCE),
    ("Flatten", {}, IMAGE),
    ("Reshape", {"target_shape": (3, -1)}, ROW),
    ("Permute", {"dims": (2, 1)}, SEQUENCE),
    ("RepeatVector", {"n": 3}, ROW),
    ("Rescaling", {"scale": 0.5, "offset": 1.0}, IMAGE),
    ("ReLU", {"max_value": 3.0, "negative_slope": 0.1, "threshold": 0.2}, ROW),
    ("LeakyReLU", {"negative_slope": 0.1}, ROW),
    ("PReLU", {}, SEQUENCE),
    ("PReLU", {"shared_axes": [1, 2]}, IMAGE),
    ("ELU", {"alpha": 0.5}, ROW),
    ("Softmax", {}, ROW),
    ("Embedding", {"input_dim": 10, "output_dim": 3}, WORDS),
    ("Conv1D", {"filters": 6, "kernel_size": 3, "padding": "causal", "dilation_rate": 2}, SEQUENCE),
    ("Conv2D", {"filters": 6, "kernel_size": (3, 2), "strides": 2, "groups": 2, "activation": "relu"}, IMAGE),
    ("Conv3D", {"filters": 3, "kernel_size": 2, "padding": "same"}, VOLUME),
    ("Conv1DTranspose", {"filters": 3, "kernel_size": 3, "strides": 2}, SEQUENCE),
    ("Conv2DTranspose", {"filters": 3, "kernel_size": 3, "strides": 2, "output_padding": 1}, IMAGE),
    ("Conv3DTranspose", {"filters": 3, "kernel_size": 2}, VOLUME),
    ("DepthwiseConv1D", {"kernel_size": 3, "depth_multiplier": 2}, SEQUENCE),
    ("DepthwiseConv2D", {"kernel_size": 3}, IMAGE),
    ("SeparableConv1D", {"filters": 5, "kernel_size": 3, "depth_multiplier": 2}, SEQUENCE),
    ("SeparableConv2D", {"filters": 5, "kernel_size": 3, "use_bias": False}, IMAGE),
    *[(f"{kind}Pooling1D", {"pool_size": 2}, SEQUENCE) for kind in ("Max", "Average")],
    *[(f"{kind}Pooling2D", {"pool_size": (2, 3), "padding": "same"}, IMAGE) for kind in ("Max", "Average")],
    *[(f"{kind}Pooling3D", {"pool_size": 2, "strides": 1}, VOLUME) for kind in ("Max", "Average")],
    *[(f"Global{kind}Pooling1D", {}, SEQUENCE) for kind in ("Max", "Average")],
    *[(f"Global{kind}Pooling2D", {"keepdims": True}, IMAGE) for kind in ("Max", "Average")],
    *[(f"Global{kind}Pooling3D", {}, VOLUME) for kind in ("Max", "Average")],
    ("ZeroPadding1D", {"padding": (1, 2)}, SEQUENCE),
    ("ZeroPadding2D", {"padding": ((1, 2), (0, 1))}, IMAGE),
    ("ZeroPadding3D", {"padding": 1}, VOLUME),
    ("Cropping1D", {"cropping": 1}, SEQUENCE),
    ("Cropping2D", {"cropping": ((1, 2), (0, 1))}, IMAGE),
    ("Cropping3D", {"cropping": 1}, VOLUME),
    ("UpSampling1D", {"size": 2}, SEQUENCE),
    ("UpSampling2D", {"size": (2, 3), "interpolation": "bilinear"}, IMAGE),
    ("UpSampling3D", {"size": 2}, VOLUME),
    ("SimpleRNN", {"units": 3, "return_sequences": True}, SEQUENCE),
    ("LSTM", {"units": 3, "dropout": 0.2, "go_backwards": True}, SEQUENCE),
    ("GRU", {"units": 3, "reset_after": False}, SEQUENCE),
    ("GRU", {"units": 3, "use_bias": False, "unroll": True}, SEQUENCE),
]
"""Every layer of the table that takes one input and holds no other layer."""


@pytest.fixture(scope="module")
def keras() -> Any:
    """Keras, with a fixed seed."""
    keras = pytest.importorskip("keras")
    keras.utils.set_random_seed(3)
    return keras


def random_inputs(model: Any, rows: int = 5) -> Any:
    """Rows for every input of the model; small whole numbers fit words and numbers alike."""
    import keras

    generator = np.random.default_rng(0)

    def one(shape: tuple[Any, ...]) -> np.ndarray:
        sizes = [rows, *(7 if size is None else size for size in shape[1:])]
        return generator.integers(0, 6, sizes).astype("float32") / (1 if len(shape) == 2 and shape[1] == 6 else 3)

    return keras.tree.map_structure(lambda tensor: one(tuple(tensor.shape)), model._inputs_struct)


def outputs(model: Any, inputs: Any) -> list[np.ndarray]:
    import keras

    return [np.asarray(tensor) for tensor in keras.tree.flatten(model(inputs, training=False))]


def shake(model: Any) -> None:
    """Gives every weight another value than its initial one (moving variances stay positive)."""
    generator = np.random.default_rng(1)
    for variable in model.weights:
        if variable.dtype.startswith("float"):
            variable.assign(generator.uniform(0.1, 0.9, tuple(variable.shape)).astype("float32"))
    for layer in model.layers:
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()


def sent(model: Any) -> tuple[dict[str, Any], list[np.ndarray]]:
    """The claim as it arrives: through JSON."""
    claimed, arrays = claim(model)
    return json.loads(json.dumps(claimed)), arrays


def assert_equal_after_rebuilding(model: Any) -> Any:
    shake(model)
    twin = rebuild(*sent(model))
    inputs = random_inputs(model if hasattr(model, "_inputs_struct") else model._functional)
    for original, rebuilt in zip(outputs(model, inputs), outputs(twin, inputs), strict=True):
        np.testing.assert_allclose(rebuilt, original, rtol=0, atol=1e-6)
    assert twin.count_params() == model.count_params()
    assert len(twin.layers) == len(model.layers)
    for mine, theirs in zip(twin.layers, model.layers, strict=True):
        for a, b in zip(mine.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    return twin


@pytest.mark.parametrize(("name", "arguments", "shape"), LAYER_CASES)
def test_a_rebuilt_layer_predicts_the_same(
    keras: Any, name: str, arguments: dict[str, Any], shape: tuple[int, ...]
) -> None:
    layer = getattr(keras.layers, name)(**arguments)
    model = keras.Sequential([keras.Input(shape), layer])
    twin = assert_equal_after_rebuilding(model)
    mine, theirs = twin.layers[0].get_config(), layer.get_config()
    mine["unroll"] = theirs["unroll"] = False  # not kept: the result is the same
    assert mine == theirs


def test_every_layer_of_the_table_is_tested() -> None:
    """No layer is on the allow-list without a round trip that covers it."""
    joined = {"Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot"}
    wrappers = {"Bidirectional", "TimeDistributed"}
    assert {name for name, _, _ in LAYER_CASES} | joined | wrappers == set(LAYERS)


@pytest.mark.parametrize("name", ["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"])
def test_branches_join_as_they_did(keras: Any, name: str) -> None:
    first, second = keras.Input((4,), name="first"), keras.Input((4,), name="second")
    joined = getattr(keras.layers, name)()([keras.layers.Dense(4)(first), second])
    assert_equal_after_rebuilding(keras.Model([first, second], keras.layers.Dense(2)(joined)))


def wrapped_recurrent(keras: Any) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((6,)),
            layers.Embedding(9, 4, mask_zero=True),
            layers.Bidirectional(layers.LSTM(3, return_sequences=True), merge_mode="sum"),
            layers.TimeDistributed(layers.Dense(2)),
            layers.Bidirectional(layers.GRU(2)),
        ]
    )


def masked_graph(keras: Any) -> Any:
    inputs = keras.Input((6,))
    masked = keras.layers.Embedding(9, 4, mask_zero=True)(inputs)
    return keras.Model(inputs, keras.layers.LSTM(3)(masked))


def shared_layer(keras: Any) -> Any:
    left, right = keras.Input((4,)), keras.Input((4,))
    shared = keras.layers.Dense(3, activation="tanh")
    dot = keras.layers.Dot(1, normalize=True)([shared(left), shared(right)])
    return keras.Model({"left": left, "right": right}, {"dot": dot, "raw": shared(left)})


def residual(keras: Any) -> Any:
    inputs = keras.Input((4,))
    hidden = keras.layers.Dense(4, activation=keras.layers.LeakyReLU(0.1))(inputs)
    return keras.Model(inputs, [keras.layers.Softmax()(hidden + inputs), 2.0 * hidden])


def nested(keras: Any) -> Any:
    inner_inputs = keras.Input((4,))
    inner = keras.Model(inner_inputs, keras.layers.Dense(3)(inner_inputs))
    block = keras.Sequential([keras.Input((3,)), keras.layers.BatchNormalization(), keras.layers.Dense(4)])
    inputs = keras.Input((4,))
    return keras.Model(inputs, inner(block(inner(inputs), training=False)))


def adapted(keras: Any) -> Any:
    layer = keras.layers.Normalization()
    layer.adapt(np.random.default_rng(2).normal(3.0, 2.0, (50, 4)))
    return keras.Sequential([keras.Input((4,)), layer, keras.layers.Dense(2)])


def nested_output(keras: Any) -> Any:
    return keras.Sequential([keras.Input((4,)), nested(keras), keras.layers.Dense(2)])


def mixed_precision(keras: Any) -> Any:
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, dtype="mixed_bfloat16")])


def without_an_input_layer(keras: Any) -> Any:
    model = keras.Sequential([keras.layers.Dense(3, name="mine"), keras.layers.Dense(2)])
    model.build((None, 4))
    return model


@pytest.mark.parametrize(
    "build",
    [
        wrapped_recurrent,
        masked_graph,
        shared_layer,
        residual,
        nested,
        nested_output,
        adapted,
        mixed_precision,
        without_an_input_layer,
    ],
)
def test_a_rebuilt_model_predicts_the_same(keras: Any, build: Callable[[Any], Any]) -> None:
    assert_equal_after_rebuilding(build(keras))


def test_names_frozen_layers_and_initializers_survive(keras: Any) -> None:
    model = small(keras)
    model.layers[0].trainable = False
    twin = rebuild(*sent(model))
    assert [layer.name for layer in twin.layers] == [layer.name for layer in model.layers]
    assert len(twin.trainable_weights) == len(model.trainable_weights) == 2
    assert twin.layers[0].kernel_initializer.get_config() == model.layers[0].kernel_initializer.get_config()


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


def test_an_unknown_loss_leaves_the_model_uncompiled(keras: Any) -> None:
    model = small(keras)
    model.compile("sgd", lambda y, p: y - p)
    assert not rebuild(*sent(model)).compiled


def small(keras: Any) -> Any:
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(5, activation="relu", kernel_initializer="he_uniform"),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )


# --- what is refused ---------------------------------------------------------------------------------


def custom_layer(keras: Any) -> Any:
    class Mine(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x

    return keras.Sequential([keras.Input((4,)), Mine()])


def custom_activation(keras: Any) -> Any:
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation=lambda x: x)])


def subclassed(keras: Any) -> Any:
    class Mine(keras.Model):
        def call(self, x: Any) -> Any:
            return x

    return Mine()


def diverged(keras: Any) -> Any:
    model = small(keras)
    model.layers[0].kernel.assign(np.full((4, 5), np.nan))
    return model


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda k: k.Sequential([k.Input((4,)), k.layers.Lambda(lambda x: x)]), "The layer 'Lambda' can not"),
        (custom_layer, "The layer 'Mine' can not be graded"),
        (custom_activation, "is a function of your own"),
        (subclassed, "kind 'Subclassed'"),
        (diverged, "training diverged"),
        (lambda k: k.Sequential([k.layers.Dense(3)]), "no input shape yet"),
        (
            lambda k: k.Sequential([k.Input(batch_shape=(2, 4, 2)), k.layers.LSTM(3, stateful=True)]),
            "stateful is True",
        ),
    ],
)
def test_other_models_are_refused_with_a_reason(keras: Any, build: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(RefusedModel, match=message):
        rebuild(*sent(build(keras)))


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
        (["config", "layers", 1, "class_name"], "TFSMLayer", "'TFSMLayer' can not be graded"),
        (["config", "layers", 1, "class_name"], "__init__", "can not be graded"),
        (["config", "layers", 1, "class_name"], ["Dense"], "a list"),
        (["config", "layers", 1, "module"], "os", "can not be graded"),
        (["config", "layers", 1], None, "must be a dictionary"),
        (["config", "layers"], [], "0 arrays of weights, and 4"),
        (["config", "layers"], [{}] * 501, "at most 500"),
        (["config"], "x" * 10**6, "must be a dictionary"),
        (["config", "layers", 0, "config", "batch_shape"], [None, -4], "input's shape"),
        (["config", "layers", 0, "config", "batch_shape"], [None] + [2] * 9, "input's shape"),
        (["config", "layers", 0, "config", "dtype"], "string", "dtype"),
        (["kind"], "Functional", "."),
        (["kind"], ["Sequential"], "kind a list"),
        (["shared"], True, "belongs to two models"),
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
    start = time.perf_counter()
    with pytest.raises(RefusedModel, match="more than 50,000,000 parameters"):
        rebuild(big, arrays)
    assert time.perf_counter() - start < 10
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
        rebuild({"kind": "Functional", "config": config["config"]}, arrays)


def test_deep_nesting_is_refused(keras: Any) -> None:
    claimed, arrays = sent(small(keras))
    for _ in range(2000):
        layer = {"module": "keras", "class_name": "Sequential", "config": claimed["config"]}
        claimed = {"kind": "Sequential", "config": {"layers": [layer]}}
    with pytest.raises(RefusedModel, match="more than 4 deep"):
        rebuild(claimed, arrays)


def test_layers_in_a_circle_are_refused(keras: Any) -> None:
    inputs = keras.Input((4,))
    claimed, arrays = sent(keras.Model(inputs, keras.layers.Dense(4, name="d")(inputs)))
    node = claimed["config"]["layers"][1]["inbound_nodes"][0]
    node["args"][0]["config"]["keras_history"] = ["d", 0, 0]
    with pytest.raises(RefusedModel, match="in a circle"):
        rebuild(claimed, arrays)


WRONG = [
    None,
    True,
    -1,
    0,
    3,
    2**70,
    1e308,
    float("nan"),
    "",
    "x" * 1000,
    [],
    [[]],
    {},
    {"class_name": "Lambda"},
]


@pytest.mark.parametrize("build", [small, shared_layer, nested, wrapped_recurrent])
def test_a_mutated_claim_is_refused_or_harmless(keras: Any, build: Callable[[Any], Any]) -> None:
    """Any value in any place: a model of the same weights, or RefusedModel, and nothing else; quickly."""
    claimed, arrays = sent(build(keras))
    chance = random.Random(5)
    for _ in range(80):
        mutant = copy.deepcopy(claimed)
        place, key = chance.choice(list(places(mutant)))
        place[key] = chance.choice(WRONG)
        start = time.perf_counter()
        with contextlib.suppress(RefusedModel):
            assert rebuild(mutant, arrays).count_params() == sum(array.size for array in arrays)
        assert time.perf_counter() - start < 20


def places(value: Any) -> Any:
    """Every (container, key) in a JSON value."""
    for key in value if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


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


def test_plans_are_read_without_constructing_anything() -> None:
    with pytest.raises(RefusedModel, match="configuration is None"):
        read_model("Sequential", None)
