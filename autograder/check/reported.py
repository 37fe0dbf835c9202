"""The layers of a model that stays in the kernel, as the kernel reports them: a claim, and named as one."""

from __future__ import annotations

from typing import Any

from autograder.check.foreign import Foreign, identifier
from autograder.check.steps import Step
from autograder.probe.model_parts import MAX_LAYERS


class ReportedLayer:
    """Answers as a Keras layer does when its attributes are compared."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        self.arguments = arguments

    def get_config(self) -> dict[str, Any]:
        return self.arguments


def reported_steps(found: Foreign) -> list[Step] | None:
    """The model's steps; None where the answer is none.

    Raises:
        LostError: the kernel is gone, or did not answer in time.
    """
    from autograder.examiner.remote import LostError

    try:
        parts = found.parts()
    except LostError:
        raise
    except Exception:  # the student's code stood in the way
        return None
    if type(parts) is not list or len(parts) > MAX_LAYERS:
        return None
    made = [_step(number, part, found.family) for number, part in enumerate(parts, start=1)]
    return None if None in made else [step for step in made if step is not None]


def _step(number: int, part: Any, family: str) -> Step | None:
    if type(part) is not tuple or len(part) != 4:
        return None
    kind, library, arguments, unusual = part
    if type(library) is not str or type(arguments) is not dict or type(unusual) is not list:
        return None
    if not all(type(name) is str and _is_plain(value) for name, value in arguments.items()):
        return None
    shown = {name: value for name, value in arguments.items() if any(name == other for other in unusual)}
    kind = identifier(kind) if library == family else f"{identifier(kind)} of your own"
    return Step(number, kind, ReportedLayer(arguments), None, reported=True, shown=_short(shown))


def _is_plain(value: Any) -> bool:
    if type(value) is list:
        return all(_is_plain(item) for item in value)
    return value is None or (type(value) in (bool, int, float)) or (type(value) is str and len(value) <= 1000)


def _short(arguments: dict[str, Any]) -> dict[str, Any]:
    """What fits into a message."""
    return {identifier(name): value for name, value in list(arguments.items())[:8] if len(str(value)) <= 40}
