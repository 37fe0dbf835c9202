"""Twelve networks of PyTorch courses in the words of their tasks, as students write them in a cell, right and wrong."""

# fmt: off
from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any

PRELUDE = "import math\nimport torch\nfrom torch import nn\nimport torch.nn.functional as F\n"


@dataclass(frozen=True)
class Written:
    """A task and the cells that answer it; each makes ``model``."""

    words: str
    shapes: list[tuple[int, ...]]
    """The shape of a row of each input."""
    layers: list[str] | None
    """Names of layers in the task's words, for a pattern."""
    reference: str
    right: list[tuple[str, str]]
    wrong: list[tuple[str, str]]


def built(cell: str) -> Any:
    """Return the module that a cell makes."""
    import torch

    space: dict[str, Any] = {}
    torch.manual_seed(0)
    exec(PRELUDE + cell, space)
    return space["model"]


def cls(init: str, forward: str, args: str = "x", extra: str = "") -> str:
    """Return a cell with a class of these two bodies, behind what it needs."""
    first, second = (textwrap.indent(body.strip("\n"), " " * 8) for body in (init, forward))
    return (
        f"{extra}class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n{first}\n\n"
        f"    def forward(self, {args}):\n{second}\n\nmodel = Net()\n"
    )


NETWORKS: dict[str, Written] = {}

# 1 ------------------------------------------------------------------ inverted residual
NETWORKS["inverted residual"] = Written(
    words="Write MobileNetV2's inverted residual for 8 channels: a 1x1 convolution to 24 channels, batch norm, ReLU6; "
    "a depthwise 3x3 convolution (padding 1), batch norm, ReLU6; a 1x1 convolution back to 8 channels and batch norm, "
    "without an activation; the input is added. No convolution has a bias.",
    shapes=[(8, 6, 6)],
    layers=["Conv2d", "BatchNorm2d", "ReLU6", "Conv2d", "BatchNorm2d", "ReLU6", "Conv2d", "BatchNorm2d"],
    reference=cls(
        """
self.block = nn.Sequential(
    nn.Conv2d(8, 24, 1, bias=False), nn.BatchNorm2d(24), nn.ReLU6(),
    nn.Conv2d(24, 24, 3, padding=1, groups=24, bias=False), nn.BatchNorm2d(24), nn.ReLU6(),
    nn.Conv2d(24, 8, 1, bias=False), nn.BatchNorm2d(8))""",
        "return x + self.block(x)",
    ),
    right=[
        ("functional", cls("""
self.project = nn.Conv2d(24, 8, kernel_size=1, bias=False)
self.bn3 = nn.BatchNorm2d(8)
self.depth = nn.Conv2d(24, 24, kernel_size=3, padding='same', groups=24, bias=False)
self.bn2 = nn.BatchNorm2d(24)
self.expand = nn.Conv2d(8, 24, kernel_size=1, bias=False)
self.bn1 = nn.BatchNorm2d(24)""", """
shortcut = x
x = F.relu6(self.bn1(self.expand(x)))
x = F.relu6(self.bn2(self.depth(x)))
x = self.bn3(self.project(x))
x += shortcut
return x""")),
        ("linear over channels", cls("""
self.up = nn.Linear(8, 24, bias=False)
self.n1 = nn.BatchNorm2d(24)
self.mid = nn.Conv2d(24, 24, 3, 1, 1, groups=24, bias=False)
self.n2 = nn.BatchNorm2d(24)
self.down = nn.Linear(24, 8, bias=False)
self.n3 = nn.BatchNorm2d(8)""", """
h = self.up(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
h = self.n1(h).clamp(0, 6)
h = self.n2(self.mid(h)).clamp(0, 6)
h = self.down(h.movedim(1, -1)).movedim(-1, 1)
return self.n3(h) + x""")),
        ("einsum, hardtanh", cls("""
self.w1 = nn.Parameter(torch.randn(24, 8) * 0.3)
self.w2 = nn.Parameter(torch.randn(8, 24) * 0.2)
self.dw = nn.Conv2d(24, 24, 3, padding=1, groups=24, bias=False)
self.bn1, self.bn2, self.bn3 = nn.BatchNorm2d(24), nn.BatchNorm2d(24), nn.BatchNorm2d(8)""", """
h = torch.einsum('oc,nchw->nohw', self.w1, x)
h = F.hardtanh(self.bn1(h), 0.0, 6.0)
h = F.hardtanh(self.bn2(self.dw(h)), 0.0, 6.0)
return x + self.bn3(torch.einsum('nchw,oc->nohw', h, self.w2))""")),
        ("lazy", cls("""
def conv_bn(out, kernel, **more):
    return nn.Sequential(nn.LazyConv2d(out, kernel, bias=False, **more), nn.LazyBatchNorm2d())
self.a = conv_bn(24, 1)
self.b = conv_bn(24, 3, padding=1, groups=24)
self.c = conv_bn(8, 1)
self.act = nn.ReLU6()""", "return torch.add(self.c(self.act(self.b(self.act(self.a(x))))), x)")
         + "model(torch.zeros(2, 8, 6, 6))\n"),
        ("own relu6, shifted depthwise", cls("""
self.expand = nn.Conv2d(8, 24, 1, bias=False)
self.bn1 = nn.BatchNorm2d(24)
self.taps = nn.Parameter(torch.randn(24, 3, 3) * 0.3)
self.bn2 = nn.BatchNorm2d(24)
self.project = nn.Conv2d(24, 8, 1, bias=False)
self.bn3 = nn.BatchNorm2d(8)""", """
relu6 = lambda t: torch.minimum(torch.relu(t), torch.full_like(t, 6.0))
h = F.pad(relu6(self.bn1(self.expand(x))), (1, 1, 1, 1))
rows, cols = x.shape[2], x.shape[3]
total = 0
for i in range(3):
    for j in range(3):
        total = total + h[:, :, i:i + rows, j:j + cols] * self.taps[:, i, j].view(1, -1, 1, 1)
return x + self.bn3(self.project(relu6(self.bn2(total))))""")),
    ],
    wrong=[
        ("no shortcut", cls("""
self.block = nn.Sequential(
    nn.Conv2d(8, 24, 1, bias=False), nn.BatchNorm2d(24), nn.ReLU6(),
    nn.Conv2d(24, 24, 3, padding=1, groups=24, bias=False), nn.BatchNorm2d(24), nn.ReLU6(),
    nn.Conv2d(24, 8, 1, bias=False), nn.BatchNorm2d(8))""", "return self.block(x)")),
        ("plain ReLU", cls("""
self.block = nn.Sequential(
    nn.Conv2d(8, 24, 1, bias=False), nn.BatchNorm2d(24), nn.ReLU(),
    nn.Conv2d(24, 24, 3, padding=1, groups=24, bias=False), nn.BatchNorm2d(24), nn.ReLU(),
    nn.Conv2d(24, 8, 1, bias=False), nn.BatchNorm2d(8))""", "return x + self.block(x)")),
        ("activation at the end", cls("""
self.block = nn.Sequential(
    nn.Conv2d(8, 24, 1, bias=False), nn.BatchNorm2d(24), nn.ReLU6(),
    nn.Conv2d(24, 24, 3, padding=1, groups=24, bias=False), nn.BatchNorm2d(24), nn.ReLU6(),
    nn.Conv2d(24, 8, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU6())""", "return x + self.block(x)")),
    ],
)

# 2 ------------------------------------------------------------------ gated linear unit MLP
NETWORKS["SwiGLU"] = Written(
    words="Write the feed-forward layer of Llama: a value `Linear(10, 32)` and a gate `Linear(10, 32)` of the same input; the "
    "value times SiLU of the gate; `Linear(32, 10)`. All with biases.",
    shapes=[(10,)],
    layers=["Linear", "Linear", "SiLU", "Linear"],
    reference=cls("""
self.value = nn.Linear(10, 32)
self.gate = nn.Linear(10, 32)
self.out = nn.Linear(32, 10)""", "return self.out(self.value(x) * F.silu(self.gate(x)))"),
    right=[
        ("gate first, Sequential", cls("""
self.gate = nn.Sequential(nn.Linear(10, 32), nn.SiLU())
self.up = nn.Linear(10, 32)
self.down = nn.Linear(32, 10)""", "return self.down(self.gate(x) * self.up(x))")),
        ("fused, chunk", cls("""
self.both = nn.Linear(10, 64)
self.out = nn.Linear(32, 10)""", """
gate, value = self.both(x).chunk(2, dim=-1)
return self.out(F.silu(gate) * value)""")),
        ("fused and interleaved", cls("""
self.both = nn.Linear(10, 64)
self.out = nn.Linear(32, 10)""", """
h = self.both(x)
value, gate = h[..., 0::2], h[..., 1::2]
return self.out(value * gate * torch.sigmoid(gate))""")),
        ("own weights, einsum", cls("""
self.v = nn.Parameter(torch.randn(10, 32) / 10 ** 0.5)
self.bv = nn.Parameter(torch.zeros(32))
self.g = nn.Parameter(torch.randn(10, 32) / 10 ** 0.5)
self.bg = nn.Parameter(torch.zeros(32))
self.o = nn.Parameter(torch.randn(32, 10) / 32 ** 0.5)
self.bo = nn.Parameter(torch.zeros(10))""", """
gate = torch.einsum('...i,ij->...j', x, self.g) + self.bg
gate = gate / (1 + torch.exp(-gate))
return (x @ self.v + self.bv) * gate @ self.o + self.bo""")),
        ("convolutions of width 1", cls("""
self.value = nn.Conv1d(10, 32, 1)
self.gate = nn.Conv1d(10, 32, 1)
self.out = nn.Conv1d(32, 10, 1)
self.act = nn.SiLU()""", """
x = x.unsqueeze(-1)
return self.out(self.act(self.gate(x)).mul(self.value(x))).squeeze(-1)""")),
        ("F.glu trick", cls("""
self.value = nn.Linear(10, 32)
self.gate = nn.Linear(10, 32)
self.out = nn.Linear(32, 10)""", """
g = self.gate(x)
return self.out(F.glu(torch.cat([self.value(x) * g, g], dim=-1), dim=-1))""")),
    ],
    wrong=[
        ("sigmoid gate", cls("""
self.value = nn.Linear(10, 32)
self.gate = nn.Linear(10, 32)
self.out = nn.Linear(32, 10)""", "return self.out(self.value(x) * torch.sigmoid(self.gate(x)))")),
        ("SiLU of the product", cls("""
self.value = nn.Linear(10, 32)
self.gate = nn.Linear(10, 32)
self.out = nn.Linear(32, 10)""", "return self.out(F.silu(self.value(x) * self.gate(x)))")),
        ("one branch gates itself", cls("""
self.value = nn.Linear(10, 32)
self.gate = nn.Linear(10, 32)
self.out = nn.Linear(32, 10)""", """
gate = F.silu(self.gate(x))
return self.out(gate * gate + 0 * self.value(x))""")),
    ],
)

# 3 ------------------------------------------------------------------ FiLM
NETWORKS["FiLM"] = Written(
    words="Write a FiLM block: a 3x3 convolution of 6 to 6 channels (padding 1) of the image `x`; from the condition `c` (4 numbers) "
    "a `Linear(4, 6)` makes a scale and a second makes a shift for every channel; scale times features plus shift; ReLU; the image is added.",
    shapes=[(6, 5, 5), (4,)],
    layers=["Conv2d", "Linear", "Linear", "ReLU"],
    reference=cls("""
self.conv = nn.Conv2d(6, 6, 3, padding=1)
self.scale = nn.Linear(4, 6)
self.shift = nn.Linear(4, 6)""", """
h = self.conv(x)
h = self.scale(c)[:, :, None, None] * h + self.shift(c)[:, :, None, None]
return x + F.relu(h)""", "x, c"),
    right=[
        ("fused", cls("""
self.film = nn.Linear(4, 12)
self.conv = nn.Conv2d(6, 6, kernel_size=3, padding='same')
self.relu = nn.ReLU()""", """
gamma, beta = torch.split(self.film(c).unsqueeze(-1).unsqueeze(-1), 6, dim=1)
return self.relu(gamma * self.conv(x) + beta) + x""", "x, c")),
        ("shift first, addcmul", cls("""
self.beta = nn.Linear(4, 6)
self.gamma = nn.Linear(4, 6)
self.conv = nn.Conv2d(6, 6, 3, 1, 1)""", """
b = self.beta(c).view(-1, 6, 1, 1)
g = self.gamma(c).view(-1, 6, 1, 1)
return torch.addcmul(b, g, self.conv(x)).clamp(min=0) + x""", "x, c")),
        ("einsum", cls("""
self.conv = nn.LazyConv2d(6, 3, padding=1)
self.w = nn.Parameter(torch.randn(2, 4, 6) * 0.5)
self.b = nn.Parameter(torch.zeros(2, 6))""", """
gb = torch.einsum('nk,skc->snc', c, self.w) + self.b[:, None]
h = torch.einsum('nchw,nc->nchw', self.conv(x), gb[0]) + gb[1].reshape(len(x), 6, 1, 1)
return x + torch.relu(h)""", "x, c") + "model(torch.zeros(2, 6, 5, 5), torch.zeros(2, 4))\n"),
        ("1x1 convolutions of the condition", cls("""
self.scale = nn.Conv2d(4, 6, 1)
self.shift = nn.Conv2d(4, 6, 1)
self.conv = nn.Conv2d(6, 6, 3, padding=1)""", """
c = c.reshape(c.shape[0], -1, 1, 1)
return F.relu(self.shift(c) + self.conv(x) * self.scale(c)) + x""", "x, c")),
        ("channels last", cls("""
self.conv = nn.Conv2d(6, 6, 3, padding=1)
self.heads = nn.ModuleDict({'scale': nn.Linear(4, 6), 'shift': nn.Linear(4, 6)})""", """
h = self.conv(x).permute(2, 3, 0, 1)
h = h * self.heads['scale'](c) + self.heads['shift'](c)
h = torch.maximum(h, torch.zeros_like(h)).permute(2, 3, 0, 1)
return x + h""", "x, c")),
    ],
    wrong=[
        ("after the ReLU", cls("""
self.conv = nn.Conv2d(6, 6, 3, padding=1)
self.scale = nn.Linear(4, 6)
self.shift = nn.Linear(4, 6)""", """
h = F.relu(self.conv(x))
return x + self.scale(c)[:, :, None, None] * h + self.shift(c)[:, :, None, None]""", "x, c")),
        ("one plus scale", cls("""
self.conv = nn.Conv2d(6, 6, 3, padding=1)
self.scale = nn.Linear(4, 6)
self.shift = nn.Linear(4, 6)""", """
h = (1 + self.scale(c)[:, :, None, None]) * self.conv(x) + self.shift(c)[:, :, None, None]
return x + F.relu(h)""", "x, c")),
        ("before the convolution", cls("""
self.conv = nn.Conv2d(6, 6, 3, padding=1)
self.scale = nn.Linear(4, 6)
self.shift = nn.Linear(4, 6)""", """
h = self.conv(self.scale(c)[:, :, None, None] * x + self.shift(c)[:, :, None, None])
return x + F.relu(h)""", "x, c")),
    ],
)

# 4 ------------------------------------------------------------------ attention pooling
NETWORKS["attention pooling"] = Written(
    words="Write attention pooling for bags of 7 instances with 8 numbers each: the score of an instance is `Linear(8, 5)`, Tanh, "
    "`Linear(5, 1)` without bias; Softmax of the scores over the instances; the weighted sum of the instances; `Linear(8, 3)`.",
    shapes=[(7, 8)],
    layers=["Linear", "Tanh", "Linear", "Softmax", "Linear"],
    reference=cls("""
self.score = nn.Sequential(nn.Linear(8, 5), nn.Tanh(), nn.Linear(5, 1, bias=False))
self.classify = nn.Linear(8, 3)""", """
a = torch.softmax(self.score(x), dim=1)
return self.classify((a * x).sum(dim=1))"""),
    right=[
        ("bmm", cls("""
self.classify = nn.Linear(8, 3)
self.v = nn.Linear(8, 5)
self.w = nn.Linear(5, 1, bias=False)""", """
a = F.softmax(self.w(torch.tanh(self.v(x))).transpose(1, 2), dim=2)
pooled = torch.bmm(a, x).squeeze(1)
return self.classify(pooled)""")),
        ("einsum", cls("""
self.V = nn.Parameter(torch.randn(8, 5) * 0.3)
self.c = nn.Parameter(torch.zeros(5))
self.w = nn.Parameter(torch.randn(5) * 0.3)
self.out = nn.Linear(8, 3)""", """
e = torch.einsum('nid,dk->nik', x, self.V) + self.c
a = torch.einsum('nik,k->ni', e.tanh(), self.w).softmax(-1)
return self.out(torch.einsum('ni,nid->nd', a, x))""")),
        ("convolutions", cls("""
self.score = nn.Sequential(nn.Conv1d(8, 5, 1), nn.Tanh(), nn.Conv1d(5, 1, 1, bias=False))
self.out = nn.LazyLinear(3)""", """
h = x.mT
weights = nn.functional.softmax(self.score(h), dim=-1)
return self.out((h * weights).sum(-1))""") + "model(torch.zeros(1, 7, 8))\n"),
        ("own softmax", cls("""
self.v = nn.Linear(8, 5)
self.w = nn.Linear(5, 1, bias=False)
self.head = nn.Linear(8, 3)""", """
scores = self.w(torch.tanh(self.v(x)))
e = torch.exp(scores - scores.max(dim=1, keepdim=True).values)
return self.head((e * x).sum(1) / e.sum(1))""")),
        ("classify, then weigh", cls("""
self.v = nn.Linear(8, 5)
self.w = nn.Linear(5, 1, bias=False)
self.head = nn.Linear(8, 3)
self.softmax = nn.Softmax(dim=1)""", """
a = self.softmax(self.w(torch.tanh(self.v(x))))
return (a * self.head(x)).sum(dim=1)""")),
        ("tanh by exponentials", cls("""
self.v = nn.Linear(8, 5)
self.w = nn.Linear(5, 1, bias=False)
self.head = nn.Linear(8, 3)""", """
h = self.v(x)
h = 2 * torch.sigmoid(2 * h) - 1
a = self.w(h).squeeze(-1)
a = torch.exp(F.log_softmax(a, dim=-1))
return self.head(torch.matmul(a.unsqueeze(-2), x).flatten(1))""")),
    ],
    wrong=[
        ("softmax over the last axis", cls("""
self.score = nn.Sequential(nn.Linear(8, 5), nn.Tanh(), nn.Linear(5, 1, bias=False))
self.classify = nn.Linear(8, 3)""", """
a = torch.softmax(self.score(x), dim=-1)
return self.classify((a * x).sum(dim=1))""")),
        ("mean of the weighted", cls("""
self.score = nn.Sequential(nn.Linear(8, 5), nn.Tanh(), nn.Linear(5, 1, bias=False))
self.classify = nn.Linear(8, 3)""", """
a = torch.softmax(self.score(x), dim=1)
return self.classify((a * x).mean(dim=1))""")),
    ],
)

# 5 ------------------------------------------------------------------ capsules
NETWORKS["capsules"] = Written(
    words="Write a capsule layer: `Linear(12, 20)`, seen as 4 capsules of 5 numbers; each capsule s is squashed to "
    "|s|^2 / (1 + |s|^2) * s / |s|. Give the four squashed capsules.",
    shapes=[(12,)],
    layers=["Linear"],
    reference=cls("self.lin = nn.Linear(12, 20)", """
s = self.lin(x).view(-1, 4, 5)
n = s.norm(dim=-1, keepdim=True)
return n ** 2 / (1 + n ** 2) * s / n"""),
    right=[
        ("normalize", cls("self.caps = nn.Linear(12, 20)", """
s = self.caps(x).unflatten(-1, (4, 5))
sq = s.pow(2).sum(-1, keepdim=True)
return sq / (1 + sq) * F.normalize(s, dim=-1)""")),
        ("simplified", cls("self.caps = nn.LazyLinear(20)", """
s = self.caps(x).reshape(len(x), 4, 5)
n = torch.linalg.vector_norm(s, dim=2, keepdim=True)
return s * n / (1 + n * n)""") + "model(torch.rand(3, 12))\n"),
        ("four layers", cls("self.caps = nn.ModuleList(nn.Linear(12, 5) for _ in range(4))", """
s = torch.stack([layer(x) for layer in self.caps], dim=1)
sq = torch.einsum('nck,nck->nc', s, s)[..., None]
return (sq / (1 + sq)) * (s / torch.sqrt(sq + 1e-9))""")),
        ("einsum with own weights", cls("""
self.W = nn.Parameter(torch.randn(4, 5, 12) * 0.3)
self.b = nn.Parameter(torch.zeros(4, 5))""", """
s = torch.einsum('cki,ni->nck', self.W, x) + self.b
norm = torch.sqrt((s ** 2).sum(dim=2, keepdim=True))
return (1 - 1 / (1 + norm ** 2)) * s / norm""")),
        ("squash as a function, axis first", cls("self.lin = nn.Linear(12, 20)", """
s = self.lin(x).view(-1, 4, 5).permute(2, 0, 1)
return squash(s, dim=0).permute(1, 2, 0)""", extra="""def squash(s, dim):
    squared = torch.sum(torch.square(s), dim=dim, keepdim=True)
    return squared.sqrt() * s / (1.0 + squared)


""")),
    ],
    wrong=[
        ("norm over the capsules", cls("self.lin = nn.Linear(12, 20)", """
s = self.lin(x).view(-1, 4, 5)
n = s.norm(dim=1, keepdim=True)
return n ** 2 / (1 + n ** 2) * s / n""")),
        ("not squared", cls("self.lin = nn.Linear(12, 20)", """
s = self.lin(x).view(-1, 4, 5)
n = s.norm(dim=-1, keepdim=True)
return n / (1 + n) * s / n""")),
        ("only unit vectors", cls("self.lin = nn.Linear(12, 20)", """
return F.normalize(self.lin(x).view(-1, 4, 5), dim=-1)""")),
    ],
)

# 6 ------------------------------------------------------------------ shuffled groups
SHUFFLED = """
self.conv1 = nn.Conv2d(8, 8, 1, groups=2, bias=False)
self.bn1 = nn.BatchNorm2d(8)
self.depth = nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False)
self.bn2 = nn.BatchNorm2d(8)
self.conv2 = nn.Conv2d(8, 8, 1, groups=2, bias=False)
self.bn3 = nn.BatchNorm2d(8)"""
NETWORKS["ShuffleNet"] = Written(
    words="Write ShuffleNet's unit for 8 channels and 2 groups: a grouped 1x1 convolution, batch norm, ReLU; a channel shuffle (of each "
    "group in turn); a depthwise 3x3 convolution (padding 1), batch norm; a grouped 1x1 convolution, batch norm; the input is added; ReLU. No biases.",
    shapes=[(8, 5, 5)],
    layers=["Conv2d", "BatchNorm2d", "ReLU", "Conv2d", "BatchNorm2d", "Conv2d", "BatchNorm2d", "ReLU"],
    reference=cls(SHUFFLED, """
h = F.relu(self.bn1(self.conv1(x)))
n, c, height, width = h.shape
h = h.view(n, 2, 4, height, width).transpose(1, 2).reshape(n, 8, height, width)
h = self.bn2(self.depth(h))
h = self.bn3(self.conv2(h))
return F.relu(h + x)"""),
    right=[
        ("ChannelShuffle in a Sequential", cls("""
self.body = nn.Sequential(
    nn.Conv2d(8, 8, kernel_size=1, groups=2, bias=False), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.ChannelShuffle(2),
    nn.Conv2d(8, 8, kernel_size=3, padding=1, groups=8, bias=False), nn.BatchNorm2d(8),
    nn.Conv2d(8, 8, kernel_size=1, groups=2, bias=False), nn.BatchNorm2d(8))
self.relu = nn.ReLU(inplace=True)""", "return self.relu(x + self.body(x))")),
        ("shuffle by an index", cls(SHUFFLED, """
h = self.bn1(self.conv1(x)).relu()
h = h[:, [0, 4, 1, 5, 2, 6, 3, 7]]
h = self.bn3(self.conv2(self.bn2(self.depth(h))))
return torch.relu(x + h)""")),
        ("shuffled the other way, which is another order of the units of each group", cls(SHUFFLED, """
h = F.relu(self.bn1(self.conv1(x)))
h = h.unflatten(1, (4, 2)).transpose(1, 2).flatten(1, 2)
h = self.bn2(self.depth(h))
return F.relu(self.bn3(self.conv2(h)) + x)""")),
        ("stack of halves", cls(SHUFFLED, """
h = F.relu(self.bn1(self.conv1(x)))
h = torch.stack(h.chunk(2, dim=1), dim=2).flatten(1, 2)
h = self.bn3(self.conv2(self.bn2(self.depth(h))))
return (h + x).clamp_min(0)""")),
        ("two convolutions for two groups", cls("""
self.left = nn.Conv2d(4, 4, 1, bias=False)
self.right = nn.Conv2d(4, 4, 1, bias=False)
self.bn1 = nn.BatchNorm2d(8)
self.depth = nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False)
self.bn2 = nn.BatchNorm2d(8)
self.left2 = nn.Conv2d(4, 4, 1, bias=False)
self.right2 = nn.Conv2d(4, 4, 1, bias=False)
self.bn3 = nn.BatchNorm2d(8)""", """
h = F.relu(self.bn1(torch.cat([self.left(x[:, :4]), self.right(x[:, 4:])], dim=1)))
h = h.unflatten(1, (2, 4)).transpose(1, 2).flatten(1, 2)
h = self.bn2(self.depth(h))
h = self.bn3(torch.cat([self.left2(h[:, :4]), self.right2(h[:, 4:])], dim=1))
return F.relu(h + x)""")),
        ("einsum for the groups", cls("""
self.w1 = nn.Parameter(torch.randn(2, 4, 4) * 0.5)
self.w2 = nn.Parameter(torch.randn(2, 4, 4) * 0.5)
self.depth = nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False)
self.bn = nn.ModuleList([nn.BatchNorm2d(8) for _ in range(3)])""", """
h = torch.einsum('ngchw,goc->ngohw', x.unflatten(1, (2, 4)), self.w1).flatten(1, 2)
h = torch.relu(self.bn[0](h))
h = F.channel_shuffle(h, 2) if False else torch.cat([h[:, i::4] for i in range(4)], dim=1)
h = self.bn[1](self.depth(h))
h = torch.einsum('goc,ngchw->ngohw', self.w2, h.unflatten(1, (2, 4))).flatten(1, 2)
return F.relu(self.bn[2](h) + x)""")),
    ],
    wrong=[
        ("no shuffle", cls(SHUFFLED, """
h = F.relu(self.bn1(self.conv1(x)))
h = self.bn2(self.depth(h))
return F.relu(self.bn3(self.conv2(h)) + x)""")),
        ("shuffled at the end", cls(SHUFFLED, """
h = F.relu(self.bn1(self.conv1(x)))
h = self.bn3(self.conv2(self.bn2(self.depth(h))))
return F.relu(F.channel_shuffle(h, 2) + x)""")),
        ("ReLU before the sum", cls(SHUFFLED, """
h = F.relu(self.bn1(self.conv1(x)))
n, c, height, width = h.shape
h = h.view(n, 2, 4, height, width).transpose(1, 2).reshape(n, 8, height, width)
h = self.bn2(self.depth(h))
return F.relu(self.bn3(self.conv2(h))) + x""")),
    ],
)

# 7 ------------------------------------------------------------------ window attention
WINDOWS = "self.qkv = nn.Linear(8, 24)\nself.proj = nn.Linear(8, 8)"
IN_WINDOWS = """
n = x.shape[0]
w = x.view(n, 2, 2, 2, 2, 8).permute(0, 1, 3, 2, 4, 5).reshape(n * 4, 4, 8)
q, k, v = self.qkv(w).view(n * 4, 4, 3, 2, 4).permute(2, 0, 3, 1, 4)
a = torch.softmax(q @ k.transpose(-2, -1) / 4 ** 0.5, dim=-1)
o = self.proj((a @ v).transpose(1, 2).reshape(n * 4, 4, 8))
return x + o.view(n, 2, 2, 2, 2, 8).permute(0, 1, 3, 2, 4, 5).reshape(n, 4, 4, 8)"""
NETWORKS["window attention"] = Written(
    words="Write Swin's attention in windows for a 4x4 grid of tokens of 8 numbers (channels last): windows of 2x2 tokens, "
    "self-attention with two heads in each window (query, key, value and output with biases, no mask), the input is added.",
    shapes=[(4, 4, 8)],
    layers=None,
    reference=cls(WINDOWS, IN_WINDOWS),
    right=[
        ("three Linear layers, sdpa", cls("""
self.q, self.k, self.v = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8)
self.o = nn.Linear(8, 8)""", """
B, H, W, C = x.shape
w = x.reshape(B, H // 2, 2, W // 2, 2, C).transpose(2, 3).flatten(3, 4)
heads = lambda t: t.unflatten(-1, (2, 4)).transpose(-3, -2)
y = F.scaled_dot_product_attention(heads(self.q(w)), heads(self.k(w)), heads(self.v(w)))
y = self.o(y.transpose(-3, -2).flatten(-2))
y = y.unflatten(3, (2, 2)).transpose(2, 3).reshape(B, H, W, C)
return y + x""")),
        ("MultiheadAttention", cls("self.att = nn.MultiheadAttention(8, 2, batch_first=True)", """
n = len(x)
w = x.view(n, 2, 2, 2, 2, 8).permute(0, 1, 3, 2, 4, 5).reshape(-1, 4, 8)
w = self.att(w, w, w, need_weights=False)[0]
return x + w.reshape(n, 2, 2, 2, 2, 8).permute(0, 1, 3, 2, 4, 5).reshape(x.shape)""")),
        ("mask over all tokens", cls("""
self.q, self.k, self.v, self.o = (nn.Linear(8, 8) for _ in range(4))
r = torch.arange(16)
window = (r // 4 // 2) * 2 + (r % 4) // 2
self.register_buffer('mask', window[:, None] == window[None, :])""", """
n = x.shape[0]
t = x.reshape(n, 16, 8)
q, k, v = [f(t).view(n, 16, 2, 4).transpose(1, 2) for f in (self.q, self.k, self.v)]
s = (q @ k.mT) / math.sqrt(4)
a = s.masked_fill(~self.mask, float('-inf')).softmax(-1)
return (t + self.o((a @ v).transpose(1, 2).flatten(2))).view(n, 4, 4, 8)""")),
        ("loop over the windows", cls("""
self.qkv = nn.Linear(8, 24)
self.proj = nn.Linear(8, 8)""", """
rows = []
for i in (0, 2):
    row = []
    for j in (0, 2):
        w = x[:, i:i + 2, j:j + 2].reshape(-1, 4, 8)
        q, k, v = self.qkv(w).chunk(3, -1)
        out = []
        for h in (slice(0, 4), slice(4, 8)):
            a = (q[..., h] @ k[..., h].transpose(1, 2) * 0.5).softmax(-1)
            out.append(a @ v[..., h])
        row.append(self.proj(torch.cat(out, -1)).reshape(-1, 2, 2, 8))
    rows.append(torch.cat(row, dim=2))
return x + torch.cat(rows, dim=1)""")),
        ("einsum", cls("""
self.w = nn.Parameter(torch.randn(3, 2, 4, 8) * 0.3)
self.b = nn.Parameter(torch.zeros(3, 2, 1, 4))
self.proj = nn.Linear(8, 8)""", """
g = x.unflatten(1, (2, 2)).unflatten(3, (2, 2))
t = torch.einsum('naibjc,zhdc->nabzhijd', g, self.w).flatten(5, 6) + self.b
q, k, v = t.unbind(3)
a = torch.einsum('nabhpd,nabhqd->nabhpq', q, k).div(2).softmax(-1)
o = torch.einsum('nabhpq,nabhqd->nabphd', a, v).flatten(-2)
o = self.proj(o).unflatten(3, (2, 2)).permute(0, 1, 3, 2, 4, 5).reshape(x.shape)
return o + x""")),
    ],
    wrong=[
        ("all tokens at once", cls(WINDOWS, """
n = x.shape[0]
w = x.view(n, 16, 8)
q, k, v = self.qkv(w).view(n, 16, 3, 2, 4).permute(2, 0, 3, 1, 4)
a = torch.softmax(q @ k.transpose(-2, -1) / 4 ** 0.5, dim=-1)
o = self.proj((a @ v).transpose(1, 2).reshape(n, 16, 8))
return x + o.view(n, 4, 4, 8)""")),
        ("windows are rows", cls(WINDOWS, """
n = x.shape[0]
w = x.reshape(n * 4, 4, 8)
q, k, v = self.qkv(w).view(n * 4, 4, 3, 2, 4).permute(2, 0, 3, 1, 4)
a = torch.softmax(q @ k.transpose(-2, -1) / 4 ** 0.5, dim=-1)
o = self.proj((a @ v).transpose(1, 2).reshape(n * 4, 4, 8))
return x + o.view(n, 4, 4, 8)""")),
        ("scaled by all the channels", cls(WINDOWS, IN_WINDOWS.replace("/ 4 ** 0.5", "/ 8 ** 0.5"))),
        ("one head", cls(WINDOWS, IN_WINDOWS.replace("view(n * 4, 4, 3, 2, 4)", "view(n * 4, 4, 3, 1, 8)").replace("4 ** 0.5", "8 ** 0.5"))),
    ],
)

# 8 ------------------------------------------------------------------ FNet
FOURIER = """
self.norm1 = nn.LayerNorm(8)
self.up = nn.Linear(8, 16)
self.down = nn.Linear(16, 8)
self.norm2 = nn.LayerNorm(8)"""
NETWORKS["FNet"] = Written(
    words="Write an FNet block for 6 tokens of 8 numbers: the real part of the Fourier transform over tokens and features is added to the "
    "input, layer norm; `Linear(8, 16)`, GELU, `Linear(16, 8)` is added, layer norm.",
    shapes=[(6, 8)],
    layers=["LayerNorm", "Linear", "GELU", "Linear", "LayerNorm"],
    reference=cls(FOURIER, """
x = self.norm1(x + torch.fft.fft2(x).real)
return self.norm2(x + self.down(F.gelu(self.up(x))))"""),
    right=[
        ("two transforms", cls("""
self.mlp = nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 8))
self.n1 = nn.LayerNorm(8)
self.n2 = nn.LayerNorm(8)""", """
mixed = torch.real(torch.fft.fft(torch.fft.fft(x, dim=-1), dim=-2))
x = self.n1(mixed + x)
return self.n2(self.mlp(x) + x)""")),
        ("matrices of cosines", cls(FOURIER + """
def dft(n):
    angle = 2 * math.pi * torch.outer(torch.arange(n), torch.arange(n)) / n
    return torch.cos(angle), torch.sin(angle)
for name, n in (('t', 6), ('f', 8)):
    c, s = dft(n)
    self.register_buffer('cos_' + name, c)
    self.register_buffer('sin_' + name, s)""", """
real = self.cos_t @ x @ self.cos_f - self.sin_t @ x @ self.sin_f
x = self.norm1(x + real)
return self.norm2(x + self.down(F.gelu(self.up(x))))""")),
        ("own norm, own GELU", cls("""
self.g1, self.b1 = nn.Parameter(torch.ones(8)), nn.Parameter(torch.zeros(8))
self.g2, self.b2 = nn.Parameter(torch.ones(8)), nn.Parameter(torch.zeros(8))
self.up = nn.Linear(8, 16)
self.down = nn.Linear(16, 8)""", """
x = norm(torch.fft.fftn(x, dim=(1, 2)).real + x, self.g1, self.b1)
h = self.up(x)
h = 0.5 * h * (1 + torch.erf(h / math.sqrt(2)))
return norm(x + self.down(h), self.g2, self.b2)""", extra="""def norm(x, g, b):
    mean = x.mean(-1, keepdim=True)
    var = ((x - mean) ** 2).mean(-1, keepdim=True)
    return g * (x - mean) / torch.sqrt(var + 1e-5) + b


""")),
        ("convolutions, lazy", cls("""
self.up = nn.LazyConv1d(16, 1)
self.down = nn.LazyConv1d(8, 1)
self.norms = nn.ModuleList([nn.LayerNorm(8), nn.LayerNorm(8)])
self.act = nn.GELU()""", """
z = torch.fft.fft2(x, dim=(-2, -1))
x = self.norms[0](x + torch.view_as_real(z)[..., 0])
h = self.down(self.act(self.up(x.transpose(1, 2)))).transpose(1, 2)
return self.norms[1](x + h)""") + "model(torch.zeros(2, 6, 8))\n"),
        ("functional norm, half plane", cls("""
self.w1, self.c1 = nn.Parameter(torch.ones(8)), nn.Parameter(torch.zeros(8))
self.fc = nn.ModuleDict(dict(a=nn.Linear(8, 16), b=nn.Linear(16, 8)))
self.w2, self.c2 = nn.Parameter(torch.ones(8)), nn.Parameter(torch.zeros(8))""", """
f = torch.fft.fft(x, dim=2)
f = torch.fft.fft(f, dim=1)
y = F.layer_norm(x + f.real, (8,), self.w1, self.c1)
y = y + self.fc['b'](F.gelu(self.fc['a'](y)))
return F.layer_norm(y, [8], self.w2, self.c2, 1e-5)""")),
    ],
    wrong=[
        ("only over features", cls(FOURIER, """
x = self.norm1(x + torch.fft.fft(x, dim=-1).real)
return self.norm2(x + self.down(F.gelu(self.up(x))))""")),
        ("absolute value", cls(FOURIER, """
x = self.norm1(x + torch.fft.fft2(x).abs())
return self.norm2(x + self.down(F.gelu(self.up(x))))""")),
        ("norm first", cls(FOURIER, """
x = x + torch.fft.fft2(self.norm1(x)).real
return x + self.down(F.gelu(self.up(self.norm2(x))))""")),
    ],
)

# 9 ------------------------------------------------------------------ gMLP
GATED = """
self.norm = nn.LayerNorm(8)
self.proj_in = nn.Linear(8, 16)
self.sgu_norm = nn.LayerNorm(8)
self.spatial = nn.Linear(6, 6)
self.proj_out = nn.Linear(8, 8)"""
NETWORKS["gMLP"] = Written(
    words="Write a gMLP block for 6 tokens of 8 numbers: layer norm, `Linear(8, 16)`, GELU; split into u and v of 8 numbers; v: layer norm, then a "
    "`Linear(6, 6)` over the tokens; u times v; `Linear(8, 8)`; the input is added.",
    shapes=[(6, 8)],
    layers=["LayerNorm", "Linear", "GELU", "LayerNorm", "Linear", "Linear"],
    reference=cls(GATED, """
u, v = F.gelu(self.proj_in(self.norm(x))).chunk(2, dim=-1)
v = self.spatial(self.sgu_norm(v).transpose(1, 2)).transpose(1, 2)
return x + self.proj_out(u * v)"""),
    right=[
        ("convolution over tokens", cls("""
self.norm = nn.LayerNorm(8)
self.expand = nn.Sequential(nn.Linear(8, 16), nn.GELU())
self.gate_norm = nn.LayerNorm(8)
self.gate = nn.Conv1d(6, 6, 1)
self.out = nn.Linear(8, 8)""", """
h = self.expand(self.norm(x))
u, v = torch.split(h, [8, 8], dim=-1)
return self.out(u * self.gate(self.gate_norm(v))) + x""")),
        ("two Linear layers", cls("""
self.norm = nn.LayerNorm(8)
self.v = nn.Linear(8, 8)
self.u = nn.Linear(8, 8)
self.vnorm = nn.LayerNorm(8)
self.mix = nn.Linear(6, 6)
self.out = nn.Linear(8, 8)
self.act = nn.GELU()""", """
h = self.norm(x)
v = self.vnorm(self.act(self.v(h)))
v = self.mix(v.permute(0, 2, 1)).permute(0, 2, 1)
u = self.act(self.u(h))
return x + self.out(v * u)""")),
        ("matrix over tokens", cls("""
self.norm, self.norm2 = nn.LayerNorm(8), nn.LayerNorm(8)
self.W = nn.Parameter(torch.randn(6, 6) * 0.3)
self.b = nn.Parameter(torch.ones(6, 1))
self.first, self.last = nn.Linear(8, 16), nn.Linear(8, 8)""", """
h = F.gelu(self.first(self.norm(x)))
gate = self.W @ self.norm2(h[..., 8:]) + self.b
return self.last(h[..., :8] * gate) + x""")),
        ("einsum, lazy", cls("""
self.norm = nn.LayerNorm(8)
self.inp = nn.LazyLinear(16)
self.sgu = nn.LayerNorm(8)
self.w = nn.Parameter(torch.randn(6, 6) * 0.3)
self.b = nn.Parameter(torch.ones(6))
self.outp = nn.LazyLinear(8)""", """
z = F.gelu(self.inp(self.norm(x)))
u, v = z[:, :, :8], z[:, :, 8:]
v = torch.einsum('ntc,st->nsc', self.sgu(v), self.w) + self.b.view(1, -1, 1)
return self.outp(torch.mul(u, v)) + x""") + "model(torch.zeros(2, 6, 8))\n"),
        ("v is the first half", cls(GATED, """
v, u = F.gelu(self.proj_in(self.norm(x))).chunk(2, dim=-1)
v = self.spatial(self.sgu_norm(v).mT).mT
return self.proj_out(v * u) + x""")),
    ],
    wrong=[
        ("over the features", cls(GATED.replace("nn.Linear(6, 6)", "nn.Linear(8, 8)"), """
u, v = F.gelu(self.proj_in(self.norm(x))).chunk(2, dim=-1)
v = self.spatial(self.sgu_norm(v))
return x + self.proj_out(u * v)""")),
        ("sum in place of product", cls(GATED, """
u, v = F.gelu(self.proj_in(self.norm(x))).chunk(2, dim=-1)
v = self.spatial(self.sgu_norm(v).transpose(1, 2)).transpose(1, 2)
return x + self.proj_out(u + v)""")),
        ("adds the normed input", cls(GATED, """
x = self.norm(x)
u, v = F.gelu(self.proj_in(x)).chunk(2, dim=-1)
v = self.spatial(self.sgu_norm(v).transpose(1, 2)).transpose(1, 2)
return x + self.proj_out(u * v)""")),
    ],
)

# 10 ----------------------------------------------------------------- hypernetwork
HYPER = """
self.hidden = nn.Linear(3, 16)
self.make = nn.Linear(16, 24)"""
NETWORKS["hypernetwork"] = Written(
    words="Write a hypernetwork: from the task code `z` (3 numbers) `Linear(3, 16)`, ReLU, `Linear(16, 24)` makes for each row the weights (4x5) and the 4 biases "
    "of a linear layer; this layer maps the row's `x` (5 numbers) to 4 numbers.",
    shapes=[(5,), (3,)],
    layers=["Linear", "ReLU", "Linear"],
    reference=cls(HYPER, """
p = self.make(F.relu(self.hidden(z)))
w, b = p[:, :20].view(-1, 4, 5), p[:, 20:]
return torch.bmm(w, x.unsqueeze(-1)).squeeze(-1) + b""", "x, z"),
    right=[
        ("einsum", cls("self.net = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 24))", """
w, b = self.net(z).split([20, 4], dim=1)
return torch.einsum('noi,ni->no', w.reshape(-1, 4, 5), x) + b""", "x, z")),
        ("two heads", cls("""
self.bias = nn.Linear(16, 4)
self.weight = nn.Linear(16, 20)
self.h = nn.Linear(3, 16)""", """
h = self.h(z).relu()
w = self.weight(h).unflatten(1, (4, 5))
return (w * x[:, None, :]).sum(-1) + self.bias(h)""", "x, z")),
        ("weights laid out as 5x4", cls(HYPER, """
p = self.make(torch.relu(self.hidden(z)))
w = p[:, :20].reshape(len(x), 5, 4)
return (x[:, None] @ w)[:, 0] + p[:, 20:]""", "x, z")),
        ("bias first, baddbmm", cls("""
self.a = nn.LazyLinear(16)
self.b = nn.LazyLinear(24)""", """
p = self.b(F.relu(self.a(z)))
return torch.baddbmm(p[:, :4, None], p[:, 4:].view(-1, 4, 5), x[:, :, None]).flatten(1)""", "x, z")
         + "model(torch.zeros(2, 5), torch.zeros(2, 3))\n"),
        ("bias as a sixth column", cls(HYPER, """
p = self.make(F.relu(self.hidden(z))).view(-1, 4, 6)
x1 = torch.cat([x, torch.ones_like(x[:, :1])], dim=1)
return torch.matmul(p, x1.unsqueeze(2)).squeeze(2)""", "x, z")),
        ("bilinear by own weights", cls("""
self.hidden = nn.Linear(3, 16)
self.W = nn.Parameter(torch.randn(4, 5, 16) * 0.2)
self.Wb = nn.Parameter(torch.zeros(4, 5))
self.to_bias = nn.Linear(16, 4)""", """
h = F.relu(self.hidden(z))
y = torch.einsum('oih,nh,ni->no', self.W, h, x)
return y + x @ self.Wb.T + self.to_bias(h)""", "x, z")),
    ],
    wrong=[
        ("no ReLU", cls(HYPER, """
p = self.make(self.hidden(z))
w, b = p[:, :20].view(-1, 4, 5), p[:, 20:]
return torch.bmm(w, x.unsqueeze(-1)).squeeze(-1) + b""", "x, z")),
        ("bias times instead of plus", cls(HYPER, """
p = self.make(F.relu(self.hidden(z)))
w, b = p[:, :20].view(-1, 4, 5), p[:, 20:]
return torch.bmm(w, x.unsqueeze(-1)).squeeze(-1) * b""", "x, z")),
    ],
)

# 11 ----------------------------------------------------------------- LeNet with maxout
MAXOUT = """
self.conv = nn.Conv2d(1, 8, 5)
self.pool = nn.MaxPool2d(2)
self.fc1 = nn.Linear(64, 20)
self.fc2 = nn.Linear(10, 3)"""
NETWORKS["maxout"] = Written(
    words="Write a small LeNet with maxout for 12x12 grey images: a 5x5 convolution to 8 channels, of which every two give their maximum (4 channels stay); 2x2 max pooling; "
    "flatten; `Linear(64, 20)`, of which every two give their maximum (10 stay); `Linear(10, 3)`.",
    shapes=[(1, 12, 12)],
    layers=["Conv2d", "MaxPool2d", "Linear", "Linear"],
    reference=cls(MAXOUT, """
h = self.conv(x)
h = h.view(-1, 4, 2, 8, 8).amax(2)
h = self.pool(h).flatten(1)
h = self.fc1(h).view(-1, 10, 2).amax(2)
return self.fc2(h)"""),
    right=[
        ("halves", cls(MAXOUT, """
a, b = self.conv(x).chunk(2, dim=1)
h = self.pool(torch.maximum(a, b)).flatten(1)
a, b = self.fc1(h).chunk(2, dim=1)
return self.fc2(torch.maximum(a, b))""")),
        ("two layers each", cls("""
self.conv_a = nn.Conv2d(1, 4, 5)
self.conv_b = nn.Conv2d(1, 4, 5)
self.fc_a = nn.Linear(64, 10)
self.fc_b = nn.Linear(64, 10)
self.out = nn.Linear(10, 3)""", """
h = torch.max(self.conv_a(x), self.conv_b(x))
h = F.max_pool2d(h, 2).flatten(1)
return self.out(torch.max(self.fc_a(h), self.fc_b(h)))""")),
        ("stack and max", cls(MAXOUT, """
h = self.conv(x)
h = torch.stack([h[:, 0::2], h[:, 1::2]], dim=-1).max(dim=-1).values
h = torch.flatten(self.pool(h), 1)
h = self.fc1(h)
h = torch.where(h[:, ::2] > h[:, 1::2], h[:, ::2], h[:, 1::2])
return self.fc2(h)""")),
        ("pool over channels", cls(MAXOUT, """
h = F.max_pool3d(self.conv(x), 2)
h = F.max_pool1d(self.fc1(h.reshape(len(x), -1)).unsqueeze(1), 2).squeeze(1)
return self.fc2(h)""")),
        ("pool first, Maxout module", cls("""
self.net = nn.Sequential(
    nn.LazyConv2d(8, 5), nn.MaxPool2d(2), Maxout(2), nn.Flatten(),
    nn.LazyLinear(20), Maxout(2), nn.LazyLinear(3))""", "return self.net(x)", extra="""class Maxout(nn.Module):
    def __init__(self, k):
        super().__init__()
        self.k = k

    def forward(self, x):
        shape = (x.shape[0], x.shape[1] // self.k, self.k) + x.shape[2:]
        return torch.max(x.reshape(shape), dim=2)[0]


""") + "model(torch.zeros(1, 1, 12, 12))\n"),
        ("by ReLU", cls(MAXOUT, """
h = self.conv(x)
a, b = h[:, :4], h[:, 4:]
h = self.pool(a + F.relu(b - a)).flatten(1)
h = self.fc1(h).view(-1, 2, 10).max(dim=1).values
return self.fc2(h)""")),
    ],
    wrong=[
        ("minimum", cls(MAXOUT, """
h = self.conv(x).view(-1, 4, 2, 8, 8).amin(2)
h = self.pool(h).flatten(1)
return self.fc2(self.fc1(h).view(-1, 10, 2).amin(2))""")),
        ("mean of two", cls(MAXOUT, """
h = self.conv(x).view(-1, 4, 2, 8, 8).mean(2)
h = self.pool(h).flatten(1)
return self.fc2(self.fc1(h).view(-1, 10, 2).mean(2))""")),
        ("average pooling", cls(MAXOUT.replace("MaxPool2d", "AvgPool2d"), """
h = self.conv(x).view(-1, 4, 2, 8, 8).amax(2)
h = self.pool(h).flatten(1)
return self.fc2(self.fc1(h).view(-1, 10, 2).amax(2))""")),
        ("half of the channels only", cls(MAXOUT, """
h = self.conv(x)[:, :4].relu()
h = self.pool(h).flatten(1)
return self.fc2(self.fc1(h)[:, :10].relu())""")),
    ],
)

# 12 ----------------------------------------------------------------- weight normalization
CHAINED = "return self.fc2(torch.tanh(self.fc1(x)))"
NORMED = """
self.v1 = nn.Parameter(torch.randn(16, 10) * 0.3)
self.g1 = nn.Parameter(torch.ones(16))
self.b1 = nn.Parameter(torch.zeros(16))
self.v2 = nn.Parameter(torch.randn(3, 16) * 0.3)
self.g2 = nn.Parameter(torch.ones(3))
self.b2 = nn.Parameter(torch.zeros(3))"""
NETWORKS["weight normalization"] = Written(
    words="Write a weight-normed network: `Linear(10, 16)`, Tanh, `Linear(16, 3)`, where each layer's weights are w = g * v / |v|, "
    "the norm over each row (each output unit), with g and v trained.",
    shapes=[(10,)],
    layers=["Linear", "Tanh", "Linear"],
    reference=cls("""
self.fc1 = weight_norm(nn.Linear(10, 16))
self.fc2 = weight_norm(nn.Linear(16, 3))""", CHAINED, extra="from torch.nn.utils.parametrizations import weight_norm\n\n\n"),
    right=[
        ("the older function", cls("""
self.fc1 = nn.utils.weight_norm(nn.Linear(10, 16))
self.fc2 = nn.utils.weight_norm(nn.Linear(16, 3))""", CHAINED)),
        ("own weights", cls(NORMED, """
w1 = self.g1[:, None] * self.v1 / self.v1.norm(dim=1, keepdim=True)
h = torch.tanh(F.linear(x, w1, self.b1))
w2 = self.g2[:, None] * self.v2 / self.v2.norm(dim=1, keepdim=True)
return F.linear(h, w2, self.b2)""")),
        ("norm after the product", cls(NORMED, """
h = self.g1 * (x @ self.v1.T) / self.v1.pow(2).sum(1).sqrt() + self.b1
h = h.tanh()
return self.g2 * (h @ self.v2.T) / torch.linalg.norm(self.v2, dim=1) + self.b2""")),
        ("WNLinear, normalize", cls("self.net = nn.Sequential(WNLinear(10, 16), nn.Tanh(), WNLinear(16, 3))", "return self.net(x)",
            extra="""class WNLinear(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.v = nn.Parameter(torch.randn(inputs, outputs) * 0.3)
        self.g = nn.Parameter(torch.ones(1, outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        return torch.einsum('...i,io->...o', x, F.normalize(self.v, dim=0) * self.g) + self.bias


""")),
        ("a Linear that carries v", cls("""
self.l1, self.l2 = nn.Linear(10, 16), nn.Linear(16, 3)
self.g1, self.g2 = nn.Parameter(torch.ones(16)), nn.Parameter(torch.ones(3))""", """
h = F.linear(x, self.l1.weight) * (self.g1 / self.l1.weight.norm(dim=1)) + self.l1.bias
return F.linear(torch.tanh(h), torch._weight_norm(self.l2.weight, self.g2[:, None], 0), self.l2.bias)""")),
    ],
    wrong=[
        ("one norm for the matrix", cls(NORMED, """
h = torch.tanh(F.linear(x, self.g1[:, None] * self.v1 / self.v1.norm(), self.b1))
return F.linear(h, self.g2[:, None] * self.v2 / self.v2.norm(), self.b2)""")),
        ("norm over columns", cls(NORMED, """
h = torch.tanh(F.linear(x, self.g1[:, None] * self.v1 / self.v1.norm(dim=0), self.b1))
return F.linear(h, self.g2[:, None] * self.v2 / self.v2.norm(dim=0), self.b2)""")),
        ("no division", cls(NORMED, """
h = torch.tanh(F.linear(x, self.g1[:, None] * self.v1, self.b1))
return F.linear(h, self.g2[:, None] * self.v2, self.b2)""")),
        ("squared norm", cls(NORMED, """
h = torch.tanh(F.linear(x, self.g1[:, None] * self.v1 / self.v1.pow(2).sum(1, keepdim=True), self.b1))
return F.linear(h, self.g2[:, None] * self.v2 / self.v2.pow(2).sum(1, keepdim=True), self.b2)""")),
    ],
)
