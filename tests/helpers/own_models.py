"""Models of classes, layers and functions of a student's own, each with rows that it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Made = tuple[Any, Any]
"""A model that was called, and the rows that it was called with."""

ROWS = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
SERIES = np.random.default_rng(1).normal(size=(6, 5, 4)).astype("float32")
WORDS = np.random.default_rng(2).integers(0, 9, (6, 5))


def of_call(keras: Any, parts: dict[str, Any], call: Callable[..., Any], **options: Any) -> Any:
    """A model with these layers whose ``call`` is a function of the model, the rows and the training flag."""

    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__(**options)
            for name, part in parts.items():
                setattr(self, name, part)

        def call(self, inputs: Any, training: Any = None) -> Any:
            return call(self, inputs, training)

    return Own()


def called(model: Any, rows: Any) -> Made:
    model(rows)
    return model, rows


def linear(keras: Any, multiply: Any = None) -> Any:
    """A dense layer of a student's own."""

    class Linear(keras.layers.Layer):
        def __init__(self, units: int, **options: Any) -> None:
            super().__init__(**options)
            self.units = units

        def build(self, shape: Any) -> None:
            self.w = self.add_weight(shape=(shape[-1], self.units), initializer="he_normal", name="w")
            self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="b")

        def call(self, inputs: Any) -> Any:
            return (multiply or keras.ops.matmul)(inputs, self.w) + self.b

    return Linear


def cell(keras: Any) -> Any:
    """A recurrent cell of a student's own."""

    class Cell(keras.layers.Layer):
        def __init__(self, units: int, **options: Any) -> None:
            super().__init__(**options)
            self.units = self.state_size = self.output_size = units

        def build(self, shape: Any) -> None:
            self.w = self.add_weight(shape=(shape[-1], self.units), name="w")
            self.u = self.add_weight(shape=(self.units, self.units), initializer="orthogonal", name="u")

        def call(self, x: Any, states: Any) -> Any:
            state = keras.ops.tanh(keras.ops.matmul(x, self.w) + keras.ops.matmul(states[0], self.u))
            return state, [state]

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "units": self.units}

    return Cell


# --- only training is added: read from the configuration ---------------------------------------------


def sequential_that_trains_otherwise(keras: Any) -> Made:
    class Own(keras.Sequential):
        def train_step(self, data: Any) -> Any:
            return super().train_step(data)

    return called(Own([keras.Input((4,)), keras.layers.Dense(3, activation="relu"), keras.layers.Dense(2)]), ROWS)


def functional_that_trains_otherwise(keras: Any) -> Made:
    class Own(keras.Model):
        def train_step(self, data: Any) -> Any:
            return super().train_step(data)

        def compute_loss(self, *args: Any, **kwargs: Any) -> Any:
            return super().compute_loss(*args, **kwargs)

    inputs = keras.Input((4,))
    return called(Own(inputs, keras.layers.Dense(3)(inputs)), ROWS)


def functional_made_in_a_class(keras: Any) -> Made:
    class Own(keras.Model):
        def __init__(self, units: int) -> None:
            inputs = keras.Input((4,))
            super().__init__(inputs, keras.layers.Dense(units)(inputs))

    return called(Own(3), ROWS)


CONFIGURED: dict[str, tuple[Callable[[Any], Made], str]] = {
    "Sequential with train_step": (
        sequential_that_trains_otherwise,
        "Dense(units=3, activation=relu) → Dense(units=2)",
    ),
    "Functional with train_step": (functional_that_trains_otherwise, "Dense(units=3)"),
    "Functional in a class": (functional_made_in_a_class, "Dense(units=3)"),
}
"""Name → how to make it, and its layers."""


# --- unrolled ----------------------------------------------------------------------------------------


def plain_subclass(keras: Any) -> Made:
    layers = keras.layers
    parts = {"first": layers.Dense(5), "norm": layers.BatchNormalization(), "drop": layers.Dropout(0.2)}

    def call(own: Any, x: Any, training: Any) -> Any:
        return keras.ops.softmax(own.drop(own.norm(own.first(x), training=training), training=training))

    return called(of_call(keras, parts, call), ROWS)


def own_layers_in_a_functional_model(keras: Any) -> Made:
    own = linear(keras)
    inputs = keras.Input((4,))
    return called(keras.Model(inputs, own(3)(keras.layers.ReLU()(own(5)(inputs)))), ROWS)


def functions_of_tensorflow(keras: Any) -> Made:
    import tensorflow as tf

    own = linear(keras, tf.matmul)

    def call(model: Any, x: Any, training: Any) -> Any:
        return tf.nn.softmax(model.second(tf.nn.relu(model.first(x))), axis=-1)

    return called(of_call(keras, {"first": own(5), "second": own(3)}, call), ROWS)


def lambda_layer(keras: Any) -> Made:
    layers = keras.layers
    chain = [keras.Input((4,)), layers.Lambda(lambda x: keras.ops.concatenate([x, x * x], axis=-1)), layers.Dense(2)]
    return called(keras.Sequential(chain), ROWS)


def activation_of_ones_own(keras: Any) -> Made:
    def swish(x: Any) -> Any:
        return x * keras.ops.sigmoid(x)

    return called(keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation=swish)]), ROWS)


def residual_blocks(keras: Any) -> Made:
    class Block(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.inner = keras.Sequential([keras.layers.Dense(8, activation="relu"), keras.layers.Dense(4)])
            self.norm = keras.layers.LayerNormalization()

        def call(self, x: Any) -> Any:
            return self.norm(x + self.inner(x))

    def call(own: Any, x: Any, training: Any) -> Any:
        for block in own.blocks:
            x = block(x)
        return x

    return called(of_call(keras, {"blocks": [Block(), Block()]}, call), ROWS)


def words_and_positions(keras: Any) -> Made:
    class Positions(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.words = keras.layers.Embedding(9, 4)
            self.places = keras.layers.Embedding(5, 4)

        def call(self, x: Any) -> Any:
            return self.words(x) + self.places(keras.ops.arange(0, keras.ops.shape(x)[-1], 1))

    inputs = keras.Input((5,))
    return called(keras.Model(inputs, keras.layers.GlobalAveragePooling1D()(Positions()(inputs))), WORDS)


def masked_words(keras: Any) -> Made:
    parts = {"words": keras.layers.Embedding(9, 4, mask_zero=True), "loop": keras.layers.LSTM(3)}
    return called(of_call(keras, parts, lambda own, x, training: own.loop(own.words(x))), WORDS)


def own_weight_in_a_slice(keras: Any) -> Made:
    model = of_call(keras, {"out": keras.layers.Dense(2)}, lambda own, x, training: own.out(x + own.place[:5]))
    model.place = model.add_weight(shape=(7, 4), initializer="random_normal", name="place")
    return called(model, SERIES)


def several_inputs_in_a_list(keras: Any) -> Made:
    parts = {"a": keras.layers.Dense(3), "b": keras.layers.Dense(3)}
    call = lambda own, x, training: keras.ops.concatenate([own.a(x[0]), own.b(x[1])], axis=-1)  # noqa: E731
    return called(of_call(keras, parts, call), [ROWS, ROWS[:, :2]])


def several_inputs_and_outputs_by_name(keras: Any) -> Made:
    parts = {"a": keras.layers.Dense(3), "b": keras.layers.Dense(2)}
    call = lambda own, x, training: {"z": own.a(x["v"]), "a": own.b(x["u"])}  # noqa: E731
    return called(of_call(keras, parts, call), {"v": ROWS, "u": ROWS[:, :2]})


def mixed_precision(keras: Any) -> Made:
    own = linear(keras)
    parts = {
        "first": keras.layers.Dense(3, dtype="mixed_float16"),
        "second": own(3, dtype="mixed_float16"),
        "last": keras.layers.Dense(2, dtype="float32"),
    }
    call = lambda own, x, training: own.last(own.second(own.first(x)))  # noqa: E731
    return called(of_call(keras, parts, call, dtype="mixed_float16"), ROWS)


def training_with_a_tape(keras: Any) -> Made:
    import tensorflow as tf

    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = keras.layers.Dense(3)

        def call(self, x: Any) -> Any:
            return self.dense(x)

        def train_step(self, data: Any) -> Any:
            x, y = data
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((self(x, training=True) - y) ** 2)
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
            return {"loss": loss}

    model = Own()
    model.compile("adam")
    model.fit(ROWS, ROWS[:, :3], verbose=0)
    return model, ROWS


def a_layer_called_twice(keras: Any) -> Made:
    return called(of_call(keras, {"d": keras.layers.Dense(4)}, lambda own, x, training: own.d(own.d(x))), ROWS)


def models_inside(keras: Any) -> Made:
    encoder = of_call(keras, {"d": keras.layers.Dense(2)}, lambda own, x, training: own.d(x))
    parts = {"encoder": encoder, "decoder": keras.Sequential([keras.layers.Dense(4, activation="tanh")])}
    return called(of_call(keras, parts, lambda own, x, training: own.decoder(own.encoder(x))), ROWS)


def rows_are_counted(keras: Any) -> Made:
    def call(own: Any, x: Any, training: Any) -> Any:
        return keras.ops.reshape(own.d(x), (keras.ops.shape(x)[0], 2, 3))

    return called(of_call(keras, {"d": keras.layers.Dense(6)}, call), ROWS)


def a_subclass_of_dense(keras: Any) -> Made:
    class Relu(keras.layers.Dense):
        def __init__(self, units: int) -> None:
            super().__init__(units, activation="relu")

    return called(keras.Sequential([keras.Input((4,)), Relu(3)]), ROWS)


def a_token_before_each_row(keras: Any) -> Made:
    def call(own: Any, x: Any, training: Any) -> Any:
        token = keras.ops.broadcast_to(own.token, (keras.ops.shape(x)[0], 1, 4))
        return own.out(keras.ops.concatenate([token, x], axis=1)[:, 0])

    model = of_call(keras, {"out": keras.layers.Dense(2)}, call)
    model.token = model.add_weight(shape=(1, 1, 4), initializer="random_normal", name="token")
    return called(model, SERIES)


def tied_embeddings(keras: Any) -> Made:
    def call(own: Any, x: Any, training: Any) -> Any:
        return keras.ops.matmul(own.e(x), keras.ops.transpose(own.e.embeddings))

    return called(of_call(keras, {"e": keras.layers.Embedding(9, 4)}, call), WORDS)


def tied_autoencoder(keras: Any) -> Made:
    """An autoencoder whose decoder turns the encoder's kernels around, with functions of TensorFlow."""
    import tensorflow as tf

    class Transposed(keras.layers.Layer):
        def __init__(self, dense: Any, activation: Any = None) -> None:
            super().__init__()
            self.dense = dense
            self.activation = keras.activations.get(activation)

        def build(self, shape: Any) -> None:
            self.b = self.add_weight(shape=(self.dense.kernel.shape[0],), initializer="zeros", name="bias")

        def call(self, x: Any) -> Any:
            return self.activation(tf.matmul(x, self.dense.weights[0], transpose_b=True) + self.b)

    first, second = keras.layers.Dense(3, activation="relu"), keras.layers.Dense(2)
    parts = {"encoder": keras.Sequential([first, second]), "a": Transposed(second, "relu"), "b": Transposed(first)}
    return called(of_call(keras, parts, lambda own, x, training: own.b(own.a(own.encoder(x)))), ROWS)


def a_kernel_used_again(keras: Any) -> Made:
    parts = {"a": keras.layers.Dense(4), "b": keras.layers.Dense(2)}
    parts["a"].build((None, 4))
    return called(of_call(keras, parts, lambda own, x, t: own.b(keras.ops.tanh(x @ own.a.kernel) + own.a(x))), ROWS)


def an_embedding_that_is_only_looked_up(keras: Any) -> Made:
    def call(own: Any, x: Any, training: Any) -> Any:
        return own.out(x + own.places.embeddings)

    parts = {"places": keras.layers.Embedding(5, 4), "out": keras.layers.Dense(2)}
    parts["places"].build(None)
    return called(of_call(keras, parts, call), SERIES)


def tied_in_mixed_precision(keras: Any) -> Made:
    def call(own: Any, x: Any, training: Any) -> Any:
        return keras.ops.matmul(own.a(x), keras.ops.transpose(own.a.kernel))

    parts = {"a": keras.layers.Dense(3, dtype="mixed_float16")}
    return called(of_call(keras, parts, call, dtype="mixed_float16"), ROWS)


def a_cell_of_ones_own(keras: Any) -> Made:
    return called(keras.Sequential([keras.Input((5, 4)), keras.layers.RNN(cell(keras)(3))]), SERIES)


def states_of_a_cell(keras: Any) -> Made:
    """An encoder's state goes into a decoder that runs backwards."""
    own = cell(keras)
    parts = {
        "encoder": keras.layers.RNN(own(3), return_state=True),
        "decoder": keras.layers.RNN(own(3), return_sequences=True, go_backwards=True),
    }
    return called(of_call(keras, parts, lambda own, x, t: own.decoder(x, initial_state=own.encoder(x)[1])), SERIES)


def cells_on_top_of_one_another(keras: Any) -> Made:
    cells = [cell(keras)(3), keras.layers.GRUCell(2)]
    return called(keras.Sequential([keras.Input((5, 4)), keras.layers.RNN(cells)]), SERIES)


def a_cell_in_both_directions(keras: Any) -> Made:
    own = cell(keras)
    loop = keras.layers.RNN(own(3), return_sequences=True)
    with keras.saving.CustomObjectScope({"Cell": own}):
        return called(keras.Sequential([keras.Input((5, 4)), keras.layers.Bidirectional(loop)]), SERIES)


def a_loop_over_a_cell_of_keras(keras: Any) -> Made:
    import tensorflow as tf

    def call(own: Any, x: Any, training: Any) -> Any:
        states = [tf.zeros((tf.shape(x)[0], 3)), tf.zeros((tf.shape(x)[0], 3))]
        for step in range(x.shape[1]):
            output, states = own.cell(x[:, step], states)
        return own.out(output)

    return called(of_call(keras, {"cell": keras.layers.LSTMCell(3), "out": keras.layers.Dense(2)}, call), SERIES)


def an_own_layer_at_each_step(keras: Any) -> Made:
    return called(keras.Sequential([keras.Input((5, 4)), keras.layers.TimeDistributed(linear(keras)(3))]), SERIES)


def a_loss_of_a_layer(keras: Any) -> Made:
    class Small(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            self.add_loss(0.01 * keras.ops.sum(x**2))
            return x

    return called(keras.Sequential([keras.Input((4,)), Small(), keras.layers.Dense(3)]), ROWS)


CELLS: dict[str, Callable[[Any], Made]] = {
    "cell": a_cell_of_ones_own,
    "states": states_of_a_cell,
    "stacked": cells_on_top_of_one_another,
    "both directions": a_cell_in_both_directions,
    "loop": a_loop_over_a_cell_of_keras,
    "each step": an_own_layer_at_each_step,
    "add_loss": a_loss_of_a_layer,
}
"""Name → how to make it: what is run step by step, and a loss beside it."""

UNROLLED: dict[str, tuple[Callable[[Any], Made], str]] = {
    "subclass": (
        plain_subclass,
        "Dense(units=5) → BatchNormalization → Dropout(rate=0.2) → Activation(activation=softmax)",
    ),
    "own layers": (
        own_layers_in_a_functional_model,
        "operation matmul → Add → Activation(activation=relu) → operation matmul → Add",
    ),
    "tensorflow": (
        functions_of_tensorflow,
        "operation matmul → Add → Activation(activation=relu) → operation matmul → Add → Activation(activation=softmax)",
    ),
    "Lambda": (lambda_layer, "Multiply → Concatenate → Dense(units=2)"),
    "activation": (activation_of_ones_own, "Dense(units=3, activation=silu)"),
    "blocks": (
        residual_blocks,
        " → ".join(["Dense(units=8, activation=relu) → Dense(units=4) → Add → LayerNormalization"] * 2),
    ),
    "positions": (
        words_and_positions,
        "Embedding(input_dim=9, output_dim=4) → Embedding(input_dim=5, output_dim=4) → Add → GlobalAveragePooling1D",
    ),
    "mask": (masked_words, "Embedding(input_dim=9, output_dim=4) → LSTM(units=3, activation=tanh)"),
    "weight": (own_weight_in_a_slice, "Add → Dense(units=2)"),
    "list": (several_inputs_in_a_list, "Dense(units=3) → Dense(units=3) → Concatenate"),
    "dict": (several_inputs_and_outputs_by_name, "Dense(units=2) → Dense(units=3)"),
    "mixed": (mixed_precision, "Dense(units=3) → operation matmul → Add → Dense(units=2)"),
    "tape": (training_with_a_tape, "Dense(units=3)"),
    "twice": (a_layer_called_twice, "Dense(units=4)"),
    "nested": (models_inside, "Dense(units=2) → Dense(units=4, activation=tanh)"),
    "reshape": (rows_are_counted, "Dense(units=6)"),
    "token": (a_token_before_each_row, "Concatenate → Dense(units=2)"),
    "tied": (tied_embeddings, "Embedding(input_dim=9, output_dim=4) → operation matmul"),
    "autoencoder": (
        tied_autoencoder,
        "Dense(units=3, activation=relu) → Dense(units=2) → operation matmul → Add → Activation(activation=relu)"
        " → operation matmul → Add",
    ),
    "again": (
        a_kernel_used_again,
        "operation matmul → Activation(activation=tanh) → Dense(units=4) → Add → Dense(units=2)",
    ),
    "only looked up": (an_embedding_that_is_only_looked_up, "Add → Dense(units=2)"),
    "tied, mixed": (tied_in_mixed_precision, "Dense(units=3) → operation matmul"),
    "Dense subclass": (a_subclass_of_dense, "Dense(units=3, activation=relu)"),
}
"""Name → how to make it, and its layers."""


# --- asked -------------------------------------------------------------------------------------------


def decides_by_values(keras: Any) -> Made:
    def call(own: Any, x: Any, training: Any) -> Any:
        return own.d(x) if keras.ops.max(keras.ops.abs(x)) < 1e6 else own.d(-x)

    return called(of_call(keras, {"d": keras.layers.Dense(3)}, call), ROWS)


def computes_with_numpy(keras: Any) -> Made:
    return called(of_call(keras, {"d": keras.layers.Dense(3)}, lambda own, x, t: own.d(np.asarray(x) * 2)), ROWS)


def a_masked_cell(keras: Any) -> Made:
    chain = [keras.Input((5, 4)), keras.layers.Masking(), keras.layers.RNN(cell(keras)(3))]
    return called(keras.Sequential(chain), SERIES)


def a_cell_in_any_number_of_steps(keras: Any) -> Made:
    return called(keras.Sequential([keras.Input((None, 4)), keras.layers.RNN(cell(keras)(3))]), SERIES)


def a_cell_in_many_steps(keras: Any) -> Made:
    rows = np.zeros((2, 62, 4), "float32")
    return called(keras.Sequential([keras.Input((62, 4)), keras.layers.RNN(cell(keras)(3))]), rows)


def mixes_rows(keras: Any) -> Made:
    def call(own: Any, x: Any, training: Any) -> Any:
        return own.d(x - keras.ops.mean(x, axis=0, keepdims=True))

    return called(of_call(keras, {"d": keras.layers.Dense(3)}, call), ROWS)


def an_unknown_operation(keras: Any) -> Made:
    call = lambda own, x, t: own.d(keras.ops.cast(keras.ops.digitize(x, np.zeros(1)), "float32"))  # noqa: E731
    return called(of_call(keras, {"d": keras.layers.Dense(3)}, call), ROWS)


def symbolic_is_another_function(keras: Any) -> Made:
    def call(own: Any, x: Any, training: Any) -> Any:
        return own.d(x) * (1.0 if isinstance(x, keras.KerasTensor) else 2.0)

    return called(of_call(keras, {"d": keras.layers.Dense(3)}, call), ROWS)


ASKED: dict[str, tuple[Callable[[Any], Made], str]] = {
    "flow": (decides_by_values, "decides by the values of its data"),
    "numpy": (computes_with_numpy, "turns tensors into numbers"),
    "rows": (mixes_rows, "mixes the rows of a batch"),
    "operation": (an_unknown_operation, "The operation 'Digitize' cannot be graded"),
    "masked cell": (a_masked_cell, "runs a cell of your own with masks"),
    "endless cell": (a_cell_in_any_number_of_steps, "in too many or an unknown number of steps"),
    "long cell": (a_cell_in_many_steps, "in too many or an unknown number of steps"),
    "two faces": (symbolic_is_another_function, "something else on symbolic tensors than on numbers"),
}
"""Name → how to make it, and the reason why its layers cannot be read."""
