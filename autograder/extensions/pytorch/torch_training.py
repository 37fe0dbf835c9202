"""Trainings of a graph by PyTorch, from newly drawn weights."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.errors import CourseError
from autograder.extensions.networks.fresh_model import NotTrainable
from autograder.extensions.networks.network import NetworkTrainer, TrainingSettings
from autograder.extensions.networks.step_calculus import OptimizerSettings
from autograder.extensions.networks.training import TooSlow
from autograder.extensions.pytorch.computation import compute, one_thread, preserved_draws
from autograder.extensions.pytorch.initializers import fresh_tensors

if TYPE_CHECKING:
    from autograder.extensions.pytorch.graph_computation import GraphComputation

_TRIAL_SECONDS = 0.5
"""Processor time after which the length of a training is estimated."""
_EPSILON = 1e-7


class TorchTrainer(NetworkTrainer):
    """A trainer of one network on an instructor's rows.

    Args:
        network: the network.
        rows: an array, rows first, or a list or dict of them.
        labels: an array, rows first.
        settings: how it is trained.
    """

    def __init__(self, network: GraphComputation, rows: Any, labels: np.ndarray, settings: TrainingSettings) -> None:
        import torch

        self.network, self.settings = network, settings
        self.inputs = network.inputs(rows)
        self.labels = torch.as_tensor(np.ascontiguousarray(labels))
        self.loss = LOSSES[settings.loss]
        self.losses: list[float] = []
        """The mean loss of each epoch of the last training."""

    def train(self, seed: int) -> Any:
        """See :class:`NetworkTrainer`."""
        with preserved_draws(seed), one_thread():
            return self.train_from(fresh_tensors(self.network.graph), seed)

    def train_from(self, tensors: list[Any], seed: int) -> Any:
        """Train from given tensors, which change; ``seed`` determines the order of the rows."""
        import torch

        self._start(tensors)
        self.losses = []
        if self.optimizer is not None:
            order = torch.Generator().manual_seed(seed)
            clock = _Clock(self.settings, len(self.labels))
            for _ in range(self.settings.epochs):
                rows: Any = torch.randperm(len(self.labels), generator=order)
                self.losses.append(self._epoch(rows.split(self.settings.batch_size), clock) / len(rows))
        return self._trained()

    def begin(self, seed: int) -> None:
        """See :class:`NetworkTrainer`."""
        import torch

        with preserved_draws(seed):
            self._start(fresh_tensors(self.network.graph))
            self._draws = torch.get_rng_state()

    def run(self, batches: np.ndarray) -> Any:
        """See :class:`NetworkTrainer`."""
        import torch

        with preserved_draws(), one_thread():
            torch.set_rng_state(self._draws)
            if self.optimizer is not None:
                self._epoch(torch.from_numpy(batches))
            self._draws = torch.get_rng_state()
        return self._trained()

    def _start(self, tensors: list[Any]) -> None:
        self.tensors = tensors
        self.trained = [tensor for tensor in tensors if tensor.requires_grad]
        self.optimizer: Any = optimizer_of(self.settings.optimizer, self.trained) if self.trained else None

    def _trained(self) -> Any:
        return self.network.with_tensors([tensor.detach() for tensor in self.tensors])

    def _epoch(self, batches: Any, clock: _Clock | None = None) -> float:
        """Take a step for each batch of row numbers, and return the sum of the losses."""
        total = 0.0
        for batch in batches:
            try:
                total += self._step(batch) * len(batch)
            except Exception as error:
                raise NotTrainable(f"This network cannot be trained on these data ({type(error).__name__}).") from error
            if clock is not None:
                clock.step()
        return total

    def _step(self, batch: Any) -> float:
        import torch

        self.optimizer.zero_grad()
        self.network.require_linear_growth(len(batch))
        inputs = [held[batch] for held in self.inputs]
        outputs = compute(self.network.graph, inputs, self.tensors, training=True)
        loss = self.loss(outputs[0], self.labels[batch], self.settings.from_logits)
        loss.backward()
        if self.settings.clip is not None:
            torch.nn.utils.clip_grad_norm_(self.trained, self.settings.clip)
        self.optimizer.step()
        return float(loss.detach())


class _Clock:
    """The processor time of a training."""

    def __init__(self, settings: TrainingSettings, rows: int) -> None:
        self.seconds = settings.seconds
        self.steps = -(-rows // settings.batch_size) * settings.epochs
        self.done = 0
        self.began = time.process_time()

    def step(self) -> None:
        """Count a step.

        Raises:
            TooSlow: all steps would take too long.
        """
        self.done += 1
        if self.done == 1:
            self.began = time.process_time()  # the first step prepares what all others use
            return
        elapsed = time.process_time() - self.began
        expected = elapsed / (self.done - 1) * self.steps
        if elapsed > _TRIAL_SECONDS and expected > self.seconds:
            raise TooSlow(expected)


# --- losses ------------------------------------------------------------------------------------------


def _crossentropy(outputs: Any, labels: Any, from_logits: bool) -> Any:
    import torch.nn.functional as F

    if outputs.ndim == 3 and labels.shape == outputs.shape[:2]:  # classes at each position
        outputs, labels = outputs.flatten(0, 1), labels.flatten()
    wide = labels.ndim == outputs.ndim and labels.shape[-1] > 1
    targets = labels.to(outputs.dtype) if wide else labels.reshape(len(labels)).long()
    if from_logits:
        return F.cross_entropy(outputs, targets)
    shares = (outputs / outputs.sum(dim=-1, keepdim=True)).clamp(_EPSILON, 1 - _EPSILON).log()
    return -(targets * shares).sum(-1).mean() if wide else F.nll_loss(shares, targets)


def _binary(outputs: Any, labels: Any, from_logits: bool) -> Any:
    import torch.nn.functional as F

    targets = labels.to(outputs.dtype).reshape(outputs.shape)
    if from_logits:
        return F.binary_cross_entropy_with_logits(outputs, targets)
    return F.binary_cross_entropy(outputs.clamp(_EPSILON, 1 - _EPSILON), targets)


def _squares(outputs: Any, labels: Any, from_logits: bool) -> Any:
    return (outputs - labels.to(outputs.dtype).reshape(outputs.shape)).square().mean()


def _distances(outputs: Any, labels: Any, from_logits: bool) -> Any:
    return (outputs - labels.to(outputs.dtype).reshape(outputs.shape)).abs().mean()


LOSSES: Mapping[str, Callable[[Any, Any, bool], Any]] = {
    "categorical_crossentropy": _crossentropy,
    "binary_crossentropy": _binary,
    "mean_squared_error": _squares,
    "mean_absolute_error": _distances,
}

# --- optimizers --------------------------------------------------------------------------------------

_OPTIMIZERS: Mapping[str, tuple[str, Mapping[str, float]]] = {
    "sgd": ("SGD", {"lr": 0.01}),
    "adam": ("Adam", {"lr": 0.001}),
    "adamw": ("AdamW", {"lr": 0.001}),
    "rmsprop": ("RMSprop", {"lr": 0.001}),
    "adagrad": ("Adagrad", {"lr": 0.001}),
    "adadelta": ("Adadelta", {"lr": 0.001}),
    "adamax": ("Adamax", {"lr": 0.001}),
    "nadam": ("NAdam", {"lr": 0.001}),
}
"""Name → the class of ``torch.optim``, with Keras's learning rate."""
_OF_KERAS = {"learning_rate": "lr", "momentum": "momentum", "nesterov": "nesterov", "weight_decay": "weight_decay"}


def optimizer_of(wanted: Any, parameters: Sequence[Any]) -> Any:
    """Return an optimizer of ``torch.optim`` like the instructor's: a name, settings, an object of Keras or PyTorch.

    Raises:
        CourseError: there is none like it.
    """
    import torch

    if isinstance(wanted, torch.optim.Optimizer):
        return type(wanted)(parameters, **settings_of(wanted))
    if isinstance(wanted, OptimizerSettings):
        settings = {key: tuple(value) if isinstance(value, list) else value for key, value in wanted.settings.items()}
        return getattr(torch.optim, wanted.kind)(parameters, **settings)
    config = wanted.get_config() if hasattr(wanted, "get_config") else {}
    name = "adam" if wanted is None else str(config.get("name", type(wanted).__name__) if config else wanted).lower()
    if name not in _OPTIMIZERS:
        raise CourseError(f"check.retrained: torch.optim has no optimizer {name!r}.")
    kind, usual = _OPTIMIZERS[name]
    configured = {key: config[other] for other, key in _OF_KERAS.items() if config.get(other)}
    try:
        return getattr(torch.optim, kind)(parameters, **{**usual, **configured})
    except TypeError as error:
        raise CourseError(f"check.retrained: torch.optim.{kind} has no {', '.join(configured)}.") from error


def plain_optimizer(wanted: Any) -> OptimizerSettings:
    """Read an instructor's optimizer as plain data.

    Raises:
        CourseError: there is none like it in ``torch.optim``.
    """
    import torch

    created = optimizer_of(wanted, [torch.zeros(1)])
    if type(created) is not getattr(torch.optim, type(created).__name__, None):
        raise CourseError(f"torch.optim has no optimizer {type(created).__name__}.")
    plain = {key: value for key, value in settings_of(created).items() if _is_plain(value)}
    settings = {key: list(value) if isinstance(value, tuple) else value for key, value in plain.items()}
    if type(settings.get("lr")) not in (int, float):
        raise CourseError("the optimizer needs a number as learning rate.")
    return OptimizerSettings(type(created).__name__, settings, "lr")


def _is_plain(value: Any) -> bool:
    return (
        value is None
        or type(value) in (bool, int, float)
        or (type(value) is tuple and all(type(item) in (int, float) for item in value))
    )


def settings_of(optimizer: Any) -> dict[str, Any]:
    """Return the settings of an optimizer that its class takes; AdamW has one that it does not take."""
    takes = inspect.signature(type(optimizer)).parameters
    return {key: value for key, value in optimizer.defaults.items() if key in takes}
