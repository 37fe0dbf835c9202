"""Old names for living libraries: after ``import autograder.aliases`` an ``import theano`` finds PyTensor.

The folder goes to the *end* of ``sys.path``, so that a library that is really installed is found first. Kernels that
the kit starts have it there from the beginning; in a notebook at home the one line above does it.
"""

from __future__ import annotations

import sys
from pathlib import Path

FOLDER = str(Path(__file__).resolve().parent)

if FOLDER not in sys.path:
    sys.path.append(FOLDER)
