"""What the notebook's code does while a test asks for it: for the run of the instructor's own solution."""

from __future__ import annotations

import dis
import hashlib
import pickle
import random
import sys
import threading
import types
from typing import Any


class Reads:
    """The global names of the notebook that its functions read while a block runs.

    A function that ran has read the global names in its code: also those of a branch that it did not take.
    """

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.namespace = namespace
        self.names: set[str] = set()
        self._seen: set[types.CodeType] = set()
        self._before: list[Any] = []

    def __enter__(self) -> Reads:
        self._before.append(sys.gettrace())
        sys.settrace(self._called)
        threading.settrace(self._called)  # threads that are started from here on
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before.pop())
        threading.settrace(sys.gettrace())

    def take(self) -> list[str]:
        """Return the names since the last call, sorted."""
        names, self.names, self._seen = sorted(self.names), set(), set()
        return names

    def _called(self, frame: types.FrameType, event: str, argument: Any) -> None:
        if frame.f_globals is self.namespace and frame.f_code not in self._seen:
            self._seen.add(frame.f_code)
            self.names.update(
                instruction.argval
                for instruction in dis.get_instructions(frame.f_code)
                if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME")
            )


def generators() -> dict[str, str]:
    """Return a digest of the state of each global random generator whose library is in use, by its seeding function.

    The generators of TensorFlow and Keras also count what was drawn for shuffling and initial weights.
    """
    states: dict[str, Any] = {"random.seed": random.getstate()}
    numpy = sys.modules.get("numpy.random")
    if numpy is not None:
        states["numpy.random.seed"] = numpy.get_state()
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_rng_state"):
        states["torch.manual_seed"] = torch.get_rng_state().numpy().tobytes()
    context = sys.modules.get("tensorflow.python.eager.context")
    if context is not None:
        drawn = getattr(context.context(), "_rng", None)  # TensorFlow draws the seeds of operations from it
        states["tensorflow.random.set_seed"] = drawn.getstate() if drawn is not None else None
    keras = sys.modules.get("keras.src.backend.common.global_state")
    if keras is not None:
        seeds = keras.get_global_attribute("global_seed_generator")
        keras_seed = None if seeds is None else [int(number) for number in seeds.state.numpy()]
        library_states = [
            states.get(name) for name in ("random.seed", "numpy.random.seed", "tensorflow.random.set_seed")
        ]
        states["keras.utils.set_random_seed"] = [keras_seed, library_states]
    return {name: hashlib.sha256(pickle.dumps(state)).hexdigest() for name, state in states.items()}
