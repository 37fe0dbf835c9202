"""The way from a kernel's claim to the family of models that rebuilds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autograder._util import registry
from autograder._util.model_families import family
from autograder.models.argument_values import RefusedModel, mapping, show


def rebuild(claim: Mapping[str, Any], weights: Sequence[Any], *, max_parameters: int = 50_000_000) -> Any:
    """Build the model anew that a student's kernel describes.

    Args:
        claim: what the kernel says of the model; its ``library`` names the family.
        weights: the arrays that came with it.
        max_parameters: a model with more parameters is refused.

    Returns:
        A ``keras.Model``, or a :class:`~autograder.extensions.networks.network.Network` of another library.

    Raises:
        RefusedModel: the claim is not one of a model that the examiner computes; the text is for the student.
    """
    library = mapping(claim, "The model").get("library")
    registration = family(library) if type(library) is str else None
    if registration is None or registration.rebuild is None:
        absence = registry.absence(library, registry.MODELS) if type(library) is str else ""
        text = f"A model of {library} {absence}." if absence else f"The grader knows no models of {show(library)}."
        raise RefusedModel(text, kind_refused=True)
    try:
        return registration.rebuild(claim, weights, max_parameters=max_parameters)
    except (MemoryError, RefusedModel):
        raise
    except ImportError as error:
        raise RefusedModel(f"The grader does not read it: {library} is not installed.", kind_refused=True) from error
    except Exception as error:
        raise RefusedModel("The model cannot be rebuilt from its configuration.", kind_refused=True) from error
