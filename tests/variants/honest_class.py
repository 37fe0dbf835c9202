"""An honest class: four assignments that have tests only, and the ways in which students write the right network.

A way is a function of a task; it returns the source of an answer. All answers of an assignment build, compile and train
the same network, so each must earn what the plain one earns, or wait for a person.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helpers.exams import composed_of, exam_of

from autograder.examiner.cell_results import Examined
from autograder.examiner.exam_run import ExamRun
from autograder.examiner.namespace import Answers
from autograder.examiner.remote.proxy import Remote
from autograder.execution.notebook_run import execute
from autograder.models import rebuild
from autograder.records.exam import Exam, Role
from autograder.records.limits import Limits
from autograder.syntax.names import needs, vocabulary
from variants.course import Kernel, _forget

Layer = tuple[str, str | None]
"""A layer without its activation, and the activation's name."""


@dataclass(frozen=True)
class Task:
    """What an assignment asks for: a chain of layers, and how it is trained."""

    name: str
    data: str
    """The locked cell with imports and rows."""
    layers: tuple[Layer, ...]
    shape: str
    loss: str
    given: str
    """What the network is fitted to: ``X_train, y_train``."""
    tests: tuple[str, ...]
    rate: float = 0.01
    epochs: int = 6

    @property
    def plain(self) -> list[str]:
        """The layers, with their activations as arguments."""
        return [with_activation(*layer) for layer in self.layers]

    @property
    def apart(self) -> list[str]:
        """The layers, each followed by its activation."""
        return [
            part
            for layer, activation in self.layers
            for part in (layer, *([f"layers.Activation('{activation}')"] if activation else []))
        ]

    def listed(self, layers: list[str], name: str = "model", sequential: str = "keras.Sequential") -> str:
        """A Sequential of these layers after the input."""
        return f"{name} = {sequential}([keras.Input({self.shape}), {', '.join(layers)}])\n"

    def compiled(self, model: str = "model", loss: str = "", more: str = "") -> str:
        """The call of compile."""
        given = loss or f"'{self.loss}'"
        return f"{model}.compile(optimizer=keras.optimizers.Adam({self.rate}), loss={given}{more})\n"

    def fitted(self, more: str = "", model: str = "model", given: str = "") -> str:
        """The call of fit."""
        batch = "" if given else ", batch_size=32"
        return f"history = {model}.fit({given or self.given}, epochs={self.epochs}, verbose=0{batch}{more})\n"

    def trained(self) -> str:
        """The calls of compile and fit."""
        return self.compiled() + self.fitted()

    def exam(self, answer: str) -> Exam:
        """The notebook of a student."""
        return exam_of((Role.READ_ONLY, self.data), (Role.ANSWER, answer), *((Role.TEST, test) for test in self.tests))


def with_activation(layer: str, activation: str | None) -> str:
    return layer if activation is None else f"{layer[:-1]}, activation='{activation}')"


def examined(task: Any, answer: str) -> list[Examined]:
    """Run the notebook with this answer in this process, and examine it; the results of the tests."""
    exam = task.exam(answer)
    known = vocabulary(exam)
    tests = [(i, cell) for i, cell in enumerate(exam.cells) if cell.role is Role.TEST]
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            asked = {i: needs(cell.source, known) for i, cell in tests}
            executed = execute(Kernel, Remote, composed_of(exam), asked, Limits(cell_seconds=300, notebook_seconds=600))
            assert executed.run.status.value == "completed", executed.run.message
            answers = Answers(executed.remote, known.modules, rebuild)
            return ExamRun(
                [(cell, executed.captures.get(i)) for i, cell in tests], known, answers, None, 300.0, 600.0
            ).results()
        finally:
            os.chdir(here)
            _forget()


# --- ways to write a chain of layers --------------------------------------------------------------------


def plain(t: Task) -> str:
    return t.listed(t.plain) + t.trained()


def added(t: Task) -> str:
    adds = "".join(f"model.add({layer})\n" for layer in t.plain)
    return f"model = keras.models.Sequential()\nmodel.add(keras.Input(shape={t.shape}))\n{adds}{t.trained()}"


def functional(t: Task) -> str:
    calls = "".join(f"x = {layer}(x)\n" for layer in t.plain)
    return f"inputs = x = keras.Input(shape={t.shape})\n{calls}model = keras.Model(inputs, x)\n{t.trained()}"


def tf_keras(t: Task) -> str:
    layers = [layer.replace("layers.", "tf.keras.layers.") for layer in t.plain]
    made = f"model = tf.keras.Sequential([tf.keras.layers.Input({t.shape}), {', '.join(layers)}])\n"
    optimizer = f"tf.keras.optimizers.Adam({t.rate})"
    return f"import tensorflow as tf\n{made}model.compile(optimizer={optimizer}, loss='{t.loss}')\n{t.fitted()}"


def activations_apart(t: Task) -> str:
    return t.listed(t.apart) + t.trained()


def activations_as_operations(t: Task) -> str:
    calls = ""
    for layer, activation in t.layers:
        calls += f"x = {layer}(x)\n" + (f"x = keras.ops.{activation}(x)\n" if activation else "")
    return f"x = inputs = keras.Input({t.shape})\n{calls}model = keras.Model(inputs=inputs, outputs=x)\n{t.trained()}"


def activations_called(t: Task) -> str:
    calls = ""
    for layer, activation in t.layers:
        calls += f"x = keras.activations.{activation}({layer}(x))\n" if activation else f"x = {layer}(x)\n"
    return f"x = inputs = keras.Input({t.shape})\n{calls}model = keras.Model(inputs, x)\n{t.trained()}"


def activations_of_tensorflow(t: Task) -> str:
    layers = [f"{layer[:-1]}, activation=tf.nn.{kind})" if kind else layer for layer, kind in t.layers]
    return "import tensorflow as tf\n" + t.listed(layers) + t.trained()


def nested(t: Task) -> str:
    body, head = t.plain[:-1], t.plain[-1]
    return (
        f"body = keras.Sequential([{', '.join(body)}], name='body')\n" + t.listed(["body", head], "model") + t.trained()
    )


def nested_functional(t: Task) -> str:
    return (
        t.listed(t.plain[:-1], "body")
        + f"outer = keras.Input({t.shape})\nmodel = keras.Model(outer, {t.plain[-1]}(body(outer)))\n{t.trained()}"
    )


def helpers(t: Task) -> str:
    made = "".join(f"    yield {layer}\n" for layer in t.plain)
    return (
        f"def parts(shape):\n    yield keras.Input(shape)\n{made}\n"
        "def build(shape, rate):\n    net = keras.Sequential(list(parts(shape)))\n"
        f"    net.compile(optimizer=keras.optimizers.Adam(rate), loss='{t.loss}')\n    return net\n\n"
        f"model = build({t.shape}, {t.rate})\n{t.fitted()}"
    )


def other_names(t: Task) -> str:
    layers = [layer.replace("layers.", "L.") for layer in t.plain]
    calls = "".join(f"h{n + 1} = {layer}(h{n})\n" for n, layer in enumerate(layers))
    return (
        f"from keras import layers as L, Model as M\nh0 = L.Input({t.shape}, name='what_goes_in')\n{calls}"
        f"net = M(h0, h{len(layers)}, name='my_own_net')\n{t.compiled('net')}{t.fitted(model='net')}model = net\n"
    )


def built_later(t: Task) -> str:
    return f"model = keras.Sequential([{', '.join(t.plain)}])\n{t.trained()}"


def from_dataset(t: Task) -> str:
    rows = f"tf.data.Dataset.from_tensor_slices(({t.given})).shuffle(400, seed=0).batch(32).prefetch(1)"
    return f"import tensorflow as tf\n{t.listed(t.plain)}{t.compiled()}pieces = {rows}\n{t.fitted(given='pieces')}"


def saved_and_loaded(t: Task) -> str:
    saved = "model.save('mine.keras')\nmodel = keras.models.load_model('mine.keras')\n"
    return t.listed(t.plain) + t.trained() + saved


def weights_saved_and_loaded(t: Task) -> str:
    again = t.listed(t.plain, "again") + t.compiled("again")
    return t.listed(t.plain) + t.trained() + "model.save_weights('mine.weights.h5')\n" + again + (
        "again.load_weights('mine.weights.h5')\nmodel = again\n"
    )  # fmt: skip


def cloned(t: Task) -> str:
    return t.listed(t.plain, "plan") + "model = keras.models.clone_model(plan)\n" + t.trained()


def mixed_precision(t: Task) -> str:
    layers = [
        f"{layer[:-1]}{'' if layer.endswith('(' + ')') else ', '}dtype='mixed_float16')" for layer in t.plain[:-1]
    ]
    return t.listed([*layers, t.plain[-1]]) + t.trained()


def mixed_precision_everywhere(t: Task) -> str:
    policy = "keras.mixed_precision.set_global_policy('{}')\n"
    last = t.plain[-1][:-1] + ", dtype='float32')"
    made = t.listed([*t.plain[:-1], last])
    return policy.format("mixed_float16") + made + t.trained() + policy.format("float32")


def custom_loss(t: Task) -> str:
    return (
        f"def my_loss(y_true, y_pred):\n    return keras.losses.{t.loss}(y_true, y_pred) * 2.0\n\n"
        + t.listed(t.plain) + t.compiled(loss="my_loss") + t.fitted()
    )  # fmt: skip


def custom_loss_class(t: Task) -> str:
    return (
        "class Mine(keras.losses.Loss):\n    def call(self, y_true, y_pred):\n"
        f"        return keras.losses.{t.loss}(y_true, y_pred)\n\n"
        + t.listed(t.plain) + t.compiled(loss="Mine()", more=", metrics=['mae']") + t.fitted()
    )  # fmt: skip


def custom_metric(t: Task) -> str:
    return (
        "def spread(y_true, y_pred):\n    return keras.ops.std(y_pred)\n\n"
        + t.listed(t.plain) + t.compiled(more=", metrics=[spread, 'mse']") + t.fitted()
    )  # fmt: skip


def custom_metric_class(t: Task) -> str:
    return (
        "class Largest(keras.metrics.Metric):\n    def __init__(self, name='largest', **more):\n"
        "        super().__init__(name=name, **more)\n        self.most = self.add_weight(name='most', initializer='zeros')\n"
        "    def update_state(self, y_true, y_pred, sample_weight=None):\n"
        "        self.most.assign(keras.ops.maximum(self.most, keras.ops.max(keras.ops.cast(y_pred, 'float32'))))\n"
        "    def result(self):\n        return self.most\n\n"
        + t.listed(t.plain) + t.compiled(more=", metrics=[Largest()]") + t.fitted()
    )  # fmt: skip


def custom_callback(t: Task) -> str:
    return (
        "class Best(keras.callbacks.Callback):\n    def on_train_begin(self, logs=None):\n        self.best = None\n"
        "    def on_epoch_end(self, epoch, logs=None):\n        if self.best is None or logs['loss'] < self.best[0]:\n"
        "            self.best = logs['loss'], self.model.get_weights()\n"
        "    def on_train_end(self, logs=None):\n        self.model.set_weights(self.best[1])\n\n"
        + t.listed(t.plain) + t.compiled() + t.fitted(", callbacks=[Best()]")
    )  # fmt: skip


def scheduled(t: Task) -> str:
    schedule = f"keras.optimizers.schedules.ExponentialDecay({t.rate}, 100, 0.95)"
    compiled = f"model.compile(keras.optimizers.Adam({schedule}), loss='{t.loss}')\n"
    return t.listed(t.plain) + compiled + t.fitted(", validation_split=0.1")


def batch_by_batch(t: Task) -> str:
    a, b = t.given.split(", ")
    loop = (
        f"for epoch in range({t.epochs}):\n    for start in range(0, len({a}), 32):\n"
        f"        model.train_on_batch({a}[start:start + 32], {b}[start:start + 32])\n"
    )
    return t.listed(t.plain) + t.compiled() + loop


def gradient_tape(t: Task) -> str:
    a, b = t.given.split(", ")
    loop = (
        f"optimizer = keras.optimizers.Adam({t.rate})\nfor epoch in range({t.epochs}):\n"
        f"    for start in range(0, len({a}), 32):\n        with tf.GradientTape() as tape:\n"
        f"            given = model({a}[start:start + 32], training=True)\n"
        f"            cost = tf.reduce_mean(keras.losses.{t.loss}({b}[start:start + 32], given))\n"
        "        slopes = tape.gradient(cost, model.trainable_variables)\n"
        "        optimizer.apply_gradients(zip(slopes, model.trainable_variables))\n"
    )
    return "import tensorflow as tf\n" + t.listed(t.plain) + loop


def lambda_before(t: Task) -> str:
    return t.listed(["layers.Lambda(lambda rows: rows * 1.0)", *t.plain]) + t.trained()


def lambda_for_an_activation(t: Task) -> str:
    (first, kind), *others = t.layers
    made = [first, f"layers.Lambda(lambda x: keras.ops.{kind}(x))", *(with_activation(*layer) for layer in others)]
    return t.listed(made if kind else ["layers.Lambda(lambda x: x)", *t.plain]) + t.trained()


def subclass(t: Task) -> str:
    made = "".join(f"        self.part{n} = {layer}\n" for n, layer in enumerate(t.plain))
    calls = "".join(f"        x = self.part{n}(x)\n" for n in range(len(t.plain)))
    return (
        f"class Net(keras.Model):\n    def __init__(self):\n        super().__init__()\n{made}"
        f"    def call(self, x, training=None):\n{calls}        return x\n\nmodel = Net()\n{t.trained()}"
    )


def subclass_with_a_list(t: Task) -> str:
    return (
        "class Net(keras.Model):\n    def __init__(self, **more):\n        super().__init__(**more)\n"
        f"        self.parts = [{', '.join(t.plain)}]\n    def call(self, rows):\n        for part in self.parts:\n"
        f"            rows = part(rows)\n        return rows\n\nmodel = Net(name='mine')\n{t.trained()}"
    )


def own_layer(t: Task) -> str:
    return (
        "class Block(layers.Layer):\n    def __init__(self, **more):\n        super().__init__(**more)\n"
        f"        self.inner = {t.plain[0]}\n    def call(self, x):\n        return self.inner(x)\n\n"
        + t.listed(["Block()", *t.plain[1:]]) + t.trained()
    )  # fmt: skip


def own_train_step(t: Task) -> str:
    calls = "".join(f"x = {layer}(x)\n" for layer in t.plain)
    return (
        "import tensorflow as tf\nclass Net(keras.Model):\n    def train_step(self, data):\n        x, y = data\n"
        "        with tf.GradientTape() as tape:\n            found = self(x, training=True)\n"
        "            loss = self.compute_loss(y=y, y_pred=found)\n"
        "        slopes = tape.gradient(loss, self.trainable_variables)\n"
        "        self.optimizer.apply(slopes, self.trainable_variables)\n        for metric in self.metrics:\n"
        "            metric.update_state(loss) if metric.name == 'loss' else metric.update_state(y, found)\n"
        "        return {metric.name: metric.result() for metric in self.metrics}\n\n"
        f"inputs = x = keras.Input({t.shape})\n{calls}model = Net(inputs, x)\n{t.trained()}"
    )


READ: tuple[Callable[[Task], str], ...] = (
    plain, added, functional, tf_keras, activations_apart, activations_as_operations, activations_called,
    activations_of_tensorflow, nested, nested_functional, helpers, other_names, built_later, from_dataset,
    saved_and_loaded, weights_saved_and_loaded, cloned, mixed_precision, mixed_precision_everywhere, custom_loss,
    custom_loss_class, custom_metric, custom_metric_class, custom_callback, scheduled, batch_by_batch, gradient_tape,
)  # fmt: skip
"""Ways whose network is plain layers."""

OWN: tuple[Callable[[Task], str], ...] = (
    lambda_before, lambda_for_an_activation, subclass, subclass_with_a_list, own_layer, own_train_step,
)  # fmt: skip
"""Ways with a class or a function of the student's own in the network."""


# --- the assignments ------------------------------------------------------------------------------------

IMPORTS = "import numpy as np\nimport keras\nfrom keras import layers\nfrom autograder import check\n\n"
AGAIN = "keras.utils.set_random_seed(0)\n"

_PICTURES = (
    IMPORTS
    + """def pictures(seed, rows):
    draw = np.random.default_rng(seed)
    kinds = draw.integers(0, 3, rows)
    made = draw.random((rows, 8, 8, 1)) * 0.2
    for picture, kind in zip(made, kinds):
        picture[2 * kind:2 * kind + 3, 2 * kind:2 * kind + 3] += 0.8
    return made.astype("float32"), np.eye(3, dtype="float32")[kinds]

X_train, y_train = pictures(0, 192)
"""
    + AGAIN
)

CNN = Task(
    name="cnn",
    data=_PICTURES,
    layers=(
        ("layers.Conv2D(8, 3)", "relu"),
        ("layers.MaxPooling2D(2)", None),
        ("layers.Flatten()", None),
        ("layers.Dense(3)", "softmax"),
    ),
    shape="(8, 8, 1)",
    loss="categorical_crossentropy",
    given="X_train, y_train",
    tests=(
        """
asked = [check.layer("Conv2D", filters=8, kernel_size=3, activation="relu"), check.layer("MaxPooling2D"),
         check.layer("Flatten"), check.dense(3, "softmax")]
check.architecture(model, asked, input_shape=(8, 8, 1), output_shape=(3,))
check.parameters(model, exactly=299)
""",
        """
assert model.output_shape == (None, 3)
assert model.input_shape == (None, 8, 8, 1)
assert model.count_params() == 299
assert sum(int(np.prod(w.shape)) for w in model.trainable_weights) == 299
assert len(model.layers) > 0 and len(model.inputs) == len(model.outputs) == 1
model.summary(print_fn=lambda *a, **k: None)
""",
        """
X_new, y_new = pictures(1, 200)
check.loss(model, on=(X_new, y_new), below=0.9, close_calls="exact")
check.accuracy(model, on=(X_new, y_new.argmax(axis=1)), above=0.9, close_calls="exact")
assert (model.predict(X_new, verbose=0).argmax(axis=1) == y_new.argmax(axis=1)).mean() > 0.9
""",
        """
check.retrained(model, on=pictures(2, 192), holdout=pictures(3, 100), epochs=8, batch_size=16, seeds=1,
                close_calls="exact", metric="accuracy", above=0.6)
""",
    ),
)

REGRESSION = Task(
    name="regression",
    data=IMPORTS
    + """def rows(seed, many):
    draw = np.random.default_rng(seed)
    X = draw.normal(size=(many, 5)).astype("float32")
    return X, (X @ [1.0, -2.0, 0.5, 0.0, 1.0] + 0.3 + 0.05 * draw.normal(size=many)).astype("float32")[:, None]

X_train, y_train = rows(0, 256)
"""
    + AGAIN,
    layers=(("layers.Dense(16)", "relu"), ("layers.Dense(16)", "tanh"), ("layers.Dense(1)", None)),
    shape="(5,)",
    loss="mean_squared_error",
    given="X_train, y_train",
    epochs=20,
    tests=(
        """
check.architecture(model, [check.dense(16, "relu"), ..., check.dense(16, "tanh"), ..., check.dense(1, "linear")], input_shape=5)
check.parameters(model, at_most=500)
""",
        """
X_new, y_new = rows(1, 200)
check.loss(model, on=(X_new, y_new), below=1.0, loss="mse", close_calls="exact")
assert np.mean((model.predict(X_new, verbose=0)[:, 0] - y_new[:, 0]) ** 2) < 1.0
assert [w.shape for w in model.get_weights()] == [(5, 16), (16,), (16, 16), (16,), (16, 1), (1,)]
""",
        """
check.retrained(model, on=rows(2, 256), holdout=rows(3, 100), epochs=30, seeds=1, close_calls="exact", loss="mse", below=6.0)
""",
    ),
)

AUTOENCODER = Task(
    name="autoencoder",
    data=IMPORTS
    + """shapes = np.random.default_rng(7).random((4, 12)).round()

def rows(seed, many):
    draw = np.random.default_rng(seed)
    return np.clip(shapes[draw.integers(0, 4, many)] + 0.05 * draw.normal(size=(many, 12)), 0, 1).astype("float32")

X_train = rows(0, 256)
"""
    + AGAIN,
    layers=(("layers.Dense(8)", "relu"), ("layers.Dense(4)", "relu"), ("layers.Dense(8)", "relu"), ("layers.Dense(12)", "sigmoid")),
    shape="(12,)",
    loss="mean_squared_error",
    given="X_train, X_train",
    epochs=30,
    tests=(
        """
check.architecture(model, [..., check.dense(4), ..., check.dense(12, "sigmoid")], input_shape=(12,), output_shape=(12,))
check.parameters(model, exactly=104 + 36 + 40 + 108)
assert model.output_shape == model.input_shape
""",
        """
X_new = rows(1, 200)
check.loss(model, on=(X_new, X_new), below=0.22, loss="mse", close_calls="exact")
check.retrained(model, on=(rows(2, 256), rows(2, 256)), holdout=(X_new, X_new), epochs=20, seeds=1, close_calls="exact",
                loss="mse", below=0.26)
""",
    ),
)  # fmt: skip

CHAINS = (CNN, REGRESSION, AUTOENCODER)


# --- pictures: ways that no student is expected to take ---------------------------------------------------

_HEAD = "x = layers.Dense(3, activation='softmax')({})\n"
_BODY = "inputs = keras.Input((8, 8, 1))\nx = layers.Conv2D(8, 3, activation='relu')(inputs)\n"
_MODEL = "model = keras.Model(inputs, x)\n"
_CONVOLUTION = """class Convolution(layers.Layer):
    def build(self, shape):
        self.kernel = self.add_weight(shape=(3, 3, shape[-1], 8), initializer="glorot_uniform")
        self.bias = self.add_weight(shape=(8,), initializer="zeros")
    def call(self, x):
        return {call}

"""
_CONVOLVED = (
    "model = keras.Sequential([keras.Input((8, 8, 1)), Convolution(), layers.MaxPooling2D(2), layers.Flatten(),\n"
    "                          layers.Dense(3, activation='softmax')])\n"
)
PICTURE_WAYS: dict[str, str] = {
    "pooling as an operation": _BODY + "x = keras.ops.max_pool(x, 2)\n" + _HEAD.format("layers.Flatten()(x)") + _MODEL,
    "a reshape for the flattening": _BODY + "x = layers.MaxPooling2D(2)(x)\n" + _HEAD.format("layers.Reshape((72,))(x)") + _MODEL,
    "a reshape as an operation": (
        _BODY + "x = keras.ops.reshape(layers.MaxPool2D()(x), (-1, 3 * 3 * 8))\n" + _HEAD.format("x") + _MODEL
    ),
    "relu as a maximum": (
        "inputs = keras.Input((8, 8, 1))\nx = keras.ops.maximum(layers.Conv2D(8, (3, 3))(inputs), 0.0)\n"
        "x = layers.MaxPooling2D((2, 2), strides=2)(x)\n" + _HEAD.format("layers.Flatten()(x)") + _MODEL
    ),
    "softmax by hand": (
        _BODY + "x = layers.Dense(3)(layers.Flatten()(layers.MaxPooling2D(2)(x)))\nx = keras.ops.exp(x)\n"
        "x = x / keras.ops.sum(x, axis=-1, keepdims=True)\n" + _MODEL
    ),
}  # fmt: skip
PICTURE_OWN: dict[str, str] = {
    "an own convolution of tensorflow": "import tensorflow as tf\n"
    + _CONVOLUTION.format(call="tf.nn.relu(tf.nn.conv2d(x, self.kernel, 1, 'VALID') + self.bias)")
    + _CONVOLVED,
    "an own convolution of keras": _CONVOLUTION.format(
        call="keras.ops.relu(keras.ops.conv(x, self.kernel) + self.bias)"
    )
    + _CONVOLVED,
}


# --- two inputs: ways to write them ---------------------------------------------------------------------

TWO = Task(
    name="two inputs",
    data=IMPORTS
    + """def rows(seed, many):
    draw = np.random.default_rng(seed)
    words = draw.integers(1, 12, (many, 6))
    numbers = draw.normal(size=(many, 3)).astype("float32")
    return words, numbers, (numbers[:, 0] + 0.5 * (words[:, -1] > 6) > 0.25).astype("float32")

words_train, numbers_train, y_train = rows(0, 256)
"""
    + AGAIN,
    layers=(),
    shape="",
    loss="binary_crossentropy",
    given="[words_train, numbers_train], y_train",
    epochs=12,
    tests=(
        """
check.architecture(model, [..., check.layer("Embedding", input_dim=12, output_dim=4), ..., check.layer("GRU", units=8), ...,
                           check.layer("Concatenate"), ..., check.dense(1, "sigmoid")], output_shape=(1,))
check.parameters(model, exactly=48 + 336 + 12)
assert len(model.inputs) == 2 and model.output_shape == (None, 1)
""",
        """
words, numbers, y = rows(1, 200)
check.loss(model, on=({"words": words, "numbers": numbers}, y), below=0.6, loss="binary_crossentropy", close_calls="exact")
check.accuracy(model, on=((words, numbers), y), above=0.7, close_calls="exact")
check.accuracy(model, on=([words, numbers], y), above=0.7, close_calls="exact", name="again")
""",
        """
more = rows(2, 256)
check.retrained(model, on=({"words": more[0], "numbers": more[1]}, more[2]), holdout=([words, numbers], y), epochs=10,
                loss="binary_crossentropy", seeds=1, close_calls="exact", below=0.69)
""",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Two:
    """The parts of a way to write the network of two inputs."""

    before: str = ""
    inputs: str = (
        "words = keras.Input((6,), name='words', dtype='int32')\nnumbers = keras.Input((3,), name='numbers')\n"
    )
    body: str = "x = layers.Embedding(12, 4)(words)\nx = layers.GRU(8)(x)\n"
    join: str = "x = layers.Concatenate()([x, numbers])\n"
    head: str = "outputs = layers.Dense(1, activation='sigmoid')(x)\n"
    model: str = "model = keras.Model([words, numbers], outputs)\n"
    compiled: str = "model.compile(optimizer=keras.optimizers.Adam(0.02), loss='binary_crossentropy')\n"
    fitted: str = "history = model.fit({given}, y_train, epochs=12, batch_size=32, verbose=0)\n"
    given: str = "[words_train, numbers_train]"
    after: str = ""

    @property
    def source(self) -> str:
        """The answer."""
        parts = (self.before, self.inputs, self.body, self.join, self.head, self.model, self.compiled)
        return "".join(parts) + self.fitted.replace("{given}", self.given) + self.after


_TAPE = """import tensorflow as tf
optimizer = keras.optimizers.Adam(0.02)
for epoch in range(12):
    for start in range(0, 256, 32):
        piece = slice(start, start + 32)
        with tf.GradientTape() as tape:
            given = model([words_train[piece], numbers_train[piece]], training=True)
            cost = tf.reduce_mean(keras.losses.binary_crossentropy(y_train[piece, None], given))
        optimizer.apply_gradients(zip(tape.gradient(cost, model.trainable_variables), model.trainable_variables))
"""
_SUBCLASS = """class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.embedding = layers.Embedding(12, 4)
        self.loop = layers.GRU(8)
        self.join = layers.Concatenate()
        self.head = layers.Dense(1, activation="sigmoid")
    def call(self, inputs):
        words, numbers = inputs
        return self.head(self.join([self.loop(self.embedding(words)), numbers]))

model = Net()
"""
_STEP = """import tensorflow as tf
class Net(keras.Model):
    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(y=y, y_pred=self(x, training=True))
        self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        return {"loss": loss}

"""
_DATASET = (
    "import tensorflow as tf\n"
    "pieces = tf.data.Dataset.from_tensor_slices(({'words': words_train, 'numbers': numbers_train}, y_train)).batch(32)\n"
    "history = model.fit(pieces, epochs=12, verbose=0)\n"
)
OWN_LOSS = "def my_loss(y, p):\n    return keras.losses.binary_crossentropy(y, p)\n\n"
OWN_METRIC = "def sure(y, p):\n    return keras.ops.mean(keras.ops.abs(p - 0.5))\n\n"
OWN_CALLBACK = (
    "class Log(keras.callbacks.Callback):\n    def on_epoch_end(self, epoch, logs=None):\n        log.append(logs['loss'])\n\n"
    "log = []\n"
)
_COMPILED = "model.compile(optimizer=keras.optimizers.Adam(0.02), loss='binary_crossentropy'"

TWO_WAYS: dict[str, Two] = {
    "plain": Two(),
    "the other order": Two(model="model = keras.Model([numbers, words], outputs)\n", given="[numbers_train, words_train]"),
    "a dict": Two(
        model="model = keras.Model({'words': words, 'numbers': numbers}, outputs)\n",
        given="{'words': words_train, 'numbers': numbers_train}",
    ),
    "no names": Two(inputs="words = keras.Input((6,))\nnumbers = keras.Input((3,))\n"),
    "other names": Two(
        inputs="words = keras.Input((6,), name='Words_input')\nnumbers = keras.Input((3,), name='numbers_in')\n",
        model="model = keras.Model([numbers, words], outputs)\n",
        given="[numbers_train, words_train]",
    ),
    "any length": Two(inputs="words = keras.Input((None,), name='words')\nnumbers = keras.Input((3,), name='numbers')\n"),
    "a cell": Two(body="x = layers.RNN(layers.GRUCell(8))(layers.Embedding(12, 4)(words))\n"),
    "keras.ops": Two(join="x = keras.ops.concatenate([x, numbers], axis=-1)\n"),
    "concatenate as a function": Two(join="x = layers.concatenate([x, numbers])\n"),
    "the activation apart": Two(head="outputs = layers.Activation('sigmoid')(layers.Dense(1)(x))\n"),
    "the activation as an operation": Two(head="outputs = keras.ops.sigmoid(layers.Dense(1)(x))\n"),
    "a nested model": Two(
        body="reader = keras.Sequential([keras.Input((6,)), layers.Embedding(12, 4), layers.GRU(8)])\nx = reader(words)\n"
    ),
    "a helper function": Two(
        before="def read(words, units=8):\n    return layers.GRU(units)(layers.Embedding(12, 4)(words))\n\n",
        body="x = read(words)\n",
    ),
    "tf.keras": Two(
        before="import tensorflow as tf\n",
        body="x = tf.keras.layers.GRU(8)(tf.keras.layers.Embedding(12, 4)(words))\n",
        model="model = tf.keras.Model(inputs=[words, numbers], outputs=outputs)\n",
    ),
    "the last of all steps": Two(body="x = layers.GRU(8, return_sequences=True)(layers.Embedding(12, 4)(words))[:, -1]\n"),
    "a skip connection": Two(head="x = x + 0.0 * x\noutputs = layers.Dense(1, activation='sigmoid')(x)\n"),
    "tf.data": Two(fitted=_DATASET),
    "saved and loaded": Two(after="model.save('two.keras')\nmodel = keras.models.load_model('two.keras')\n"),
    "mixed precision": Two(head="outputs = layers.Dense(1, activation='sigmoid', dtype='float32')(layers.Dropout(0.0, dtype='mixed_float16')(x))\n"),
    "a loss of their own": Two(before=OWN_LOSS, compiled=_COMPILED.replace("'binary_crossentropy'", "my_loss") + ")\n"),
    "a metric of their own": Two(before=OWN_METRIC, compiled=_COMPILED + ", metrics=[sure, 'accuracy'])\n"),
    "a callback of their own": Two(
        before=OWN_CALLBACK, fitted=Two.fitted.replace("verbose=0", "verbose=0, callbacks=[Log()]")
    ),
    "a loop of their own": Two(compiled="", fitted=_TAPE),
}  # fmt: skip

_CELL = """class Cell(layers.Layer):
    def __init__(self, **more):
        super().__init__(**more)
        self.state_size = self.output_size = 8
    def build(self, shape):
        self.w = self.add_weight(shape=(shape[-1], 24))
        self.u = self.add_weight(shape=(8, 24), initializer="orthogonal")
        self.b = self.add_weight(shape=(2, 24), initializer="zeros")
    def call(self, x, states):
        h = states[0]
        xz, xr, xh = keras.ops.split(keras.ops.matmul(x, self.w) + self.b[0], 3, axis=-1)
        hz, hr, hh = keras.ops.split(keras.ops.matmul(h, self.u) + self.b[1], 3, axis=-1)
        z, r = keras.ops.sigmoid(xz + hz), keras.ops.sigmoid(xr + hr)
        h = z * h + (1 - z) * keras.ops.tanh(xh + r * hh)
        return h, [h]

"""

TWO_OWN: dict[str, Two] = {
    "a cell of their own": Two(before=_CELL, body="x = layers.RNN(Cell())(layers.Embedding(12, 4)(words))\n"),
    "a Lambda": Two(body="x = layers.GRU(8)(layers.Embedding(12, 4)(layers.Lambda(lambda w: w)(words)))\n"),
    "a subclass": Two(inputs="", body="", join="", head="", model=_SUBCLASS),
    "a train_step": Two(before=_STEP, model="model = Net([words, numbers], outputs)\n"),
}


@dataclass(frozen=True)
class Way:
    """One student of the class."""

    task: Task
    name: str
    answer: str = field(repr=False)
    own_code: bool = False
    """Whether the network has a class or a function of the student's own."""

    def __str__(self) -> str:
        return f"{self.task.name}: {self.name}"


def _chains() -> list[Way]:
    def way(task: Task, write: Callable[[Task], str], own_code: bool) -> Way:
        return Way(task, write.__name__.replace("_", " "), write(task), own_code)

    skip = (
        "inputs = keras.Input((5,))\na = layers.Dense(16, activation='relu')(inputs)\n"
        "b = layers.Dense(16, activation='tanh')(a)\n{join}model = keras.Model(inputs, layers.Dense(1)(c))\n"
    )
    joins = {"a + b": "c = a + b\n", "Add": "c = layers.Add()([a, b])\n", "ops.add": "c = keras.ops.add(a, b)\n"}
    skips = [
        Way(REGRESSION, f"a skip connection, {name}", skip.replace("{join}", join) + REGRESSION.trained())
        for name, join in joins.items()
    ]
    read = [way(task, write, False) for task in CHAINS for write in READ]
    return [*read, *skips, *(way(task, write, True) for task in CHAINS for write in OWN)]


WAYS: tuple[Way, ...] = (
    *_chains(),
    *(Way(CNN, name, network + CNN.trained()) for name, network in PICTURE_WAYS.items()),
    *(Way(CNN, name, network + CNN.trained(), own_code=True) for name, network in PICTURE_OWN.items()),
    *(Way(TWO, name, two.source) for name, two in TWO_WAYS.items()),
    *(Way(TWO, name, two.source, own_code=True) for name, two in TWO_OWN.items()),
)
"""The whole class."""
