"""Old names for living libraries: after ``import autograder.aliases``, ``import theano`` finds PyTensor.

The folder goes to the *end* of ``sys.path``, so that an installed library of that name is found first. The kit's
kernels have it on the path from the beginning; a notebook at home needs the line above.
"""

from __future__ import annotations

import sys
from pathlib import Path

FOLDER = str(Path(__file__).resolve().parent)

if FOLDER not in sys.path:
    sys.path.append(FOLDER)
