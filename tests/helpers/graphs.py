"""Functional models of all shapes, for the tests of rebuilding. Each builder is given ``keras``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Builder = Callable[[Any], Any]


def small(keras: Any) -> Any:
    hidden = keras.layers.Dense(5, activation="relu", kernel_initializer="he_uniform")
    return keras.Sequential([keras.Input((4,)), hidden, keras.layers.Dense(3, activation="softmax")])


def recurrent(keras: Any) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((6,)),
            layers.Embedding(9, 4, mask_zero=True),
            layers.Bidirectional(layers.LSTM(3, return_sequences=True), merge_mode="sum"),
            layers.TimeDistributed(layers.Dense(2)),
            layers.GRU(2),
        ]
    )


def masked_graph(keras: Any) -> Any:
    inputs = keras.Input((6,))
    masked = keras.layers.Embedding(9, 4, mask_zero=True)(inputs)
    return keras.Model(inputs, keras.layers.LSTM(3)(masked))


def masks_joined(keras: Any) -> Any:
    first, second = keras.Input((6,)), keras.Input((6, 4))
    left = keras.layers.Embedding(9, 4, mask_zero=True)(first)
    joined = keras.layers.Concatenate()([left, keras.layers.Masking()(second)])
    return keras.Model([first, second], keras.layers.LSTM(3)(keras.layers.Add()([joined, joined])))


def explicit_mask(keras: Any) -> Any:
    inputs, mask = keras.Input((6, 4)), keras.Input((6,), dtype="bool")
    return keras.Model([inputs, mask], keras.layers.LSTM(3)(inputs, mask=mask))


def shared_layer(keras: Any) -> Any:
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    shared = keras.layers.Dense(3, activation="tanh")
    dot = keras.layers.Dot(1, normalize=True)([shared(left), shared(right)])
    return keras.Model({"left": left, "right": right}, {"dot": dot, "raw": shared(left)})


def nested_ends(keras: Any) -> Any:
    a, b, c = (keras.Input((4,), name=name) for name in "abc")
    dense = keras.layers.Dense(3)
    return keras.Model([a, [b, c]], {"z": [dense(a), dense(b)], "y": dense(c)})


def residual(keras: Any) -> Any:
    inputs = keras.Input((4,))
    hidden = keras.layers.Dense(4, activation=keras.layers.LeakyReLU(0.1))(inputs)
    return keras.Model(inputs, [keras.layers.Softmax()(hidden + inputs), 2.0 * hidden])


def inner_models(keras: Any) -> Any:
    inner_inputs = keras.Input((4,))
    inner = keras.Model(inner_inputs, keras.layers.Dense(3)(inner_inputs))
    block = keras.Sequential([keras.Input((3,)), keras.layers.BatchNormalization(), keras.layers.Dense(4)])
    inputs = keras.Input((4,))
    return keras.Model(inputs, inner(block(inner(inputs), training=False)))


def inner_in_sequential(keras: Any) -> Any:
    return keras.Sequential([keras.Input((4,)), inner_models(keras), keras.layers.Dense(2)])


def inner_with_names(keras: Any) -> Any:
    p, q = keras.Input((4,), name="p"), keras.Input((3,), name="q")
    outputs = {"sum": keras.layers.Dense(3)(p) + q, "left": keras.layers.Dense(2)(p)}
    inner = keras.Model({"p": p, "q": q}, outputs)
    x, y = keras.Input((4,)), keras.Input((3,))
    out = inner({"q": y, "p": x})
    return keras.Model([x, y], [keras.layers.Dense(2)(out["sum"]), out["left"]])


def layer_of_two_models(keras: Any) -> Any:
    shared = keras.layers.Dense(4, name="shared")
    one, two = keras.Input((4,)), keras.Input((4,))
    first = keras.Model(one, keras.layers.ReLU()(shared(one)))
    second = keras.Model(two, shared(shared(two)))
    inputs = keras.Input((4,))
    return keras.Model(inputs, [first(inputs), second(inputs), shared(inputs)])


def autoencoder(keras: Any) -> Any:
    x, z = keras.Input((6,)), keras.Input((2,))
    encoder = keras.Model(x, keras.layers.Dense(2)(x), name="encoder")
    decoder = keras.Model(z, keras.layers.Dense(6)(z), name="decoder")
    return keras.Model(x, decoder(encoder(x)))


def seq2seq(keras: Any) -> Any:
    source, target = keras.Input((5, 3)), keras.Input((4, 2))
    _, *states = keras.layers.LSTM(3, return_state=True)(source)
    decoded = keras.layers.LSTM(3, return_sequences=True)(target, initial_state=states)
    return keras.Model([source, target], decoded)


def bidirectional_states(keras: Any) -> Any:
    inputs = keras.Input((5, 3))
    out, *states = keras.layers.Bidirectional(keras.layers.GRU(3, return_state=True))(inputs)
    again = keras.layers.Bidirectional(keras.layers.GRU(3))(inputs, initial_state=states)
    return keras.Model(inputs, [out, again])


def self_attention(keras: Any) -> Any:
    inputs = keras.Input((5, 4))
    attended = keras.layers.MultiHeadAttention(2, 3, value_dim=2)(inputs, inputs, use_causal_mask=True)
    return keras.Model(inputs, keras.layers.LayerNormalization()(attended + inputs))


def cross_attention(keras: Any) -> Any:
    query, value, mask = keras.Input((5, 4)), keras.Input((7, 3)), keras.Input((5, 7), dtype="bool")
    layer = keras.layers.MultiHeadAttention(2, 3, output_shape=6, use_gate=True)
    out, scores = layer(query=query, value=value, key=value, attention_mask=mask, return_attention_scores=True)
    return keras.Model([query, value, mask], [out, scores])


def masked_attention(keras: Any) -> Any:
    inputs = keras.Input((6,))
    words = keras.layers.Embedding(9, 4, mask_zero=True)(inputs)
    return keras.Model(inputs, keras.layers.MultiHeadAttention(2, 3, use_bias=False)(words, words))


def attention_over_pictures(keras: Any) -> Any:
    inputs = keras.Input((3, 5, 4))
    return keras.Model(inputs, keras.layers.MultiHeadAttention(2, 3, attention_axes=(2,))(inputs, inputs))


def grouped_attention(keras: Any) -> Any:
    inputs = keras.Input((5, 4))
    layer = keras.layers.GroupQueryAttention(3, 4, 2, use_gate=True)
    return keras.Model(inputs, list(layer(inputs, inputs, return_attention_scores=True)))


def plain_attention(keras: Any) -> Any:
    query, value = keras.Input((5, 4)), keras.Input((7, 4))
    dot = keras.layers.Attention(use_scale=True, score_mode="concat")([query, value], use_causal_mask=True)
    plain, scores = keras.layers.Attention()([query, value, value], return_attention_scores=True)
    return keras.Model([query, value], [dot, plain, scores, keras.layers.AdditiveAttention()([query, value])])


def tied_embedding(keras: Any) -> Any:
    inputs = keras.Input((6,), dtype="int32")
    table = keras.layers.ReversibleEmbedding(9, 4, logit_soft_cap=3.0)
    return keras.Model(inputs, table(keras.layers.Dense(4)(table(inputs)), reverse=True))


def crossed_features(keras: Any) -> Any:
    a, b = keras.Input((1,), dtype="string"), keras.Input((1,), dtype="int64")
    crossed = keras.layers.HashedCrossing(8, output_mode="one_hot")([a, b])
    return keras.Model([a, b], keras.layers.Dense(2)(crossed))


def weighted_categories(keras: Any) -> Any:
    indices, weights = keras.Input((3,), dtype="int32"), keras.Input((3,))
    layer = keras.layers.CategoryEncoding(num_tokens=8, output_mode="count")
    return keras.Model([indices, weights], layer(indices, count_weights=weights))


def policies(keras: Any) -> Any:
    inputs = keras.Input((4,))
    x = keras.layers.Dense(3, dtype="mixed_float16")(inputs)
    x = keras.layers.Dense(3, dtype="mixed_bfloat16")(x)
    x = keras.layers.Dense(3, dtype="bfloat16")(x)
    return keras.Model(inputs, keras.layers.Dense(2, dtype="float64")(x))


def without_an_input_layer(keras: Any) -> Any:
    model = keras.Sequential([keras.layers.Dense(3, name="mine"), keras.layers.Dense(2)])
    model.build((None, 4))
    return model


def free_lengths(keras: Any) -> Any:
    inputs = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(9, 4)(inputs)
    x = keras.layers.Conv1D(4, 3, padding="same")(x)
    x = x + keras.layers.MultiHeadAttention(2, 3)(x, x)
    return keras.Model(inputs, keras.layers.GlobalMaxPooling1D()(x))


def positions(keras: Any) -> Any:
    inputs = keras.Input((6,), dtype="int32")
    words = keras.layers.Embedding(9, 4)(inputs) + keras.layers.Embedding(6, 4)(np.arange(6))
    return keras.Model(inputs, words)


def always_training(keras: Any) -> Any:
    inputs = keras.Input((4,))
    return keras.Model(inputs, keras.layers.BatchNormalization()(keras.layers.Dense(3)(inputs), training=True))


def fixed_batch(keras: Any) -> Any:
    inputs = keras.Input(batch_shape=(5, 4))
    return keras.Model(inputs, keras.ops.reshape(keras.layers.Dense(3)(inputs), (5, 3, 1)))


def constant_mask(keras: Any) -> Any:
    inputs = keras.Input((5, 4))
    seen = np.tril(np.ones((1, 5, 5), bool))
    return keras.Model(inputs, keras.layers.MultiHeadAttention(2, 3)(inputs, inputs, attention_mask=seen))


def constant_states(keras: Any) -> Any:
    inputs = keras.Input((5, 4))
    return keras.Model(inputs, keras.layers.GRU(3)(inputs, initial_state=keras.ops.ones((5, 3))))


def end_of_a_model(keras: Any) -> Any:
    hidden = keras.layers.Dense(3)(keras.Input((4,)))
    return keras.Model(hidden, keras.layers.Dense(2)(keras.layers.ReLU()(hidden)))


def middle_of_a_model(keras: Any) -> Any:
    whole = keras.Sequential([keras.Input((4,)), *(keras.layers.Dense(n) for n in (3, 5, 2))])
    return keras.Model(whole.inputs, [whole.layers[0].output, whole.layers[1].output])


def block_twice(keras: Any) -> Any:
    block = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, "tanh")], name="block")
    inputs = keras.Input((4,))
    once = block(inputs)
    return keras.Model(inputs, [block(block(once)), once])


def transformer(keras: Any) -> Any:
    layers = keras.layers
    words = keras.Input((6,), dtype="int32")
    x = layers.Embedding(9, 8, mask_zero=True)(words)
    attended = layers.MultiHeadAttention(2, 4)(x, x, use_causal_mask=True)
    x = layers.LayerNormalization()(x + layers.Dropout(0.1)(attended))
    x = layers.LayerNormalization()(x + layers.Dense(8)(layers.Dense(16, "gelu")(x)))
    return keras.Model(words, layers.Dense(2, "softmax")(layers.GlobalAveragePooling1D()(x)))


def structured_data(keras: Any) -> Any:
    layers = keras.layers
    title, numbers = keras.Input((), dtype="string", name="title"), keras.Input((3,), name="numbers")
    words, scale = layers.TextVectorization(output_mode="tf_idf"), layers.Normalization()
    words.adapt(["the lazy dog", "the fox", "a fox"])
    scale.adapt(np.random.default_rng(0).normal(2.0, 3.0, (10, 3)))
    features = layers.Concatenate()([words(title), scale(numbers)])
    inner = keras.Model({"title": title, "numbers": numbers}, layers.Dense(2)(features))
    a, b = keras.Input((), dtype="string", name="title"), keras.Input((3,), name="numbers")
    return keras.Model([a, b], inner({"numbers": b, "title": a}))


def partly_frozen(keras: Any) -> Any:
    model = inner_models(keras)
    inner = next(layer for layer in model.layers if isinstance(layer, keras.Sequential))
    inner.trainable = False
    inner.layers[-1].trainable = True
    return model


def operators_beside_layers(keras: Any) -> Any:
    """An operator's node is called ``add`` like the first Add layer, and Keras numbers both in one row."""
    inputs = keras.Input((4,))
    x = keras.layers.Add()([inputs, inputs]) + inputs
    x = keras.layers.Multiply()([x * 2, inputs]) * inputs
    x = keras.layers.ReLU()(keras.ops.softmax(keras.layers.Softmax()(keras.ops.relu(x))))
    return keras.Model(inputs, keras.layers.Add()([keras.ops.softmax(keras.layers.Add()([x, inputs]) + 1), x]))


def named_like_operations(keras: Any) -> Any:
    tried = keras.Input((4,)) + 1  # as in a notebook where other models were built before, so that Keras counts on
    keras.ops.relu(tried[:, 0] + 1)
    inputs = keras.Input((4,), name="relu")
    x = keras.layers.Dense(4, name="add_1")(inputs + 1) + 2
    x = keras.layers.Dense(4, name="get_item")(x)[:, ::-1]
    return keras.Model(inputs, keras.ops.relu(keras.layers.Dense(4, name="add")(x)))


def names_of_all_kinds(keras: Any) -> Any:
    inputs = keras.Input((4,), name="my input")
    x = inputs
    for name in ("größe 1", "größe 2", "hidden (1)", "x" * 80, "x" * 81, "dense", "dense_1", "_hidden"):
        x = keras.layers.Dense(4, name=name)(x)
    return keras.Model(inputs, x, name="mein Netz")


def names_again_in_inner_models(keras: Any) -> Any:
    def block(name: str) -> Any:
        return keras.Sequential([keras.Input((4,), name="x"), keras.layers.Dense(4, name="größe")], name=name)

    inputs = keras.Input((4,), name="x")
    inner_inputs = keras.Input((4,), name="x")
    inner = keras.Model(inner_inputs, keras.layers.Dense(4, name="größe")(inner_inputs) + inner_inputs, name="add")
    x = keras.layers.Dense(4, name="größe")(block("one")(inputs))
    return keras.Model(inputs, inner(inner(block("two")(x))) + x)


def named_like_an_input(keras: Any) -> Any:
    keras.layers.Input((1,))  # Keras gives the name to this one here
    model = keras.Sequential([keras.layers.Dense(3, name="input_layer"), keras.layers.Dense(2)])
    model.build((None, 4))
    return model


def subclassed(keras: Any) -> Any:
    class Mine(keras.Model):
        def call(self, x: Any) -> Any:
            return x

    return Mine()


GRAPHS: dict[str, Builder] = {
    build.__name__: build
    for build in (
        small,
        recurrent,
        masked_graph,
        masks_joined,
        explicit_mask,
        shared_layer,
        nested_ends,
        residual,
        inner_models,
        inner_in_sequential,
        inner_with_names,
        layer_of_two_models,
        autoencoder,
        seq2seq,
        bidirectional_states,
        self_attention,
        cross_attention,
        masked_attention,
        attention_over_pictures,
        grouped_attention,
        plain_attention,
        tied_embedding,
        crossed_features,
        weighted_categories,
        policies,
        without_an_input_layer,
        free_lengths,
        positions,
        always_training,
        fixed_batch,
        constant_mask,
        constant_states,
        end_of_a_model,
        middle_of_a_model,
        block_twice,
        transformer,
        structured_data,
        partly_frozen,
        operators_beside_layers,
        named_like_operations,
        names_of_all_kinds,
        names_again_in_inner_models,
        named_like_an_input,
    )
}
