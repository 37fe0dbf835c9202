"""Models of the student's own classes are read as computations: as configurations, unrolled, or only asked."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from helpers.own_models import ASKED, CELLS, CONFIGURED, ROWS, UNROLLED, called, linear, of_call
from helpers.rebuilding import outputs, sent

from autograder import check
from autograder.extensions.keras.kernel_side.keras_model import claim
from autograder.extensions.networks.fresh_model import reinitialize
from autograder.models import RefusedModel, rebuild

pytestmark = pytest.mark.keras


@pytest.fixture(scope="module")
def keras() -> Any:
    return pytest.importorskip("keras")


def layers_of(model: Any) -> str:
    return (
        check.architecture(model, [...])
        .message.removeprefix("as asked: ")
        .removesuffix(" (read from the model's call)")
    )


@pytest.mark.parametrize("name", CONFIGURED)
def test_a_class_that_adds_only_training_is_read_from_its_configuration(keras: Any, name: str) -> None:
    make, layers = CONFIGURED[name]
    model, rows = make(keras)
    claimed = sent(model)
    assert claimed[0]["kind"] in ("Sequential", "Functional")
    twin = rebuild(*claimed)
    assert layers_of(twin) == layers
    assert "read from" not in check.architecture(twin, [...]).message
    np.testing.assert_array_equal(outputs(twin, rows), outputs(model, rows))
    assert twin.count_params() == model.count_params()


@pytest.mark.parametrize("name", UNROLLED)
def test_an_own_class_is_unrolled_into_the_layers_that_its_call_uses(keras: Any, name: str) -> None:
    make, layers = UNROLLED[name]
    model, rows = make(keras)
    claimed = sent(model)
    assert claimed[0]["kind"] == "Unrolled"
    twin = rebuild(*claimed)
    assert check.architecture(twin, [...]).message.endswith(" (read from the model's call)")
    assert layers_of(twin) == layers
    for mine, theirs in zip(outputs(twin, rows), outputs(model, rows), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-6, atol=1e-6)  # a product may be transposed first
    assert twin.count_params() == model.count_params()
    assert check.parameters(twin, exactly=model.count_params())
    trainable = sum(np.prod(v.shape, dtype=int) for v in model.trainable_weights)
    assert check.parameters(twin, exactly=int(trainable), kind="trainable")


@pytest.mark.parametrize("name", CELLS)
def test_cells_and_layers_of_ones_own_are_run_step_by_step(keras: Any, name: str) -> None:
    model, rows = CELLS[name](keras)
    twin = rebuild(*sent(model))
    np.testing.assert_allclose(outputs(twin, rows)[0], outputs(model, rows)[0], rtol=1e-4, atol=1e-5)
    assert twin.count_params() == model.count_params()
    assert reinitialize(twin, 1).count_params() == model.count_params()


@pytest.mark.parametrize("name", ASKED)
def test_what_cannot_be_read_says_why_and_may_be_asked(keras: Any, name: str) -> None:
    make, reason = ASKED[name]
    model, _ = make(keras)
    with pytest.raises(RefusedModel, match=reason) as caught:
        rebuild(*sent(model))
    assert caught.value.kind_refused


def test_an_unrolled_model_trains_again_from_its_own_initializers(keras: Any) -> None:
    own = linear(keras)
    model, _ = called(of_call(keras, {"a": own(50)}, lambda own, x, t: own.a(x)), np.zeros((2, 200), "float32"))
    model.a.w.assign(np.ones((200, 50)))
    model.a.b.assign(np.ones(50))
    fresh = reinitialize(rebuild(*sent(model)), 1)
    weights = {tuple(w.shape): np.asarray(w) for w in fresh.weights}
    assert (weights[50,] == 0).all()
    assert weights[200, 50].std() == pytest.approx(np.sqrt(2 / 200), rel=0.1), "he_normal"


def made_in_init(keras: Any) -> Any:
    class Own(keras.layers.Layer):
        def __init__(self, units: int, **options: Any) -> None:
            super().__init__(**options)
            print("made")
            self.scale = self.add_weight(shape=(units,), initializer="zeros", name="scale")
            self.w = self.add_weight((200, units), "random_normal", name="w")
            self.inner = keras.layers.Dense(units)

        def call(self, x: Any) -> Any:
            return self.inner(keras.ops.matmul(x, self.w) * (1 + self.scale))

    return Own


def test_initializers_of_weights_that_are_made_in_init_are_read(keras: Any, capsys: Any) -> None:
    model, _ = called(keras.Sequential([made_in_init(keras)(50)]), np.zeros((2, 200), "float32"))
    capsys.readouterr()
    before = keras.layers.Dense(1).name
    claimed = sent(model)
    assert not capsys.readouterr().out
    assert int(keras.layers.Dense(1).name.rpartition("_")[2]) == int(before.rpartition("_")[2] or 0) + 1
    fresh = reinitialize(rebuild(*claimed), 1)
    weights = {
        tuple(layer.weight.shape): np.asarray(layer.weight) for layer in fresh.layers if hasattr(layer, "weight")
    }
    assert (weights[50,] == 0).all()
    assert weights[200, 50].std() == pytest.approx(0.05, rel=0.1), "random_normal"


@pytest.mark.parametrize("copied", ["reinitialize", "clone_model"])
def test_weights_that_are_used_twice_stay_tied_when_trained_again(keras: Any, copied: str) -> None:
    model, rows = UNROLLED["autoencoder"][0](keras)
    twin = rebuild(*sent(model))
    fresh = reinitialize(twin, 1) if copied == "reinitialize" else keras.models.clone_model(twin)
    assert fresh.count_params() == model.count_params()
    before = outputs(fresh, rows)[0]
    assert not np.allclose(before, outputs(twin, rows)[0])
    fresh.compile("sgd", "mse")
    fresh.fit(rows, rows, verbose=0)
    encoder = next(layer for layer in fresh.layers if isinstance(layer, keras.Sequential))
    first, first_bias, second, second_bias = map(np.asarray, encoder.weights)
    turned, turned_bias = (np.asarray(layer.weight) for layer in fresh.layers if type(layer).__name__ == "Variable")
    code = np.maximum(rows @ first + first_bias, 0) @ second + second_bias
    decoded = np.maximum(code @ second.T + turned, 0) @ first.T + turned_bias
    np.testing.assert_allclose(outputs(fresh, rows)[0], decoded, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("wrong", [{"index": 7}, {"index": 1}, {"layer": "none"}, {"shape": [4, 9]}, {"layer": [1]}])
def test_a_weight_that_no_layer_has_is_refused(keras: Any, wrong: dict[str, Any]) -> None:
    claimed, arrays = sent(UNROLLED["tied"][0](keras)[0])
    entry = next(entry for entry in claimed["config"]["layers"] if entry["class_name"] == "Weight")
    entry["config"].update(wrong)
    with pytest.raises(RefusedModel):
        rebuild(claimed, arrays)


def test_a_branch_for_training_is_no_part_of_the_prediction(keras: Any) -> None:
    def call(own: Any, x: Any, training: Any) -> Any:
        x = own.d(x)
        return own.noise(x, training=training) if training else x

    parts = {"d": keras.layers.Dense(3), "noise": keras.layers.Dropout(0.5)}
    model, _ = called(of_call(keras, parts, call), ROWS)
    assert layers_of(rebuild(*sent(model))) == "Dense(units=3)"


def test_frozen_parts_stay_frozen(keras: Any) -> None:
    own = linear(keras)
    model, _ = called(of_call(keras, {"a": own(3), "b": own(2)}, lambda own, x, t: own.b(own.a(x))), ROWS)
    model.a.trainable = False
    twin = rebuild(*sent(model))
    assert [tuple(v.shape) for v in twin.trainable_weights] == [(3, 2), (2,)]


def test_reading_leaves_no_trace(keras: Any) -> None:
    model, rows = UNROLLED["blocks"][0](keras)
    before = {id(layer): dict(vars(layer)) for layer in model._flatten_layers()}
    nodes = [len(layer._inbound_nodes) for layer in model._flatten_layers()]
    name = keras.layers.Add().name
    claim(model)
    number = int(name.partition("_")[2] or 0)
    assert keras.layers.Add().name == f"add_{number + 1}"
    assert {id(layer): dict(vars(layer)) for layer in model._flatten_layers()} == before
    assert [len(layer._inbound_nodes) for layer in model._flatten_layers()] == nodes
    model.compile("sgd", "mse")
    model.fit(rows, rows, verbose=0)


def test_a_model_that_was_never_called_has_nothing_to_read(keras: Any) -> None:
    model = of_call(keras, {"d": keras.layers.Dense(3)}, lambda own, x, t: own.d(x))
    with pytest.raises(RefusedModel, match="its input shape is not known"):
        rebuild(*sent(model))
    model.build((None, 4))
    with pytest.raises(RefusedModel, match="have no weights yet"):
        rebuild(*sent(model))
    assert not model.d.built


def test_a_saved_model_is_read_as_before(keras: Any, tmp_path: Any) -> None:
    model, rows = UNROLLED["Dense subclass"][0](keras)
    kind = type(model.layers[0])
    kind.from_config = classmethod(lambda cls, config: cls(3))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", custom_objects={kind.__name__: kind})
    twin = rebuild(*sent(loaded))
    assert layers_of(twin) == "Dense(units=3, activation=relu)"
    np.testing.assert_array_equal(outputs(twin, rows), outputs(model, rows))


def test_reading_costs_a_fraction_of_a_second(keras: Any) -> None:
    model, _ = UNROLLED["blocks"][0](keras)
    sent(model)  # Keras compiles and caches at the first call
    began = time.process_time()
    sent(model)
    assert time.process_time() - began < 0.3
