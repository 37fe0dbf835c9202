"""Random numbers of the notebook, which stay as they were. Runs in the student's kernel, too."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator


@contextlib.contextmanager
def preserve_random_state() -> Iterator[None]:
    """Restore the random generators of Python and NumPy after the block, whatever was drawn from them."""
    import numpy as np

    python, numpy = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


def seed_generators(seed: int) -> None:
    """Seed the random generators of Python and NumPy."""
    import numpy as np

    random.seed(seed)
    np.random.seed(seed)
