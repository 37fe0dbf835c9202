"""Tests of UvA DL1's first assignment, written for the comparison: its own need CIFAR and derive from unittest."""

import numpy as np
import pytest
from mlp_numpy import MLP
from modules import CrossEntropyModule, ELUModule, LinearModule, SoftMaxModule


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def slope(function, x, dout, step=1e-6):
    """Return the numerical gradient of ``sum(function(x) * dout)``; ``x`` is changed in place meanwhile."""
    gradient = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        old = x[place]
        x[place] = old + step
        high = function(x).copy()
        x[place] = old - step
        low = function(x).copy()
        x[place] = old
        gradient[place] = ((high - low) * dout).sum() / (2 * step)
    return gradient


def test_linear_forward():
    layer, x = LinearModule(4, 3), numbers(5, 4)
    layer.params["bias"][:] = [1, 2, 3]
    zero = layer.forward(np.zeros((2, 4)))
    assert np.allclose(zero, [[1, 2, 3]] * 2)
    weight = layer.params["weight"] if layer.params["weight"].shape == (4, 3) else layer.params["weight"].T
    assert np.allclose(layer.forward(x), x @ weight + [1, 2, 3])


@pytest.mark.parametrize("first", [True, False])
def test_linear_starts_as_kaiming_says(first):
    layer = LinearModule(400, 50, input_layer=first)
    assert abs(layer.params["weight"].std() * 20 - (1 if first else 2**0.5)) < 0.05
    assert not layer.params["bias"].any()
    assert not layer.grads["weight"].any()


def test_linear_backward():
    layer, x, dout = LinearModule(3, 2), numbers(4, 3), numbers(4, 2, seed=1)
    layer.forward(x)
    assert np.allclose(layer.backward(dout), slope(layer.forward, x.copy(), dout), atol=1e-5)


@pytest.mark.parametrize("name", ["weight", "bias"])
def test_linear_gradients(name):
    layer, x, dout = LinearModule(3, 2), numbers(4, 3), numbers(4, 2, seed=1)
    layer.forward(x)
    layer.backward(dout)
    got = layer.grads[name].copy()
    wanted = slope(lambda _: layer.forward(x), layer.params[name], dout)
    assert np.allclose(got.reshape(wanted.shape), wanted, atol=1e-5)


MODULES = {"elu": ELUModule, "softmax": SoftMaxModule}


def test_elu_forward():
    x = numbers(3, 4)
    assert np.allclose(ELUModule().forward(x), np.where(x > 0, x, np.exp(x) - 1))


def test_softmax_forward():
    x = numbers(3, 4) * 1000
    out = SoftMaxModule().forward(x)
    assert np.allclose(out.sum(1), 1)
    assert (out.argmax(1) == x.argmax(1)).all()


@pytest.mark.parametrize("name", MODULES)
def test_backward(name):
    module, x, dout = MODULES[name](), numbers(3, 4), numbers(3, 4, seed=2)
    module.forward(x)
    assert np.allclose(module.backward(dout), slope(module.forward, x.copy(), dout), atol=1e-5)


def probabilities():
    x = np.random.default_rng(3).uniform(0.1, 1, (6, 4))
    return x / x.sum(1, keepdims=True), np.array([0, 1, 2, 3, 0, 1])


def test_cross_entropy():
    x, y = probabilities()
    assert np.isclose(CrossEntropyModule().forward(x, y), -np.log(x[np.arange(6), y]).mean())


def test_cross_entropy_backward():
    x, y = probabilities()
    module = CrossEntropyModule()
    wanted = slope(lambda z: np.array(module.forward(z, y)), x.copy(), 1.0)
    assert np.allclose(module.backward(x, y), wanted, atol=1e-4)


@pytest.mark.parametrize("hidden", [[], [5], [5, 6]])
def test_network(hidden):
    out = MLP(4, hidden, 3).forward(numbers(7, 4))
    assert out.shape == (7, 3)
    assert np.allclose(out.sum(1), 1)


def test_network_learns():
    np.random.seed(0)
    net, loss = MLP(4, [8], 2), CrossEntropyModule()
    x = numbers(40, 4)
    y = (x[:, 0] > 0).astype(int)
    before = loss.forward(net.forward(x), y)
    for _ in range(30):
        net.backward(loss.backward(net.forward(x), y))
        for layer in net.layers if hasattr(net, "layers") else net.modules:
            if hasattr(layer, "params"):
                for name in layer.params:
                    layer.params[name] -= 0.5 * layer.grads[name].reshape(layer.params[name].shape)
    assert loss.forward(net.forward(x), y) < before - 0.2
