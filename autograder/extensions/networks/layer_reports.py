"""The layers of a model in the kernel, as the kernel reports them: a claim, and shown as a claim."""

from __future__ import annotations

from typing import Any

from autograder.errors import LostError
from autograder.extensions.networks.attributes import ReportedLayer, short
from autograder.extensions.networks.external_model import ExternalModel
from autograder.extensions.networks.steps import Step
from autograder.extensions.networks.vocabulary import known_names
from autograder.kernel.model_parts import MAX_LAYERS


def reported_steps(external: ExternalModel) -> list[Step] | None:
    """Return the model's steps; None if the kernel's answer does not describe any.

    Raises:
        LostError: the kernel is gone, or did not answer in time.
    """
    try:
        parts = external.parts()
    except LostError:
        raise
    except Exception:  # the student's code prevented the answer
        return None
    if type(parts) is not list or len(parts) > MAX_LAYERS:
        return None
    reported = [_step(number, part, external.family) for number, part in enumerate(parts, start=1)]
    return None if None in reported else [step for step in reported if step is not None]


def _step(number: int, part: Any, family: str) -> Step | None:
    if type(part) is not tuple or len(part) != 4:
        return None
    kind, library, arguments, unusual = part
    if type(kind) is not str or type(library) is not str or type(arguments) is not dict or type(unusual) is not list:
        return None
    names = [*arguments, *unusual]
    if not all(type(name) is str for name in names) or not all(map(_is_plain, arguments.values())):
        return None
    is_own = library != family or kind not in known_names(family)
    settings = (
        {}
        if is_own
        else {name: short(arguments[name]) for name in NAMED_SETTINGS if name in arguments and name in unusual}
    )
    return Step(number, OWN_CLASS if is_own else kind, ReportedLayer(arguments), None, reported=True, shown=settings)


OWN_CLASS = "a class of your own"
NAMED_SETTINGS = (
    "C", "alpha", "hidden_layer_sizes", "max_depth", "n_components", "n_estimators", "n_neighbors", "degree",
    "in_features", "out_features", "in_channels", "out_channels", "kernel_size", "num_features", "p", "bias",
)  # fmt: skip
"""Arguments that a layer's text shows if they are not the class's defaults."""


def _is_plain(value: Any) -> bool:
    if type(value) is list:
        return all(_is_plain(item) for item in value)
    if type(value) is int:
        return abs(value) < 10**18
    return value is None or type(value) in (bool, float) or (type(value) is str and len(value) <= 1000)
