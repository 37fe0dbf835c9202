"""Tests of EECS 498's first assignment, written for the comparison: its notebooks compare with files of numbers."""

import knn
import pytest
import pytorch101
import torch


def images(count, seed=0):
    return torch.randn(count, 3, 2, 2, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("loops", ["two_loops", "one_loop", "no_loops"])
def test_distances(loops):
    compute = {
        "two_loops": knn.compute_distances_two_loops,
        "one_loop": knn.compute_distances_one_loop,
        "no_loops": knn.compute_distances_no_loops,
    }[loops]
    train, test = images(5), images(4, 1)
    wanted = ((train.reshape(5, 1, -1) - test.reshape(1, 4, -1)) ** 2).sum(2)
    assert torch.allclose(compute(train, test), wanted, atol=1e-4)


def test_predict_labels():
    dists = torch.tensor([[1.0, 5, 9], [2, 4, 1], [3, 3, 2], [4, 2, 3], [5, 1, 8]])
    labels = torch.tensor([2, 1, 1, 0, 2])
    assert knn.predict_labels(dists, labels, k=1).tolist() == [2, 2, 1]
    assert knn.predict_labels(dists, labels, k=3).tolist() == [1, 0, 1]


def test_classifier():
    train, labels = images(6), torch.tensor([0, 1, 2, 0, 1, 2])
    classifier = knn.KnnClassifier(train, labels)
    assert classifier.predict(train, k=1).tolist() == [0, 1, 2, 0, 1, 2]
    assert classifier.check_accuracy(train + 0.01, labels, k=1, quiet=True) == 100


def test_cross_validation():
    base = torch.arange(12).reshape(12, 1, 1, 1).float()
    train, labels = (base % 2) * 100 + base, torch.arange(12) % 2
    accuracies = knn.knn_cross_validate(train, labels, num_folds=3, k_choices=[1, 3, 7])
    assert sorted(accuracies) == [1, 3, 7]
    assert [len(accuracies[k]) for k in (1, 3, 7)] == [3, 3, 3]
    assert accuracies[1] == [100, 100, 100]


def test_best_k():
    assert knn.knn_get_best_k({5: [50, 70], 1: [10, 90], 3: [60, 60]}) == 3
    assert knn.knn_get_best_k({8: [1.0], 2: [1.0]}) == 2


def test_create_sample_tensor():
    assert pytorch101.create_sample_tensor().tolist() == [[0, 10], [100, 0], [0, 0]]


def test_mutate_tensor():
    x = torch.zeros(2, 3)
    y = pytorch101.mutate_tensor(x, [(0, 1), (1, 2), (0, 1)], [4, 5, 6])
    assert y.tolist() == [[0, 6, 0], [0, 0, 5]]
    assert x.tolist() == y.tolist()


def test_count_tensor_elements():
    assert pytorch101.count_tensor_elements(torch.zeros(2, 3, 4)) == 24


def test_create_tensor_of_pi():
    assert torch.allclose(pytorch101.create_tensor_of_pi(2, 5), torch.full((2, 5), 3.14))


def test_multiples_of_ten():
    assert pytorch101.multiples_of_ten(5, 30).tolist() == [10, 20, 30]
    assert pytorch101.multiples_of_ten(5, 7).shape == (0,)


def test_slice_indexing():
    x = torch.arange(20).reshape(4, 5)
    last, third, first, even = pytorch101.slice_indexing_practice(x)
    assert last.tolist() == [15, 16, 17, 18, 19]
    assert third.tolist() == [[2], [7], [12], [17]]
    assert first.tolist() == [[0, 1, 2], [5, 6, 7]]
    assert even.tolist() == [[1, 3], [11, 13]]


def test_shuffle_cols():
    assert pytorch101.shuffle_cols(torch.tensor([[1, 2, 3], [4, 5, 6]])).tolist() == [[1, 1, 3, 2], [4, 4, 6, 5]]


def test_reverse_rows():
    assert pytorch101.reverse_rows(torch.tensor([[1, 2], [3, 4], [5, 6]])).tolist() == [[5, 6], [3, 4], [1, 2]]


def test_make_one_hot():
    assert pytorch101.make_one_hot([1, 0, 2]).tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 1]]


def test_sum_positive_entries():
    assert pytorch101.sum_positive_entries(torch.tensor([[-1, 2, 0], [0, 5, -3]])) == 7


def test_normalize_columns():
    x = torch.tensor([[0.0, 30, 600], [1, 10, 200], [-1, 20, 400]])
    wanted = (x - x.mean(0)) / x.std(0)
    assert torch.allclose(pytorch101.normalize_columns(x), wanted, atol=1e-6)
