"""PyTorch modules in the examiner: graphs of a closed list of operators, computed and trained again by PyTorch."""

from autograder.extensions.pytorch.kernel_side import LATE_PARTS as LATE_PARTS
