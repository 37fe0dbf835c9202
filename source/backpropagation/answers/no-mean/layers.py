"""Layers of a network in NumPy, forwards and backwards. The lesson's notebook imports this module.

Rows of a batch come first in every array. The slope of an array is the change of the loss for each of its numbers:
an array of the same shape. Each function that ends in _backward gets the slope of what its layer returned.
"""

import numpy as np


def affine(x, W, b):
    """Scores (n, m) of the rows x (n, k), with weights W (k, m) and biases b (m,)."""
    return x @ W + b


def affine_backward(slope, x, W):
    """From the slope (n, m) of the scores: the slopes of x (n, k), of W (k, m) and of b (m,), a tuple of three."""
    return slope @ W.T, x.T @ slope, slope.sum(axis=0)


def relu(z):
    """Each positive number of z as it is, and 0 for the others."""
    return np.maximum(z, 0)


def relu_backward(slope, z):
    """From the slope of relu(z): the slope of z, of the same shape."""
    return slope * (z > 0)


def cross_entropy(scores, y):
    """The mean loss of the scores (n, m) with the right classes y (n,), a number, and the slope of the scores."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(len(y))
    slope = np.exp(log_p)
    slope[rows, y] -= 1
    return -log_p[rows, y].mean(), slope


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
    loss, slope = cross_entropy(scores[-1], y)
    slopes = []
    for layer in reversed(range(len(weights))):
        slope, slope_W, slope_b = affine_backward(slope, inputs[layer], weights[layer][0])
        slopes.insert(0, (slope_W, slope_b))
        if layer > 0:
            slope = relu_backward(slope, scores[layer - 1])
    return loss, slopes


def momentum_step(weights, slopes, velocities, rate, momentum):
    """One step: the new weights and the new velocities, two lists of pairs like weights."""
    velocities = [
        (momentum * v_W - rate * s_W, momentum * v_b - rate * s_b) for (v_W, v_b), (s_W, s_b) in zip(velocities, slopes)
    ]
    return [(W + v_W, b + v_b) for (W, b), (v_W, v_b) in zip(weights, velocities)], velocities
