"""Layers of a network in NumPy, forwards and backwards. The lesson's notebook imports this module.

Rows of a batch come first in every array. The slope of an array is the change of the loss for each of its numbers:
an array of the same shape. Each function that ends in _backward gets the slope of what its layer returned.
"""

import numpy as np


def affine(x, W, b):
    """Scores (n, m) of the rows x (n, k), with weights W (k, m) and biases b (m,)."""
    # YOUR CODE HERE
    raise NotImplementedError()


def affine_backward(slope, x, W):
    """From the slope (n, m) of the scores: the slopes of x (n, k), of W (k, m) and of b (m,), a tuple of three."""
    # YOUR CODE HERE
    raise NotImplementedError()


def relu(z):
    """Each positive number of z as it is, and 0 for the others."""
    # YOUR CODE HERE
    raise NotImplementedError()


def relu_backward(slope, z):
    """From the slope of relu(z): the slope of z, of the same shape."""
    # YOUR CODE HERE
    raise NotImplementedError()


def cross_entropy(scores, y):
    """The mean loss of the scores (n, m) with the right classes y (n,), a number, and the slope of the scores."""
    # YOUR CODE HERE
    raise NotImplementedError()


def forward(weights, x):
    """Send the rows x through a network of affine layers, with a ReLU after each but the last.

    weights is a list with a pair (W, b) for each affine layer. Returned are two lists, with an entry for each of them:
    the inputs, of which the first is x, and the scores, of which the last are the network's.
    """
    inputs, scores = [], []
    for W, b in weights:
        inputs.append(relu(scores[-1]) if scores else x)
        scores.append(affine(inputs[-1], W, b))
    return inputs, scores


def loss_and_slopes(weights, x, y):
    """The mean loss of the network on the rows x with the classes y, and a list of pairs: the slopes of each (W, b)."""
    inputs, scores = forward(weights, x)
    # YOUR CODE HERE
    raise NotImplementedError()


def momentum_step(weights, slopes, velocities, rate, momentum):
    """One step: the new weights and the new velocities, two lists of pairs like weights."""
    # YOUR CODE HERE
    raise NotImplementedError()
