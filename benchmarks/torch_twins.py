"""The benchmark's networks as modules of PyTorch, read as an examiner reads them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from faulty_networks import Program, Task
from helpers.torch_modules import network_of

_ACTIVATIONS = {"relu": "ReLU", "tanh": "Tanh", "elu": "ELU", "gelu": "GELU", "selu": "SELU", "sigmoid": "Sigmoid"}
_OF_CLASSES = {"categorical_crossentropy": "softmax", "binary_crossentropy": "sigmoid"}


def has_torch_twin(program: Any) -> bool:
    """Tell whether a module shows what a program does: not its loss, nor weights that the student drew."""
    is_drawn = isinstance(program, Program) and program.initializer == "glorot_uniform" and program.bias == 0
    return is_drawn and program.fault != "loss"


def torch_twin(program: Program, task: Task) -> tuple[Task, Any, dict[str, Any]]:
    """Return the task with channels first, the network, and its optimizer and form of outputs as settings."""
    import torch

    first = replace(task, x=_channels_first(task.x), x_holdout=_channels_first(task.x_holdout))
    torch.manual_seed(program.number)
    network = network_of(torch.nn.Sequential(*_layers(program, task)), first.x[:6])
    kind = getattr(torch.optim, {"Nadam": "NAdam"}.get(program.optimizer, program.optimizer))
    momentum = {"momentum": 0.9} if program.optimizer == "SGD" else {}
    optimizer = kind([torch.zeros(1)], lr=program.rate, **momentum)
    gives_scores = program.from_logits or (not program.output and task.goal in _OF_CLASSES)
    return first, network, {"optimizer": optimizer, "from_logits": gives_scores}


def _layers(program: Program, task: Task) -> list[Any]:
    from torch import nn

    def activation(name: str) -> list[Any]:
        if name in ("", "linear"):
            return []
        return [nn.Softmax(1) if name == "softmax" else getattr(nn, _ACTIVATIONS[name])()]

    layers: list[Any] = []
    width = task.x.shape[-1]
    if program.convolution:
        filters = max(2, program.width // 4)
        layers += [nn.Conv2d(1, filters, 3), *activation(program.activation), nn.Flatten()]
        width = filters * (task.x.shape[1] - 2) * (task.x.shape[2] - 2)
    for _ in range(program.depth):
        layers += [nn.Linear(width, program.width), *activation(program.activation)]
        layers += [nn.BatchNorm1d(program.width)] if program.batch_norm else []
        layers += [nn.Dropout(program.dropout)] if program.dropout else []
        width = program.width
    layers.append(nn.Linear(width, task.outputs))
    return [*layers, *(layer for name in program.output.split("+") for layer in activation(name))]


def _channels_first(rows: np.ndarray) -> np.ndarray:
    return np.moveaxis(rows, -1, 1) if rows.ndim == 4 else rows
