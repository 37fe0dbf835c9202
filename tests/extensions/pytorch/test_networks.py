"""Thirty-two networks as students write them: read, computed as the module computes, and trained again by PyTorch."""

from __future__ import annotations

import copy
import importlib.util
from typing import Any

import numpy as np
import pytest
from extensions.pytorch.networks import networks
from helpers.remote_models import recorded
from helpers.torch_modules import network_of

from autograder import check
from autograder.extensions.networks.network import TrainingSettings
from autograder.extensions.pytorch.kernel_side.torch_graph import MAX_NUMBERS
from autograder.records.checks import is_undecided
from autograder.records.limits import MAX_FILE_MIB

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed here"),
]
NAMES = (
    "softmax regression", "MLP with dropout and normalizations", "VAE", "two inputs", "Siamese", "mixture of experts",
    "own parameters", "LeNet", "VGG", "strided with a global pool", "ResNet-18", "depthwise", "U-Net",
    "DCGAN generator", "dense and convolutional autoencoder", "spatial transformer", "mean of embeddings",
    "EmbeddingBag", "LSTM and GRU", "bidirectional LSTM", "nn.RNN", "cells in a loop", "TextCNN", "U-shaped 1-D",
    "attention by hand", "MultiheadAttention", "TransformerEncoderLayer", "nanoGPT", "ViT",
    "einsum with RoPE and RMSNorm", "graph convolution", "matrix factorization",
)  # fmt: skip
WITHOUT_LABELS = (
    "VAE", "U-Net", "DCGAN generator", "dense and convolutional autoencoder", "U-shaped 1-D", "nanoGPT",
    "einsum with RoPE and RMSNorm",
)  # fmt: skip
TRAINED_ALIKE = ("MLP with dropout and normalizations", "VGG", "LSTM and GRU", "TextCNN", "MultiheadAttention")


def module_of(name: str) -> Any:
    import torch

    torch.manual_seed(0)
    return networks()[name].build()


def test_there_are_thirty_two() -> None:
    assert len(NAMES) == 32
    assert set(networks()) == set(NAMES)
    assert {name for name, network in networks().items() if not network.loss} == set(WITHOUT_LABELS)


def test_networks_are_read_up_to_the_numbers_of_the_largest_file_of_weights() -> None:
    assert MAX_NUMBERS == MAX_FILE_MIB * 2**20 // 4


@pytest.mark.parametrize("name", NAMES)
def test_a_network_is_read_counted_and_predicts_what_its_module_predicts(name: str) -> None:
    import torch

    module, rows = module_of(name), networks()[name].rows
    network = network_of(module, rows)
    with torch.no_grad():
        results = copy.deepcopy(module).eval()(*map(torch.as_tensor, rows if isinstance(rows, list) else [rows]))
    results = [result for result in (results if isinstance(results, tuple) else [results]) if result is not None]
    for output, result in zip(network.outputs(rows), results, strict=True):
        np.testing.assert_allclose(output, result.numpy(), rtol=1e-5, atol=1e-5)
    counts = network.counts()
    assert counts.total - counts.constants == sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("name", [name for name in NAMES if name not in WITHOUT_LABELS and name != "graph convolution"])
def test_a_network_with_a_loss_is_trained_again(name: str) -> None:
    network = networks()[name]
    rows, labels = tuple(network.rows) if isinstance(network.rows, list) else network.rows, labels_of(network)
    held = network_of(module_of(name), network.rows)
    result = recorded(lambda: retrained(held, rows, labels, network))
    assert result.fraction == 1, result.message


def retrained(model: Any, rows: Any, labels: Any, network: Any) -> Any:
    given = {"on": (rows, labels), "holdout": (rows, labels), "from_logits": network.loss.startswith("categorical")}
    return check.retrained(
        model, **given, epochs=1, below=99, loss=network.loss, seeds=1, batch_size=6, close_calls="exact", seconds=60
    )


def labels_of(network: Any) -> Any:
    draw = np.random.default_rng(1)
    if network.classes > 1:
        return draw.integers(0, network.classes, 12)
    return draw.integers(0, 2, (12, 1)).astype("float32")


def test_constants_that_could_hold_knowledge_wait_for_a_person() -> None:
    network = networks()["graph convolution"]
    held = network_of(module_of("graph convolution"), network.rows)
    assert held.counts().constants == 36
    assert is_undecided(recorded(lambda: retrained(held, network.rows, labels_of(network), network)))


def test_a_training_takes_one_thread_and_gives_the_others_back() -> None:
    """Threads that wait use processor time, and a busy machine would cost points."""
    import torch

    from autograder.extensions.pytorch.torch_training import TorchTrainer

    name, threads = TRAINED_ALIKE[0], []
    network = networks()[name]
    settings = TrainingSettings("categorical_crossentropy", True, "sgd", 1, 5, 60.0)
    trainer = TorchTrainer(network_of(module_of(name), network.rows), network.rows, labels_of(network), settings)
    measured = trainer.loss

    def loss(*given: Any) -> Any:
        threads.append(torch.get_num_threads())
        return measured(*given)

    trainer.loss, before = loss, torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        trainer.train(3)
        assert (set(threads), torch.get_num_threads()) == ({1}, 2)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("name", TRAINED_ALIKE)
def test_losses_of_a_training_equal_those_of_a_plain_loop(name: str) -> None:
    import torch
    import torch.nn.functional as F

    from autograder.extensions.pytorch.torch_training import TorchTrainer

    network, module = networks()[name], module_of(name)
    labels = labels_of(network)
    settings = TrainingSettings("categorical_crossentropy", True, "sgd", 3, 5, 60.0)
    held = network_of(module, network.rows)
    trainer = TorchTrainer(held, network.rows, labels, settings)
    tensors = [tensor.clone().requires_grad_(tensor.is_floating_point() and entry.trainable)
               for tensor, entry in zip(held.tensors, held.graph.tensors, strict=True)]  # fmt: skip
    torch.manual_seed(5)
    trained = trainer.train_from(tensors, 7)

    optimizer, order = torch.optim.SGD(module.parameters(), lr=0.01), torch.Generator().manual_seed(7)
    x, y = torch.as_tensor(network.rows), torch.as_tensor(labels)
    torch.manual_seed(5)
    module.train()
    losses = []
    for _ in range(3):
        total = 0.0
        for batch in torch.randperm(12, generator=order).split(5):
            optimizer.zero_grad()
            loss = F.cross_entropy(module(x[batch]), y[batch])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        losses.append(total / 12)
    np.testing.assert_allclose(trainer.losses, losses, rtol=1e-4)
    with torch.no_grad():
        np.testing.assert_allclose(trained.outputs(network.rows)[0], module.eval()(x).numpy(), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["softmax regression", "LeNet", "VGG"])
def test_fresh_weights_are_those_of_a_new_module(name: str) -> None:
    import torch

    from autograder.extensions.pytorch.initializers import fresh_tensors

    network = networks()[name]
    held = network_of(module_of(name), network.rows)
    torch.manual_seed(11)
    drawn = [
        tensor for tensor, entry in zip(fresh_tensors(held.graph), held.graph.tensors, strict=True) if entry.parameter
    ]
    torch.manual_seed(11)
    for tensor, parameter in zip(drawn, network.build().parameters(), strict=True):
        assert torch.equal(tensor, parameter)


@pytest.mark.parametrize(("name", "passes"), [("nanoGPT", True), ("TransformerEncoderLayer", False)])
def test_a_module_of_sequences_is_causal_or_not(name: str, passes: bool) -> None:
    module, rows = module_of(name), networks()[name].rows
    held = network_of(module, rows)
    if len(np.shape(held.outputs(rows)[0])) == 3:
        assert recorded(lambda: check.causal(held, rows, part=0)).fraction == passes


def test_classes_at_each_position_are_measured_and_trained_again() -> None:
    rows = networks()["nanoGPT"].rows
    held, labels = network_of(module_of("nanoGPT"), rows), np.roll(rows, -1, axis=1)
    measured = recorded(lambda: check.loss(held, on=(rows, labels), below=9, from_logits=True, part=0))
    again = recorded(
        lambda: check.retrained(
            held, on=(rows, labels), holdout=(rows, labels), epochs=1, below=20, seeds=1, from_logits=True,
            close_calls="exact",
        )
    )  # fmt: skip
    assert (measured.fraction, again.fraction) == (1, 1), (measured.message, again.message)
