"""Tests of CS231n's second assignment, written for the comparison: its notebooks show numbers and decide nothing."""

import numpy as np
import pytest
from cs231n import layers, optim
from cs231n.gradient_check import eval_numerical_gradient_array as numerical
from numpy.lib.stride_tricks import sliding_window_view


def data(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def close(a, b, tolerance=1e-6):
    return np.shape(a) == np.shape(b) and np.allclose(a, b, atol=tolerance)


def test_batchnorm_forward_train():
    x, gamma, beta = 3 * data(20, 4) + 2, data(4, seed=1), data(4, seed=2)
    out, _ = layers.batchnorm_forward(x, gamma, beta, {"mode": "train"})
    assert close(out, gamma * (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5) + beta)


def test_batchnorm_forward_test():
    param = {"mode": "train"}
    for step in range(60):
        layers.batchnorm_forward(3 * data(50, 2, seed=step) + 5, np.ones(2), np.zeros(2), param)
    param["mode"] = "test"
    out, _ = layers.batchnorm_forward(3 * data(400, 2, seed=99) + 5, np.ones(2), np.zeros(2), param)
    assert close(out.mean(0), np.zeros(2), 0.2)
    assert close(out.std(0), np.ones(2), 0.2)


@pytest.mark.parametrize("name", ["batchnorm_backward", "batchnorm_backward_alt"])
def test_batchnorm_backward(name):
    backward = layers.batchnorm_backward if name == "batchnorm_backward" else layers.batchnorm_backward_alt
    x, gamma, beta, dout = 5 * data(4, 5), data(5, seed=1), data(5, seed=2), data(4, 5, seed=3)
    _, cache = layers.batchnorm_forward(x, gamma, beta, {"mode": "train"})
    dx, dgamma, dbeta = backward(dout, cache)
    normal = (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)
    assert close(dx, gamma * (dout - dout.mean(0) - normal * (dout * normal).mean(0)) / np.sqrt(x.var(0) + 1e-5), 1e-4)
    assert close(dgamma, (dout * normal).sum(0))
    assert close(dbeta, dout.sum(0))


def test_layernorm_forward():
    x, gamma, beta = 3 * data(4, 7), data(7, seed=1), data(7, seed=2)
    out, _ = layers.layernorm_forward(x, gamma, beta, {})
    normal = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)
    assert close(out, gamma * normal + beta)


def test_layernorm_backward():
    x, gamma, beta, dout = 5 * data(4, 6), data(6, seed=1), data(6, seed=2), data(4, 6, seed=3)
    _, cache = layers.layernorm_forward(x, gamma, beta, {})
    dx, dgamma, dbeta = layers.layernorm_backward(dout, cache)
    normal = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)
    inner = dout * gamma
    wanted = inner - inner.mean(1, keepdims=True) - normal * (inner * normal).mean(1, keepdims=True)
    assert close(dx, wanted / np.sqrt(x.var(1, keepdims=True) + 1e-5), 1e-4)
    assert close(dgamma, (dout * normal).sum(0))
    assert close(dbeta, dout.sum(0))


def test_dropout_forward():
    x = data(200, 200) + 10
    out, _ = layers.dropout_forward(x, {"mode": "train", "p": 0.7, "seed": 3})
    assert abs(out.mean() - 10) < 0.3
    assert abs((out == 0).mean() - 0.3) < 0.02
    same, _ = layers.dropout_forward(x, {"mode": "test", "p": 0.7})
    assert close(same, x)


def test_dropout_backward():
    param = {"mode": "train", "p": 0.5, "seed": 3}
    out, cache = layers.dropout_forward(data(10, 10) + 10, param)
    dx = layers.dropout_backward(data(10, 10, seed=1), cache)
    assert close(dx, np.where(out != 0, 2 * data(10, 10, seed=1), 0))


def convolved(x, w, b, stride, pad):
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    windows = sliding_window_view(padded, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("nchwij,fcij->nfhw", windows, w) + b[None, :, None, None]


def test_conv_forward():
    x, w, b = data(2, 3, 5, 5), data(4, 3, 3, 3, seed=1), data(4, seed=2)
    out, _ = layers.conv_forward_naive(x, w, b, {"stride": 2, "pad": 1})
    assert close(out, convolved(x, w, b, 2, 1))


def test_conv_backward():
    x, w, b, dout = data(2, 2, 4, 4), data(2, 2, 3, 3, seed=1), data(2, seed=2), data(2, 2, 4, 4, seed=3)
    _, cache = layers.conv_forward_naive(x, w, b, {"stride": 1, "pad": 1})
    dx, dw, db = layers.conv_backward_naive(dout, cache)
    assert close(dx, numerical(lambda x: convolved(x, w, b, 1, 1), x, dout), 1e-4)
    assert close(dw, numerical(lambda w: convolved(x, w, b, 1, 1), w, dout), 1e-4)
    assert close(db, dout.sum((0, 2, 3)))


def test_max_pool_forward():
    out, _ = layers.max_pool_forward_naive(data(2, 3, 4, 4), {"pool_width": 2, "pool_height": 2, "stride": 2})
    assert close(out, data(2, 3, 4, 4).reshape(2, 3, 2, 2, 2, 2).max((3, 5)))


def test_max_pool_backward():
    x, dout = data(2, 2, 4, 4), data(2, 2, 2, 2, seed=1)
    _, cache = layers.max_pool_forward_naive(x, {"pool_width": 2, "pool_height": 2, "stride": 2})
    dx = layers.max_pool_backward_naive(dout, cache)
    largest = x.reshape(2, 2, 2, 2, 2, 2).max((3, 5)).repeat(2, 2).repeat(2, 3)
    assert close(dx, np.where(x == largest, dout.repeat(2, 2).repeat(2, 3), 0))


def test_spatial_batchnorm_forward():
    x = 4 * data(2, 3, 4, 5) + 10
    out, _ = layers.spatial_batchnorm_forward(x, np.ones(3), np.zeros(3), {"mode": "train"})
    assert close(out.mean((0, 2, 3)), np.zeros(3), 1e-5)
    assert close(out.std((0, 2, 3)), np.ones(3), 1e-4)


@pytest.mark.parametrize("name", ["sgd_momentum", "rmsprop", "adam"])
def test_update_rules(name):
    w, dw = data(4), data(4, seed=1)
    if name == "sgd_momentum":
        out, _ = optim.sgd_momentum(w, dw, {"learning_rate": 0.1, "velocity": data(4, seed=2)})
        assert close(out, w + 0.9 * data(4, seed=2) - 0.1 * dw)
    elif name == "rmsprop":
        out, _ = optim.rmsprop(w, dw, {"learning_rate": 0.1, "cache": np.ones(4)})
        assert close(out, w - 0.1 * dw / (np.sqrt(0.99 + 0.01 * dw**2) + 1e-8))
    else:
        out, _ = optim.adam(w, dw, {"learning_rate": 0.1, "m": np.zeros(4), "v": np.zeros(4), "t": 0})
        assert close(out, w - 0.1 * dw / (np.abs(dw) + 1e-8))
