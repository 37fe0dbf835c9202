"""Training steps of a graph, computed by PyTorch from given weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.errors import CourseError
from autograder.extensions.networks.step_calculus import NetworkPass, OptimizerSettings, StepCalculus, Update, Weights
from autograder.extensions.pytorch import graph_numbers
from autograder.extensions.pytorch.computation import compute, dtype_named, gradients_of, preserved_draws
from autograder.extensions.pytorch.initializers import fresh_tensors
from autograder.extensions.pytorch.operator_graph import FLOATS
from autograder.extensions.pytorch.torch_training import optimizer_of, plain_optimizer

if TYPE_CHECKING:
    from autograder.extensions.pytorch.graph_computation import GraphComputation


class TorchSteps(StepCalculus):
    """The computation of training steps of one module."""

    library = "torch"

    def __init__(self, network: GraphComputation) -> None:
        self.network = network
        graph = network.graph
        averages = graph_numbers.statistics(graph)
        self.positions = [
            position
            for position, held in enumerate(graph.tensors)
            if held.dtype in FLOATS and held.name and (held.parameter or graph.first_tensor + position in averages)
        ]
        """The positions of the weights and statistics among the tensors of the graph."""
        held = [graph.tensors[position] for position in self.positions]
        self.names = [tensor.name for tensor in held]
        self.trained = [tensor.parameter and tensor.trainable for tensor in held]

    def draw(self, seed: int) -> Weights:
        """Draw weights as PyTorch does, and add a little, so that none is 0."""
        draw = np.random.default_rng(seed)
        with preserved_draws(seed):
            tensors = fresh_tensors(self.network.graph)
        fresh = [tensors[position].detach().float().numpy() for position in self.positions]
        return [(array + 0.05 * np.abs(draw.normal(size=array.shape))).astype(np.float32) for array in fresh]

    def forward(self, weights: Weights, inputs: Any, *, training: bool, seed: int) -> NetworkPass:
        """Compute the first output, and what its gradient needs."""
        import torch

        arrays = self.network.inputs(inputs)
        self.network.require_linear_growth(len(arrays[0]))
        tensors, held = self.lent(weights)
        with preserved_draws(seed), torch.enable_grad():
            output = compute(self.network.graph, arrays, tensors, training=training)[0]
        return _pass_of(output, held)

    def lent(self, weights: Weights) -> tuple[list[Any], list[Any]]:
        """Return all tensors of the graph where it has these weights, and those of the weights."""
        import torch

        tensors = list(self.network.tensors)
        for position, array, trained in zip(self.positions, weights, self.trained, strict=True):
            dtype = dtype_named(self.network.graph.tensors[position].dtype)
            tensors[position] = torch.tensor(array).to(dtype).requires_grad_(trained)
        return tensors, [tensors[position] for position in self.positions]

    def optimizer(self, wanted: Any) -> OptimizerSettings:
        """Read an optimizer of ``torch.optim`` or of Keras, or a name."""
        try:
            return plain_optimizer(wanted)
        except CourseError as error:
            raise CourseError(f"check.training_step: {error}") from error

    def update(self, optimizer: OptimizerSettings) -> Update:
        """Return a new optimizer of ``torch.optim``."""
        import torch

        held = [torch.zeros(0) for _ in self.names]
        created: list[Any] = []

        def step(weights: Weights, gradients: Sequence[np.ndarray | None]) -> Weights:
            for tensor, array, gradient in zip(held, weights, gradients, strict=True):
                tensor.data = torch.tensor(array)
                tensor.grad = None if gradient is None else torch.tensor(gradient)
            if not created:
                created.append(optimizer_of(optimizer, held))
            created[0].step()
            return [tensor.numpy().copy() for tensor in held]

        return step


class TorchPair(TorchSteps):
    """The steps of a generator and a discriminator together, which has what the generator makes.

    The weights are those of both. The inputs are real rows, noise, and whether the discriminator gets the rows of both
    at once. The outputs are the discriminator's for the real rows, and then those for the generated ones.
    """

    def __init__(self, generator: GraphComputation, discriminator: GraphComputation) -> None:
        self.parts = [TorchSteps(generator), TorchSteps(discriminator)]
        self.names = [f"{number}.{name}" for number, part in enumerate(self.parts) for name in part.names]
        self.trained = [trained for part in self.parts for trained in part.trained]

    def draw(self, seed: int) -> Weights:
        """Draw the weights of both."""
        return [array for number, part in enumerate(self.parts) for array in part.draw(seed + number)]

    def forward(self, weights: Weights, inputs: Any, *, training: bool, seed: int) -> NetworkPass:
        """Compute what the discriminator says of both kinds of rows."""
        import torch

        generator, discriminator = (part.network for part in self.parts)
        real, noise, is_joined = inputs
        count = len(self.parts[0].names)
        (tensors, held), (judging, judges) = (
            part.lent(own) for part, own in zip(self.parts, (weights[:count], weights[count:]), strict=True)
        )
        with preserved_draws(seed), torch.enable_grad():
            fake = compute(generator.graph, generator.inputs(noise), tensors, training=training)[0]
            rows = [*discriminator.inputs(real), fake]
            rows = [torch.cat(rows)] if is_joined else rows
            judged = [compute(discriminator.graph, [part], judging, training=training)[0] for part in rows]
        return _pass_of(torch.cat(judged), [*held, *judges])


def _pass_of(output: Any, tensors: list[Any]) -> NetworkPass:
    """Return what was computed of the tensors of all weights."""
    import torch

    def gradients(of_output: np.ndarray) -> list[np.ndarray | None]:
        derivatives = gradients_of(output, torch.tensor(of_output).to(output.dtype), tensors)
        return [None if gradient is None else gradient.to_dense().float().numpy() for gradient in derivatives]

    moved = [tensor.detach().float().numpy().copy() for tensor in tensors]
    return NetworkPass(output.detach().double().numpy(), moved, gradients)
