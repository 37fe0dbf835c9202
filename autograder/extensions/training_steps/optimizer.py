"""The check of an optimizer's class and settings, of PyTorch and of Keras."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from autograder.check.asking import ask
from autograder.check.diagnosis_requests import note_optimizer
from autograder.check.handle import reference_of, refusal
from autograder.check.results import report
from autograder.check.words import type_of
from autograder.errors import CourseError, LostError
from autograder.extensions.networks.pattern import Range
from autograder.extensions.networks.step_calculus import OptimizerSettings
from autograder.extensions.networks.subject import may_show
from autograder.extensions.networks.unreadable import report_for_a_person
from autograder.extensions.training_steps.kernel_side.optimizer_settings import describe
from autograder.records.checks import CheckResult

_CHECK = "check.optimizer"
_KINDS = (
    "SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "NAdam", "Nadam", "RAdam", "Rprop", "ASGD",
    "LBFGS", "SparseAdam", "Ftrl", "Lion", "Lamb", "Adafactor", "Muon",
)  # fmt: skip
"""Classes that a test may ask for, and that a message may name."""
_OWN_CLASS = "The optimizer is of a class of your own, which may take the steps that are asked."
_NOT_AS_ASKED = "The optimizer is not as asked."
_RATES = ("lr", "learning_rate")
_NOTED = ("betas", "eps", "alpha", "momentum", "nesterov", "weight_decay", "amsgrad", "dampening")
"""Settings with which a diagnosis trains."""


def optimizer(
    optimizer: Any,
    kind: Any = None,
    lr: Any = None,
    *,
    model: Any = None,
    settings: Mapping[str, Any] | None = None,
    show: bool | None = None,
    name: str = "optimizer",
    weight: float = 1.0,
) -> CheckResult:
    """Check an optimizer of ``torch.optim`` or of Keras; an argument that is None may have any value.

    Args:
        optimizer: the object.
        kind: a class, or its name in any case: ``"sgd"``, ``torch.optim.AdamW``.
        lr: the learning rate, compared within 1e-4 of its value, or :func:`autograder.check.between` and the like; at
            the start of a schedule.
        model: a PyTorch module, all of whose trainable parameters it has to train.
        settings: other settings by the library's names, such as ``{"momentum": 0.9}``.
        show: False keeps what is expected out of the student's message. True names the settings also of an optimizer
            that a call of the test returned.
        name: the check's name in reports.
        weight: the check's share among the checks of its cell.

    Returns:
        The result; its credit is all or nothing. Class and settings are what the notebook says of its own object;
        :func:`autograder.check.training_step` measures what a step does.

    Raises:
        CourseError: there is no such class.

    >>> check.optimizer(optimizer, kind="sgd", lr=0.1)  # doctest: +SKIP
    ✓ optimizer: SGD as asked
    """
    wanted = None if kind is None else _kind_named(kind)
    expected = dict(settings or {}) | ({} if lr is None else {"lr": lr})
    described = _described(optimizer, model)
    if described is None:
        return report(
            name, 0.0, refusal(optimizer) or f"this is not an optimizer ({type_of(optimizer)})", weight=weight
        )
    _note(described)
    is_shown = may_show(optimizer, show)
    differences = list(_differences(described, wanted, expected))
    kind_text = described["kind"] or "a class of its own"
    detail = f"asked: {wanted or 'any class'} {expected}; found: {kind_text} {described['groups'][:3]}"
    is_of_own_class = wanted is not None and not described["kind"]
    if is_of_own_class and len(differences) == 1:  # the class alone
        return report_for_a_person(name, _OWN_CLASS, weight, detail=detail)
    if differences:
        # Its own words were said when hidden inputs were there: without them, each aspect tells one bit of it.
        aspects, texts = zip(*differences, strict=True)
        message = "; ".join(texts if is_shown else aspects if show is None else [_NOT_AS_ASKED])
        detail = "; ".join([*texts, detail])
        return report(name, 0.0, message, weight=weight, detail=detail)
    message = f"{described['kind'] or 'the optimizer'} as asked" if may_show(optimizer, show or None) else "as asked"
    return report(name, 1.0, message, weight=weight, detail=detail)


def _kind_named(kind: Any) -> str:
    text = kind if isinstance(kind, str) else getattr(kind, "__name__", "")
    matches = [known for known in _KINDS if known.lower() == text.lower()]
    if not matches:
        raise CourseError(f"{_CHECK}: kind is {kind!r}; it may be {', '.join(_KINDS)}.")
    return matches[0]


def _described(optimizer: Any, model: Any) -> dict[str, Any] | None:
    """Return what the notebook says of an optimizer, strictly read; None if it is none."""
    try:
        is_known = reference_of(optimizer) is None or reference_of(model) is not None  # a rebuilt model is not, there
        claim = ask(describe, optimizer, model if is_known else None)
    except LostError:
        raise
    except Exception:  # the student's code prevented the description
        return None
    if type(claim) is not dict or claim.get("library") not in ("torch", "keras"):
        return None
    groups = claim.get("groups")
    if type(groups) is not list or not groups or not all(type(group) is dict for group in groups):
        return None
    kind = claim.get("kind")
    return {
        "library": claim["library"],
        "kind": kind if kind in _KINDS else "",
        "groups": [{key: _number(value) for key, value in group.items() if type(key) is str} for group in groups],
        "trains": claim.get("trains"),
    }


def _note(described: dict[str, Any]) -> None:
    """Let a diagnosis train with this optimizer of PyTorch, if it is one of its classes with a usable rate."""
    first = described["groups"][0]
    rate = _setting(first, _RATES)
    is_usable = type(rate) in (int, float) and 0 < rate < math.inf
    if described["library"] != "torch" or not described["kind"] or not is_usable:
        return
    settings = {name: first[name] for name in _NOTED if first.get(name) is not None}
    note_optimizer(OptimizerSettings(described["kind"], {**settings, "lr": rate}, "lr"))


def _number(value: Any) -> Any:
    if type(value) in (bool, int, float):
        return value
    if type(value) is list and len(value) <= 8 and all(type(item) in (int, float) for item in value):
        return tuple(value)
    return None


def _differences(described: dict[str, Any], kind: str | None, expected: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what differs: what is asked, and the same with what the notebook has."""
    if kind is not None and described["kind"].lower() != kind.lower():
        yield f"it is no {kind}", f"{described['kind'] or 'a class of your own'}, expected {kind}"
    for key, value in expected.items():
        names = _RATES if key in _RATES else (key,)
        values = [_setting(group, names) for group in described["groups"]]
        if not all(_fits(held, value) for held in values):
            label = "the learning rate" if key in _RATES else key
            held = ", ".join(
                sorted({f"{number:g}" if type(number) in (int, float) else str(number) for number in values})
            )
            yield f"{label} is not {value}", f"{label} is {held}, expected {value}"
    if described["trains"] in ("some", "none"):
        yield (
            "it does not train all of the model's parameters",
            f"it trains {described['trains']} of the model's parameters",
        )


def _setting(group: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """Return a setting of a group; of a learning rate that a schedule changes, the first."""
    if names == _RATES and group.get("initial_lr") is not None:
        return group["initial_lr"]
    return next((group[name] for name in names if name in group), None)


def _fits(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, Range):
        return value in wanted
    if isinstance(wanted, list | tuple):
        return type(value) is tuple and len(value) == len(wanted) and all(map(_fits, value, wanted))
    if isinstance(wanted, bool) or isinstance(value, bool) or value is None:
        return value is wanted
    return type(value) in (int, float) and math.isclose(value, wanted, rel_tol=1e-4, abs_tol=1e-12)
