"""Keras models that cannot be rebuilt (Lambda, custom layers, subclassed): they stay in the kernel and predict there.

Their claims about their layers are never believed.
"""

from __future__ import annotations

from typing import Any

from autograder.check.handle import ModelHandle
from autograder.codec import Reference
from autograder.errors import UnreadableError
from autograder.examiner.remote.proxy import RefusedModelHandle, Remote, RemoteCallable

ALLOWED_ATTRIBUTES = frozenset({"predict", "predict_on_batch", "name"})
"""Attributes that a test may use: outputs for inputs. Every other one would be the model's claim about itself."""


class RemoteModel(RefusedModelHandle, ModelHandle):
    """A model that can be asked for predictions; its type's ``autograder_refusal`` says why it was not rebuilt."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name in ALLOWED_ATTRIBUTES:
            return RemoteCallable.__getattr__(self, name)
        raise UnreadableError(f"this model cannot be examined: {type(self).autograder_refusal}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Predict in the kernel."""
        return RemoteCallable.__call__(self, *args, **kwargs)


def refused_model(remote: Remote, reference: Reference, error: Exception, reason: str = "") -> RefusedModelHandle:
    """Return the handle of a model that was not rebuilt; it gives the error's text, or ``reason``, as reason.

    It may be asked for predictions only if its kind is the reason (``error.kind_refused``): a claim that is malformed
    or exceeds a limit does not describe a model.
    """
    base = RemoteModel if getattr(error, "kind_refused", False) is True else RefusedModelHandle
    wants_shapes = getattr(error, "wants_shapes", False) is True
    body = {"__slots__": (), "autograder_refusal": reason or str(error), "autograder_wants_shapes": wants_shapes}
    kind: type[RefusedModelHandle] = type("RefusedModel", (base,), body)
    return kind(remote, reference)
