"""Tests of I2DL's fifth exercise, written for the comparison: its own run in a notebook, and print."""

import numpy as np
import pytest
from exercise_code.networks.layer import Relu, Sigmoid, affine_backward, affine_forward
from exercise_code.networks.optimizer import Adam, SGDMomentum


def data(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


class Model:
    def __init__(self, params, grads):
        self.params, self.grads = params, grads


def test_sigmoid_forward():
    out, _ = Sigmoid().forward(data(3, 4))
    assert np.allclose(out, 1 / (1 + np.exp(-data(3, 4))))


def test_sigmoid_backward():
    layer = Sigmoid()
    out, cache = layer.forward(data(3, 4))
    assert np.allclose(layer.backward(data(3, 4, seed=1), cache), data(3, 4, seed=1) * out * (1 - out))


def test_relu_forward():
    out, _ = Relu().forward(data(3, 4))
    assert np.allclose(out, np.where(data(3, 4) > 0, data(3, 4), 0))


def test_relu_backward():
    layer = Relu()
    _, cache = layer.forward(data(3, 4))
    assert np.allclose(layer.backward(data(3, 4, seed=1), cache), np.where(data(3, 4) > 0, data(3, 4, seed=1), 0))


def test_affine_forward():
    out, cache = affine_forward(data(2, 3, 2), data(6, 4, seed=1), data(4, seed=2))
    assert np.allclose(out, data(2, 3, 2).reshape(2, 6) @ data(6, 4, seed=1) + data(4, seed=2))
    assert len(cache) == 3


@pytest.mark.parametrize("which", [0, 1, 2])
def test_affine_backward(which):
    x, w, b, dout = data(3, 2, 2), data(4, 5, seed=1), data(5, seed=2), data(3, 5, seed=3)
    wanted = ((dout @ w.T).reshape(x.shape), x.reshape(3, 4).T @ dout, dout.sum(0))
    assert np.allclose(affine_backward(dout, (x, w, b))[which], wanted[which])


def test_momentum_update():
    optimizer = SGDMomentum(Model({}, {}), None, learning_rate=0.1)
    config = {"velocity": data(3, seed=2), "momentum": 0.5}
    w, config = optimizer._update(data(3), data(3, seed=1), config, 0.1)
    velocity = 0.5 * data(3, seed=2) - 0.1 * data(3, seed=1)
    assert np.allclose(w, data(3) + velocity)
    assert np.allclose(config["velocity"], velocity)


def test_adam_update():
    optimizer = Adam(Model({}, {}), None)
    w, config = data(3), None
    m = v = np.zeros(3)
    wanted = data(3)
    for step in range(1, 4):
        gradient = data(3, seed=step)
        w, config = optimizer._update(w, gradient, config, 0.01)
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        wanted = wanted - 0.01 * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-4)
    assert np.allclose(w, wanted)
    assert config["t"] == 3


def test_momentum_step():
    model = Model({"W": data(2, 2)}, {"W": data(2, 2, seed=1)})
    SGDMomentum(model, None, learning_rate=0.5).step()
    assert np.allclose(model.params["W"], data(2, 2) - 0.5 * data(2, 2, seed=1))
