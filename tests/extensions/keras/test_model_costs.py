"""Claims that ask for memory or time: refused before anything is built. And which refusals are of a kind."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers.graphs import small, subclassed
from helpers.rebuilding import sent

from autograder.extensions.networks.prediction import predictions
from autograder.models import RefusedModel, rebuild

pytestmark = pytest.mark.keras


@pytest.fixture(scope="module")
def keras() -> Any:
    return pytest.importorskip("keras")


TOO_LARGE = "too large to be graded"

Layers = Callable[[Any], Any]

COSTS: list[tuple[tuple[int, ...], str, Layers, dict[str, Any], str]] = [
    ((8, 8, 3), "float32", lambda k: k.Resizing(4, 4), {"height": 10**9}, "height is 1000000000"),
    ((8, 8, 3), "float32", lambda k: k.Resizing(4, 4), {"height": 10**7, "width": 10**7}, TOO_LARGE),
    ((8, 8, 3), "float32", lambda k: k.CenterCrop(4, 4), {"height": 10**6, "width": 10**4}, TOO_LARGE),
    ((1024, 1024, 1), "float32", lambda k: k.ContrastLimitedAdaptiveHistogramEqualization(), {}, TOO_LARGE),
    ((256, 1), "float32", lambda k: k.STFTSpectrogram(frame_length=32), {"fft_length": 10**6}, "fft_length is 1000000"),
    ((10**6,), "float32", lambda k: k.MelSpectrogram(num_mel_bins=2), {"sequence_stride": 1}, TOO_LARGE),
    ((8,), "int64", lambda k: k.Hashing(5, output_mode="count"), {"num_bins": 10**7}, TOO_LARGE),
    ((1000,), "int64", lambda k: k.CategoryEncoding(5), {"num_tokens": 10**6}, TOO_LARGE),
    (
        (1,),
        "string",
        lambda k: k.TextVectorization(vocabulary=["a"], output_mode="count", max_tokens=9, pad_to_max_tokens=True),
        {"max_tokens": 10**7},
        TOO_LARGE,
    ),
    ((10**6, 1), "float32", lambda k: k.LSTM(1), {}, "more than 100,000 steps"),
    ((50_000, 1), "float32", lambda k: k.SeparableConv1D(1, 1), {"depth_multiplier": 2000}, TOO_LARGE),
    ((4,), "float32", lambda k: k.Dense(2), {"units": 10**7}, "array|more than 50,000,000 parameters"),
    (
        (4,),
        "float32",
        lambda k: k.EinsumDense("ab,bc->ac", 2),
        {"equation": "abcdefghijklm,m->abcdefghijklm"},
        "equation",
    ),
    ((4,), "float32", lambda k: k.EinsumDense("ab,bc->ac", 2), {"output_shape": 10**7}, "array|too large"),
    ((4,), "float32", lambda k: k.RepeatVector(2), {"n": 10**7 + 1}, "n is 10000001"),
    ((4,), "float32", lambda k: k.ReLU(), {"max_value": float("inf")}, "max_value is inf"),
    ((8, 8, 3), "float32", lambda k: k.RandAugment(), {"num_ops": 10**6}, "num_ops is 1000000"),
    ((8, 8, 3), "float32", lambda k: k.AugMix(), {"chain_depth": 10**6}, "chain_depth is 1000000"),
]


@pytest.mark.parametrize(("shape", "dtype", "layer", "change", "message"), COSTS)
def test_a_layer_that_asks_for_too_much_is_refused(
    keras: Any, shape: tuple[int, ...], dtype: str, layer: Layers, change: dict[str, Any], message: str
) -> None:
    claimed, _ = sent(keras.Sequential([keras.Input(shape, dtype=dtype), layer(keras.layers)]))
    claimed["config"]["layers"][1]["config"].update(change)
    start = time.process_time()
    with pytest.raises(RefusedModel, match=message) as caught:
        rebuild(claimed, [])
    assert time.process_time() - start < 2
    assert not caught.value.kind_refused


def test_a_layer_that_was_refused_costs_the_next_one_nothing(keras: Any) -> None:
    """Keras gives values to variables that wait for them at the end of its next scope, whosever it is."""
    claimed, _ = sent(keras.Sequential([keras.Input((4000,)), keras.layers.Dense(2)]))
    claimed["config"]["layers"][1]["config"].update({"units": 10**7})
    with pytest.raises(RefusedModel):
        rebuild(claimed, [])

    class Next(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x

    assert keras.Sequential([keras.Input((4,)), Next()]).output_shape == (None, 4)


@pytest.mark.parametrize(
    ("shape", "attend"),
    [
        ((3000, 64), lambda k, x: k.AdditiveAttention()([x, x])),
        ((3000, 64), lambda k, x: k.Attention(score_mode="concat")([x, x])),
        ((10**6, 2), lambda k, x: k.MultiHeadAttention(1, 1)(x, x)),
        ((100, 1), lambda k, x: k.MultiHeadAttention(100, 1000)(x, x)),
        ((8000, 2), lambda k, x: k.GroupQueryAttention(2, 2, 1)(x, x)),
    ],
)
def test_attention_is_measured_by_its_scores_and_projections(keras: Any, shape: Any, attend: Any) -> None:
    x = keras.Input(shape)
    claimed, _ = sent(keras.Model(x, attend(keras.layers, x)))
    with pytest.raises(RefusedModel, match=TOO_LARGE):
        rebuild(claimed, [])


# --- which refusals are of a kind --------------------------------------------------------------------


def after(layer: Callable[[Any], Any], **options: Any) -> Callable[[Any], Any]:
    return lambda keras: keras.Sequential([keras.Input((4,), **options), layer(keras)])


def diverged(keras: Any) -> Any:
    model = small(keras)
    model.layers[0].kernel.assign(np.full((4, 5), np.nan))
    return model


@pytest.mark.parametrize(
    ("build", "message", "kind"),
    [
        (after(lambda k: k.layers.Lambda(lambda x: k.ops.digitize(x, np.zeros(1)))), "The operation 'Digitize' cannot", True),
        (subclassed, "a class of your own, and its input shape is not known", True),
        (after(lambda k: k.layers.MaxNumBoundingBoxes(3)), "it works on bounding boxes", True),
        (after(lambda k: k.layers.Dense(2), sparse=True), "The input's sparse is True", True),
        (lambda k: k.Sequential([k.Input(batch_shape=(2, 4, 2)), k.layers.LSTM(3, stateful=True)]), "stateful is True", True),
        (diverged, "training diverged", False),
        (lambda k: k.Sequential([k.layers.Dense(3)]), "no input shape yet", True),
        (lambda k: k.Sequential(), "no layers yet|no input shape yet", False),
    ],
)  # fmt: skip
def test_a_refusal_says_whether_the_kind_is_refused(keras: Any, build: Any, message: str, kind: bool) -> None:
    with pytest.raises(RefusedModel, match=message) as caught:
        rebuild(*sent(build(keras)))
    assert caught.value.kind_refused is kind


def test_the_lessons_model_is_rebuilt_in_no_time(keras: Any) -> None:
    layers = keras.layers
    sizes = [keras.Input((93,)), layers.Dense(512, "relu"), layers.Dense(256, "relu"), layers.Dense(9, "softmax")]
    claimed, arrays = sent(keras.Sequential(sizes))
    rebuild(claimed, arrays)
    spent = []
    for _ in range(5):
        start = time.process_time()
        rebuild(claimed, arrays)
        spent.append(time.process_time() - start)
    assert min(spent) < 0.05


def test_a_rebuilt_model_draws_fresh_weights_when_it_is_cloned(keras: Any) -> None:
    """As a training elsewhere does: the claimed initializers are there, not the zeros of the construction."""
    layers = keras.layers
    x = keras.Input((6, 4))
    y = layers.TimeDistributed(layers.Dense(4, kernel_initializer="he_normal"))(x)
    y = layers.MultiHeadAttention(2, 3)(y, layers.GroupQueryAttention(2, 2, 1)(y, y))
    y = layers.Bidirectional(layers.RNN([layers.LSTMCell(3), layers.GRUCell(3)], return_sequences=True))(y)
    y = layers.Dense(2)(layers.SpectralNormalization(layers.Conv1D(3, 2))(y))
    clone = keras.models.clone_model(rebuild(*sent(keras.Model(x, y))))
    kernels = [variable for variable in clone.trainable_weights if "kernel" in variable.path]
    assert len(kernels) > 15
    assert all(float(np.std(kernel.numpy())) > 0 for kernel in kernels)


def test_numbers_between_the_layers_make_a_batch_smaller(keras: Any) -> None:
    """Outputs of layers are small here; what operations make of them in between is not."""
    x = keras.Input((4,))
    wide = keras.ops.tile(keras.ops.tile(keras.layers.Dense(4)(x), (1, 1000)), (1, 1000))
    model = rebuild(*sent(keras.Model(x, keras.layers.Dense(1)(keras.ops.sum(wide, axis=1, keepdims=True)))))
    assert model.numbers_per_row > 4_000_000
    asked: list[int] = []
    call = model.call
    model.call = lambda inputs, **options: asked.append(len(inputs)) or call(inputs, **options)
    assert predictions(model, np.ones((20, 4), "float32")).shape == (20, 1)
    assert max(asked) <= 8


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["ResNet50", "MobileNetV2", "MobileNetV3Small", "EfficientNetB0", "DenseNet121", "Xception", "NASNetMobile"]
)
def test_keras_applications_are_rebuilt(keras: Any, name: str) -> None:
    model = getattr(keras.applications, name)(weights=None)
    twin = rebuild(*sent(model))
    sizes = [96 if size is None else size for size in model.input_shape[1:]]
    pictures = np.random.default_rng(0).uniform(0, 255, (1, *sizes)).astype("float32")
    np.testing.assert_array_equal(twin(pictures, training=False), model(pictures, training=False))
