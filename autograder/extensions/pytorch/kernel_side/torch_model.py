"""The description of a PyTorch module by its graph. Runs inside the student's kernel.

``torch.export`` traces the module's ``forward`` with a free number of rows. The graph is written down as plain records,
see :mod:`torch_graph`. Nothing is pickled. The module itself stays as it is: a copy of it is exported and asked.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
import io
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Iterator
from functools import partial
from typing import Any, cast

from ....kernel import probe_rows
from ....kernel.model_family import is_a
from ....kernel.model_inputs import leaves
from . import LATE_PARTS as LATE_PARTS
from .torch_graph import UnknownError, is_recordable, record
from .torch_operators import DRAWN, DRAWS, DRAWS_IN_PLACE, OPERATORS
from .watch import called_shapes, paused

_TYPES = ("float32", "int64")
_OF_TRAINING = ("Dropout", "AlphaDropout", "FeatureAlphaDropout", "BatchNorm", "SyncBatchNorm", "LazyBatchNorm")
"""Beginnings of the classes whose parts compute something else in training."""

_RIGHT, _BY_VALUES = ("", ""), ("", "values")
"""How a call ends: as it should, or in a way that may depend on what the rows hold."""
_PART = 5
"""The number of the first rows, with which a module is called again."""
_FIXED = "specialized it to be a constant"
"""What PyTorch says of a module that needs a fixed number of rows."""
_WRAPPERS = (("torch._dynamo.eval_frame", "OptimizedModule", "_orig_mod"), ("torch.nn", "DataParallel", "module"))
"""Module, class and attribute of what only calls another module; the outer one first."""


def claim(module: Any, shapes: Any) -> tuple[dict[str, Any], list[Any]]:
    """Describe a module by its graph, its tensors, and its outputs for a few rows.

    Args:
        module: a ``torch.nn.Module``.
        shapes: the shapes of its inputs, see :func:`model_inputs.leaves`; None for those with which the notebook called
            it, or the one that its first layer tells.
    """
    inner = _unwrapped(module)
    if getattr(inner.forward, "__func__", None) is sys.modules["torch"].nn.Module.forward:
        return {**_described(inner, shapes), "unread": "forward"}, []
    forms = called_shapes(module, inner) or [_guessed(inner)] if shapes is None else [shapes]
    described = []
    for form in forms:
        described.append(_claim(inner, form))
        if described[-1][0]["graph"]:
            return described[-1]
    return described[0]


def _described(module: Any, shapes: Any) -> dict[str, Any]:
    unread = {"graph": None, "probe": None, "unread": "raised"}
    states = {"training": in_training(module), "unlisted": has_unlisted(module)}
    return {"kind": "Module", "library": "torch", **unread, "shapes": shapes, **states}


def _claim(module: Any, shapes: Any) -> tuple[dict[str, Any], list[Any]]:
    described = _described(module, shapes)
    if shapes is None:
        return {**described, "unread": "shapes"}, []
    with _quiet():
        for dtype in _TYPES:
            try:
                twin = _copied(module).cpu().eval()
                (graph, arrays), probe, answers = _read(twin, shapes, dtype)
            except UnknownError as error:
                described["unread"], described["operator"] = error.reason, error.operator
                break
            except Exception as error:
                if described["unread"] == "raised":  # rows of the other type fail for a reason of their own
                    described["unread"] = _reason(error)
                continue
            return {**described, "graph": graph, "probe": probe, "unread": ""}, arrays + answers
        described["unread"] = _fault(module, shapes) or described["unread"]
    return described, []


def _fault(module: Any, shapes: Any) -> str:
    """Return ``raises`` or ``nothing`` if a module raises, or gives no tensor, whatever the rows of these shapes hold.

    Numbers without values are tried beside some with: what raises at one place for both does so for the shapes. The
    word is ``rows`` if it takes all rows that are tried and not the first five of them, and ``inputs`` if ``forward``
    has other parameters.
    """
    from torch._subclasses.fake_tensor import FakeTensorMode

    ends: set[Any] = set()
    for dtype in _TYPES:
        with contextlib.suppress(Exception):  # the module cannot be copied
            twin = _copied(module).cpu().eval()
            tensors = _probe_tensors(twin, shapes, dtype, probe_rows.KINDS[0])
            if not _takes(twin, shapes, tensors):
                return "inputs"
            end = _end(twin, shapes, tensors)
            if end == _RIGHT and _end(twin, shapes, [tensor[:_PART] for tensor in tensors]) != _RIGHT:
                return "rows"
            with FakeTensorMode(allow_non_fake_inputs=True) as mode:
                without_values = _end(twin, shapes, [mode.from_tensor(tensor) for tensor in tensors])
            ends |= {end, without_values if end == without_values or end[0] != "raises" else _BY_VALUES}
    words = {word for word, _ in ends}
    if _RIGHT in ends or not words:
        return ""
    return "nothing" if "nothing" in words else "raises" if words == {"raises"} else ""


def _takes(module: Any, shapes: Any, tensors: list[Any]) -> bool:
    """Return whether ``forward`` has parameters for the inputs, and needs no more."""
    args, keywords = _arguments(shapes, tensors)
    try:
        inspect.signature(module.forward).bind(*args, **keywords)
    except TypeError:
        return False
    return True


def _end(module: Any, shapes: Any, tensors: list[Any]) -> tuple[str, Any]:
    """Return how a call ends, with no word if it is right, and the student's last line."""
    torch = sys.modules["torch"]
    try:
        with torch.no_grad():
            outputs = torch.utils._pytree.tree_leaves(_called(module, shapes, tensors))
    except Exception as error:
        if type(error).__module__.startswith("torch.") or _reason(error) == "values":  # it would need values
            return _BY_VALUES
        lines = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
        students = [line for line in lines if line[0] != __file__ and f"{os.sep}torch{os.sep}" not in line[0]]
        return "raises", tuple(students[-1:])
    kinds = {type(output).__module__.partition(".")[0] for output in outputs}
    return "nothing" if kinds <= {"builtins", "numpy"} else "", ""


def _unwrapped(module: Any) -> Any:
    """Return the module that ``torch.compile`` or ``nn.DataParallel`` calls; any other module as it is."""
    for library, kind, attribute in _WRAPPERS:
        if is_a(module, library, kind):
            module = getattr(module, attribute)
    return module


def _copied(module: Any) -> Any:
    """Return a copy of a module, and of the tensors that it keeps from its last pass only their numbers.

    Students keep a loss, or weights of attention for a plot. PyTorch copies no tensor that has gradients to pass on.
    """
    tensors = [tensor for part in module.modules() for tensor in _held(vars(part), "torch", "Tensor")]
    return copy.deepcopy(module, {id(tensor): tensor.detach().clone() for tensor in tensors if not tensor.is_leaf})


def _held(value: Any, library: str, kind: str, depth: int = sys.maxsize) -> Iterator[Any]:
    """Yield the objects of a class in plain containers, which may stand so deep in one another."""
    if is_a(value, library, kind):
        yield value
    elif type(value) in (dict, list, tuple) and depth:
        for item in value.values() if type(value) is dict else value:
            yield from _held(item, library, kind, depth - 1)


def in_training(module: Any) -> bool:
    """Return whether a part that computes something else in training is in training mode."""
    return any(part.training and type(part).__name__.startswith(_OF_TRAINING) for part in module.modules())


def has_unlisted(module: Any) -> bool:
    """Return whether a layer stands in a Python list or dict alone, where PyTorch does not find its parameters."""
    listed = set(map(id, module.modules()))
    attributes = [value for part in module.modules() for name, value in vars(part).items() if name != "_modules"]
    layers = [layer for layer in _held(attributes, "torch.nn", "Module", depth=4) if id(layer) not in listed]
    return any(any(True for _ in layer.parameters()) for layer in layers)


def _guessed(module: Any) -> Any:
    """Return the shape of a row for a module whose first layer tells it."""
    first = next((part for part in module.modules() if not list(part.children())), None)
    size = getattr(first, "in_features", 0)
    return {"shape": [size], "dtype": ""} if isinstance(size, int) and size > 0 else None


def _read(module: Any, shapes_given: Any, dtype: str) -> tuple[Any, dict[str, Any], list[Any]]:
    torch = sys.modules["torch"]
    error: Any = None
    for kind in probe_rows.KINDS:
        tensors = _probe_tensors(module, shapes_given, dtype, kind)

        def call(rows_chosen: Any, tensors: Any = tensors) -> list[Any]:
            with torch.no_grad():
                return _arrays(_called(module, shapes_given, [tensor[rows_chosen].clone() for tensor in tensors]))

        def answers(call: Any = call, number: int = len(tensors[0])) -> list[Any]:
            return [*call(slice(None)), *_joined([call(which) for which in probe_rows.batches(number)])]

        try:
            outputs = answers()
        except Exception as raised:
            error = error or raised
            continue
        graph = _exported(module, shapes_given, tensors)
        if any(operator in DRAWS for operator, *_ in graph[0]["nodes"]):
            with _without_chance():
                outputs = answers()
        return graph, {"kind": kind, "number": len(tensors[0])}, outputs
    raise error


def _probe_tensors(module: Any, shapes_given: Any, dtype: str, kind: str) -> list[Any]:
    """Return the rows on which a module is asked, a tensor for each input."""
    shapes = [(None, *leaf["shape"]) for leaf in leaves(shapes_given)]
    number = probe_rows.count(shapes)
    floating = next((p.dtype for p in module.parameters() if p.is_floating_point()), sys.modules["torch"].float32)
    arrays = [probe_rows.rows(shape, dtype, kind, place, number) for place, shape in enumerate(shapes)]
    return [_tensor(array, floating) for array in arrays]


def _exported(module: Any, shapes: Any, tensors: list[Any]) -> tuple[dict[str, Any], list[Any]]:
    import torch.export
    from torch.export import dynamic_shapes

    rows = torch.export.Dim("rows", min=2, max=1_000_000)
    args, keywords = _arguments(shapes, tensors)
    free = cast("Any", dynamic_shapes).ShapesCollection()  # by tensor, since ``forward`` may take ``*args``
    for tensor in tensors:
        free[tensor] = {0: rows}
    export = partial(torch.export.export, module, tuple(args), keywords or None, dynamic_shapes=free)
    # Without gradients outside, too: `with torch.no_grad()` in `forward` would be a graph of its own. And an einsum of
    # three tensors would look for the quickest order of its products, for which it takes the rows for so many.
    in_order = torch.backends.opt_einsum.flags(enabled=False)
    with _masks_as_they_are(), _unvalidated_distributions(), torch.no_grad(), in_order:
        try:
            program = export(strict=False)
        except Exception as error:
            if _FIXED not in str(error):
                raise
            try:
                program = export(strict=True)  # slower; here alone, ``len(x)`` is no fixed number
            except Exception:
                raise error from None
    is_whole = is_recordable(program)
    if not is_whole:
        program = program.run_decompositions(_decompositions())
    graph, tensors = record(program, module, list(shapes) if keywords else [])
    return {**graph, "decomposed": not is_whole}, tensors


@contextlib.contextmanager
def _unvalidated_distributions() -> Iterator[None]:
    """Let ``torch.distributions`` look at no values, so that a module that samples from them can be traced."""
    distribution = sys.modules["torch"].distributions.Distribution
    before = distribution._validate_args
    distribution.set_default_validate_args(False)
    try:
        yield
    finally:
        distribution.set_default_validate_args(before)


@contextlib.contextmanager
def _masks_as_they_are() -> Iterator[None]:
    """Keep PyTorch's transformers from asking whether a mask is causal, which an export cannot answer.

    They would only compute the same in a quicker way.
    """
    import torch.nn.modules.transformer as transformers

    module: Any = transformers
    before = getattr(module, "_detect_is_causal_mask", None)  # PyTorch's own, which another version may not have
    module._detect_is_causal_mask = lambda mask, is_causal=None, size=None: is_causal is True
    try:
        yield
    finally:
        module._detect_is_causal_mask = before


def _decompositions() -> Any:
    """Return how operators are decomposed into Core ATen, without those that are kept whole."""
    torch = sys.modules["torch"]
    table = torch.export.default_decompositions()
    for name in OPERATORS:
        operator, overload = name.split(".")
        whole = getattr(getattr(torch.ops.aten, operator, None), overload, None)
        if whole is not None:
            table.pop(whole, None)
    return table


def _without_chance() -> Any:
    """Return a context in which each random draw of PyTorch gives the same number everywhere."""
    torch = sys.modules["torch"]
    from torch.utils import _python_dispatch

    def dispatch(_: Any, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        name = str(function)[len("aten.") :]
        if name in DRAWS:
            return torch.full_like(result, DRAWN)
        return result.fill_(DRAWN) if name in DRAWS_IN_PLACE else result

    mode: Any = type("WithoutChance", (_python_dispatch.TorchDispatchMode,), {"__torch_dispatch__": dispatch})
    return mode()


def _called(module: Any, shapes: Any, tensors: list[Any]) -> Any:
    args, keywords = _arguments(shapes, tensors)
    return module(*args, **keywords)


def _arguments(shapes: Any, tensors: list[Any]) -> tuple[list[Any], dict[str, Any]]:
    """Return the arguments of a call: one for each input, by name if the inputs have names."""
    if isinstance(shapes, dict) and leaves(shapes) != [shapes]:
        return [], dict(zip(shapes, tensors))  # noqa: B905 - not in Python 3.9
    return tensors, {}


def _tensor(array: Any, floating: Any) -> Any:
    tensor = sys.modules["torch"].as_tensor(array)
    return tensor.to(floating) if tensor.is_floating_point() else tensor


def _arrays(outputs: Any) -> list[Any]:
    import numpy as np

    # Lists and dictionaries in their order, as an export flattens them.
    outputs = [output for output in sys.modules["torch"].utils._pytree.tree_leaves(outputs) if output is not None]
    if not all(getattr(output, "ndim", 0) for output in outputs):  # a loss among them has no rows
        raise UnknownError("outputs")
    return [output.to(sys.modules["torch"].float32).numpy().astype(np.float32) for output in outputs]


def _joined(parts: list[list[Any]]) -> list[Any]:
    import numpy as np

    return [np.concatenate(pieces) for pieces in zip(*parts)]  # noqa: B905 - not in Python 3.9


def _reason(error: Exception) -> str:
    """Return why a module cannot be exported, from the exception that PyTorch raises."""
    name, text = type(error).__name__, str(error)
    if "DataDependent" in name or "data-dependent" in text:
        return "flow"
    if ".numpy()" in text or "tensor subclasses" in text:
        return "values"
    return "rows" if _FIXED in text else "raised"


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what PyTorch says of the export away from the student, and its random numbers as they are."""
    torch = sys.modules["torch"]
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), torch.random.fork_rng(devices=[]), paused():
            warnings.simplefilter("ignore")
            with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
                yield
    finally:
        logging.disable(before)
