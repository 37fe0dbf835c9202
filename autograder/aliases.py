"""Old names for living libraries: after ``import autograder.aliases`` an ``import theano`` finds PyTensor."""

from autograder._util import registry

for _name in registry.names(registry.OLD_NAMES):
    registry.load(registry.OLD_NAMES, _name)
