"""The weights of a file in the format ``safetensors``, for a model that was trained elsewhere.

Runs in the student's kernel, as the text of a cell: it needs nothing of the kit. Only the header and raw arrays are
read; the format holds nothing that could be run.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

MAX_HEADER = 10_000_000
"""Most bytes of a header."""
MAX_LISTED = 12
"""Names of a file, and of a model, that an error lists."""
TYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1",
    "U8": "|u1", "BOOL": "|b1",
}  # fmt: skip
"""Type in a header → numpy's; of bfloat16, the bits."""


def load(model: Any, path: str) -> None:
    """Give a model the weights of a file, which must have its names and shapes.

    Args:
        model: a PyTorch module, or a Keras model that has its weights.
        path: the file.

    Raises:
        ValueError: the file is malformed, or belongs to another model.
    """
    arrays = read(path)
    torch: Any = sys.modules.get("torch")
    keras: Any = sys.modules.get("keras")
    if torch is not None and isinstance(model, torch.nn.Module):
        state = model.state_dict()
        arrays = _with_tied(_without_wrappers(arrays, state), state)
        _compare(path, arrays, {name: tuple(tensor.shape) for name, tensor in state.items()})
        model.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
        model.eval()
    elif keras is not None and isinstance(model, keras.Model):
        import numpy as np

        variables = {variable.path: variable for variable in model.weights}
        arrays = _as_numbered(arrays, variables)
        _compare(path, arrays, {name: tuple(variable.shape) for name, variable in variables.items()})
        for name, variable in variables.items():
            variable.assign(np.array(arrays[name]))  # a copy: a backend may keep what it is given
    else:
        raise ValueError(f"{path} holds weights, and this is no model of PyTorch or Keras")
    print(f"The training was not run: the {len(arrays)} arrays of weights in {path} are the model's.")


def read(path: str) -> dict[str, Any]:
    """Return the arrays of a file by their names; the system reads them as they are used.

    Raises:
        ValueError: the file is malformed.
    """
    import numpy as np

    size = Path(path).stat().st_size
    with Path(path).open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(MAX_HEADER, size - 8):
            raise ValueError(f"{path} is no file of safetensors: its header has no valid length")
        text = file.read(length)
    try:
        header = json.loads(text.decode("utf-8"))
        content = np.memmap(path, "u1", "c")[8 + length :]
        entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
        return {name: _array(entry, content) for name, entry in entries.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is no file of safetensors: its header does not describe its arrays") from error


_WRAPPERS = ("_orig_mod", "module")
"""Words that ``torch.compile`` and ``nn.DataParallel`` put before the names of what they wrap."""


def _without_wrappers(arrays: dict[str, Any], state: Iterable[str]) -> dict[str, Any]:
    """Return the arrays under a module's names, where only the words of wrappers differ."""

    def bare(name: str) -> str:
        return ".".join(word for word in name.split(".") if word not in _WRAPPERS)

    wanted = {bare(name): name for name in state}
    if len({bare(name) for name in arrays}) < len(arrays) or len(wanted) < len(list(state)):
        return arrays
    return {name if name in state else wanted.get(bare(name), name): array for name, array in arrays.items()}


def _with_tied(arrays: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
    """Return the arrays with those of tied weights under all their names; ``save_model`` of safetensors writes one."""
    places = {(state[name].data_ptr(), state[name].shape): array for name, array in arrays.items() if name in state}
    tied = {name: (tensor.data_ptr(), tensor.shape) for name, tensor in state.items() if name not in arrays}
    return {**arrays, **{name: places[place] for name, place in tied.items() if place[0] and place in places}}


def _as_numbered(arrays: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the arrays under a model's names, where only the numbers in the names differ.

    Keras numbers layers as a session makes them: ``sequential_3/dense_7/kernel`` was trained where another session has
    ``sequential/dense/kernel``. Of names that are alike without numbers, the order of the numbers decides.
    """
    held, wanted = _alike(arrays), _alike(names)
    if set(arrays) == set(names) or {k: len(v) for k, v in held.items()} != {k: len(v) for k, v in wanted.items()}:
        return arrays
    pairs = [pair for alike in wanted for pair in zip(wanted[alike], held[alike])]  # noqa: B905 - not in Python 3.9
    return {name: arrays[other] for name, other in pairs}


_NUMBER = re.compile(r"_(\d+)(?=/|$)")


def _alike(names: Iterable[str]) -> dict[str, list[str]]:
    """Group names by what they are without numbers, each group in the order of its numbers."""
    groups: dict[str, list[str]] = {}
    for name in sorted(names, key=lambda name: [int((_NUMBER.findall(part) or ["0"])[0]) for part in name.split("/")]):
        groups.setdefault(_NUMBER.sub("", name), []).append(name)
    return groups


def _array(entry: dict[str, Any], content: Any) -> Any:
    """Return one array; its place in the file, its type and its shape must fit together."""
    import numpy as np

    begin, end = entry["data_offsets"]
    kind, shape = np.dtype(TYPES[entry["dtype"]]), entry["shape"]
    if not 0 <= begin <= end <= len(content) or any(type(side) is not int or side < 0 for side in shape):
        raise ValueError("no place in the file")
    if end - begin != math.prod(shape) * kind.itemsize:
        raise ValueError("another size than its shape's")
    array = np.frombuffer(content, kind, math.prod(shape), begin) if end > begin else np.empty(shape, kind)
    array = np.require(array.reshape(shape), requirements=["A"])
    return (array.astype("<u4") << 16).view("<f4") if entry["dtype"] == "BF16" else array


def _compare(path: str, arrays: dict[str, Any], shapes: dict[str, tuple[int, ...]]) -> None:
    """Require the names and shapes of the model.

    Raises:
        ValueError: they differ.
    """
    for name in [*shapes, *arrays]:
        held, wanted = arrays.get(name), shapes.get(name)
        if held is None or wanted is None or tuple(held.shape) != wanted:
            shape_of_file = "none" if held is None else tuple(held.shape)
            shape_of_model = "none" if wanted is None else wanted
            listed = ", ".join(list(arrays)[:MAX_LISTED]) + (", …" if len(arrays) > MAX_LISTED else "")
            raise ValueError(
                f"{path} belongs to another model: {name!r} is {shape_of_file} there, and {shape_of_model} in the "
                f"model. The file has {listed or 'no arrays'}; the model has {', '.join(list(shapes)[:MAX_LISTED])}"
            )
