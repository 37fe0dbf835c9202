"""Old names for living libraries: after ``import autograder.aliases`` an ``import theano`` finds PyTensor."""

from autograder.kernel import aliases as aliases
