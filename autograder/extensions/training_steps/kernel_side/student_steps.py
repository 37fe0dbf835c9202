"""Steps of a student's training loop, from weights and batches that the examiner draws. Runs in the student's kernel.

The student's function trains the student's own model, which has the weights of the examiner meanwhile and its own ones
afterwards. What comes back are arrays: a claim, which the examiner compares with its own computation.
"""

from __future__ import annotations

import contextlib
import copy
import gc
import sys
from collections.abc import Callable, Iterator
from typing import Any

from ....kernel import model_family, model_inputs
from ....kernel.random_state import preserve_random_state, seed_generators
from . import step_arguments


def take(step: Callable[..., Any], model: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Let a function take a step with each batch.

    Args:
        step: the student's function.
        model: the student's model, or a list of a generator and a discriminator of PyTorch's.
        request: ``weights`` are arrays in the order of ``names``, or of the model's description. ``batches`` are pairs
            of inputs and labels. ``loss`` has ``name`` and ``from_logits``. ``optimizer`` has ``kind``, ``settings``
            and ``rate``; there is one for each model. ``takes`` says what the parameters are, or is None. ``seed`` and
            ``shapes`` follow; ``drops`` is False if layers of dropout drop nothing.

    Returns:
        ``problem`` is ``parameters`` (one has an unknown name), ``model`` (the weights cannot be given to the model) or
        empty. ``outputs`` are the model's for the first batch in training mode. ``weights`` are those after each call:
        one with each batch. A function that takes its batches from a loader is called once. ``noise`` is what the
        generator got first and last in each call.
    """
    chosen = step_arguments.roles(step, request["takes"])
    if chosen is None:
        return {"problem": "parameters"}
    family = "pair" if isinstance(model, list) else model_family.family_name(model)
    try:
        trained: Any = {"torch": _Module, "keras": _KerasModel, "pair": _TwoModules}[family](model, request)
    except Exception:  # of another library, or not as the examiner read it
        return {"problem": "model"}
    seed, after, noise = request["seed"], [], []
    with trained.lent():
        outputs = trained.outputs(request["batches"][0][0], seed)
        arguments = trained.arguments()
        for number, batches in enumerate(_calls(chosen, request["batches"])):
            seed_generators(seed + number)  # of what the function draws itself
            trained.seed(seed + number)
            arguments |= {**trained.batch(*batches[0]), "loader": trained.loader(batches, seed + number)}
            if not {role for _, role in chosen} <= {role for role, given in arguments.items() if given is not None}:
                return {"problem": "parameters"}
            with trained.noted() as inputs:
                step_arguments.called(step, chosen, arguments)
            after.append(trained.weights())
            noise.append([array.numpy() for array in inputs[:: max(1, len(inputs) - 1)]])
    return {"problem": "", "outputs": outputs, "weights": after, "noise": noise}


def _calls(chosen: list[tuple[str, str]], batches: list[Any]) -> list[list[Any]]:
    """Return the batches of each call: all of them in one, if they come from a loader alone."""
    roles = {role for _, role in chosen}
    return [batches] if "loader" in roles and not roles & {"inputs", "batch"} else [[batch] for batch in batches]


class _Module:
    """A PyTorch module that is trained with weights of the examiner's."""

    def __init__(self, model: Any, request: dict[str, Any]) -> None:
        self.torch: Any = sys.modules["torch"]
        self.model, self.request = model, request
        state = {**dict(model.named_buffers()), **dict(model.named_parameters(remove_duplicate=False))}
        self.tensors = [state[name] for name in request["names"]]
        shapes = [tuple(array.shape) for array in request["weights"]]
        if [tuple(tensor.shape) for tensor in self.tensors] != shapes:
            raise ValueError("other weights")

    @contextlib.contextmanager
    def lent(self) -> Iterator[None]:
        """Give the model the examiner's weights, and its own ones back after the block."""
        torch, model = self.torch, self.model
        optimizers, schedulers = self._optimizers_and_schedulers()
        state = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
        remembered = [(keeper, copy.deepcopy(keeper.state_dict())) for keeper in (*optimizers, *schedulers)]
        flags = [(part, part.training) for part in model.modules()]
        dropouts = [
            (part, part.p)
            for part in model.modules()
            if model_family.is_a(part, "torch.nn.modules.dropout", "_DropoutNd")
        ]
        gradients = [(parameter, parameter.grad) for parameter in model.parameters()]
        with preserve_random_state(), torch.random.fork_rng(devices=[]):
            try:
                with torch.no_grad():
                    for tensor, array in zip(self.tensors, self.request["weights"]):  # noqa: B905 - not in Python 3.9
                        tensor.copy_(torch.as_tensor(array))
                for parameter, _ in gradients:
                    parameter.grad = None
                for optimizer in optimizers:
                    optimizer.state.clear()
                    for group in optimizer.param_groups:
                        group["lr"] = group.get("initial_lr", group["lr"])  # a schedule may have changed it
                for scheduler in schedulers:
                    scheduler.last_epoch, scheduler._step_count = 0, 1
                model.train()
                for part, rate in dropouts:
                    part.p = rate if self.request["drops"] else 0.0
                yield
            finally:
                model.load_state_dict(state)
                for keeper, before in remembered:
                    keeper.load_state_dict(before)
                for part, training in flags:
                    part.training = training
                for part, rate in dropouts:
                    part.p = rate
                for parameter, gradient in gradients:
                    parameter.grad = gradient

    def _optimizers_and_schedulers(self) -> tuple[list[Any], list[Any]]:
        """Return the optimizers that train the model, wherever the notebook keeps them, and what sets their rates."""
        optim, trainable = self.torch.optim, set(map(id, self.model.parameters()))
        optimizer, scheduler = kinds = (optim.Optimizer, optim.lr_scheduler.LRScheduler)
        objects = [held for held in gc.get_objects() if issubclass(type(held), kinds)]  # once: there may be millions
        optimizers = [
            held
            for held in objects
            if issubclass(type(held), optimizer)
            and any(id(p) in trainable for group in getattr(held, "param_groups", ()) for p in group["params"])
        ]
        schedulers, numbers = [held for held in objects if issubclass(type(held), scheduler)], set(map(id, optimizers))
        return optimizers, [held for held in schedulers if id(getattr(held, "optimizer", None)) in numbers]

    def outputs(self, inputs: Any, seed: int) -> Any:
        """Return the first output in training mode; the statistics of normalizations stay as they are."""
        torch = self.torch
        before = [tensor.detach().clone() for tensor in self.tensors]
        self.seed(seed)
        with torch.no_grad():
            output = self._output(inputs)
            for tensor, value in zip(self.tensors, before):  # noqa: B905 - not in Python 3.9
                tensor.copy_(value)
        return output.float().numpy()

    def _output(self, inputs: Any) -> Any:
        converted = self._inputs(inputs)
        output = self.model(*converted) if isinstance(converted, list) else self.model(converted)
        while isinstance(output, (list, tuple)):
            output = output[0]
        return output

    def seed(self, seed: int) -> None:
        """Seed what a step draws."""
        self.torch.default_generator.manual_seed(seed)

    @contextlib.contextmanager
    def noted(self) -> Iterator[list[Any]]:
        """Note what a generator gets in the block."""
        yield []

    def arguments(self) -> dict[str, Any]:
        """Return the arguments that all steps have in common."""
        optimizer = self.request["optimizer"]
        return {
            "model": self.model,
            "optimizer": self._optimizer(self.model, optimizer),
            "rate": optimizer["settings"][optimizer["rate"]],
            **self._general(),
        }

    def _general(self) -> dict[str, Any]:
        return {"loss": self._loss(), "device": self.torch.device("cpu"), "epochs": 1}

    def _optimizer(self, model: Any, wanted: dict[str, Any]) -> Any:
        settings = {k: tuple(value) if isinstance(value, list) else value for k, value in wanted["settings"].items()}
        return getattr(self.torch.optim, wanted["kind"])(model.parameters(), **settings)

    def _loss(self) -> Any:
        nn, name, from_logits = self.torch.nn, self.request["loss"]["name"], self.request["loss"]["from_logits"]
        if name == "crossentropy":
            return nn.CrossEntropyLoss() if from_logits else _of_probabilities
        if name == "binary":
            return nn.BCEWithLogitsLoss() if from_logits else nn.BCELoss()
        return nn.MSELoss() if name == "squares" else nn.L1Loss()

    def batch(self, inputs: Any, labels: Any) -> dict[str, Any]:
        """Return the arguments that hold a batch."""
        converted, targets = self._inputs(inputs), self._targets(labels)
        return {"inputs": converted, "labels": targets, "batch": (converted, targets)}

    def loader(self, batches: list[Any], seed: int) -> Any:
        """Return a loader of batches of one size, which seeds what is drawn with each."""
        data = self.torch.utils.data
        pairs = [self.batch(*batch)["batch"] for batch in batches]
        rows = [[*(inputs if isinstance(inputs, list) else [inputs]), targets] for inputs, targets in pairs]
        columns = [self.torch.cat(column) for column in zip(*rows)]  # noqa: B905 - not in Python 3.9
        size = len(batches[0][1])
        own_draws = self.torch.Generator()  # a loader draws from it each time that it is read
        order = _SeedingOrder(size, len(batches), lambda number: self.seed(seed + number))
        return _loader_kind()(data.TensorDataset(*columns), batch_size=size, sampler=order, generator=own_draws)

    def _inputs(self, inputs: Any) -> Any:
        return [self._tensor(array) for array in inputs] if isinstance(inputs, list) else self._tensor(inputs)

    def _targets(self, labels: Any) -> Any:
        """Convert labels: PyTorch takes whole numbers for a crossentropy of classes alone."""
        is_classes = self.request["loss"]["name"] == "crossentropy"
        return self._tensor(labels if is_classes else labels.astype("float32"))

    def _tensor(self, array: Any) -> Any:
        tensor = self.torch.as_tensor(array.copy())
        floating = next((p.dtype for p in self.model.parameters() if p.is_floating_point()), self.torch.float32)
        return tensor.to(floating) if tensor.is_floating_point() else tensor.long()

    def weights(self) -> list[Any]:
        """Return the weights as they are now."""
        return [tensor.detach().float().numpy().copy() for tensor in self.tensors]


class _TwoModules(_Module):
    """A generator and a discriminator, which a function trains in turns."""

    def __init__(self, networks: list[Any], request: dict[str, Any]) -> None:
        super().__init__(sys.modules["torch"].nn.ModuleList(networks), request)

    def _output(self, inputs: Any) -> Any:
        generator, discriminator = self.model
        real, noise = self._inputs(inputs)
        return self.torch.cat([discriminator(real), discriminator(generator(noise))])

    @contextlib.contextmanager
    def noted(self) -> Iterator[list[Any]]:
        """Note what the generator gets in the block: a function may draw its noise."""
        inputs: list[Any] = []

        def note(module: Any, places: Any, names: Any) -> None:
            tensors = [given for given in (*places, *names.values()) if isinstance(given, self.torch.Tensor)]
            inputs.extend(tensor.detach().float().clone() for tensor in tensors[:1])

        hook = self.model[0].register_forward_pre_hook(note, with_kwargs=True)
        try:
            yield inputs
        finally:
            hook.remove()

    def arguments(self) -> dict[str, Any]:
        """Return the arguments that all steps have in common."""
        pairs = zip(("generator", "discriminator"), self.model, self.request["optimizer"])  # noqa: B905 - not in Python 3.9
        arguments = self._general()
        for name, network, wanted in pairs:
            arguments |= {name: network, f"{name} optimizer": self._optimizer(network, wanted)}
        return arguments

    def batch(self, inputs: Any, labels: Any) -> dict[str, Any]:
        """Return the arguments that hold real rows and noise."""
        real, noise = self._inputs(inputs)
        batch = [real, self.torch.zeros(len(real))] if self.request.get("labels") else real
        return {"inputs": real, "batch": batch, "noise": noise}

    def loader(self, batches: list[Any], seed: int) -> None:
        """Return None: a step of two networks takes rows."""


def _loader_kind() -> Any:
    """Return a class of loaders that are also iterators: a student's own may be ``iter(...)`` of one."""
    plain: Any = sys.modules["torch"].utils.data.DataLoader
    return type("Loader", (plain,), {"__next__": _next_batch})


def _next_batch(loader: Any) -> Any:
    if "batches" not in vars(loader):
        vars(loader)["batches"] = iter(loader)
    return next(vars(loader)["batches"])


class _SeedingOrder:
    """The rows of batches in their order; the first row of a batch seeds what is drawn with it."""

    def __init__(self, size: int, count: int, seed: Callable[[int], None]) -> None:
        self.size, self.count, self.seed = size, count, seed

    def __len__(self) -> int:
        return self.size * self.count

    def __iter__(self) -> Iterator[int]:
        for row in range(len(self)):
            if row % self.size == 0:
                self.seed(row // self.size)
            yield row


def _of_probabilities(outputs: Any, labels: Any) -> Any:
    functional = sys.modules["torch"].nn.functional
    if labels.ndim == outputs.ndim:
        return -(labels * outputs.clamp(min=1e-7).log()).sum(-1).mean()
    return functional.nll_loss(outputs.clamp(min=1e-7).log(), labels)


class _KerasModel:
    """A Keras model that is trained with weights of the examiner's, on TensorFlow."""

    def __init__(self, model: Any, request: dict[str, Any]) -> None:
        self.keras: Any = sys.modules["keras"]
        self.tensorflow: Any = sys.modules["tensorflow"]
        self.model, self.request = model, request
        family: Any = model_family.of_library(model)
        self.variables = family.variables(model, request["shapes"])
        if [tuple(variable.shape) for variable in self.variables] != [array.shape for array in request["weights"]]:
            raise ValueError("other weights")
        layers = model._flatten_layers()
        self.draws = [part.seed_generator for part in layers if getattr(part, "seed_generator", None) is not None]

    @contextlib.contextmanager
    def lent(self) -> Iterator[None]:
        """Give the model the examiner's weights, and its own ones back after the block."""
        optimizers = self._optimizers()
        changed = {id(variable): variable for optimizer in optimizers for variable in optimizer.variables}
        changed.update((id(variable), variable) for variable in self.model.variables)
        before = [(variable, variable.numpy()) for variable in changed.values()]
        with preserve_random_state():
            try:
                for variable, array in zip(self.variables, self.request["weights"]):  # noqa: B905 - not in Python 3.9
                    variable.assign(array)
                for optimizer in optimizers:
                    _forget(optimizer)
                yield
            finally:
                for variable, value in before:
                    variable.assign(value)

    def _optimizers(self) -> list[Any]:
        """Return the optimizers that train the model or no model yet, wherever the notebook keeps them."""
        kind, trainable = self.keras.optimizers.Optimizer, set(map(id, self.model.trainable_variables))
        return [
            optimizer
            for optimizer in gc.get_objects()
            if issubclass(type(optimizer), kind)
            and (
                not getattr(optimizer, "built", False)
                or any(id(v) in trainable for v in getattr(optimizer, "_trainable_variables", ()))
            )
        ]

    def outputs(self, inputs: Any, seed: int) -> Any:
        """Return the first output in training mode; the statistics of normalizations stay as they are."""
        before = [variable.numpy() for variable in self.variables]
        self.seed(seed)
        called = lambda *given, **named: self.model(*given, **named, training=True)  # noqa: E731
        output = model_inputs.passed(called, model_inputs.arranged(self.model, inputs))
        for variable, value in zip(self.variables, before):  # noqa: B905 - not in Python 3.9
            variable.assign(value)
        return self.keras.ops.convert_to_numpy(self.keras.tree.flatten(output)[0]).astype("float32")

    noted = _Module.noted

    def seed(self, seed: int) -> None:
        """Seed what a step draws."""
        for draw in self.draws:
            draw.state.assign([seed, 0])
        self.tensorflow.random.set_seed(seed)

    def arguments(self) -> dict[str, Any]:
        """Return the arguments that all steps have in common."""
        optimizers, wanted = self.keras.optimizers, self.request["optimizer"]
        optimizer = getattr(optimizers, wanted["kind"])(**wanted["settings"])
        optimizer.build(self.model.trainable_variables)
        rate = wanted["settings"][wanted["rate"]]
        return {
            "model": self.model,
            "loss": self._loss(),
            "optimizer": optimizer,
            "rate": rate,
            "device": "cpu",
            "epochs": 1,
        }

    def _loss(self) -> Any:
        losses, name, from_logits = self.keras.losses, self.request["loss"]["name"], self.request["loss"]["from_logits"]
        if name == "crossentropy":
            one_hot = self.request["batches"][0][1].ndim > 1 and self.request["batches"][0][1].shape[-1] > 1
            kind = losses.CategoricalCrossentropy if one_hot else losses.SparseCategoricalCrossentropy
            return kind(from_logits=from_logits)
        if name == "binary":
            return losses.BinaryCrossentropy(from_logits=from_logits)
        return losses.MeanSquaredError() if name == "squares" else losses.MeanAbsoluteError()

    def batch(self, inputs: Any, labels: Any) -> dict[str, Any]:
        """Return the arguments that hold a batch."""
        constant = self.tensorflow.constant
        arranged = model_inputs.arranged(self.model, inputs)
        tensors = self.tensorflow.nest.map_structure(lambda array: constant(_single(array)), arranged)
        targets = constant(_single(labels))
        return {"inputs": tensors, "labels": targets, "batch": (tensors, targets)}

    def loader(self, batches: list[Any], seed: int) -> Any:
        """Return a dataset of batches, which seeds what is drawn with each."""
        data, pairs = self.tensorflow.data.Dataset, [self.batch(*batch)["batch"] for batch in batches]
        whole = data.from_tensors(pairs[0])
        for pair in pairs[1:]:
            whole = whole.concatenate(data.from_tensors(pair))

        def seeded(number: Any, pair: Any) -> Any:
            for (
                draw
            ) in self.draws:  # within the graph: Python's code would wait for a compiled loop, which waits for it
                draw.state.assign(self.tensorflow.stack([seed + number, 0]))
            return pair

        in_turn = self.tensorflow.data.Options()
        in_turn.experimental_optimization.inject_prefetch = False  # so that a batch seeds when it is its turn
        return data.zip((data.range(len(pairs)), whole)).map(seeded).with_options(in_turn)

    def weights(self) -> list[Any]:
        """Return the weights as they are now."""
        return [variable.numpy().astype("float32") for variable in self.variables]


def _forget(optimizer: Any) -> None:
    """Give an optimizer's variables the values that they begin with; the learning rate stays."""
    first = float(getattr(optimizer, "initial_accumulator_value", 0.0))
    lasting = {id(getattr(optimizer, "_learning_rate", None)), id(optimizer.iterations)}
    optimizer.iterations.assign(0)
    for variable in optimizer.variables:
        if id(variable) not in lasting:
            variable.assign(1.0 if "u_product" in str(variable.path) else variable.numpy() * 0 + first)


def _single(array: Any) -> Any:
    return array.astype("float32") if array.dtype.kind == "f" else array
