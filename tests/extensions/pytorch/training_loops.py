"""Training steps as students write them with PyTorch: honest ones in twenty ways, and slips."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from typing import Any

import numpy as np

DRAW = np.random.default_rng(0)
TABLE = DRAW.normal(size=(64, 6)).astype("float32")
PICTURES = DRAW.normal(size=(64, 1, 8, 8)).astype("float32")
TOKENS = DRAW.integers(0, 12, (64, 7))
CLASSES = DRAW.integers(0, 3, 64)
NUMBERS = DRAW.normal(size=64).astype("float32")

HEAD = """
import torch
import torch.nn.functional as F
from torch import nn
torch.manual_seed(0)

class Words(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.loop, self.out = nn.Embedding(12, 6), nn.LSTM(6, 5, batch_first=True), nn.Linear(5, 3)
    def forward(self, x):
        return self.out(self.loop(self.words(x))[0][:, -1])
"""


@dataclass(frozen=True)
class Network:
    """A network with rows and labels for its training."""

    source: str
    rows: Any
    labels: Any
    has: frozenset[str]
    """``classes`` or ``numbers``, and ``statistics`` or ``dropout``."""

    @property
    def loss(self) -> dict[str, Any]:
        """The arguments of the check that name the loss."""
        return {"loss": "mse"} if "numbers" in self.has else {"from_logits": True}


NETWORKS = {
    "chain": Network(
        "nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))", TABLE, CLASSES, frozenset(["classes"])
    ),
    "normalized": Network(
        "nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 3))",
        TABLE,
        CLASSES,
        frozenset(["classes", "statistics", "dropout"]),
    ),
    "convolutions": Network(
        "nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 3))",
        PICTURES,
        CLASSES,
        frozenset(["classes", "statistics"]),
    ),
    "regression": Network(
        "nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 1))", TABLE, NUMBERS, frozenset(["numbers"])
    ),
    "words": Network("Words()", TOKENS, CLASSES, frozenset(["classes"])),
}


def step(body: str, parameters: str = "model, x, y, loss_fn, optimizer") -> str:
    return f"def step({parameters}):\n" + textwrap.indent(textwrap.dedent(body).strip(), "    ")


PLAIN = """
optimizer.zero_grad()
loss = loss_fn(OUT, y)
loss.backward()
optimizer.step()
"""
HONEST = {
    "plain": step(PLAIN),
    "cleared at the end": step("loss = loss_fn(OUT, y)\nloss.backward()\noptimizer.step()\noptimizer.zero_grad()\nreturn loss.item()"),
    "cleared by the model": step("loss = loss_fn(OUT, y)\nmodel.zero_grad()\nloss.backward()\noptimizer.step()"),
    "cleared to zeros": step(PLAIN.replace("zero_grad()", "zero_grad(set_to_none=False)")),
    "cleared by hand": step("for p in model.parameters():\n    p.grad = None\n" + PLAIN.split("\n", 2)[2]),
    "a batch": step("x, y = batch\n" + PLAIN, "model, batch, loss_fn, optimizer"),
    "an epoch of a loader": step(
        "model.train()\ntotal = 0.0\nfor x, y in train_loader:\n" + textwrap.indent(PLAIN, "    ") + "    total += loss.item() * len(x)\nreturn total / len(train_loader.dataset)",
        "model, train_loader, criterion=None, optimizer=None, device='cpu', epochs=1",
    ).replace("loss_fn", "criterion"),
    "global names": step(PLAIN, "x, y"),
    "an optimizer of its own": step("opt = torch.optim.SGD(model.parameters(), lr=0.1)\n" + PLAIN.replace("optimizer", "opt"), "model, x, y, loss_fn"),
    "by hand": step("""
        loss_fn(OUT_INPUTS, targets).backward()
        with torch.no_grad():
            for p in model.parameters():
                if p.grad is not None:
                    p -= 0.1 * p.grad
                    p.grad = None
        """, "model, inputs, targets, loss_fn"),
    "autograd.grad": step("""
        params = [p for p in model.parameters() if p.requires_grad]
        grads = torch.autograd.grad(loss_fn(OUT, y), params)
        with torch.no_grad():
            for p, g in zip(params, grads):
                p.sub_(lr * g)
        """, "model, x, y, loss_fn, lr"),
    "a closure": step("""
        def closure():
            optimizer.zero_grad()
            loss = loss_fn(OUT, y)
            loss.backward()
            return loss
        return optimizer.step(closure)
        """),
    "functional loss": step(PLAIN.replace("loss_fn(OUT, y)", "LOSS(OUT_X, Y)"), "model, X, Y, optimizer"),
    "own formula": step(PLAIN.replace("loss_fn(OUT, y)", "OWN(OUT_X_BATCH, y_batch)").replace("optimizer", "opt"), "model, x_batch, y_batch, opt"),
    "accuracy beside it": step(PLAIN + "\nwith torch.no_grad():\n    right = (OUT.detach().argmax(-1) == y).sum().item()\n".replace("OUT", "pred") + "return right").replace("loss_fn(OUT", "loss_fn((pred := OUT)"),
    "train mode inside": step("model.train()\n" + PLAIN + "\nmodel.train()"),
    "hooks": step("seen = []\nhandle = model.register_forward_hook(lambda m, i, o: seen.append(o))\n" + PLAIN + "\nhandle.remove()"),
    "gradients norm": step(PLAIN.replace("optimizer.step()", "norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1e6)\noptimizer.step()")),
    "a class": "class Trainer:\n    def __init__(self):\n        self.optimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n        self.loss_fn = LOSS\n"
    + textwrap.indent(step(PLAIN.replace("optimizer", "self.optimizer").replace("loss_fn", "self.loss_fn"), "self, x, y"), "    ")
    + "\nstep = Trainer().step",
    "keywords only": step(PLAIN, "*, model, x, y, loss_fn, optimizer, verbose=False"),
    "annotated": step(PLAIN.replace("OUT, y", "OUT_IMAGES, labels"), "model: nn.Module, images: torch.Tensor, labels: torch.Tensor, loss_fn, optimizer: torch.optim.Optimizer"),
    "two halves": step("""
        optimizer.zero_grad()
        half = len(x) // 2
        (LOSS(model(x[:half])SQUEEZE, y[:half]) / 2).backward()
        (LOSS(model(x[half:])SQUEEZE, y[half:]) / 2).backward()
        optimizer.step()
        """),
}  # fmt: skip
DEPENDS_ON_BATCH = ("two halves",)
"""Honest ways that are other steps for a network with statistics or dropout."""


@dataclass(frozen=True)
class Slip:
    """A step with a slip."""

    source: str
    says: str
    """A word of the message."""
    needs: str = ""
    """What a network needs to have, so that the slip matters."""
    lacks: str = ""
    """What a network must not have."""
    optimizer: str = "sgd"


SLIPS = {
    "no zero_grad": Slip(step("loss_fn(OUT, y).backward()\noptimizer.step()"), "added"),
    "no step": Slip(step("optimizer.zero_grad()\nloss_fn(OUT, y).backward()"), "no weight changes"),
    "cleared before the step": Slip(step("loss_fn(OUT, y).backward()\noptimizer.zero_grad()\noptimizer.step()"), "no weight changes"),
    "another model": Slip(step("other = nn.Linear(2, 2)\noptimizer = torch.optim.SGD(other.parameters(), lr=0.1)\n" + PLAIN, "model, x, y, loss_fn"), "no weight changes"),
    "step before backward": Slip(step("loss = loss_fn(OUT, y)\noptimizer.step()\noptimizer.zero_grad()\nloss.backward()"), "raises RuntimeError"),
    "softmax before": Slip(step(PLAIN.replace("OUT", "torch.softmax(OUT, dim=1)")), "softmax", "classes"),
    "softmax along the batch": Slip(step(PLAIN.replace("OUT", "torch.softmax(OUT, dim=0)")), "along the batch", "classes"),
    "sum": Slip(step(PLAIN.replace("loss_fn(OUT, y)", "loss_fn(OUT, y) * len(x)")), "sum over the batch"),
    "divided twice": Slip(step(PLAIN.replace("loss_fn(OUT, y)", "loss_fn(OUT, y) / len(x)")), "divided by the number of rows twice"),
    "evaluation mode": Slip(step("model.eval()\n" + PLAIN), "evaluation mode", "statistics"),
    "evaluation mode for dropout": Slip(step("model.eval()\n" + PLAIN), "evaluation mode", "dropout"),
    "evaluation mode later": Slip(step(PLAIN + "\nmodel.eval()\nwith torch.no_grad():\n    OUT"), "stays in evaluation mode", "statistics"),
    "uphill": Slip(step(PLAIN.replace("loss_fn(OUT, y)", "-loss_fn(OUT, y)")), "uphill"),
    "two backward passes": Slip(step(PLAIN.replace("loss.backward()", "loss.backward(retain_graph=True)\nloss.backward()")), "count twice"),
    "two steps": Slip(step("for _ in range(2):\n    torch.manual_seed(torch.initial_seed())\n" + textwrap.indent(PLAIN, "    ")), "two steps"),
    "one row": Slip(step("x, y = x[:1], y[:1]\n" + PLAIN), "first row", lacks="statistics"),
    "half a batch": Slip(step("x, y = x[: len(x) // 2], y[: len(x) // 2]\n" + PLAIN), "half of the batch"),
    "the first batch again": Slip("kept = []\n" + step("kept.append((x, y))\nx, y = kept[0]\n" + PLAIN), "first batch again"),
    "labels of other rows": Slip(step("y = y.roll(-1)\n" + PLAIN), "other rows"),
    "a larger rate": Slip(step("optimizer = torch.optim.SGD(model.parameters(), lr=0.3)\n" + PLAIN, "model, x, y, loss_fn"), "another length"),
    "Adam": Slip(step("optimizer = global_adam\n" + PLAIN, "model, x, y, loss_fn") + "\nglobal_adam = torch.optim.Adam(model.parameters(), lr=0.1)", "is Adam"),
    "a momentum": Slip(step("optimizer = with_momentum\n" + PLAIN, "model, x, y, loss_fn") + "\nwith_momentum = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)", "has a momentum"),
    "a new Adam in each step": Slip(step("optimizer = torch.optim.Adam(model.parameters(), lr=0.001)\n" + PLAIN, "model, x, y, loss_fn"), "new optimizer", optimizer="adam"),
    "the last layer alone": Slip(step("last = list(model.children())[-1]\noptimizer = torch.optim.SGD(last.parameters(), lr=0.1)\n" + PLAIN, "model, x, y, loss_fn"), "stay as they are"),
    "a layer forgotten": Slip(step("first = list(model.children())[0]\nfor p in first.parameters():\n    p.requires_grad_(False)\ntry:\n" + textwrap.indent(PLAIN, "    ") + "finally:\n    for p in first.parameters():\n        p.requires_grad_(True)"), "stay as they are"),
    "shapes that broadcast": Slip(step(PLAIN.replace("OUT", "model(x)")), "(n, 1)", "numbers"),
    "squared error of classes": Slip(step(PLAIN.replace("loss_fn(OUT, y)", "F.mse_loss(OUT, F.one_hot(y, 3).float())")), "squared error", "classes"),
    "absolute error": Slip(step(PLAIN.replace("loss_fn(OUT, y)", "F.l1_loss(OUT, y)")), "absolute error", "numbers"),
    "unknown": Slip(step(PLAIN.replace("loss_fn(OUT, y)", "loss_fn(OUT, y) ** 2")), ""),
}  # fmt: skip


def source(loop: str, network: Network) -> str:
    """The notebook's code: the network, an optimizer and a loss, and a step."""
    numbers = "numbers" in network.has
    head = f"{HEAD}\nmodel = {network.source}\noptimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n"
    functions = (
        "LOSS = F.mse_loss\nOWN = lambda p, t: ((p - t) ** 2).mean()\n"
        if numbers
        else (
            "LOSS = F.cross_entropy\nOWN = lambda s, t: (torch.logsumexp(s, 1) - s.gather(1, t[:, None])[:, 0]).mean()\n"
        )
    )
    squeeze = ".squeeze(1)" if numbers else ""
    loop = re.sub(r"OUT_([A-Z_]+)", lambda name: f"model({'X' if name[1] == 'X' else name[1].lower()}){squeeze}", loop)
    loop = loop.replace("OUT", f"model(x){squeeze}").replace("SQUEEZE", squeeze)
    return f"{head}loss_fn = {'nn.MSELoss' if numbers else 'nn.CrossEntropyLoss'}()\n{functions}{loop}\n"


@dataclass(frozen=True)
class MoreThanAsked:
    """An honest step that does more than the test asked for."""

    source: str
    says: str
    """A word of what a person reads."""
    needs: str = ""
    """What a network needs to have, so that the step is another one."""
    optimizer: str = "sgd"


_COUNTED = "calls = 0\ndef step(model, x, y, loss_fn, optimizer):\n    global calls\n    calls += 1\n"


def counted(body: str) -> str:
    """A step that counts its calls."""
    return _COUNTED + textwrap.indent(body.strip(), "    ")


def before_the_step(line: str) -> str:
    """The plain step with a line between the gradients and the step."""
    return step(PLAIN.replace("optimizer.step()", f"{line}\noptimizer.step()"))


_FACTOR = "for group in optimizer.param_groups:\n    group.setdefault('first', group['lr'])\n    group['lr'] = group['first'] * "
_ACCUMULATED = (
    "(loss_fn(OUT, y)SHARE).backward()\nif calls % COUNT == 0:\n    optimizer.step()\n    optimizer.zero_grad()"
)
_BY_HAND = """
speeds = None
def step(model, x, y, loss_fn):
    global speeds
    speeds = speeds or [torch.full_like(p, 0.1) for p in model.parameters()]
    gradients = torch.autograd.grad(loss_fn(OUT, y), list(model.parameters()))
    with torch.no_grad():
        for p, speed, gradient in zip(model.parameters(), speeds, gradients):
            speed.mul_(0.9).add_(gradient)
            p.sub_(0.05 * speed)
"""
_AUTOCAST = "with torch.autocast('cpu', dtype=torch.bfloat16):\n    loss = loss_fn(OUT, y)"
MORE_THAN_ASKED = {
    "clipped to a norm": MoreThanAsked(before_the_step("nn.utils.clip_grad_norm_(model.parameters(), 0.05)"), "clipped to the norm 0.05"),
    "clipped to values": MoreThanAsked(before_the_step("nn.utils.clip_grad_value_(model.parameters(), 0.01)"), "clipped to values of at most 0.01"),
    "clipped one by one": MoreThanAsked(before_the_step("for p in model.parameters():\n    nn.utils.clip_grad_norm_(p, 0.05)"), "0.05, those of each array"),
    "a warm-up": MoreThanAsked(counted(f"{_FACTOR} min(1, calls / 10)\n{PLAIN}"), "0.1 and 0.2 times the learning rate"),
    "a rate that falls": MoreThanAsked(counted(f"{_FACTOR} 0.9 ** calls\n{PLAIN}"), "0.9 and 0.81 times the learning rate"),
    "a warm-up and a norm": MoreThanAsked(counted(f"{_FACTOR} calls / 10\n" + PLAIN.replace("optimizer.step()", "nn.utils.clip_grad_norm_(model.parameters(), 0.1)\noptimizer.step()")), ""),
    "gradients of two batches": MoreThanAsked(counted(_ACCUMULATED.replace("SHARE", " / 2").replace("COUNT", "2")), "0.5 times their sum"),
    "gradients of two batches, added": MoreThanAsked(counted(_ACCUMULATED.replace("SHARE", "").replace("COUNT", "2")), "1 times their sum"),
    "gradients of three batches": MoreThanAsked(counted(_ACCUMULATED.replace("SHARE", " / 3").replace("COUNT", "3")), "when they are taken again"),
    "an accuracy in training mode": MoreThanAsked(step(PLAIN + "\nreturn (OUT.argmax(-1) == y).float().mean()"), "move again after the step", "statistics"),
    "a second pass": MoreThanAsked(step("OUT\ntorch.manual_seed(torch.initial_seed())\n" + PLAIN), "move twice", "statistics"),
    "a penalty": MoreThanAsked(step(PLAIN.replace("loss_fn(OUT, y)", "loss_fn(OUT, y) + 0.005 * sum((p ** 2).sum() for p in model.parameters())")), "a weight decay of 0.01"),
    "a penalty on matrices": MoreThanAsked(step(PLAIN.replace("loss_fn(OUT, y)", "loss_fn(OUT, y) + 0.005 * sum((p ** 2).sum() for p in model.parameters() if p.ndim > 1)")), "but for those of one axis"),
    "noise of its own": MoreThanAsked(before_the_step("for p in model.parameters():\n    p.grad += 0.01 * torch.randn_like(p)"), ""),
    "a momentum by hand": MoreThanAsked(_BY_HAND, "when they are taken again", optimizer="momentum"),
    "16 bits": MoreThanAsked(step(PLAIN.replace("loss = loss_fn(OUT, y)", _AUTOCAST)), "16 bits"),
    "16 bits and a norm": MoreThanAsked(step(PLAIN.replace("loss = loss_fn(OUT, y)", _AUTOCAST).replace("optimizer.step()", "nn.utils.clip_grad_norm_(model.parameters(), 0.05)\noptimizer.step()")), "16 bits"),
}  # fmt: skip
