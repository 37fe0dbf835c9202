"""PyTorch's modules in the student's process, see :class:`autograder.kernel.model_family.FamilyInKernel`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from ....kernel import model_inputs, model_parts
from ....kernel.model_family import is_a
from . import LATE_PARTS as LATE_PARTS

REFERENCE = "network"


def is_mine(model: Any) -> bool:
    """Return whether it is a ``torch.nn.Module``."""
    return is_a(model, "torch.nn", "Module")


def claim(model: Any, shapes: Any) -> tuple[dict[str, Any], list[Any]]:
    """Describe a module by its graph, see :func:`torch_model.claim`."""
    from . import torch_model  # few kernels have a module to describe

    return torch_model.claim(model, shapes)


def count(model: Any) -> tuple[Any, Any, str]:
    """Count the numbers of its parameters."""
    if any(is_a(p, "torch.nn.parameter", "UninitializedParameter") for p in model.parameters()):
        return None, None, ""  # lazy layers before their first rows
    sizes = [(int(p.numel()), bool(p.requires_grad)) for p in model.parameters()]
    return sum(size for size, _ in sizes), sum(size for size, wanted in sizes if wanted), ""


def parts(model: Any) -> list[Any]:
    """List PyTorch's own modules without containers; of other modules, the modules inside."""
    return [model_parts.described(module, "torch", _arguments(module)) for module in _leaves(model)]


def predict(model: Any, inputs: Any, method: str) -> Any:
    """Call the module in evaluation mode, and leave it as it was."""
    import numpy as np

    torch = sys.modules["torch"]
    floating = next((p.dtype for p in model.parameters() if p.is_floating_point()), torch.float32)

    def tensor(array: Any) -> Any:
        converted = torch.as_tensor(np.array(array))
        return converted.to(floating) if converted.is_floating_point() else converted

    flags = [(part, part.training) for part in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            if not isinstance(inputs, (dict, list)):
                return model(tensor(inputs))
            if isinstance(inputs, list):
                tensors: Any = [tensor(array) for array in inputs]
                return model_inputs.passed(lambda *given: model(*(given[0] if len(given) == 1 else given)), tensors)
            tensors = {key: tensor(array) for key, array in inputs.items()}
            return model_inputs.passed(lambda *given, **named: model(*given, **named), tensors)
    finally:
        for part, training in flags:
            part.training = training


def watch(shell: Any) -> None:
    """Note the shapes with which modules are called."""
    from . import watch

    watch.start(shell)


def _leaves(module: Any) -> Iterator[Any]:
    """List PyTorch's own modules without containers; of other modules, the modules inside."""
    inside = list(module.children())
    name = type(module).__module__
    if not inside or (name.startswith("torch.nn.") and not name.endswith(".container")):
        yield module
    else:
        for child in inside:
            yield from _leaves(child)


def _arguments(module: Any) -> dict[str, Any]:
    """Read a PyTorch module's arguments from its attributes of the same names; ``bias`` is whether there is one."""
    arguments = {}
    for name in model_parts.parameters(type(module)):
        if name != "self" and hasattr(module, name):
            value = getattr(module, name)
            arguments[name] = value is not None and value is not False if name == "bias" else value
    return arguments
