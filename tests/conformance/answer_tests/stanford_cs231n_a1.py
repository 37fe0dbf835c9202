"""Tests of CS231n's first assignment, written for the comparison: its notebooks show numbers and decide nothing."""

import numpy as np


def rel(a, b):
    assert np.shape(a) == np.shape(b)
    return np.max(np.abs(a - b) / np.maximum(1e-8, np.abs(a) + np.abs(b)))


def data(*shape):
    return np.random.RandomState(231).randn(*shape)


def test_affine_forward():
    from cs231n.layers import affine_forward

    x, w, b = data(2, 2, 3), data(6, 4), data(4)
    out, _ = affine_forward(x, w, b)
    assert rel(out, x.reshape(2, 6).dot(w) + b) < 1e-8


def test_affine_backward():
    from cs231n.layers import affine_backward

    x, w, b, dout = data(3, 2, 2), data(4, 5), data(5), data(3, 5)
    dx, dw, db = affine_backward(dout, (x, w, b))
    assert rel(dx, dout.dot(w.T).reshape(x.shape)) < 1e-8
    assert rel(dw, x.reshape(3, 4).T.dot(dout)) < 1e-8
    assert rel(db, dout.sum(0)) < 1e-8


def test_relu_forward():
    from cs231n.layers import relu_forward

    x = np.linspace(-0.5, 0.5, num=12).reshape(3, 4)
    out, _ = relu_forward(x)
    assert np.allclose(out, np.where(x > 0, x, 0))


def test_relu_backward():
    from cs231n.layers import relu_backward

    x, dout = data(4, 5), data(4, 5) + 3
    assert np.allclose(relu_backward(dout, x), np.where(x > 0, dout, 0))


def test_svm_loss():
    from cs231n.layers import svm_loss

    x, y = data(6, 4), np.array([0, 1, 2, 3, 0, 1])
    loss, dx = svm_loss(x, y)
    margins = np.maximum(0, x - x[np.arange(6), y][:, None] + 1.0)
    margins[np.arange(6), y] = 0
    assert abs(loss - margins.sum() / 6) < 1e-8
    wanted = (margins > 0).astype(float)
    wanted[np.arange(6), y] -= (margins > 0).sum(1)
    assert np.allclose(dx, wanted / 6)


def test_softmax_loss():
    from cs231n.layers import softmax_loss

    x, y = 3 * data(6, 4), np.array([0, 1, 2, 3, 0, 1])
    loss, dx = softmax_loss(x, y)
    p = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    assert abs(loss + np.log(p[np.arange(6), y]).mean()) < 1e-8
    p[np.arange(6), y] -= 1
    assert np.allclose(dx, p / 6)


def test_affine_relu():
    from cs231n.layer_utils import affine_relu_backward, affine_relu_forward

    x, w, b, dout = data(2, 3, 4), data(12, 10), data(10), data(2, 10)
    out, cache = affine_relu_forward(x, w, b)
    _, dw, _ = affine_relu_backward(dout, cache)
    score = x.reshape(2, 12).dot(w) + b
    assert np.allclose(out, score * (score > 0))
    assert np.allclose(dw, x.reshape(2, 12).T.dot(dout * (score > 0)))


def test_sgd():
    from cs231n.optim import sgd

    w, _ = sgd(np.ones(3), np.array([1.0, 2.0, -1.0]), {"learning_rate": 0.1})
    assert np.allclose(w, [0.9, 0.8, 1.1])


def test_two_layer_net_init():
    from cs231n.classifiers.fc_net import TwoLayerNet

    model = TwoLayerNet(input_dim=5, hidden_dim=50, num_classes=7, weight_scale=1e-3)
    assert {k: v.shape for k, v in model.params.items()} == {"W1": (5, 50), "b1": (50,), "W2": (50, 7), "b2": (7,)}
    assert abs(np.std(model.params["W1"]) - 1e-3) < 3e-4
    assert np.all(model.params["b2"] == 0)


def test_two_layer_net_scores():
    from cs231n.classifiers.fc_net import TwoLayerNet

    model = TwoLayerNet(input_dim=4, hidden_dim=6, num_classes=3, weight_scale=1.0)
    x = data(5, 4)
    w1, b1, w2, b2 = (np.array(model.params[k]) for k in ("W1", "b1", "W2", "b2"))
    assert np.allclose(model.loss(x), np.maximum(0, x.dot(w1) + b1).dot(w2) + b2)


def test_two_layer_net_gradients():
    from cs231n.classifiers.fc_net import TwoLayerNet

    model = TwoLayerNet(input_dim=4, hidden_dim=6, num_classes=3, weight_scale=1.0, reg=0.7)
    x, y = data(5, 4), np.array([0, 1, 2, 0, 1])
    w1, b1, w2, b2 = (np.array(model.params[k]) for k in ("W1", "b1", "W2", "b2"))
    loss, grads = model.loss(x, y)
    h = np.maximum(0, x.dot(w1) + b1)
    s = h.dot(w2) + b2
    p = np.exp(s - s.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    assert abs(loss + np.log(p[np.arange(5), y]).mean() - 0.35 * ((w1**2).sum() + (w2**2).sum())) < 1e-8
    p[np.arange(5), y] -= 1
    assert np.allclose(grads["W2"], h.T.dot(p / 5) + 0.7 * w2)
    assert np.allclose(grads["b1"], ((p / 5).dot(w2.T) * (h > 0)).sum(0))


def test_knn_two_loops():
    from cs231n.classifiers.k_nearest_neighbor import KNearestNeighbor

    knn = KNearestNeighbor()
    knn.train(data(6, 3), np.arange(6) % 3)
    x = data(4, 3) + 0.3
    assert np.allclose(knn.compute_distances_two_loops(x), np.linalg.norm(x[:, None] - data(6, 3)[None], axis=2))


def test_knn_one_loop():
    from cs231n.classifiers.k_nearest_neighbor import KNearestNeighbor

    knn = KNearestNeighbor()
    knn.train(data(6, 3), np.arange(6) % 3)
    x = data(4, 3) + 0.3
    assert np.allclose(knn.compute_distances_one_loop(x), np.linalg.norm(x[:, None] - data(6, 3)[None], axis=2))


def test_knn_no_loops():
    from cs231n.classifiers.k_nearest_neighbor import KNearestNeighbor

    knn = KNearestNeighbor()
    knn.train(data(6, 3), np.arange(6) % 3)
    x = data(4, 3) + 0.3
    assert np.allclose(knn.compute_distances_no_loops(x), np.linalg.norm(x[:, None] - data(6, 3)[None], axis=2))


def test_knn_labels():
    from cs231n.classifiers import KNearestNeighbor

    knn = KNearestNeighbor()
    knn.train(np.zeros((5, 1)), np.array([2, 1, 1, 0, 2]))
    dists = np.array([[1.0, 2, 3, 4, 5], [5, 4, 3, 2, 1], [9, 1, 2, 3, 8]])
    assert list(knn.predict_labels(dists, k=3)) == [1, 0, 1]
    assert list(knn.predict_labels(dists, k=1)) == [2, 2, 1]


def test_softmax_naive():
    from cs231n.classifiers.softmax import softmax_loss_naive

    w, x, y = 0.5 * data(4, 3), data(6, 4), np.array([0, 1, 2, 0, 1, 2])
    loss, dw = softmax_loss_naive(w, x, y, 0.3)
    p = np.exp(x.dot(w))
    p /= p.sum(1, keepdims=True)
    wanted = -np.log(p[np.arange(6), y]).mean()
    p[np.arange(6), y] -= 1
    d = p / 6
    assert abs(loss - wanted - 0.3 * (w**2).sum()) < 1e-8
    assert np.allclose(dw, x.T.dot(d) + 0.6 * w)


def test_softmax_vectorized():
    from cs231n.classifiers.softmax import softmax_loss_vectorized

    w, x, y = 0.5 * data(4, 3), data(6, 4), np.array([0, 1, 2, 0, 1, 2])
    loss, dw = softmax_loss_vectorized(w, x, y, 0.3)
    p = np.exp(x.dot(w))
    p /= p.sum(1, keepdims=True)
    wanted = -np.log(p[np.arange(6), y]).mean()
    p[np.arange(6), y] -= 1
    d = p / 6
    assert abs(loss - wanted - 0.3 * (w**2).sum()) < 1e-8
    assert np.allclose(dw, x.T.dot(d) + 0.6 * w)


def test_svm_naive():
    from cs231n.classifiers.linear_svm import svm_loss_naive

    w, x, y = 0.5 * data(4, 3), data(6, 4), np.array([0, 1, 2, 0, 1, 2])
    loss, dw = svm_loss_naive(w, x, y, 0.3)
    s = x.dot(w)
    m = np.maximum(0, s - s[np.arange(6), y][:, None] + 1)
    m[np.arange(6), y] = 0
    wanted = m.sum() / 6
    d = (m > 0).astype(float)
    d[np.arange(6), y] -= d.sum(1)
    d = d / 6
    assert abs(loss - wanted - 0.3 * (w**2).sum()) < 1e-8
    assert np.allclose(dw, x.T.dot(d) + 0.6 * w)


def test_svm_vectorized():
    from cs231n.classifiers.linear_svm import svm_loss_vectorized

    w, x, y = 0.5 * data(4, 3), data(6, 4), np.array([0, 1, 2, 0, 1, 2])
    loss, dw = svm_loss_vectorized(w, x, y, 0.3)
    s = x.dot(w)
    m = np.maximum(0, s - s[np.arange(6), y][:, None] + 1)
    m[np.arange(6), y] = 0
    wanted = m.sum() / 6
    d = (m > 0).astype(float)
    d[np.arange(6), y] -= d.sum(1)
    d = d / 6
    assert abs(loss - wanted - 0.3 * (w**2).sum()) < 1e-8
    assert np.allclose(dw, x.T.dot(d) + 0.6 * w)


def test_linear_predict():
    from cs231n.classifiers import LinearSVM

    model = LinearSVM()
    model.W = data(4, 3)
    x = data(7, 4)
    assert list(model.predict(x)) == list(x.dot(data(4, 3)).argmax(1))


def test_linear_train():
    from cs231n.classifiers import Softmax

    np.random.seed(0)
    model = Softmax()
    x = np.concatenate([data(40, 2) + np.array([4, 0]), data(40, 2) - np.array([4, 0])])
    history = model.train(x, np.repeat([0, 1], 40), learning_rate=0.1, reg=1e-3, num_iters=60, batch_size=20)
    assert len(history) == 60
    assert history[-1] < 0.2 < 0.5 < history[0]
