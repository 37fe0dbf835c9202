"""The forward pass of a Keras model of the student's own class, recorded with symbolic tensors.

Runs inside the student's kernel; Keras 3. ``call`` is run once on symbolic inputs. Layers of Keras's own and functions
of ``keras.ops`` record themselves. Layers of the student's own, and models that contain any, are opened. Their ``call``
runs in the same way, with symbolic tensors in place of the variables of all layers. Nothing of it
remains: attributes, nodes and names are as before.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from typing import Any

from . import keras_inputs, keras_kinds, tensorflow_calls

MAX_CONSTANT = 100_000
"""Most numbers in one constant array."""
MAX_STEPS = 64
"""Most steps of a recurrent layer around a cell of the student's own."""


class UnrecordableError(Exception):
    """A forward pass that cannot be recorded; ``reason`` is one of :data:`REASONS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


REASONS = frozenset(
    [
        "old",
        "shapes",
        "unbuilt",
        "flow",
        "values",
        "library",
        "large",
        "borrowed",
        "outputs",
        "raised",
        "differs",
        "loop",
        "rows",
    ]
)
"""Why a forward pass cannot be recorded: the version of Keras is too old; input shapes are unknown; a layer has no
weights yet; Python branches on values; ``call`` needs values; it uses another library's functions; a constant is too
large; an array looks like a weight of another layer; an output is no tensor; ``call`` raised; a cell of
the student's own runs with masks, or an unknown or large number of times; it depends on the number of rows."""


class VariableSource:
    """A symbolic tensor that stands for a variable, or for a constant array."""

    def __init__(self, value: Any, owner: Any = None) -> None:
        self.value = value
        self.owner = owner
        self.borrowed = False
        """Whether the variable is a weight of a layer of the record."""

    @property
    def weights(self) -> list[Any]:
        """The variable as a list; empty for a constant, and for a weight of another layer."""
        return [] if self.owner is None or self.borrowed else [self.value]


class ForwardPass:
    """The symbolic inputs and outputs of a forward pass, and what its other symbolic tensors stand for."""

    def __init__(self, model: Any) -> None:
        self.keras = sys.modules["keras"]
        self.layers = keras_kinds.all_layers(model)
        self.own = {id(layer): layer for layer in self.layers if layer is model or not _records_itself(layer)}
        self.known = {id(layer) for layer in self.layers}
        self.sources: dict[int, tuple[Any, VariableSource]] = {}
        """``id`` of a symbolic tensor → the tensor, and what it stands for."""
        self.tensors: dict[int, Any] = {}
        """``id`` of a variable or constant → its symbolic tensor."""
        self.parameters: dict[int, Any] = {}
        """``id`` of a variable → its symbolic tensor in the number type in which its layer computes."""
        self.exchanged: dict[int, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {}
        """``id`` of a layer that has symbolic tensors now → its attributes, its variables, and those tensors."""
        self.training: list[Any] = [None]
        self.thread = threading.get_ident()
        self.linear: set[int] = set()
        """``id`` of each layer whose activation was recorded as operations after it."""
        self.looped = False
        """Whether a cell of the student's own was run step by step."""
        self.original: Any = None
        """Keras's own ``Layer.__call__`` while calls are opened."""
        self.inputs: Any = None
        self.outputs: Any = None
        self.untried: tuple[str, ...] = ()
        """Number types of the inputs that were not tried."""

    # --- sources

    def forget(self) -> None:
        """Forget the sources of an earlier attempt."""
        self.sources.clear()
        self.tensors.clear()
        self.parameters.clear()

    def source(self, value: Any, owner: Any = None) -> Any:
        """Return a symbolic tensor for a variable of ``owner``, or for a constant array."""
        tensor = self.tensors.get(id(value))
        if tensor is None:
            shape = tuple(int(size) for size in value.shape)
            tensor = self.keras.KerasTensor(shape, str(getattr(value.dtype, "name", value.dtype)))
            self.sources[id(tensor)] = (tensor, VariableSource(value, owner))
            self.tensors[id(value)] = tensor
        return tensor

    def _parameter(self, value: Any, owner: Any) -> Any:
        tensor = self.source(value, owner)
        if "float" not in tensor.dtype or owner.compute_dtype == owner.variable_dtype:
            return tensor
        if id(value) not in self.parameters:
            self.parameters[id(value)] = self.keras.ops.cast(tensor, owner.compute_dtype)
        return self.parameters[id(value)]

    @contextlib.contextmanager
    def symbolic_variables(self) -> Iterator[None]:
        """Put symbolic tensors in place of the variables of all layers, and undo it at the end."""
        saved = [(layer, dict(vars(layer))) for layer in self.layers]
        lists = [(held, list(held)) for _, found in saved for held in _losses(found)]
        try:
            for layer, attributes in saved:
                symbolic = {}
                for name, value in attributes.items():
                    if name not in _BOOKKEEPING:
                        changed = self._replaced(value, layer)
                        if changed is not value:
                            symbolic[name] = changed
                true = {name: attributes[name] for name in symbolic}
                self.exchanged[id(layer)] = (vars(layer), true, symbolic)
                vars(layer).update(symbolic)
            yield
        finally:
            self.exchanged.clear()
            for layer, attributes in saved:
                vars(layer).clear()
                vars(layer).update(attributes)
            for held, items in lists:
                held[:] = items

    @contextlib.contextmanager
    def true_variables(self, layer: Any) -> Iterator[None]:
        """Give a layer, and all layers inside it, their variables back while Keras calls it."""
        inside = keras_kinds.all_layers(layer) if id(layer) in self.exchanged else []
        exchanged = {id(part): self.exchanged.pop(id(part)) for part in inside if id(part) in self.exchanged}
        for attributes, true, _ in exchanged.values():
            attributes.update(true)
        try:
            yield
        finally:
            for attributes, _, symbolic in exchanged.values():
                attributes.update(symbolic)
            self.exchanged.update(exchanged)

    def _replaced(self, value: Any, owner: Any) -> Any:
        if is_variable(value):
            return self._parameter(value, owner)
        if isinstance(value, (list, tuple)) and any(map(is_variable, value)):
            return [self._replaced(item, owner) for item in value]
        if isinstance(value, dict) and any(map(is_variable, value.values())):
            return {key: self._replaced(item, owner) for key, item in value.items()}
        return value

    # --- calls

    @contextlib.contextmanager
    def opened_calls(self) -> Iterator[None]:
        """Open the student's own layers when they are called."""
        layer_class, tensor_class = self.keras.Layer, self.keras.KerasTensor
        original, get_item = layer_class.__call__, tensor_class.__getitem__
        add_loss = layer_class.add_loss
        self.original = original

        def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
            if threading.get_ident() != self.thread:
                return original(layer, *args, **kwargs)
            if id(layer) in self.own or (id(layer) in self.exchanged and keras_kinds.is_cell(layer)):
                return self.open(layer, args, kwargs)
            with self.true_variables(layer):
                return original(layer, *self._symbolic(layer, args), **self._flagged(layer, kwargs))

        # Keras 3.15 does not accept a single slice as the index of a symbolic tensor.
        tensor_class.__getitem__ = lambda tensor, key: get_item(tensor, _index(key))
        layer_class.__call__ = call
        layer_class.add_loss = lambda layer, loss: None if self._is_symbolic(loss) else add_loss(layer, loss)
        try:
            yield
        finally:
            layer_class.__call__ = original
            layer_class.add_loss = add_loss
            tensor_class.__getitem__ = get_item

    def _symbolic(self, layer: Any, args: Any) -> Any:
        """Return a layer's arguments, with symbolic tensors for arrays if all of them are arrays."""
        if id(layer) in self.known and not layer.built and _builds(layer):
            raise UnrecordableError("unbuilt")
        tree = self.keras.tree
        if id(layer) not in self.known or any(map(self._is_symbolic, tree.flatten(args))):
            return args
        return tree.map_structure(lambda item: self.source(item) if _is_array(item) else item, args)

    def _flagged(self, layer: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Hand the training flag of an opened call on, as Keras does."""
        if self.training[-1] is not None and kwargs.get("training") is None and layer._call_has_training_arg:
            return dict(kwargs, training=self.training[-1])
        return kwargs

    def _is_symbolic(self, value: Any) -> bool:
        return isinstance(value, self.keras.KerasTensor)

    def open(self, layer: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        """Run the ``call`` of a layer of the student's own on symbolic tensors."""
        if keras_kinds.base_layer(layer) is not None and keras_kinds.has_own_activation(layer):
            split = self._split(layer, args, kwargs)
            if split is not None:
                return split
        if keras_kinds.base_layer(layer) is self.keras.layers.RNN:
            return self._loop(layer, *args, **kwargs)
        tree, get_mask = self.keras.tree, _mask_of
        convert = lambda item: (  # noqa: E731
            layer.dtype_policy.convert_input(item, layer.autocast, layer.input_dtype)
            if self._is_symbolic(item)
            else item
        )
        first = args[0] if args else next(iter(kwargs.values()), None)
        masks = tree.map_structure(get_mask, first)
        tensors = tree.map_structure(convert, args)
        keywords = {name: tree.map_structure(convert, value) for name, value in kwargs.items()}
        if layer._call_has_training_arg:
            keywords["training"] = keywords["training"] if keywords.get("training") is not None else self.training[-1]
        if layer._call_has_mask_arg and keywords.get("mask") is None and len(args) < 2:
            keywords["mask"] = masks
        self.training.append(keywords.get("training", self.training[-1]))
        try:
            result = layer.call(*tensors, **keywords)
        finally:
            self.training.pop()
        if layer.supports_masking:
            layer._set_mask_metadata(first, result, masks)
        return result

    def _loop(
        self, layer: Any, sequences: Any, initial_state: Any = None, mask: Any = None, training: Any = None
    ) -> Any:
        """Run the cell of a recurrent layer step by step."""
        steps = sequences.shape[1]
        mask = _mask_of(sequences) if mask is None else mask
        if mask is not None or layer.stateful or steps is None or steps > MAX_STEPS:
            raise UnrecordableError("loop")
        states = layer.get_initial_state(batch_size=None) if initial_state is None else initial_state
        states = list(states) if isinstance(states, (list, tuple)) else [states]
        flag = {} if training is None or not layer.cell._call_has_training_arg else {"training": training}
        self.looped = True
        outputs = []
        for step in reversed(range(steps)) if layer.go_backwards else range(steps):
            output, states = layer.cell(sequences[:, step], states, **flag)
            states = states if isinstance(states, (list, tuple)) else [states]
            outputs.append(output)
        result = self.keras.ops.stack(outputs, axis=1) if layer.return_sequences else outputs[-1]
        return (result, *states) if layer.return_state else result

    def _split(self, layer: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        """Run a layer of Keras's own without its activation, and then the activation, which is the student's.

        None if the layer is nothing but an activation, or has one inside a loop.
        """
        activation = layer.activation
        if type(layer).__name__ == "Activation" or keras_kinds.inner_layers(layer):
            return None
        layer.activation = self.keras.activations.linear
        try:
            with self.true_variables(layer):
                result = self.original(layer, *args, **kwargs)
        finally:
            layer.activation = activation
        self.linear.add(id(layer))
        return activation(result)


def _index(key: Any) -> Any:
    """Return an index with whole numbers for tensors of TensorFlow's that hold one."""
    if isinstance(key, tuple):
        return tuple(_number(item) for item in key)
    return (key,) if isinstance(key, slice) else _number(key)


def _number(item: Any) -> Any:
    return int(item) if hasattr(item, "numpy") and tuple(item.shape) == () else item


_BOOKKEEPING = frozenset(
    [
        *("_layers", "_metrics", "_tracker", "_seed_generators"),
        *("optimizer", "_optimizer", "_losses", "_loss_ids"),
    ]
)


def _records_itself(layer: Any) -> bool:
    """Return whether a layer stays one layer of the record."""
    if isinstance(layer, sys.modules["keras"].Model):
        return keras_kinds.is_exact(layer)
    return keras_kinds.is_plain(layer)


def _losses(attributes: dict[str, Any]) -> list[Any]:
    held = [attributes.get("_losses"), attributes.get("_loss_ids")]
    return [item for item in held if isinstance(item, list)]


def _mask_of(tensor: Any) -> Any:
    return getattr(tensor, "_keras_mask", None)


def is_variable(value: Any) -> bool:
    """Return whether a value is a variable of Keras or of TensorFlow."""
    kinds = (sys.modules["keras"].Variable, getattr(sys.modules.get("tensorflow"), "Variable", None))
    return isinstance(value, tuple(kind for kind in kinds if isinstance(kind, type)))


def _is_array(value: Any) -> bool:
    return hasattr(value, "shape") and hasattr(value, "dtype") and not is_variable(value)


def _builds(layer: Any) -> bool:
    """Return whether the layer's class makes weights when it is built."""
    base = sys.modules["keras"].Layer
    return getattr(type(layer), "build", None) is not base.build or bool(keras_kinds.inner_layers(layer))


def record(model: Any, shapes: Any = None, types: Any = keras_inputs.TYPES) -> ForwardPass:
    """Record the forward pass of a model that has been called.

    Args:
        model: the model.
        shapes: what its inputs are like, see :mod:`keras_inputs`; None to read it from the model.
        types: the number types that are tried for the inputs.

    Raises:
        UnreadableError: it cannot be recorded.
    """
    keras = sys.modules["keras"]
    if not str(keras.__version__).startswith("3") or not hasattr(keras, "KerasTensor"):
        raise UnrecordableError("old")
    recording = ForwardPass(model)
    error: Any = None
    for dtype in types:
        try:
            _run(recording, model, dtype, shapes)
            recording.untried = types[types.index(dtype) + 1 :]
            return recording
        except UnrecordableError as raised:
            error = raised
            break
        except Exception as raised:
            error = error or raised  # the first attempt tells most: numbers with a fraction are the usual rows
        if getattr(model, "_functional", None) is not None or keras_kinds.base_kind(model):
            break  # the inputs are known
    raise error if isinstance(error, UnrecordableError) else UnrecordableError(_reason(error))


def _run(recording: ForwardPass, model: Any, dtype: str, shapes: Any) -> None:
    keras = recording.keras
    recording.forget()
    try:
        recording.inputs = inputs = keras_inputs.inputs(model, dtype, shapes)
        args, keywords = keras_inputs.arguments(model, inputs)
    except ValueError:
        raise UnrecordableError("shapes") from None
    with recording.symbolic_variables(), tensorflow_calls.recorded(recording.source), recording.opened_calls():
        recording.outputs = recording.open(model, tuple(args), keywords)
    flat = keras.tree.flatten(recording.outputs)
    if not flat or not all(isinstance(tensor, keras.KerasTensor) for tensor in flat):
        raise UnrecordableError("outputs")


def _reason(error: Any) -> str:
    """Return why ``call`` does not run on symbolic tensors, from the exception that Keras raises."""
    text = str(error)
    if "as a boolean" in text or "Iterating over a symbolic" in text:
        return "flow"
    if "input to a TensorFlow function" in text or "JAX" in text or "torch" in text:
        return "library"
    if "KerasTensor" in text:
        return "values"
    return "raised"
