"""Every layer of keras.layers: rebuilt with the same outputs, or refused with a reason."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.model_layers import CASES, WRAPPED
from helpers.rebuilding import assert_equal_after_rebuilding, plain, sent

from autograder.extensions.keras.table import BASES, CELLS, FAMILIES, LAYERS, REFUSED, WRAPPERS
from autograder.models import RefusedModel, rebuild

pytestmark = pytest.mark.keras


@pytest.fixture(scope="module")
def keras() -> Any:
    """Keras, with a fixed seed."""
    keras = pytest.importorskip("keras")
    keras.utils.set_random_seed(3)
    return keras


@pytest.mark.parametrize(("dtype", "name", "arguments", "shape"), CASES)
def test_a_rebuilt_layer_computes_the_same(
    keras: Any, dtype: str, name: str, arguments: dict[str, Any], shape: tuple[int, ...]
) -> None:
    layer = getattr(keras.layers, name)(**arguments)
    model = keras.Sequential([keras.Input(shape, dtype=dtype), layer])
    twin = assert_equal_after_rebuilding(model)
    assert plain(twin.layers[0].get_config()) == plain(layer.get_config())


@pytest.mark.parametrize("name", WRAPPED)
def test_a_layer_around_layers_computes_the_same(keras: Any, name: str) -> None:
    shape, layers = WRAPPED[name]
    model = keras.Sequential([keras.Input(shape), *layers(keras.layers)])
    twin = assert_equal_after_rebuilding(model)
    assert [plain(layer.get_config()) for layer in twin.layers] == [plain(layer.get_config()) for layer in model.layers]


# --- the whole of keras.layers -----------------------------------------------------------------------


def test_every_public_layer_of_keras_is_rebuilt_or_refused_with_a_reason(keras: Any) -> None:
    """A new release of Keras names here what it brings. Other names of one class (MaxPool1D) count once."""
    classes: dict[type, set[str]] = {}
    for name, value in vars(keras.layers).items():
        if inspect.isclass(value):
            classes.setdefault(value, set()).add(name)
    known = LAYERS.keys() | REFUSED.keys() | BASES
    assert [sorted(names) for names in classes.values() if not names & known] == []
    assert [sorted(names) for names in classes.values() if len(names & known) > 1] == []
    assert not known - {name for names in classes.values() for name in names}


def test_every_layer_of_the_table_is_tested() -> None:
    """No layer is on the allow-list without a round trip that covers it."""
    alone = {name for _, name, _, _ in CASES}
    joined = set(FAMILIES["joining"]) | set(FAMILIES["attention"]) | {"HashedCrossing"}  # in test_model_graphs.py
    assert alone | joined | CELLS | set(WRAPPERS) == set(LAYERS)


def test_every_argument_of_a_layer_is_known(keras: Any) -> None:
    """What a layer's configuration has by default is in the table, so that a new argument is noticed."""
    unknown = {}
    for _, name, arguments, _ in CASES:
        config = getattr(keras.layers, name)(**arguments).get_config()
        common = ("name", "trainable", "dtype", "quantization_config")
        keys = {key for key in config if key not in common and not key.endswith(("_initializer", "izer", "constraint"))}
        unknown[name] = keys - LAYERS[name].keys()
    assert {name: keys for name, keys in unknown.items() if keys} == {}


def test_the_reference_names_every_layer_and_what_is_refused() -> None:
    page = (Path(__file__).parents[3] / "docs/reference/models.md").read_text()
    words = set(re.findall(r"[A-Za-z]\w+", page))
    assert LAYERS.keys() | REFUSED.keys() <= words


# --- what is learned -----------------------------------------------------------------------------------

TEXTS = [["the quick brown fox"], ["the lazy dog"], ["the fox and the dog"]]


@pytest.mark.parametrize(
    "arguments",
    [
        {"output_sequence_length": 5},
        {"max_tokens": 5, "output_mode": "multi_hot"},
        {"max_tokens": 20, "output_mode": "tf_idf", "pad_to_max_tokens": True},
    ],
)
def test_a_vocabulary_that_was_learned_comes_along(keras: Any, arguments: dict[str, Any]) -> None:
    layer = keras.layers.TextVectorization(**arguments)
    layer.adapt(TEXTS)
    twin = assert_equal_after_rebuilding(keras.Sequential([keras.Input((1,), dtype="string"), layer]))
    assert twin.layers[0].get_vocabulary() == layer.get_vocabulary()


def test_lookups_and_bins_that_were_learned_come_along(keras: Any) -> None:
    words = keras.layers.StringLookup(output_mode="tf_idf")
    words.adapt([["a", "b", "a"], ["c", "a", "a"]])
    numbers = keras.layers.IntegerLookup(num_oov_indices=2, mask_token=0)
    numbers.adapt([[5, 1, 1], [3, 3, 1]])
    bins = keras.layers.Discretization(num_bins=3)
    bins.adapt([[0.1], [0.5], [0.9], [1.3]])
    scale = keras.layers.Normalization()
    scale.adapt(np.random.default_rng(2).normal(3.0, 2.0, (50, 4)))
    for layer, shape, dtype in (
        (words, (3,), "string"),
        (numbers, (3,), "int64"),
        (bins, (2,), "float32"),
        (scale, (4,), "float32"),
    ):
        assert_equal_after_rebuilding(keras.Sequential([keras.Input(shape, dtype=dtype), layer]))


def test_a_text_classifier_is_rebuilt_from_its_words_on(keras: Any) -> None:
    layers = keras.layers
    vectorize = layers.TextVectorization(output_sequence_length=4)
    vectorize.adapt(TEXTS)
    parts = [vectorize, layers.Embedding(20, 3, mask_zero=True), layers.LSTM(4), layers.Dense(2, "softmax")]
    assert_equal_after_rebuilding(keras.Sequential([keras.Input((1,), dtype="string"), *parts]))


@pytest.mark.parametrize(
    ("name", "change", "message", "kind"),
    [
        ("StringLookup", {"vocabulary": "/etc/passwd"}, "vocabulary is '/etc/passwd', and must be a list", False),
        ("StringLookup", {"vocabulary": ["a", "a"]}, "StringLookup cannot be built", False),
        ("StringLookup", {"vocabulary": ["a", 3]}, "a list of texts, or of whole numbers", False),
        ("StringLookup", {"vocabulary": ["\ud800"]}, "not text", False),
        ("StringLookup", {"vocabulary": ["a" * 1001]}, "too long", False),
        ("StringLookup", {"vocabulary": [str(i) for i in range(500_001)]}, "a list of 1 to 500,000 terms", False),
        ("StringLookup", {"vocabulary": []}, "a list of 1 to 500,000 terms", False),
        ("StringLookup", {"encoding": "zlib_codec"}, "encoding is 'zlib_codec'", False),
        ("StringLookup", {"sparse": True}, "sparse is True", True),
        ("TextVectorization", {"ragged": True}, "ragged is True", True),
        ("TextVectorization", {"standardize": {"class_name": "function", "config": "f"}}, "function of your own", True),
        ("TextVectorization", {"split": "a|b"}, "split is 'a|b'", False),
        ("TextVectorization", {"ngrams": 10**6}, "ngrams", False),
        (
            "TextVectorization",
            {"output_mode": "count", "pad_to_max_tokens": True, "max_tokens": 10**8},
            "max_tokens",
            False,
        ),
    ],
)
def test_hostile_vocabularies_are_refused(
    keras: Any, name: str, change: dict[str, Any], message: str, kind: bool
) -> None:
    layer = getattr(keras.layers, name)(vocabulary=["a", "b"])
    claimed, arrays = sent(keras.Sequential([keras.Input((1,), dtype="string"), layer]))
    claimed["config"]["layers"][1]["config"].update(change)
    with pytest.raises(RefusedModel, match=message) as caught:
        rebuild(claimed, arrays)
    assert caught.value.kind_refused is kind


@pytest.mark.parametrize(
    "learned", [{"terms": "/etc/passwd"}, {"terms": [["a"]]}, {"terms": ["a"], "idf": [1.0, 2.0]}, []]
)
def test_a_hostile_learned_vocabulary_is_refused(keras: Any, learned: Any) -> None:
    layer = keras.layers.StringLookup()
    layer.adapt(["a", "b"])
    claimed, arrays = sent(keras.Sequential([keras.Input((1,), dtype="string"), layer]))
    claimed["vocabularies"] = [learned]
    with pytest.raises(RefusedModel, match=r"vocabulary|idf_weights"):
        rebuild(claimed, arrays)
