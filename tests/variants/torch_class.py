"""An honest class in PyTorch: four assignments, and twenty-five ways or more to write the right answer of each.

Three assignments ask for a network, which is a chain of layers, and one for a training step. A way is a function of a chain,
or the body of a step; all of an assignment do the same, so each must earn what the plain one earns, or wait for a person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from textwrap import indent

from helpers.exams import exam_of

from autograder.records.exam import Exam, Role

IMPORTS = """import copy, functools, io, math
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from autograder import check
torch.set_num_threads(1)
torch.manual_seed(0)
"""


@dataclass(frozen=True)
class TorchTask:
    """What an assignment asks for: a chain of layers, the rows that it is trained on, and its tests."""

    name: str
    data: str
    """The locked cell with imports and rows."""
    tests: tuple[str, ...]
    layers: tuple[str, ...] = ()
    """The chain, as ``nn.Sequential`` takes it."""
    functions: tuple[str, ...] = ()
    """The same as calls on ``x``; a layer with weights is ``self.part<number>``."""
    lazy: tuple[str, ...] = ()
    """The chain with layers that learn their input's size from the first rows."""

    def exam(self, answer: str) -> Exam:
        """The notebook of a student."""
        return exam_of((Role.READ_ONLY, self.data), (Role.ANSWER, answer), *((Role.TEST, test) for test in self.tests))


@dataclass(frozen=True)
class TorchWay:
    """One student of the class."""

    task: TorchTask
    name: str
    answer: str = field(repr=False)

    def __str__(self) -> str:
        return f"{self.task.name}: {self.name}"


# --- networks ---------------------------------------------------------------------------------------------

_ROWS = """
def rows(seed, count):
    draw = np.random.default_rng(seed)
    X = {draw}
    return X, {label}

X_train, y_train = map(torch.as_tensor, rows(0, 240))
"""
_TRAINED = """
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
for epoch in range(30):
    for i in torch.randperm(len(X_train)).split(48):
        optimizer.zero_grad()
        F.cross_entropy(model(X_train[i]), y_train[i]).backward()
        optimizer.step()
"""
_MEASURED = """
X, y = rows(1, 200)
check.loss(model, on=(X, y), below=0.85, from_logits=True, close_calls="exact")
check.accuracy(model, on=(X, y), above=0.65, close_calls="exact")
"""
_AGAIN = """
X, y = rows(1, 200)
check.retrained(model, on=rows(0, 240), holdout=(X, y), epochs=30, batch_size=48, below=0.85, from_logits=True, seeds=1,
                optimizer=torch.optim.Adam([torch.zeros(1)], lr=0.02), close_calls="exact")
"""

TABLE = TorchTask(
    name="table",
    data=IMPORTS
    + _ROWS.format(
        draw='draw.normal(size=(count, 6)).astype("float32")', label="(X[:, 0] > 0.3).astype(int) + (X[:, 1] * X[:, 2] > 0)"
    ),
    layers=("nn.Linear(6, 24)", "nn.ReLU()", "nn.Linear(24, 12)", "nn.ReLU()", "nn.Linear(12, 3)"),
    functions=("self.part0(x)", "F.relu(x)", "self.part2(x)", "torch.relu(x)", "self.part4(x)"),
    lazy=("nn.LazyLinear(24)", "nn.ReLU()", "nn.LazyLinear(12)", "nn.ReLU()", "nn.LazyLinear(3)"),
    tests=(
        'check.architecture(model, [check.layer("Linear", out_features=24), check.layer("ReLU"), check.layer("Linear", out_features=12),\n'
        '                           check.layer("ReLU"), check.layer("Linear", out_features=3)], input_shape=(6,), output_shape=(3,))\n'
        "check.parameters(model, exactly=507)",
        _MEASURED,
        _AGAIN,
    ),
)  # fmt: skip
PICTURE = TorchTask(
    name="picture",
    data=IMPORTS
    + _ROWS.format(
        draw='(draw.normal(size=(count, 1, 8, 8)) + np.arange(count)[:, None, None, None] % 3).astype("float32")',
        label="np.arange(count) % 3",
    ),
    layers=("nn.Conv2d(1, 6, 3)", "nn.ReLU()", "nn.MaxPool2d(2)", "nn.Flatten()", "nn.Linear(54, 3)"),
    functions=("self.part0(x)", "F.relu(x)", "F.max_pool2d(x, 2)", "torch.flatten(x, 1)", "self.part4(x)"),
    lazy=("nn.LazyConv2d(6, 3)", "nn.ReLU()", "nn.MaxPool2d(2)", "nn.Flatten()", "nn.LazyLinear(3)"),
    tests=(
        'check.architecture(model, [check.layer("Conv2d", out_channels=6, kernel_size=3), check.layer("ReLU"), check.layer("MaxPool2d", kernel_size=2),\n'
        '                           check.layer("Flatten"), check.layer("Linear", out_features=3)], input_shape=(1, 8, 8), output_shape=(3,))\n'
        "check.parameters(model, exactly=225)",
        _MEASURED,
        _AGAIN,
    ),
)  # fmt: skip
WORDS = TorchTask(
    name="words",
    data=IMPORTS
    + _ROWS.format(draw="draw.integers(1, 12, (count, 6))", label="(X[:, -1] > 4).astype(int) + (X[:, -1] > 8)"),
    layers=("nn.Embedding(12, 8)", "Last()", "nn.Linear(10, 3)"),
    functions=("self.part0(x)", "self.part1(x)[1][0]", "self.part2(x)"),
    tests=(
        'check.architecture(model, [check.layer("Embedding", num_embeddings=12, embedding_dim=8), check.layer("GRU", hidden_size=10),\n'
        '                           ..., check.layer("Linear", out_features=3)], input_shape=(6,), output_shape=(3,))\n'
        "check.parameters(model, exactly=96 + 600 + 33)",
        _MEASURED,
        _AGAIN,
    ),
)  # fmt: skip
_LAST = """class Last(nn.Module):
    \"\"\"The last state of a recurrent layer.\"\"\"
    def __init__(self):
        super().__init__()
        self.loop = nn.GRU(8, 10, batch_first=True)
    def forward(self, x):
        return self.loop(x)[1][0]

"""
CHAINS = (TABLE, PICTURE, WORDS)


def _class(body: str, forward: str, name: str = "Net", base: str = "nn.Module", made: str = "model = Net()\n") -> str:
    return (
        f"class {name}({base}):\n    def __init__(self):\n        super().__init__()\n{indent(body, ' ' * 8)}"
        f"    def forward(self, x):\n{indent(forward, ' ' * 8)}\n{made}"
    )


def _attributes(t: TorchTask) -> str:
    """Layers as attributes part0, part1, …."""
    return "".join(f"self.part{i} = {layer}\n" for i, layer in enumerate(t.layers))


def _calls(t: TorchTask) -> str:
    return "".join(f"x = self.part{i}(x)\n" for i in range(len(t.layers))) + "return x\n"


def sequential(t: TorchTask) -> str:
    return f"model = nn.Sequential({', '.join(t.layers)})\n"


def ordered_dict(t: TorchTask) -> str:
    pairs = ", ".join(f"('layer{i}', {layer})" for i, layer in enumerate(t.layers))
    return f"from collections import OrderedDict\nmodel = nn.Sequential(OrderedDict([{pairs}]))\n"


def added(t: TorchTask) -> str:
    return "model = nn.Sequential()\n" + "".join(f"model.append({layer})\n" for layer in t.layers)


def add_module(t: TorchTask) -> str:
    return "model = nn.Sequential()\n" + "".join(
        f"model.add_module('l{i}', {layer})\n" for i, layer in enumerate(t.layers)
    )


def a_class(t: TorchTask) -> str:
    return _class(_attributes(t), _calls(t))


def a_class_with_functions(t: TorchTask) -> str:
    weighted = "".join(
        f"self.part{i} = {'nn.GRU(8, 10, batch_first=True)' if layer == 'Last()' else layer}\n"
        for i, layer in enumerate(t.layers)
        if f"self.part{i}" in t.functions[i]
    )
    return _class(weighted, "".join(f"x = {call}\n" for call in t.functions) + "return x\n")


def activations_in_place(t: TorchTask) -> str:
    return sequential(t).replace("nn.ReLU()", "nn.ReLU(inplace=True)")


def methods_in_place(t: TorchTask) -> str:
    return a_class_with_functions(t).replace("F.relu(x)", "x.relu_()").replace("torch.relu(x)", "F.relu_(x)")


def clamped(t: TorchTask) -> str:
    return a_class_with_functions(t).replace("F.relu(x)", "x.clamp(min=0)").replace("torch.relu(x)", "x.clip(min=0)")


def module_list(t: TorchTask) -> str:
    return _class(
        f"self.layers = nn.ModuleList([{', '.join(t.layers)}])\n",
        "for layer in self.layers:\n    x = layer(x)\nreturn x\n",
    )


def module_dict(t: TorchTask) -> str:
    pairs = ", ".join(f"'l{i}': {layer}" for i, layer in enumerate(t.layers))
    return _class(
        f"self.layers = nn.ModuleDict({{{pairs}}})\n",
        "for layer in self.layers.values():\n    x = layer(x)\nreturn x\n",
    )


def reduced(t: TorchTask) -> str:
    return _class(
        f"self.layers = nn.ModuleList([{', '.join(t.layers)}])\n",
        "return functools.reduce(lambda h, layer: layer(h), self.layers, x)\n",
    )


def nested(t: TorchTask) -> str:
    return f"body = nn.Sequential({', '.join(t.layers[:-1])})\nmodel = nn.Sequential(body, nn.Sequential({t.layers[-1]}))\n"


def body_and_head(t: TorchTask) -> str:
    body = _class(_attributes(t).rsplit("self.part", 1)[0], _calls(t).replace(f"x = self.part{len(t.layers) - 1}(x)\n", ""), "Body", made="")  # fmt: skip
    return body + _class(f"self.body, self.head = Body(), {t.layers[-1]}\n", "return self.head(self.body(x))\n")


def own_sequential(t: TorchTask) -> str:
    return (
        "class Net(nn.Sequential):\n    def __init__(self):\n        super().__init__(\n"
        + indent(", ".join(t.layers), " " * 12)
        + "\n        )\n\nmodel = Net()\n"
    )


def forward_hook(t: TorchTask) -> str:
    return (
        sequential(t)
        + "seen = []\nfor layer in model:\n    layer.register_forward_hook(lambda layer, given, out: seen.append(tuple(out.shape)))\n"
    )


def hook_of_gradients(t: TorchTask) -> str:
    return (
        sequential(t)
        + "norms = []\nfor parameter in model.parameters():\n    parameter.register_hook(lambda g: norms.append(float(g.norm())))\n"
    )


def lazy_layers(t: TorchTask) -> str:
    return f"model = nn.Sequential({', '.join(t.lazy or t.layers)})\nmodel(X_train[:2])\n"


def helper_function(t: TorchTask) -> str:
    return f"def make(layers):\n    return nn.Sequential(*layers)\n\nmodel = make([{', '.join(t.layers)}])\n"


def helper_file(t: TorchTask) -> str:
    parts = ", ".join(t.layers)
    return (
        "from pathlib import Path\n"
        f'Path("my_network.py").write_text("""import torch\nfrom torch import nn\n\n{_LAST.replace(chr(34) * 3, "#")}\n'
        f'def network():\n    return nn.Sequential({parts})\n""")\n'
        "import importlib, sys\nsys.path.insert(0, '')\nsys.modules.pop('my_network', None)\nimportlib.invalidate_caches()\n"
        "from my_network import network\nmodel = network()\n"
    )


def settings_as_dataclass(t: TorchTask) -> str:
    return (
        "from dataclasses import dataclass\n\n@dataclass\nclass Settings:\n    classes: int = 3\n    rate: float = 0.0\n\n"
        + _class(_attributes(t), _calls(t)).replace("__init__(self)", "__init__(self, settings: Settings = Settings())")
    )


def counting_calls(t: TorchTask) -> str:
    return _class("self.calls = 0\n" + _attributes(t), "self.calls += 1\n" + _calls(t))


def more_arguments(t: TorchTask) -> str:
    return a_class(t).replace(
        "forward(self, x):", "forward(self, x: torch.Tensor, verbose: bool = False, **more) -> torch.Tensor:"
    )


def own_initialization(t: TorchTask) -> str:
    return sequential(t) + (
        "def start(layer):\n    if isinstance(layer, nn.Linear):\n        nn.init.xavier_uniform_(layer.weight)\n"
        "        nn.init.zeros_(layer.bias)\n\nmodel.apply(start)\n"
    )


def on_a_device(t: TorchTask) -> str:
    return (
        "device = 'cuda' if torch.cuda.is_available() else 'cpu'\n"
        + sequential(t)
        + "model = model.to(device)\nX_train, y_train = X_train.to(device), y_train.to(device)\n"
    )


def an_identity(t: TorchTask) -> str:
    return sequential(t).replace("nn.Sequential(", "nn.Sequential(nn.Identity(), ")


def compiled(t: TorchTask) -> str:
    return sequential(t) + "model = torch.compile(model, backend='eager')\n"


def a_step_printed(t: TorchTask) -> str:
    return _class(
        _attributes(t), "if not self.training and x.dim() > 9:\n    print(x.shape)\n" + _calls(t)
    )  # left over from a search for a fault


AFTERWARDS: dict[str, str] = {
    "state saved and loaded": "torch.save(model.state_dict(), 'w.pt')\nmodel.load_state_dict(torch.load('w.pt'))\n",
    "the best copy kept": "best = copy.deepcopy(model.state_dict())\nmodel.load_state_dict(best)\n",
    "evaluation mode": "model.eval()\n",
    "training mode": "model.train()\n",
    "in parallel": "model = nn.DataParallel(model)\n",
    "scripted": "model = torch.jit.script(model)\n",
    "gradients switched off": "model.requires_grad_(False)\nmodel.requires_grad_(True)\n",
}
"""What stands after the training."""

NETWORK_WAYS: tuple[Callable[[TorchTask], str], ...] = (
    sequential, ordered_dict, added, add_module, a_class, a_class_with_functions, activations_in_place, methods_in_place,
    clamped, module_list, module_dict, reduced, nested, body_and_head, own_sequential, forward_hook, hook_of_gradients,
    lazy_layers, helper_function, helper_file, settings_as_dataclass, counting_calls, more_arguments, own_initialization,
    on_a_device, an_identity, compiled, a_step_printed,
)  # fmt: skip


def _network_ways() -> list[TorchWay]:
    ways = []
    for task in CHAINS:
        before = _LAST if task is WORDS else ""
        ways += [
            TorchWay(task, write.__name__.replace("_", " "), before + write(task) + _TRAINED) for write in NETWORK_WAYS
        ]
        ways += [
            TorchWay(task, name, before + sequential(task) + _TRAINED + after) for name, after in AFTERWARDS.items()
        ]
    return ways


# --- a training step ------------------------------------------------------------------------------------------

STEP = TorchTask(
    name="step",
    data=IMPORTS
    + _ROWS.format(draw='draw.normal(size=(count, 6)).astype("float32")', label="draw.integers(0, 3, count)")
    + "torch.manual_seed(0)\nmodel = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 3))\n"
    "loss_fn = nn.CrossEntropyLoss()\n",
    tests=(
        'check.training_step(step, model, (X_train, y_train), from_logits=True, optimizer="adam")',
        "check.training_step(step, model, (X_train, y_train), from_logits=True, optimizer=torch.optim.SGD([torch.zeros(1)], lr=0.1, momentum=0.9))",
    ),
)
_ARGUMENTS = "model, x, y, loss_fn, optimizer"


def _step(body: str, arguments: str = _ARGUMENTS, before: str = "") -> str:
    return f"{before}def step({arguments}):\n{indent(body, '    ')}\n"


_PLAIN = "optimizer.zero_grad()\nloss = loss_fn(model(x), y)\nloss.backward()\noptimizer.step()\n"
STEPS: dict[str, str] = {
    "plain": _step(_PLAIN),
    "returns the loss": _step(_PLAIN + "return loss.item()\n"),
    "cleared at the end": _step("loss = loss_fn(model(x), y)\nloss.backward()\noptimizer.step()\noptimizer.zero_grad()\n"),
    "cleared by the model": _step(_PLAIN.replace("optimizer.zero_grad()", "model.zero_grad()")),
    "set to None": _step(_PLAIN.replace("zero_grad()", "zero_grad(set_to_none=True)")),
    "set to zeros": _step(_PLAIN.replace("zero_grad()", "zero_grad(set_to_none=False)")),
    "cleared one by one": _step("for p in model.parameters():\n    p.grad = None\n" + _PLAIN.replace("optimizer.zero_grad()\n", "")),
    "a function of torch": _step(_PLAIN.replace("loss_fn(model(x), y)", "F.cross_entropy(model(x), y)")),
    "log softmax": _step(_PLAIN.replace("loss_fn(model(x), y)", "F.nll_loss(F.log_softmax(model(x), dim=1), y)")),
    "by hand": _step(_PLAIN.replace("loss_fn(model(x), y)", "-model(x).log_softmax(1)[torch.arange(len(y)), y].mean()")),
    "one-hot labels": _step(_PLAIN.replace("loss_fn(model(x), y)", "loss_fn(model(x), F.one_hot(y, 3).float())")),
    "training mode": _step("model.train()\n" + _PLAIN),
    "a closure": _step("def closure():\n    optimizer.zero_grad()\n    loss = loss_fn(model(x), y)\n    loss.backward()\n    return loss\n\noptimizer.step(closure)\n"),
    "autograd.grad": _step("grads = torch.autograd.grad(loss_fn(model(x), y), list(model.parameters()))\nfor p, g in zip(model.parameters(), grads):\n    p.grad = g\noptimizer.step()\n"),
    "gradients enabled": _step("with torch.enable_grad():\n" + indent(_PLAIN, "    ")),
    "gradients clipped high": _step(_PLAIN.replace("optimizer.step()", "nn.utils.clip_grad_norm_(model.parameters(), 1e6)\noptimizer.step()")),
    "other names": _step("opt.zero_grad()\nout = net(inputs)\ncost = criterion(out, targets)\ncost.backward()\nopt.step()\nreturn float(cost)\n", "net, inputs, targets, criterion, opt"),
    "a batch as a pair": _step("x, y = batch\n" + _PLAIN, "model, batch, loss_fn, optimizer"),
    "more arguments": _step(_PLAIN, _ARGUMENTS + ", device='cpu', clip=None"),
    "to the device": _step("x, y = x.to(device), y.to(device)\n" + _PLAIN, _ARGUMENTS + ", device"),
    "a loader": _step("for x, y in loader:\n" + indent(_PLAIN, "    "), "model, loader, loss_fn, optimizer"),
    "a loader with numbers": _step("total = 0\nfor i, (x, y) in enumerate(loader):\n" + indent(_PLAIN, "    ") + "    total += loss.item()\nreturn total / (i + 1)\n", "model, loader, loss_fn, optimizer"),
    "an iterator of a loader": _step("batches = iter(loader)\nwhile True:\n    try:\n        x, y = next(batches)\n    except StopIteration:\n        break\n" + indent(_PLAIN, "    "), "model, loader, loss_fn, optimizer"),
    "one batch of a loader": _step("x, y = next(iter(loader))\n" + _PLAIN, "model, loader, loss_fn, optimizer"),
    "one batch of an iterator that is kept": _step("x, y = next(loader)\n" + _PLAIN, "model, loader, loss_fn, optimizer"),
    "autocast": _step("optimizer.zero_grad()\nwith torch.autocast('cpu', dtype=torch.bfloat16):\n    loss = loss_fn(model(x), y)\nloss.backward()\noptimizer.step()\n"),
    "a scaler that is off": _step("scaler = torch.amp.GradScaler('cpu', enabled=False)\noptimizer.zero_grad()\nscaler.scale(loss_fn(model(x), y)).backward()\nscaler.step(optimizer)\nscaler.update()\n"),
    "gradients clipped to a norm": _step(_PLAIN.replace("optimizer.step()", "nn.utils.clip_grad_norm_(model.parameters(), 0.05)\noptimizer.step()")),
    "gradients clipped to values": _step(_PLAIN.replace("optimizer.step()", "nn.utils.clip_grad_value_(model.parameters(), 0.01)\noptimizer.step()")),
    "a warm-up": _step("global calls\ncalls += 1\nfor group in optimizer.param_groups:\n    group['lr'] = 0.001 * min(1, calls / 10)\n" + _PLAIN, before="calls = 0\n"),
    "a step for two batches": _step("global calls\ncalls += 1\n(loss_fn(model(x), y) / 2).backward()\nif calls % 2 == 0:\n    optimizer.step()\n    optimizer.zero_grad()\n", before="calls = 0\n"),
    "a step for four batches": _step("global calls\ncalls += 1\n(loss_fn(model(x), y) / 4).backward()\nif calls % 4 == 0:\n    optimizer.step()\n    optimizer.zero_grad()\n", before="calls = 0\n"),
    "an accuracy in training mode": _step(_PLAIN + "return (model(x).argmax(1) == y).float().mean().item()\n"),
    "a penalty on the weights": _step(_PLAIN.replace("loss_fn(model(x), y)", "loss_fn(model(x), y) + 1e-3 * sum(p.square().sum() for p in model.parameters())")),
    "a rate that is lowered by hand": _step(_PLAIN + "for group in optimizer.param_groups:\n    group['lr'] *= 0.5\n"),
    "a schedule": _step(_PLAIN + "schedule.step()\n", before="schedule = torch.optim.lr_scheduler.ConstantLR(torch.optim.SGD(model.parameters(), lr=0.1), factor=1.0)\n"),
    "two halves": _step("optimizer.zero_grad()\nout = model(x)\nhalf = len(x) // 2\n((loss_fn(out[:half], y[:half]) * half + loss_fn(out[half:], y[half:]) * (len(x) - half)) / len(x)).backward()\noptimizer.step()\n"),
    "a class": "class Trainer:\n    def __call__(self, model, x, y, loss_fn, optimizer):\n" + indent(_PLAIN, "        ") + "\nstep = Trainer()\n",
    "a method": "class Trainer:\n    def step(self, model, x, y, loss_fn, optimizer):\n" + indent(_PLAIN, "        ") + "\nstep = Trainer().step\n",
    "a decorator": "def counted(f):\n    @functools.wraps(f)\n    def inner(*args, **more):\n        inner.count += 1\n        return f(*args, **more)\n    inner.count = 0\n    return inner\n\n@counted\n" + _step(_PLAIN),
}  # fmt: skip

WAYS: tuple[TorchWay, ...] = (*_network_ways(), *(TorchWay(STEP, name, answer) for name, answer in STEPS.items()))
"""The whole class."""
