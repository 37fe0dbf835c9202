"""Tests of EECS 498's second assignment, written for the comparison: its notebooks show numbers and decide nothing."""

import linear_classifier
import pytest
import torch
import two_layer_net


def data(seed=0, count=12, size=5, classes=3):
    generator = torch.Generator().manual_seed(seed)
    X = torch.randn(count, size, generator=generator, dtype=torch.float64)
    W = torch.randn(size, classes, generator=generator, dtype=torch.float64) * 0.3
    return W, X, torch.arange(count) % classes


def hinge(W, X, y, reg):
    scores = X @ W
    margins = (scores - scores[torch.arange(len(y)), y][:, None] + 1).clamp(min=0)
    return (margins.sum() - len(y)) / len(y) + reg * (W * W).sum()


def cross_entropy(W, X, y, reg):
    return torch.nn.functional.cross_entropy(X @ W, y) + reg * (W * W).sum()


LOSSES = {
    "svm_naive": (linear_classifier.svm_loss_naive, hinge),
    "svm_vectorized": (linear_classifier.svm_loss_vectorized, hinge),
    "softmax_naive": (linear_classifier.softmax_loss_naive, cross_entropy),
    "softmax_vectorized": (linear_classifier.softmax_loss_vectorized, cross_entropy),
}


@pytest.mark.parametrize("name", [name for name in LOSSES if name != "svm_naive"])
def test_loss(name):
    compute, wanted = LOSSES[name]
    W, X, y = data()
    assert torch.allclose(compute(W, X, y, 0.1)[0], wanted(W, X, y, 0.1))


@pytest.mark.parametrize("name", LOSSES)
def test_gradient(name):
    compute, wanted = LOSSES[name]
    W, X, y = data(1)
    leaf = W.clone().requires_grad_()
    wanted(leaf, X, y, 0.2).backward()
    assert torch.allclose(compute(W, X, y, 0.2)[1], leaf.grad)


def test_softmax_is_stable():
    W, X, y = data(2)
    loss, gradient = linear_classifier.softmax_loss_vectorized(W * 1e4, X, y, 0.0)
    assert torch.isfinite(loss)
    assert torch.isfinite(gradient).all()


def test_sample_batch():
    X, y = torch.arange(40).reshape(20, 2), torch.arange(20)
    batch, labels = linear_classifier.sample_batch(X, y, 20, 7)
    assert batch.shape == (7, 2)
    assert labels.shape == (7,)
    assert torch.equal(batch[:, 0], 2 * labels)


def test_predict():
    W, X, _ = data(3)
    assert torch.equal(linear_classifier.predict_linear_classifier(W, X), (X @ W).argmax(1))


def test_training_lowers_the_loss():
    _, X, y = data(4, count=60)
    classifier = linear_classifier.Softmax()
    history = classifier.train(X, y, learning_rate=0.1, num_iters=60, batch_size=30)
    assert len(history) == 60
    assert history[-1] < history[0] - 0.02


@pytest.mark.parametrize("which", ["svm", "softmax"])
def test_search_params(which):
    rates, strengths = getattr(linear_classifier, f"{which}_get_search_params")()
    assert len(rates) >= 2
    assert len(strengths) >= 2
    assert len(rates) * len(strengths) < 25


def test_one_param_set():
    _, X, y = data(5, count=30)
    X = X + 4 * torch.nn.functional.one_hot(y, 5)
    parts = {"X_train": X[:20], "y_train": y[:20], "X_val": X[20:], "y_val": y[20:]}
    _, train, validation = linear_classifier.test_one_param_set(
        linear_classifier.LinearSVM(), parts, 0.01, 1e-4, num_iters=100
    )
    assert train >= 0.95
    assert validation >= 0.9


def network():
    net = two_layer_net.TwoLayerNet(5, 4, 3, dtype=torch.float64, device="cpu", std=0.5)
    return net, {name: net.params[name] for name in ("W1", "b1", "W2", "b2")}


def scores_of(params, X):
    return (X @ params["W1"] + params["b1"]).clamp(min=0) @ params["W2"] + params["b2"]


def test_scores():
    net, params = network()
    _, X, _ = data(6)
    assert torch.allclose(net.loss(X), scores_of(params, X))


def test_hidden():
    _, params = network()
    _, X, _ = data(6)
    hidden = two_layer_net.nn_forward_pass(params, X)[1]
    assert torch.allclose(hidden, (X @ params["W1"] + params["b1"]).clamp(min=0))


def regularized(params, X, y, reg):
    loss = torch.nn.functional.cross_entropy(scores_of(params, X), y)
    return loss + reg * ((params["W1"] ** 2).sum() + (params["W2"] ** 2).sum())


def test_network_loss():
    net, params = network()
    _, X, y = data(7)
    assert torch.allclose(net.loss(X, y, reg=0.1)[0], regularized(params, X, y, 0.1))


@pytest.mark.parametrize("name", ["W1", "b1", "W2", "b2"])
def test_network_gradient(name):
    net, params = network()
    _, X, y = data(8)
    leaves = {key: value.clone().requires_grad_() for key, value in params.items()}
    regularized(leaves, X, y, 0.05).backward()
    assert torch.allclose(net.loss(X, y, reg=0.05)[1][name], leaves[name].grad)


def test_network_training():
    net, _ = network()
    _, X, y = data(9, count=60)
    stats = net.train(X, y, X, y, learning_rate=0.5, num_iters=80, batch_size=30)
    assert stats["loss_history"][-1] < stats["loss_history"][0] - 0.05


def test_network_predicts():
    net, params = network()
    _, X, _ = data(10)
    assert torch.equal(net.predict(X), scores_of(params, X).argmax(1))
