"""Layers of a small network."""

import numpy as np

SCALE = 2.0


def relu(x):
    """Return the positive part."""
    ### BEGIN SOLUTION
    return np.maximum(x, 0)
    ### END SOLUTION


class Linear:
    """A layer with weights."""

    def __init__(self, weights):
        self.weights = weights

    def __call__(self, x):
        ### BEGIN SOLUTION
        return x @ self.weights
        ### END SOLUTION
