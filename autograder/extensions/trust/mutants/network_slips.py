"""Network slips: what goes wrong in the building and training of networks, one change in each mutant.

Most are operators of DeepCrime (Humbatova, Jahangirova and Tonella 2021), which come from real faults; they read Keras
and, where the call looks alike, PyTorch.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from autograder.extensions.trust.mutants.code_slips import called
from autograder.extensions.trust.mutants.syntax_edits import New, Operator

Edits = Iterator[tuple[str, New]]

_ACTIVATIONS: Mapping[str, tuple[str, ...]] = {
    "relu": ("sigmoid",),
    "tanh": ("sigmoid",),
    "sigmoid": ("softmax",),
    "softmax": ("sigmoid", "relu"),
    "gelu": ("sigmoid",),
    "elu": ("sigmoid",),
}
_LOSSES: Mapping[str, tuple[str, ...]] = {
    "categorical_crossentropy": ("mse", "binary_crossentropy"),
    "sparse_categorical_crossentropy": ("mse",),
    "binary_crossentropy": ("mse",),
    "mse": ("mae",),
    "mean_squared_error": ("mean_absolute_error",),
    "mae": ("mse",),
}
_OPTIMIZERS: Mapping[str, str] = {"adam": "sgd", "sgd": "adam", "rmsprop": "sgd", "nadam": "sgd", "adamw": "sgd"}
_UNITS = frozenset({"Dense", "LSTM", "GRU", "SimpleRNN", "Conv1D", "Conv2D", "Conv3D", "LazyLinear"})
_LAYERS = _UNITS | {
    "Dropout", "BatchNormalization", "LayerNormalization", "Activation", "ReLU", "Softmax", "Flatten", "MaxPooling2D",
    "AveragePooling2D", "GlobalAveragePooling2D", "Embedding", "Normalization", "SpatialDropout2D", "GaussianNoise",
    "Linear", "Conv2d", "MaxPool2d", "BatchNorm1d", "BatchNorm2d", "Dropout2d", "Sigmoid", "Tanh", "Bidirectional",
}  # fmt: skip


def activation(node: ast.AST) -> Edits:
    """Remove an activation, or take another one."""
    if not isinstance(node, ast.Call) or called(node) not in _LAYERS:
        return
    position, value = _argument(node, "activation", 0 if called(node) == "Activation" else 1)
    if position is None or not isinstance(value, ast.Constant) or not isinstance(value.value, str):
        return
    if called(node) != "Activation":
        yield f"{value.value} left out", _without(node, position)
    for replacement in _ACTIVATIONS.get(value.value, ()):
        yield f"{replacement} for {value.value}", _with(node, position, ast.Constant(replacement))


def units(node: ast.AST) -> Edits:
    """Halve and double the units of a layer."""
    if not isinstance(node, ast.Call) or called(node) not in _UNITS or not node.args:
        return
    first = node.args[0]
    if isinstance(first, ast.Constant) and type(first.value) is int and first.value > 1:
        yield "half the units", _with(node, 0, ast.Constant(max(1, first.value // 2)))
        yield "twice the units", _with(node, 0, ast.Constant(2 * first.value))
        yield "a unit too many", _with(node, 0, ast.Constant(first.value + 1))


def layers(node: ast.AST) -> Edits:
    """Leave a layer out, or write it twice; in a list, in ``add`` or in a functional model."""
    if isinstance(node, ast.List) and sum(_is_layer(one) for one in node.elts) > 1:
        for index, layer in enumerate(node.elts):
            if _is_layer(layer):
                remaining = [*node.elts[:index], *node.elts[index + 1 :]]
                yield f"{called(layer)} left out", ast.List(remaining, ast.Load())  # type: ignore[arg-type]
                if called(layer) == "Dense" and index + 1 < len(node.elts):  # type: ignore[arg-type]
                    yield "a layer too many", ast.List([*node.elts[: index + 1], *node.elts[index:]], ast.Load())
    if isinstance(node, ast.Call) and called(node) == "Sequential" and len(node.args) > 1:
        for index, layer in enumerate(node.args):
            if _is_layer(layer):
                yield f"{called(layer)} left out", _without(node, index)  # type: ignore[arg-type]
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and called(node.value) == "add":
        (layer, *_) = node.value.args or [node.value]
        if _is_layer(layer):
            yield f"{called(layer)} left out", []  # type: ignore[arg-type]
    if isinstance(node, ast.Call) and _is_layer(node.func) and len(node.args) == 1:
        yield f"{called(node.func)} left out", node.args[0]  # type: ignore[arg-type]


LINEAR = "no activation in any hidden layer"


def linear(node: ast.AST) -> Edits:
    """Leave out the activations of all layers but the last, so that the network is linear."""
    elements = node.elts if isinstance(node, ast.List) else []
    hidden = [one for one in elements[:-1] if isinstance(one, ast.Call) and one.func and called(one) in _UNITS]
    plain = {
        one: _without(one, position) for one in hidden if (position := _argument(one, "activation", 1)[0]) is not None
    }
    if len(plain) > 1:
        yield LINEAR, ast.List([plain.get(one, one) for one in elements], ast.Load())  # type: ignore[call-overload]


def settings(node: ast.AST) -> Edits:
    """Start from zeros, freeze a layer, leave out its regularizer or its bias."""
    if not isinstance(node, ast.Call) or called(node) not in _UNITS:
        return
    for index, keyword in enumerate(node.keywords):
        if keyword.arg in ("kernel_regularizer", "kernel_initializer", "kernel_constraint", "return_sequences"):
            remaining = [*node.keywords[:index], *node.keywords[index + 1 :]]
            yield f"`{keyword.arg}` left out", ast.Call(node.func, node.args, remaining)
    if "kernel_initializer" not in {keyword.arg for keyword in node.keywords}:
        yield "weights that start at zero", _added(node, "kernel_initializer", ast.Constant("zeros"))
    yield "a frozen layer", _added(node, "trainable", ast.Constant(False))
    yield "no bias", _added(node, "use_bias", ast.Constant(False))


def compilation(node: ast.AST) -> Edits:
    """Compile with another loss or optimizer."""
    if not isinstance(node, ast.Call) or called(node) != "compile":
        return
    position, value = _argument(node, "loss", 1)
    if position is not None and isinstance(value, ast.Constant) and isinstance(value.value, str):
        for replacement in _LOSSES.get(value.value, ()):
            yield f"{replacement} for {value.value}", _with(node, position, ast.Constant(replacement))
    elif position is not None and isinstance(value, ast.Name):
        yield "mse for the loss", _with(node, position, ast.Constant("mse"))
    position, value = _argument(node, "optimizer", 0)
    if position is not None and isinstance(value, ast.Constant) and value.value in _OPTIMIZERS:
        replacement = _OPTIMIZERS[str(value.value)]
        yield f"{replacement} for {value.value!s}", _with(node, position, ast.Constant(replacement))
    elif position is not None and isinstance(value, ast.Call | ast.Name):
        yield (
            "another optimizer",
            _with(node, position, ast.Constant("sgd" if "SGD" not in ast.dump(value) else "adam")),
        )


def rate(node: ast.AST) -> Edits:
    """Learn ten times as fast, and ten times as slowly."""
    if not isinstance(node, ast.Call):
        return
    name = called(node)
    for keyword in node.keywords:
        if keyword.arg in ("learning_rate", "lr") and _is_number(keyword.value):
            yield from _rates(node, keyword.arg, keyword.value)
    if name.lower() in _OPTIMIZERS and name[:1].isupper() and node.args and _is_number(node.args[0]):
        yield from _rates(node, 0, node.args[0])


def training(node: ast.AST) -> Edits:
    """Train for one epoch, with another batch size, without callbacks, or not at all."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and called(node.value) == "fit":
        yield "no training", []
    if not isinstance(node, ast.Call) or called(node) not in ("fit", "fit_generator"):
        return
    for keyword in node.keywords:
        if keyword.arg == "epochs" and not (isinstance(keyword.value, ast.Constant) and keyword.value.value == 1):
            yield "one epoch", _with(node, "epochs", ast.Constant(1))
        if keyword.arg == "batch_size" and isinstance(keyword.value, ast.Constant) and type(keyword.value.value) is int:
            yield "a batch eight times as large", _with(node, "batch_size", ast.Constant(8 * keyword.value.value))
            if keyword.value.value > 8:
                yield "an eighth of the batch", _with(node, "batch_size", ast.Constant(keyword.value.value // 8))
        if keyword.arg == "callbacks":
            yield "callbacks left out", _without(node, "callbacks")


def history(node: ast.AST) -> Edits:
    """Look at the training's numbers instead of the validation's, and the other way round."""
    if isinstance(node, ast.Subscript) and (series := _SERIES.get(_text(node.slice))):
        yield f"{series} for {_text(node.slice)}", ast.Subscript(node.value, ast.Constant(series), ast.Load())
    if isinstance(node, ast.Call):
        for keyword in node.keywords:
            if keyword.arg == "monitor" and (series := _SERIES.get(_text(keyword.value))):
                yield f"{series} for {_text(keyword.value)}", _with(node, "monitor", ast.Constant(series))


def _text(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


_SERIES = {"val_loss": "loss", "loss": "val_loss", "val_accuracy": "accuracy", "accuracy": "val_accuracy"}


def callbacks(node: ast.AST) -> Edits:
    """Forget an argument of a callback, or set it to its opposite."""
    if not isinstance(node, ast.Call) or called(node) not in ("EarlyStopping", "ModelCheckpoint", "ReduceLROnPlateau"):
        return
    for keyword in node.keywords:
        if keyword.arg in ("restore_best_weights", "save_best_only", "monitor", "mode", "patience"):
            yield f"`{keyword.arg}` left out", _without(node, keyword.arg)


OPERATORS: tuple[Operator, ...] = (
    activation, units, layers, linear, settings, compilation, rate, training, history, callbacks,
)  # fmt: skip


def building(tree: ast.AST) -> set[ast.AST]:
    """Collect the nodes that build and train networks: their numbers are no matter of code slips."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    telling = (node for node in calls if called(node) in _LAYERS | _TELLING)
    return {inner for node in telling for part in (*node.args, *node.keywords) for inner in ast.walk(part)}


_TELLING = frozenset((
    "Input", "InputLayer", "compile", "fit", "EarlyStopping", "ModelCheckpoint", "ReduceLROnPlateau", "Sequential",
    "Model", "Adam", "SGD", "RMSprop",
))  # fmt: skip


# --- arguments of calls --------------------------------------------------------------------------------


def _argument(node: ast.Call, keyword: str, index: int) -> tuple[int | str | None, ast.expr | None]:
    """Find an argument by its keyword, else by its place."""
    for keyword_node in node.keywords:
        if keyword_node.arg == keyword:
            return keyword, keyword_node.value
    if len(node.args) > index and not any(isinstance(one, ast.Starred) for one in node.args):
        return index, node.args[index]
    return None, None


def _with(node: ast.Call, position: int | str, value: ast.expr) -> ast.Call:
    """Return the call with another value of an argument."""
    if isinstance(position, int):
        return ast.Call(node.func, [*node.args[:position], value, *node.args[position + 1 :]], node.keywords)
    keywords = [ast.keyword(one.arg, value if one.arg == position else one.value) for one in node.keywords]
    return ast.Call(node.func, node.args, keywords)


def _without(node: ast.Call, position: int | str) -> ast.Call:
    if isinstance(position, int):
        return ast.Call(node.func, [*node.args[:position], *node.args[position + 1 :]], node.keywords)
    return ast.Call(node.func, node.args, [one for one in node.keywords if one.arg != position])


def _added(node: ast.Call, keyword: str, value: ast.expr) -> ast.Call:
    keywords = [one for one in node.keywords if one.arg != keyword]
    return ast.Call(node.func, node.args, [*keywords, ast.keyword(keyword, value)])


def _rates(node: ast.Call, position: int | str, value: ast.expr) -> Edits:
    number = float(ast.unparse(value))
    for words, rate in (("ten times", number * 10), ("a tenth of", number / 10)):
        yield f"{words} the learning rate", _with(node, position, ast.Constant(float(f"{rate:.6g}")))


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def _is_layer(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and called(node) in _LAYERS
