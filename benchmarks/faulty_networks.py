"""Networks on small tasks: honest ones, and the same with one fault of a known kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

FAULTS = (
    "output",
    "loss",
    "linear",
    "rate",
    "scale",
    "dead",
    "vanishing",
    "capacity",
    "overfit",
    "epochs",
    "dropout",
)
"""Kinds of faults, in the words of a diagnosis; a rate may be too large or too small, an output wrong in many ways."""

MANY = 32_000
"""Rows of the tasks that have many, 2,000 of them for the holdout."""


@dataclass(frozen=True)
class Task:
    """Rows that a course would give to its students, and a holdout that it would grade on."""

    name: str
    goal: str
    x: np.ndarray
    y: np.ndarray
    x_holdout: np.ndarray
    y_holdout: np.ndarray
    outputs: int
    epochs: int
    """Epochs after which an honest network has learned."""


@dataclass(frozen=True)
class Program:
    """A student's program: an architecture and the settings of its training."""

    task: str
    number: int
    width: int
    depth: int
    activation: str
    optimizer: str
    rate: float
    epochs: int
    batch_size: int
    dropout: float = 0.0
    batch_norm: bool = False
    convolution: bool = False
    output: str = ""
    """Activation at the end; two with a ``+`` between them; empty: the one that fits the loss."""
    from_logits: bool = False
    loss: str = ""
    initializer: str = "glorot_uniform"
    bias: float = 0.0
    scale: bool = False
    """Whether the features have very different sizes."""
    fault: str = ""
    detail: str = ""

    def data(self) -> Task:
        """Return the task's rows as this program gets them."""
        task = tasks()[self.task]
        if not self.scale:
            return task
        shape = task.x.shape[-1:] if not self.convolution else (1,)
        draw = np.random.default_rng([self.number, 7])
        if self.convolution or shape == (64,):
            size, shift = 255.0, 0.0
        else:
            size, shift = 10.0 ** draw.uniform(-1, 3.5, shape), 0.0
            size[draw.integers(shape[0])] = 2000.0
            shift = size * draw.uniform(0, 2, shape)
        return replace(
            task,
            x=(task.x * size + shift).astype(np.float32),
            x_holdout=(task.x_holdout * size + shift).astype(np.float32),
        )

    def model(self) -> Any:
        """Build and compile the network."""
        import keras

        layers = keras.layers
        task = self.data()
        settings = {"kernel_initializer": _initializer(self.initializer), "bias_initializer": _bias(self.bias)}
        stack: list[Any] = [keras.Input(task.x.shape[1:])]
        if self.convolution:
            stack += [
                layers.Conv2D(max(2, self.width // 4), 3, activation=self.activation, **settings),
                layers.Flatten(),
            ]
        for _ in range(self.depth):
            stack.append(layers.Dense(self.width, activation=self.activation, **settings))
            stack += [layers.BatchNormalization()] if self.batch_norm else []
            stack += [layers.Dropout(self.dropout)] if self.dropout else []
        fitting = {"categorical_crossentropy": "softmax", "binary_crossentropy": "sigmoid"}.get(task.goal, "linear")
        first, _, second = (self.output or ("linear" if self.from_logits else fitting)).partition("+")
        stack.append(layers.Dense(task.outputs, activation=first))
        stack += [layers.Activation(second)] if second else []
        network = keras.Sequential(stack)
        optimizer = getattr(keras.optimizers, self.optimizer)(self.rate)
        if self.optimizer == "SGD":
            optimizer = keras.optimizers.SGD(self.rate, momentum=0.9)
        network.compile(optimizer=optimizer, loss=self.loss or _loss(task, self.from_logits))
        return network


def _loss(task: Task, from_logits: bool) -> Any:
    import keras

    if task.goal == "categorical_crossentropy":
        return keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits)
    if task.goal == "binary_crossentropy":
        return keras.losses.BinaryCrossentropy(from_logits=from_logits)
    return task.goal


def _initializer(name: str) -> Any:
    import keras

    if name == "negative":
        return keras.initializers.RandomNormal(mean=-0.6, stddev=0.05)
    return keras.initializers.RandomNormal(stddev=0.02) if name == "small" else name


def _bias(value: float) -> Any:
    import keras

    return keras.initializers.Constant(value)


# --- tasks --------------------------------------------------------------------------------------------


@cache
def tasks() -> dict[str, Task]:
    """Make the tasks, the same at each call."""
    small = [_spirals(), _interactions(), _digits(), _digits(pictures=True), _friedman(), _moons(), _cancer()]
    many = [make(MANY) for make in (_spirals, _interactions, _friedman, _moons)]
    return {task.name: task for task in [*small, *many]}


def _split(name: str, goal: str, x: np.ndarray, y: np.ndarray, outputs: int, epochs: int, rows: int) -> Task:
    order = np.random.default_rng(5).permutation(len(x))
    x, y = x[order].astype(np.float32), y[order]
    if len(x) == MANY:
        name, epochs, rows = f"many {name}", 12, MANY - 2000
    return Task(name, goal, x[:rows], y[:rows], x[rows:], y[rows:], outputs, epochs)


def _spirals(rows: int = 2000) -> Task:
    draw = np.random.default_rng(1)
    y = draw.integers(0, 3, rows)
    along = draw.uniform(0.1, 1, rows)
    angle = along * 4 + y * 2.1 + draw.normal(0, 0.15, rows)
    x = np.stack([along * np.cos(angle), along * np.sin(angle)], axis=1) * 2
    return _split("spirals", "categorical_crossentropy", x, y, 3, 60, 600)


def _interactions(rows: int = 2200) -> Task:
    draw = np.random.default_rng(2)
    x = draw.normal(size=(rows, 8))
    y = (x[:, 0] * x[:, 1] > 0) + 2 * (x[:, 2] + 0.5 * x[:, 3] > 0)
    return _split("interactions", "categorical_crossentropy", x, y.astype(int), 4, 40, 800)


def _digits(*, pictures: bool = False) -> Task:
    from sklearn.datasets import load_digits

    data = load_digits()
    x = data.data / 16
    name = "pictures" if pictures else "digits"
    x = x.reshape(-1, 8, 8, 1) if pictures else x
    return _split(name, "categorical_crossentropy", x, data.target, 10, 20, 800)


def _friedman(rows: int = 2000) -> Task:
    draw = np.random.default_rng(3)
    x = draw.uniform(-1, 1, size=(rows, 6))
    y = np.sin(2 * np.pi * x[:, 0] / 2) + 2 * x[:, 1] ** 2 + x[:, 2] * x[:, 3] + draw.normal(0, 0.1, rows)
    y = (y - y.mean()) / y.std()
    return _split("friedman", "mean_squared_error", x, y.astype(np.float32), 1, 40, 600)


def _moons(rows: int = 2000) -> Task:
    from sklearn.datasets import make_moons

    x, y = make_moons(rows, noise=0.2, random_state=4)
    return _split("moons", "binary_crossentropy", x, y, 1, 40, 500)


def _cancer() -> Task:
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer()
    x = (data.data - data.data.mean(axis=0)) / data.data.std(axis=0)
    return _split("cancer", "binary_crossentropy", x, data.target, 1, 15, 350)


# --- programs -----------------------------------------------------------------------------------------


def honest(count: int, seed: int, *, many: bool = False) -> Iterator[Program]:
    """Yield networks as sensible students write them, one task after the other.

    Args:
        count: how many.
        seed: another one makes other networks.
        many: whether the tasks are those of many rows.
    """
    names = [name for name in tasks() if name.startswith("many ") is many]
    for number in range(count):
        draw = np.random.default_rng([seed, number])
        task = tasks()[names[number % len(names)]]
        optimizer, rates = [
            ("Adam", (0.003, 0.004)),
            ("Adam", (0.002, 0.003, 0.004)),
            ("RMSprop", (0.002, 0.003)),
            ("Nadam", (0.002, 0.003, 0.004)),
            ("SGD", (0.03, 0.04)),
        ][draw.integers(5)]
        batch_size = int(draw.choice([32, 32, 64]))
        yield Program(
            task=task.name,
            number=number,
            width=int(draw.choice([32, 48, 64, 96])),
            depth=int(draw.choice([1, 2, 2, 3])),
            activation=str(draw.choice(["relu", "relu", "relu", "tanh", "elu", "gelu", "selu"])),
            optimizer=optimizer,
            rate=float(draw.choice(rates)),
            epochs=int(task.epochs * draw.choice([0.9, 1.0, 1.3]) * (1.5 if batch_size == 64 else 1)),
            batch_size=batch_size,
            dropout=float(draw.choice([0, 0, 0, 0.1, 0.2])),
            batch_norm=bool(draw.random() < 0.1),
            convolution=task.name == "pictures",
            from_logits=task.goal != "mean_squared_error" and bool(draw.random() < 0.2),
        )


def patient(count: int, seed: int) -> Iterator[Program]:
    """Yield honest networks for many rows that are trained twelve times as long with a twelfth of the rate."""
    for program in honest(count, seed, many=True):
        yield replace(program, rate=program.rate / 12, epochs=program.epochs * 12, detail="patient")


def faulty(count: int, seed: int, *, many: bool = False) -> Iterator[Program]:
    """Yield honest networks with one fault each, one kind after the other; the arguments are those of `honest`."""
    changes: list[tuple[str, Callable[[Program, np.random.Generator], Program | None]]] = [
        ("no softmax", _no_output),
        ("output", _wrong_output),
        ("loss", _wrong_loss),
        ("linear", lambda p, d: replace(p, activation="linear", depth=max(2, p.depth), fault="linear")),
        ("rate too large", _large_rate),
        ("rate too small", _small_rate),
        ("scale", lambda p, d: replace(p, scale=True, batch_norm=False, fault="scale")),
        ("dead", _dead),
        ("vanishing", _vanishing),
        ("capacity", lambda p, d: replace(p, width=int(d.choice([1, 2])), depth=1, dropout=0, fault="capacity")),
        ("overfit", _overfit),
        ("epochs", lambda p, d: replace(p, epochs=int(d.choice([1, 2, 3])), fault="epochs")),
        ("dropout", lambda p, d: replace(p, dropout=float(d.choice([0.8, 0.9, 0.95])), fault="dropout")),
    ]
    sources = honest(100 * count, seed + 1, many=many)
    for number in range(count):
        name, change = changes[number % len(changes)]
        draw = np.random.default_rng([seed, number])
        program = None
        while program is None:
            program = change(next(sources), draw)
        yield replace(program, detail=name)


def _no_output(program: Program, draw: np.random.Generator) -> Program | None:
    if tasks()[program.task].goal == "mean_squared_error":
        return None
    return replace(program, output="linear", from_logits=False, fault="output")


def _wrong_output(program: Program, draw: np.random.Generator) -> Program | None:
    wrong = {
        "categorical_crossentropy": ["relu", "tanh", "sigmoid+softmax", "relu+softmax", "softmax logits"],
        "binary_crossentropy": ["relu", "softmax", "tanh"],
        "mean_squared_error": ["sigmoid", "softmax", "relu", "tanh"],
    }[tasks()[program.task].goal]
    output, _, logits = str(draw.choice(wrong)).partition(" ")
    return replace(program, output=output, from_logits=bool(logits), fault="output")


def _wrong_loss(program: Program, draw: np.random.Generator) -> Program | None:
    if tasks()[program.task].goal == "mean_squared_error":
        return None
    output = str(draw.choice(["linear", "relu", "softmax" if tasks()[program.task].outputs > 1 else "tanh"]))
    loss = str(draw.choice(["mean_squared_error", "mean_absolute_error"]))
    return replace(program, output=output, loss=loss, from_logits=False, fault="loss")


def _large_rate(program: Program, draw: np.random.Generator) -> Program:
    factor = float(draw.choice([50, 100, 300]))
    rate = {"SGD": 0.03 * factor}.get(program.optimizer, 0.001 * factor)
    return replace(program, rate=rate, fault="rate")


def _small_rate(program: Program, draw: np.random.Generator) -> Program:
    return replace(program, rate=float(draw.choice([1e-6, 1e-5, 3e-5])), fault="rate")


def _dead(program: Program, draw: np.random.Generator) -> Program | None:
    kind = draw.choice(["negative", "bias"])
    settings: dict[str, Any] = (
        {"initializer": "negative"} if kind == "negative" else {"bias": -float(draw.choice([4, 8]))}
    )
    return replace(program, activation="relu", batch_norm=False, depth=max(2, program.depth), fault="dead", **settings)


def _vanishing(program: Program, draw: np.random.Generator) -> Program:
    depth, small = int(draw.choice([6, 8, 10])), draw.random() < 0.5
    initializer = "small" if small else "glorot_uniform"
    return replace(
        program,
        activation="sigmoid",
        depth=depth,
        batch_norm=False,
        dropout=0,
        initializer=initializer,
        fault="vanishing",
    )


def _overfit(program: Program, draw: np.random.Generator) -> Program:
    return replace(
        program,
        width=128,
        depth=3,
        dropout=0,
        epochs=program.epochs * int(draw.choice([4, 6])),
        batch_size=32,
        fault="overfit",
    )
