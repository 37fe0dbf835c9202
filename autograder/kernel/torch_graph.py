"""The graph of an exported PyTorch module, written as a functional Keras model. Runs inside the student's kernel.

PyTorch has channels before the sides of a picture, and Keras after them. A value may be kept with its channels last, so
that layers that follow one another need no transposition between them.
"""

from __future__ import annotations

import sys
from typing import Any

MAX_CONSTANT = 100_000
"""Most numbers in one constant array."""
MAX_CALLS = 2000
"""Most calls of layers and operations."""
ROWS = object()
"""Number of rows, where the graph computes with it."""


class UnknownError(Exception):
    """Something in a graph that is not written as Keras's; ``reason`` is one of :data:`keras_unrolling.REASONS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Value:
    """A tensor of the graph."""

    def __init__(self, ref: Any, shape: tuple[Any, ...], dtype: str, last: bool = False) -> None:
        self.ref = ref
        self.shape = shape
        """Its shape in PyTorch; the number of rows is None."""
        self.dtype = dtype
        self.last = last
        """Whether Keras's tensor has the channels last."""


class StoredTensor:
    """A parameter, or a constant tensor, as an argument of an operation."""

    last = False

    def __init__(self, tensor: Any, parameter: bool) -> None:
        self.tensor = tensor.detach()
        self.shape = tuple(tensor.shape)
        self.dtype = _dtype(tensor)
        self.trainable = bool(tensor.requires_grad)
        self.parameter = parameter
        self.part: Any = None
        """The part that it belongs to, or that stands for it."""


class RecordPart:
    """A layer, an operation, an input or a source of the record."""

    def __init__(self, entry: dict[str, Any], key: str, arrays: list[Any]) -> None:
        self.entry = entry
        self.key = key
        self.arrays = arrays
        self.calls: list[dict[str, Any]] = []


class Graph:
    """The parts of an exported module, in an order in which each one's inputs come before it."""

    def __init__(self, program: Any, module: Any, names: list[str], functions: dict[str, Any]) -> None:
        """Write a program of ``torch.export``.

        Args:
            program: the exported program.
            module: the module that it was exported from.
            names: the names of its inputs, if they have any.
            functions: name in ``torch.ops.aten`` → what writes it, see :mod:`torch_operations`.
        """
        self.functions = functions
        self.torch = sys.modules["torch"]
        self.names = names
        """Names of the inputs, if they have any."""
        self.parts: list[RecordPart] = []
        self.keys: set[str] = set()
        self.layers: dict[Any, RecordPart] = {}
        """Class, and ``id`` of its parameters → the layer, which may be called again."""
        self.values: dict[str, Any] = {}
        self.stored: dict[int, StoredTensor] = {}
        """``id`` of a tensor of the module → what stands for it."""
        self.turned: dict[Any, Value] = {}
        """Place of a value → the same with its channels elsewhere."""
        self.inputs: list[Value] = []
        self.outputs: list[Value] = []
        self.symbol = ""
        specs = {spec.arg.name: spec for spec in program.graph_signature.input_specs}
        parameters = dict(module.named_parameters(remove_duplicate=False))
        state = {**program.constants, **dict(module.named_buffers(remove_duplicate=False)), **parameters}
        for node in program.graph.nodes:
            if node.op == "placeholder" and specs[node.name].target is not None:
                target = specs[node.name].target
                stored = StoredTensor(state[target], target in parameters)
                self.values[node.name] = self.stored.setdefault(id(state[target]), stored)
            elif node.op == "placeholder":
                self._input(node)
            elif node.op == "call_function":
                self.values[node.name] = self._call(node)
            elif node.op == "output":
                self._end(node.args[0])
            else:
                raise UnknownError("library")

    # --- reading

    def _input(self, node: Any) -> None:
        shape = self.shape_of(node)
        name = self.names[len(self.inputs)] if self.names else "input_" + str(len(self.inputs) + 1)
        config: dict[str, Any] = {"batch_shape": list(shape), "dtype": _dtype(node.meta["val"])}
        part = self._add("keras.layers", "InputLayer", config, name)
        self.values[node.name] = Value([part.key, 0, 0], shape, config["dtype"])
        self.inputs.append(self.values[node.name])

    def shape_of(self, node: Any) -> tuple[Any, ...]:
        """Return the shape of a node's tensor, with None for the rows, which are the first dimension or nowhere."""
        sizes = tuple(node.meta["val"].shape)
        if not self.symbol and sizes and not isinstance(sizes[0], int):
            self.symbol = str(sizes[0])
        shape = tuple(size if isinstance(size, int) else None if str(size) == self.symbol else ROWS for size in sizes)
        if ROWS in shape or None in shape[1:]:
            raise UnknownError("rows")
        return shape

    def _call(self, node: Any) -> Any:
        name = str(node.target).replace("<built-in function ", "").rstrip(">")
        name = name.split(".")[1] if name.startswith("aten.") else name
        args = [self._argument(value) for value in node.args]
        keywords = {key: self._argument(value) for key, value in node.kwargs.items()}
        if all(map(_is_constant, [*args, *keywords.values()])):
            constant = node.target(*map(_plain, args), **{key: _plain(value) for key, value in keywords.items()})
            return StoredTensor(constant, False) if isinstance(constant, self.torch.Tensor) else constant
        function = self.functions.get(name) or self.functions.get(name.rstrip("_"))
        if function is None:
            raise UnknownError("library")
        return function(self, node, *args, **keywords)

    def _argument(self, value: Any) -> Any:
        if isinstance(value, self.torch.fx.Node):
            return self.values[value.name]
        if isinstance(value, (list, tuple)):
            return [self._argument(item) for item in value]
        return value

    def _end(self, results: Any) -> None:
        for node in results:
            value = self.values.get(str(getattr(node, "name", "")))
            if not isinstance(value, Value) or value.shape[:1] != (None,):
                raise UnknownError("outputs")
            self.outputs.append(self.first(value))

    # --- writing

    def _add(self, module: str, class_name: str, config: dict[str, Any], name: str, arrays: Any = ()) -> RecordPart:
        key, number = name, 0
        while key in self.keys:
            number += 1
            key = name + "_" + str(number)
        self.keys.add(key)
        entry = {"module": module, "class_name": class_name, "config": dict(config, name=key)}
        self.parts.append(RecordPart(entry, key, list(arrays)))
        if len(self.parts) > MAX_CALLS:
            raise UnknownError("large")
        return self.parts[-1]

    def layer(
        self, node: Any, class_name: str, config: dict[str, Any], inputs: Value, weights: Any = (), **options: Any
    ) -> Value:
        """Call a layer of ``keras.layers``.

        Args:
            node: the node that it computes.
            class_name: its class.
            config: its arguments.
            inputs: the value that it is called with.
            weights: for each array of the layer, the parameters that it is made of, and the array.
            options: see :meth:`_called`.
        """
        inputs = self._source(inputs) if isinstance(inputs, StoredTensor) else inputs
        held = [stored for several, _ in weights for stored in several]
        identity = (class_name, *(id(stored) for stored in held)) if held else None
        part = self.layers.get(identity)
        if part is None:
            dtype = next((_dtype(one.tensor) for one in held), inputs.dtype)
            trainable = not held or any(one.trainable for one in held)
            config = dict(config, trainable=trainable, dtype=dtype if "float" in dtype else "float32")
            part = self._add("keras.layers", class_name, config, class_name.lower(), [array for _, array in weights])
            if held:
                self.layers[identity] = part
            for stored in held:
                if stored.part is not None:
                    raise UnknownError("borrowed")
                stored.part = part
        return self._called(node, part, [self._operand(inputs)], **options)

    def operation(self, node: Any, class_name: str, operands: Any, config: Any = None, **options: Any) -> Value:
        """Call an operation of ``keras.ops``, by the name of its class; see :meth:`_called` for the others."""
        described = [self._operand(operand) for operand in operands]
        part = self._add("keras.src.ops.numpy", class_name, config or {}, class_name.lower())
        return self._called(node, part, described, **options)

    def _called(
        self, node: Any, part: RecordPart, args: list[Any], last: bool = False, shape: Any = None, dtype: str = ""
    ) -> Value:
        """Add a call whose result is a node's value, or has the shape and type given.

        The result may have its channels last.
        """
        part.calls.append({"args": args, "kwargs": {}})
        shape = self.shape_of(node) if shape is None else shape
        return Value([part.key, len(part.calls) - 1, 0], shape, dtype or _dtype(node.meta["val"]), last)

    def _operand(self, value: Any) -> Any:
        if isinstance(value, Value):
            return {"class_name": "__keras_tensor__", "config": {"keras_history": value.ref}}
        if isinstance(value, StoredTensor) and value.parameter:
            return self._operand(self._source(value))
        if isinstance(value, StoredTensor):
            return {"class_name": "__numpy__", "config": _array(value)}
        if isinstance(value, (list, tuple)):
            return [self._operand(item) for item in value]
        if isinstance(value, slice):
            edges = {name: getattr(value, name) for name in ("start", "stop", "step")}
            return {"class_name": "__slice__", "config": edges}
        if value is None or isinstance(value, (bool, int, float)):
            return value
        raise UnknownError("library")

    def _source(self, stored: StoredTensor) -> Value:
        """Return the value of a parameter that belongs to no layer, or of a constant."""
        if stored.part is None:
            stored.part = self._add("autograder", *self._described(stored))
            stored.part.calls.append({"args": [self._operand(self.inputs[0])], "kwargs": {}})
        elif stored.part.entry["module"] != "autograder":
            raise UnknownError("borrowed")
        return Value([stored.part.key, 0, 0], tuple(stored.tensor.shape), _dtype(stored.tensor))

    def _described(self, stored: StoredTensor) -> tuple[str, dict[str, Any], str, list[Any]]:
        array, dtype = numpy(stored), _dtype(stored.tensor)
        if stored.parameter:
            config = {"shape": list(array.shape), "dtype": dtype, "trainable": stored.trainable}
            return "Variable", config, "variable", [array]
        return "Constant", _array(stored), "constant", []

    # --- channels

    def first(self, value: Any) -> Any:
        """Return a value with its dimensions in PyTorch's order."""
        if not isinstance(value, Value) or not value.last:
            return value
        rank = len(value.shape)
        return self._turned(value, [0, rank - 1, *range(1, rank - 1)], False)

    def last(self, value: Any) -> Any:
        """Return a value with its channels last."""
        if not isinstance(value, Value) or value.shape[:1] != (None,):
            raise UnknownError("library")
        rank = len(value.shape)
        return value if value.last or rank < 3 else self._turned(value, [0, *range(2, rank), 1], True)

    def _turned(self, value: Value, axes: list[int], last: bool) -> Value:
        turned = self.turned.get((*value.ref,))
        if turned is None:
            args = {"shape": value.shape, "dtype": value.dtype, "last": last}
            turned = self.turned[(*value.ref,)] = self.operation(None, "Transpose", [value], {"axes": axes}, **args)
        return turned

    # --- the whole

    def config(self) -> dict[str, Any]:
        """Return the configuration, in the format of a functional model's ``get_config()``."""
        ends = [value.ref for value in self.inputs]
        outputs = [value.ref for value in self.outputs]
        input_layers: Any = dict(zip(self.names, ends)) if self.names else ends if len(ends) > 1 else ends[0]  # noqa: B905
        return {
            "name": "module",
            "trainable": True,
            "layers": [dict(part.entry, name=part.key, inbound_nodes=part.calls) for part in self.parts],
            "input_layers": input_layers,
            "output_layers": outputs if len(outputs) > 1 else outputs[0],
        }

    def leaves(self) -> list[RecordPart]:
        """Return the layers and sources of the record, in its order, without inputs and operations."""
        layers = [part for part in self.parts if part.entry["module"] in ("keras.layers", "autograder")]
        return [part for part in layers if part.entry["class_name"] != "InputLayer"]


def _is_constant(value: Any) -> bool:
    """Return whether an argument depends on neither the inputs nor a parameter."""
    if isinstance(value, (list, tuple)):
        return all(map(_is_constant, value))
    if isinstance(value, StoredTensor):
        return not value.parameter
    return value is not ROWS and type(value).__module__ in ("builtins", "torch")  # numbers, texts, number types


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.tensor if isinstance(value, StoredTensor) else value


def _array(stored: StoredTensor) -> dict[str, Any]:
    if stored.tensor.numel() > MAX_CONSTANT:
        raise UnknownError("large")
    return {"value": numpy(stored).tolist(), "dtype": stored.dtype}


def numpy(stored: StoredTensor) -> Any:
    """Return the numbers of a parameter or constant; bfloat16 as float32, which holds them exactly."""
    tensor = stored.tensor
    return tensor.float().numpy() if _dtype(tensor) == "bfloat16" else tensor.numpy()


def _dtype(tensor: Any) -> str:
    return str(tensor.dtype).replace("torch.", "")
