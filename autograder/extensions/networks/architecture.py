"""The check of a model's layers against a pattern, with differences in words that students understand."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from autograder._util.model_families import families
from autograder.check.results import report
from autograder.extensions.networks import orders, own_layers, solution_network
from autograder.extensions.networks.activations import KINDS
from autograder.extensions.networks.differences import Difference, TooManyLayers, differences
from autograder.extensions.networks.external_model import ExternalModel
from autograder.extensions.networks.layer_reports import reported_steps
from autograder.extensions.networks.network import Network
from autograder.extensions.networks.pattern import ANY_KIND, LayerPattern, Run, is_fixed, kinds_of, run_text, singles
from autograder.extensions.networks.reading import as_examined, call_failure, unread_reason
from autograder.extensions.networks.shapes import shape_difference
from autograder.extensions.networks.steps import Step, branches, has_wrappers, steps
from autograder.extensions.networks.subject import (
    external_model_of,
    is_examined,
    is_keras,
    layers_of,
    may_show,
    not_a_model,
    not_rebuilt,
    reading_of,
)
from autograder.extensions.networks.unreadable import report_for_a_person, report_unreadable
from autograder.extensions.networks.vocabulary import read_pattern
from autograder.records.checks import ASKS_PROBABILITIES, BRANCHES, CheckResult

MAX_LINES = 8
NEARLY = "The layers differ from those asked, and the network may compute the same."
IDLE = "A layer that is asked changes nothing in what the network gives."
UNREAD_PARTS = "The module cannot be read, and its parts do not show what it does with them."


def architecture(
    model: Any,
    layers: Sequence[Any],
    *,
    input_shape: Any = None,
    output_shape: Any = None,
    show: bool | None = None,
    name: str = "layers",
    weight: float = 1.0,
) -> CheckResult:
    """Check a model's layers against a pattern.

    The comparison is by meaning: an activation may be an argument, a layer of its own or an operation. Sequential and
    functional models are equal, nested models are opened, and input layers are ignored. A layer around a layer, such as
    Bidirectional, fits a pattern for itself and for what it holds.

    Args:
        model: a ``keras.Model``, a PyTorch module, or a scikit-learn pipeline or estimator. In the examiner, the layers
            of the latter, and of a module that cannot be read, are those that the notebook reports.
        layers: a list of :func:`layer`, :func:`dense`, :func:`any_of`, :func:`repeat` and :func:`optional` patterns;
            ``...`` stands for any number of layers, also none.
        input_shape: shape of one input row, such as ``(93,)``; a list or dict of shapes if there are several inputs.
            Not for estimators of scikit-learn.
        output_shape: shape of one output row, in the same form.
        show: False keeps the expected layers out of the student's message. True names the layers also if the model was
            returned by a call of the test or stays in the notebook's kernel. By default the message about such a model
            says only whether it is right, because its code has seen the test's hidden inputs.
        name: the check's name in reports.
        weight: the check's share among the checks of its cell.

    Returns:
        The result; its credit is all or nothing.

    Raises:
        CourseError: the pattern is wrong.

    >>> check.architecture(model, [..., check.dense(9, "softmax")], input_shape=(93,))  # doctest: +SKIP
    ✓ layers: as asked: Dense(units=100) → Dense(units=9, activation=softmax)
    """
    model = as_examined(model, shape=input_shape)
    external = None if is_examined(model) else external_model_of(model)
    asks_shapes = input_shape is not None or output_shape is not None
    libraries = [name for name in families() if not asks_shapes or _has_networks(name)]
    library, pattern = read_pattern(layers, _family(model, external), libraries)
    if _has_networks(library) and not is_examined(model):
        model = as_examined(model, shape=input_shape, guess=True)
        external = None if is_examined(model) else external
    present, problem = _steps(model, external, library, kinds_of(pattern))
    if problem:
        return report_unreadable(name, model, problem, weight, of_networks=library == "keras")
    try:
        present, lines, fits = _compared(model, pattern, present, library)
    except TooManyLayers as error:
        message = str(error) if may_show(model, show) else "The model has too many layers to be compared."
        return report(name, 0.0, message, weight=weight, detail=str(error))
    shapes = [*shape_difference(model, "input", input_shape), *shape_difference(model, "output", output_shape)]
    summary = _summary(model, present)
    claimed = "; the layers are what the notebook's kernel reports" if external is not None and external.remote else ""
    detail = f"expected: {run_text(pattern)}; found: {summary}{claimed}"
    as_asked = f"as asked: {summary}" if may_show(model, show or None) else "as asked"
    of = solution_network.key(name, run_text(pattern))
    if not lines and not shapes:
        if _has_idle(model, library, kinds_of(pattern)):
            return report_for_a_person(name, IDLE, weight, detail=detail)
        is_solution = solution_network.note(model, of)
        evidence = {BRANCHES: True} if is_solution and _has_orders(model, library) else {}
        if any(isinstance(last, LayerPattern) and last.activation in ("softmax", "sigmoid") for last in pattern[-1:]):
            evidence[ASKS_PROBABILITIES] = True
        return report(name, 1.0, as_asked, weight=weight, detail=detail, evidence=evidence)
    sameness = None if shapes else solution_network.compare(model, of, pattern)
    if sameness == "same":
        return report(name, 1.0, as_asked, weight=weight, detail=f"{detail}; it computes what the solution's does")
    texts = _difference_texts(model, lines) if library == "keras" else [line.text for line in lines]
    texts += shapes
    message = "; ".join(_limited(texts) + _notes(model, pattern, lines))
    if not may_show(model, show):
        message = "The layers are not as asked."
    if external is not None and external.stays:  # parts in the order in which they were made, without functions
        if failure := call_failure(model):
            return report(name, 0.0, failure, weight=weight, detail=f"{failure} {detail}")
        reasons = "; ".join(filter(None, [*texts, detail, unread_reason(model)]))
        problem = unread_reason(model, for_student=True) or UNREAD_PARTS
        return report_for_a_person(name, problem, weight, detail=reasons)
    if sameness == "undecided":
        return report_for_a_person(name, NEARLY, weight, detail="; ".join([*texts, detail]))
    if lines and fits is None:
        return report_for_a_person(name, orders.PERSON, weight, detail="; ".join([*texts, detail]))
    if lines and _may_be_right(model, pattern, present, library, lines):
        return report_for_a_person(name, own_layers.PERSON, weight, detail="; ".join([*texts, detail]))
    return report(name, 0.0, message, weight=weight, detail="; ".join([*texts, detail]))


def _has_networks(library: str) -> bool:
    """Return whether models of a library are rebuilt here; others have steps, and no shapes."""
    return families()[library].rebuild is not None


def _has_idle(model: Any, library: str, kinds: Collection[str]) -> bool:
    """Return whether the result of a layer of these classes changes nothing, as far as it is computed here."""
    layers = layers_of(model)
    return layers is not None and layers.has_idle(library, kinds)


def _family(model: Any, external: ExternalModel | None) -> str:
    """Return the library of a model, of which it takes a name that two libraries have."""
    if isinstance(model, Network):
        return model.library
    return "keras" if external is None else external.family


def _may_be_right(model: Any, pattern: Run, present: list[Step], library: str, lines: list[Difference]) -> bool:
    """Return whether a model that seems to differ may have what is asked, so that a person decides."""
    if isinstance(model, Network):
        present_with_own = model.steps(library, with_own=True, asked_kinds=kinds_of(pattern))
        own_steps = list(present_with_own), model.activations(library)
    elif library == "keras":
        own_steps = steps(model, with_own=True), frozenset(KINDS)
    else:
        return False
    if own_layers.fits_with_own_activations(pattern, *own_steps):
        return True
    if isinstance(model, Network):
        unknown = kinds_of(pattern) - model.known_kinds(library) - {ANY_KIND}
        return (
            bool(unknown)
            or _asks_for_unknown_settings(pattern, present)
            or own_layers.may_be_asked(pattern, present)
            or own_layers.may_be_missing(lines, model.own_computations())
        )
    return own_layers.may_be_asked(pattern, present)


def _asks_for_unknown_settings(pattern: Run, present: list[Step]) -> bool:
    """Return whether a pattern names a setting that a graph does not show of such a layer."""
    return any(
        set(single.attributes) - set(reading.config) - {"activation"}
        for single in singles(pattern)
        for step in present
        for reading in step.named(single.kind)
    )


def _summary(model: Any, present: list[Step]) -> str:
    """Name the steps, and say how the model was read."""
    summary = " → ".join(str(step) for step in present if not (step.free and step.operation)) or "no layers"
    note = ", ".join(filter(None, [reading_of(model), model.slip if isinstance(model, Network) else ""]))
    return f"{summary} ({note})" if note else summary


def _steps(
    model: Any, external: ExternalModel | None, library: str, asked_kinds: set[str]
) -> tuple[list[Step], str | None]:
    """Return the model's steps, or no steps and the reason why it has none of this library."""
    if isinstance(model, Network) and _has_networks(library):
        return list(model.steps(library, asked_kinds=asked_kinds)), None
    if library == "keras":
        problem = not_rebuilt(model)
        return ([], problem) if problem else (steps(model), None)
    if external is None or external.family != library:
        described = external or (f"a Keras {type(model).__name__}" if is_keras(model) else None)
        problem = f"This is not a {families()[library].title} model (it is {described})." if described else ""
        return [], problem or not_a_model(model)
    present = reported_steps(external)
    if present is None:
        return [], "The layers of this model cannot be read."
    return [step for step in present if step.kind != "Identity"], None  # as in patterns and in networks that are read


def _compared(
    model: Any, pattern: Run, present: list[Step], library: str
) -> tuple[list[Step], list[Difference], bool | None]:
    """Return the steps in the order that fits best, their differences, and whether they fit; None if nobody knows.

    Where layers are around layers, the reading with fewer differences counts.

    Raises:
        TooManyLayers: the model cannot be compared.
    """
    lines = list(differences(pattern, present))
    fits: bool | None = False
    if lines and (network := _flow(model, library, kinds_of(pattern))) is not None:
        order = orders.best_order(pattern, network)
        fits = order.fits
        fewer = list(differences(pattern, order.steps)) if order.steps is not None else lines
        if order.steps is not None and len(fewer) < len(lines):
            present, lines = order.steps, fewer
        cells = {(step.number, step.kind) for step in network.atoms if step.recurs}
        for step in present:
            step.recurs = (step.number, step.kind) in cells
    if lines and library == "keras" and is_keras(model) and has_wrappers(model):
        opened = steps(model, opened=True)
        inner = list(differences(pattern, opened))
        if len(inner) < len(lines):
            return opened, inner, fits
    return present, lines, fits


def _flow(model: Any, library: str, asked_kinds: Collection[str] = ()) -> orders.Flow | None:
    """Return the layers with what each depends on; None where their order says all."""
    layers = layers_of(model)
    flow: orders.Flow | None = None if layers is None else layers.flow(library, asked_kinds)
    return flow


def _has_orders(model: Any, library: str) -> bool:
    """Return whether the layers of a model may stand in several orders."""
    network = _flow(model, library)
    return network is not None and network.branches()


def _difference_texts(model: Any, lines: list[Difference]) -> list[str]:
    """Return each difference with its effect on the model's number of parameters."""
    layers, texts = layers_of(model), []
    for number, line in enumerate(lines):
        corrected = None if layers is None or number >= MAX_LINES else layers.corrected_count([line])
        change = None if corrected is None else model.count_params() - corrected
        texts.append(line.text + (f" ({'−' if change < 0 else '+'}{abs(change):,} parameters)" if change else ""))
    return texts


def _limited(texts: list[str]) -> list[str]:
    more = len(texts) - MAX_LINES
    return texts if more <= 0 else [*texts[:MAX_LINES], f"and {more} more"]


def _notes(model: Any, pattern: Run, lines: list[Difference]) -> list[str]:
    """Return notes on the differences: the parameter counts, and the layer order if the model branches."""
    layers = layers_of(model) if is_keras(model) else None
    if layers is None:
        return []
    notes = []
    expected = layers.corrected_count(lines) if is_fixed(pattern) else None
    if expected is not None and expected != model.count_params():
        notes.append(
            f"your model has {model.count_params():,} parameters, the layers asked for would have {expected:,}"
        )
    if branches(model):
        order = ", ".join(f"{step.number} {step.kind}" for step in steps(model)[:20])
        notes.append(f"your model branches, and its layers count in Keras's order: {order}")
    return notes
