"""A Keras model of a kind that is not rebuilt (Lambda, custom layers, subclassed): it stays in the kernel and predicts
there. What it says of its layers is never believed."""

from __future__ import annotations

from typing import Any

from autograder.check.handle import ModelHandle
from autograder.examiner.remote.proxy import Refused, Remote, RemoteCallable
from autograder.kernel.codec import Reference

ASKED = frozenset({"predict", "predict_on_batch", "name"})
"""What a test may ask of it by itself: outputs for inputs. Everything else would be its own word about itself."""


class RemoteModel(Refused, ModelHandle):
    """It can be asked for predictions; its type's ``autograder_refusal`` says why it was not rebuilt."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        return RemoteCallable.__getattr__(self, name) if name in ASKED else super().__getattr__(name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return RemoteCallable.__call__(self, *args, **kwargs)


def refused(remote: Remote, reference: Reference, error: Exception, said: str = "") -> Refused:
    """What stands for a model that was not rebuilt; it says the error's text, or ``said`` in its place.

    Only where its kind is the reason (``error.kind_refused``) may it be asked for predictions: a claim that is
    malformed or past a limit is no model at all.
    """
    base = RemoteModel if getattr(error, "kind_refused", False) is True else Refused
    kind: type[Refused] = type("RefusedModel", (base,), {"__slots__": (), "autograder_refusal": said or str(error)})
    return kind(remote, reference)
