"""Thirty-two networks of deep-learning courses as students write them, with rows that each takes.

Everything here imports PyTorch when a function is called: a machine without it collects the tests that use these.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

DRAW = np.random.default_rng(0)
TABLE = DRAW.normal(size=(12, 8)).astype("float32")
GRAY = DRAW.normal(size=(12, 1, 28, 28)).astype("float32")
COLOR = DRAW.normal(size=(12, 3, 32, 32)).astype("float32")
SERIES = DRAW.normal(size=(12, 10, 6)).astype("float32")
SIGNAL = DRAW.normal(size=(12, 1, 32)).astype("float32")
TOKENS = DRAW.integers(0, 40, (12, 16))
PAIRS = DRAW.integers(0, 20, (12, 2))
NOISE = DRAW.normal(size=(12, 16)).astype("float32")
NODES = DRAW.normal(size=(12, 6, 5)).astype("float32")


@dataclass(frozen=True)
class Network:
    """A network of a course."""

    build: Callable[[], Any]
    """Makes the module, with the weights that PyTorch draws for it."""
    rows: Any
    """An array with rows first, or a list of them."""
    loss: str = ""
    """The loss of its training, in the words of ``check.loss``; empty for a network without labels."""
    classes: int = 0
    """How many classes its outputs have."""


def networks() -> dict[str, Network]:
    """Name → the network."""
    return {**_of_tables(), **_of_pictures(), **_of_sequences(), **_of_attention(), **_of_other_data()}


def _classes(build: Callable[[], Any], rows: Any, classes: int) -> Network:
    return Network(build, rows, "categorical_crossentropy", classes)


def _of_tables() -> dict[str, Network]:
    import torch
    import torch.nn.functional as F
    from torch import nn

    class Mlp(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc1, self.bn, self.fc2 = nn.Linear(8, 32), nn.BatchNorm1d(32), nn.Linear(32, 16)
            self.ln, self.drop, self.out = nn.LayerNorm(16), nn.Dropout(0.3), nn.Linear(16, 3)

        def forward(self, x: Any) -> Any:
            x = F.relu(self.bn(self.fc1(x)))
            x = self.drop(F.gelu(self.ln(self.fc2(x))))
            return self.out(x)

    class Vae(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.hidden, self.mu, self.logvar = nn.Linear(8, 16), nn.Linear(16, 2), nn.Linear(16, 2)
            self.decoder = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 8))

        def forward(self, x: Any) -> Any:
            h = F.relu(self.hidden(x))
            mu, logvar = self.mu(h), self.logvar(h)
            z = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar) if self.training else mu
            return self.decoder(z), mu, logvar

    class TwoInputs(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table, self.other = nn.Linear(8, 8), nn.Linear(16, 8)
            self.head = nn.Sequential(nn.ReLU(), nn.Linear(16, 3))

        def forward(self, a: Any, b: Any) -> Any:
            return self.head(torch.cat([self.table(a), self.other(b)], dim=1))

    class Siamese(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tower = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4))

        def forward(self, a: Any, b: Any) -> Any:
            return torch.sigmoid(-F.pairwise_distance(self.tower(a), self.tower(b), keepdim=True))

    class Experts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gate = nn.Linear(8, 4)
            self.experts = nn.ModuleList([nn.Linear(8, 3) for _ in range(4)])

        def forward(self, x: Any) -> Any:
            weights = F.softmax(self.gate(x), dim=-1)
            outputs = torch.stack([expert(x) for expert in self.experts], dim=1)
            return (weights.unsqueeze(-1) * outputs).sum(dim=1)

    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.randn(8, 3) * 0.1)
            self.bias = nn.Parameter(torch.zeros(3))
            self.register_buffer("scale", torch.full((3,), 0.5))

        def forward(self, x: Any) -> Any:
            return (x @ self.weight + self.bias) * self.scale

    return {
        "softmax regression": _classes(lambda: nn.Sequential(nn.Linear(8, 3)), TABLE, 3),
        "MLP with dropout and normalizations": _classes(Mlp, TABLE, 3),
        "VAE": Network(Vae, TABLE),
        "two inputs": _classes(TwoInputs, [TABLE, NOISE], 3),
        "Siamese": Network(Siamese, [TABLE, TABLE[::-1].copy()], "binary_crossentropy", 1),
        "mixture of experts": _classes(Experts, TABLE, 3),
        "own parameters": _classes(Own, TABLE, 3),
    }


def _of_pictures() -> dict[str, Network]:
    import torch
    import torch.nn.functional as F
    from torch import nn

    class LeNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.conv2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
            self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

        def forward(self, x: Any) -> Any:
            x = F.avg_pool2d(torch.sigmoid(self.conv1(x)), 2)
            x = F.avg_pool2d(torch.sigmoid(self.conv2(x)), 2)
            x = x.view(x.size(0), -1)
            return self.fc3(torch.sigmoid(self.fc2(torch.sigmoid(self.fc1(x)))))

    def vgg() -> Any:
        layers: list[Any] = []
        channels = 3
        for width in (8, 16, 32):
            for _ in range(2):
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
                channels = width
            layers += [nn.MaxPool2d(2, 2), nn.Dropout(0.25)]
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(32 * 4 * 4, 64), nn.ReLU(inplace=True), nn.Linear(64, 10))

    def strided() -> Any:
        return nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.LeakyReLU(0.1),
            nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.LeakyReLU(0.1),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10),
        )  # fmt: skip

    class Block(nn.Module):
        def __init__(self, before: int, width: int, stride: int) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(before, width, 3, stride, 1, bias=False)
            self.bn1, self.bn2 = nn.BatchNorm2d(width), nn.BatchNorm2d(width)
            self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
            self.downsample = None
            if stride != 1 or before != width:
                self.downsample = nn.Sequential(nn.Conv2d(before, width, 1, stride, bias=False), nn.BatchNorm2d(width))

        def forward(self, x: Any) -> Any:
            identity = x if self.downsample is None else self.downsample(x)
            out = F.relu(self.bn1(self.conv1(x)), inplace=True)
            out = self.bn2(self.conv2(out))
            out += identity
            return F.relu(out)

    class ResNet18(nn.Module):
        def __init__(self, width: int = 8) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
            self.bn1, self.pool = nn.BatchNorm2d(width), nn.MaxPool2d(3, 2, 1)
            sizes = [width, width, 2 * width, 4 * width, 8 * width]
            blocks = []
            for number in range(4):
                stride = 1 if number == 0 else 2
                blocks += [
                    Block(sizes[number], sizes[number + 1], stride),
                    Block(sizes[number + 1], sizes[number + 1], 1),
                ]
            self.blocks = nn.Sequential(*blocks)
            self.avgpool, self.fc = nn.AdaptiveAvgPool2d((1, 1)), nn.Linear(8 * width, 10)

        def forward(self, x: Any) -> Any:
            x = self.pool(F.relu(self.bn1(self.conv1(x))))
            x = self.avgpool(self.blocks(x))
            return self.fc(torch.flatten(x, 1))

    def depthwise() -> Any:
        def separable(before: int, after: int) -> Any:
            return nn.Sequential(
                nn.Conv2d(before, before, 3, padding=1, groups=before, bias=False), nn.BatchNorm2d(before), nn.ReLU6(),
                nn.Conv2d(before, after, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU6(),
            )  # fmt: skip

        return nn.Sequential(
            separable(3, 8), nn.MaxPool2d(2), separable(8, 16), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10)
        )

    class UNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.down1, self.down2, self.bottom = self.double(3, 8), self.double(8, 16), self.double(16, 32)
            self.up2, self.up1 = nn.ConvTranspose2d(32, 16, 2, stride=2), nn.ConvTranspose2d(16, 8, 2, stride=2)
            self.join2, self.join1, self.out = self.double(32, 16), self.double(16, 8), nn.Conv2d(8, 1, 1)

        @staticmethod
        def double(before: int, after: int) -> Any:
            return nn.Sequential(
                nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), nn.Conv2d(after, after, 3, padding=1), nn.ReLU()
            )

        def forward(self, x: Any) -> Any:
            one = self.down1(x)
            two = self.down2(F.max_pool2d(one, 2))
            x = self.bottom(F.max_pool2d(two, 2))
            x = self.join2(torch.cat([self.up2(x), two], dim=1))
            x = self.join1(torch.cat([self.up1(x), one], dim=1))
            return torch.sigmoid(self.out(x))

    class Generator(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.main = nn.Sequential(
                nn.ConvTranspose2d(16, 32, 4, 1, 0, bias=False), nn.BatchNorm2d(32), nn.ReLU(True),
                nn.ConvTranspose2d(32, 16, 4, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(True),
                nn.ConvTranspose2d(16, 3, 4, 2, 1, bias=False), nn.Tanh(),
            )  # fmt: skip

        def forward(self, z: Any) -> Any:
            return self.main(z.view(-1, 16, 1, 1))

    class Autoencoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = nn.Sequential(
                nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 14 * 14, 16)
            )
            self.decoder = nn.Sequential(
                nn.Linear(16, 8 * 14 * 14), nn.ReLU(), nn.Unflatten(1, (8, 14, 14)),
                nn.Upsample(scale_factor=2, mode="nearest"), nn.Conv2d(8, 1, 3, padding=1), nn.Sigmoid(),
            )  # fmt: skip

        def forward(self, x: Any) -> Any:
            return self.decoder(self.encoder(x))

    class SpatialTransformer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.localization = nn.Sequential(
                nn.Conv2d(1, 4, 7), nn.MaxPool2d(2, 2), nn.ReLU(True), nn.Flatten(), nn.Linear(4 * 11 * 11, 6)
            )
            self.localization[-1].weight.data.mul_(0.01)
            self.localization[-1].bias.data.copy_(torch.tensor([1, 0, 0, 0, 1, 0], dtype=torch.float))
            self.out = nn.Linear(784, 10)

        def forward(self, x: Any) -> Any:
            theta = self.localization(x).view(-1, 2, 3)
            grid = F.affine_grid(theta, x.size(), align_corners=False)
            return self.out(F.grid_sample(x, grid, align_corners=False).flatten(1))

    return {
        "LeNet": _classes(LeNet, GRAY, 10),
        "VGG": _classes(vgg, COLOR, 10),
        "strided with a global pool": _classes(strided, COLOR, 10),
        "ResNet-18": _classes(ResNet18, COLOR, 10),
        "depthwise": _classes(depthwise, COLOR, 10),
        "U-Net": Network(UNet, COLOR),
        "DCGAN generator": Network(Generator, NOISE),
        "dense and convolutional autoencoder": Network(Autoencoder, GRAY),
        "spatial transformer": _classes(SpatialTransformer, GRAY, 10),
    }


def _of_sequences() -> dict[str, Network]:
    import torch
    import torch.nn.functional as F
    from torch import nn

    class MeanOfEmbeddings(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding, self.fc = nn.Embedding(40, 8, padding_idx=0), nn.Linear(8, 2)

        def forward(self, text: Any) -> Any:
            return self.fc(self.embedding(text).mean(dim=1))

    class Bag(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding, self.fc = nn.EmbeddingBag(40, 8), nn.Linear(8, 2)

        def forward(self, text: Any) -> Any:
            return self.fc(self.embedding(text))

    class LstmAndGru(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.gru, self.fc = nn.LSTM(6, 8, num_layers=2, batch_first=True), nn.GRU(8, 5), nn.Linear(5, 3)

        def forward(self, x: Any) -> Any:
            out, _ = self.lstm(x)
            _, last = self.gru(out.transpose(0, 1))
            return self.fc(last[-1])

    class Bidirectional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(40, 8)
            self.lstm = nn.LSTM(8, 6, batch_first=True, bidirectional=True)
            self.fc = nn.Linear(12, 2)

        def forward(self, x: Any) -> Any:
            _, (hidden, _) = self.lstm(self.embedding(x))
            return self.fc(torch.cat((hidden[-2], hidden[-1]), dim=1))

    class Rnn(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.fc = nn.RNN(6, 8, batch_first=True), nn.Linear(8, 3)

        def forward(self, x: Any) -> Any:
            h0 = torch.zeros(1, x.size(0), 8)
            out, _ = self.rnn(x, h0)
            return self.fc(out[:, -1, :])

    class Cells(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell, self.fc = nn.LSTMCell(6, 8), nn.Linear(8, 3)

        def forward(self, x: Any) -> Any:
            h = x.new_zeros(x.size(0), 8)
            c = torch.zeros_like(h)
            for t in range(x.size(1)):
                h, c = self.cell(x[:, t], (h, c))
            return self.fc(h)

    class TextCnn(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(40, 8)
            self.convs = nn.ModuleList([nn.Conv1d(8, 6, size) for size in (2, 3, 4)])
            self.fc = nn.Linear(18, 2)

        def forward(self, x: Any) -> Any:
            x = self.embedding(x).permute(0, 2, 1)
            pooled = [F.relu(conv(x)).max(dim=2)[0] for conv in self.convs]
            return self.fc(F.dropout(torch.cat(pooled, dim=1), 0.5, training=self.training))

    class UShaped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.down = nn.Conv1d(1, 8, 4, stride=2, padding=1)
            self.bottom, self.out = nn.Conv1d(8, 8, 3, padding=1), nn.Conv1d(9, 1, 3, padding=1)

        def forward(self, x: Any) -> Any:
            deep = torch.tanh(self.bottom(F.relu(self.down(x))))
            deep = F.interpolate(deep, scale_factor=2, mode="linear", align_corners=False)
            return self.out(torch.cat([x, deep], dim=1))

    return {
        "mean of embeddings": _classes(MeanOfEmbeddings, TOKENS, 2),
        "EmbeddingBag": _classes(Bag, TOKENS, 2),
        "LSTM and GRU": _classes(LstmAndGru, SERIES, 3),
        "bidirectional LSTM": _classes(Bidirectional, TOKENS, 2),
        "nn.RNN": _classes(Rnn, SERIES, 3),
        "cells in a loop": _classes(Cells, SERIES, 3),
        "TextCNN": _classes(TextCnn, TOKENS, 2),
        "U-shaped 1-D": Network(UShaped, SIGNAL),
    }


def _of_attention() -> dict[str, Network]:
    import torch
    import torch.nn.functional as F
    from torch import nn

    class ByHand(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.q, self.k, self.v, self.fc = nn.Linear(6, 8), nn.Linear(6, 8), nn.Linear(6, 8), nn.Linear(8, 3)

        def forward(self, x: Any) -> Any:
            scores = self.q(x) @ self.k(x).transpose(-2, -1) / math.sqrt(8)
            return self.fc((torch.softmax(scores, dim=-1) @ self.v(x)).mean(dim=1))

    class Multihead(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention, self.norm, self.fc = (
                nn.MultiheadAttention(6, 2, batch_first=True),
                nn.LayerNorm(6),
                nn.Linear(6, 3),
            )

        def forward(self, x: Any) -> Any:
            attended, _ = self.attention(x, x, x)
            return self.fc(self.norm(x + attended)[:, 0])

    class Encoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding, self.places = nn.Embedding(40, 8), nn.Embedding(16, 8)
            layer = nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, dropout=0.1, batch_first=True)
            self.encoder, self.fc = nn.TransformerEncoder(layer, num_layers=2), nn.Linear(8, 2)

        def forward(self, x: Any) -> Any:
            places = torch.arange(x.size(1), device=x.device)
            return self.fc(self.encoder(self.embedding(x) + self.places(places)).mean(dim=1))

    class CausalSelfAttention(nn.Module):
        def __init__(self, width: int, heads: int, length: int) -> None:
            super().__init__()
            self.c_attn, self.c_proj, self.heads = nn.Linear(width, 3 * width), nn.Linear(width, width), heads
            self.attn_dropout, self.resid_dropout = nn.Dropout(0.1), nn.Dropout(0.1)
            self.register_buffer("mask", torch.tril(torch.ones(length, length)).view(1, 1, length, length))

        def forward(self, x: Any) -> Any:
            B, T, C = x.size()
            q, k, v = self.c_attn(x).split(C, dim=2)
            q, k, v = (part.view(B, T, self.heads, C // self.heads).transpose(1, 2) for part in (q, k, v))
            att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
            att = att.masked_fill(self.mask[:, :, :T, :T] == 0, float("-inf"))
            att = self.attn_dropout(F.softmax(att, dim=-1))
            y = (att @ v).transpose(1, 2).contiguous().view(B, T, C)
            return self.resid_dropout(self.c_proj(y))

    class GptBlock(nn.Module):
        def __init__(self, width: int, heads: int, length: int) -> None:
            super().__init__()
            self.ln_1, self.attn, self.ln_2 = (
                nn.LayerNorm(width),
                CausalSelfAttention(width, heads, length),
                nn.LayerNorm(width),
            )
            self.mlp = nn.Sequential(
                nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width), nn.Dropout(0.1)
            )

        def forward(self, x: Any) -> Any:
            x = x + self.attn(self.ln_1(x))
            return x + self.mlp(self.ln_2(x))

    class NanoGpt(nn.Module):
        def __init__(self, vocabulary: int = 40, width: int = 16, heads: int = 2, length: int = 16) -> None:
            super().__init__()
            self.wte, self.wpe, self.drop = (
                nn.Embedding(vocabulary, width),
                nn.Embedding(length, width),
                nn.Dropout(0.1),
            )
            self.blocks = nn.ModuleList([GptBlock(width, heads, length) for _ in range(2)])
            self.ln_f, self.lm_head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)
            self.wte.weight = self.lm_head.weight

        def forward(self, idx: Any, targets: Any = None) -> Any:
            _, t = idx.size()
            x = self.drop(self.wte(idx) + self.wpe(torch.arange(0, t, dtype=torch.long, device=idx.device)))
            for block in self.blocks:
                x = block(x)
            logits = self.lm_head(self.ln_f(x))
            loss = None
            if targets is not None:
                loss = F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1))
            return logits, loss

    class Vit(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.patches = nn.Conv2d(3, 16, 8, stride=8)
            self.cls, self.places = nn.Parameter(torch.zeros(1, 1, 16)), nn.Parameter(torch.randn(1, 17, 16) * 0.02)
            layer = nn.TransformerEncoderLayer(16, 4, 32, 0.1, activation="gelu", batch_first=True, norm_first=True)
            self.encoder, self.norm, self.head = (
                nn.TransformerEncoder(layer, 2, enable_nested_tensor=False),
                nn.LayerNorm(16),
                nn.Linear(16, 10),
            )

        def forward(self, x: Any) -> Any:
            x = self.patches(x).flatten(2).transpose(1, 2)
            x = torch.cat([self.cls.expand(x.shape[0], -1, -1), x], dim=1) + self.places
            return self.head(self.norm(self.encoder(x))[:, 0])

    class Llama(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding, self.norm = nn.Embedding(40, 16), nn.RMSNorm(16)
            self.qkv, self.out = nn.Linear(16, 48, bias=False), nn.Linear(16, 40, bias=False)
            frequencies = 1.0 / 10_000 ** (torch.arange(0, 8, 2).float() / 8)
            angles = torch.outer(torch.arange(16).float(), frequencies)
            self.register_buffer("cos", torch.cat([angles, angles], -1).cos(), persistent=False)
            self.register_buffer("sin", torch.cat([angles, angles], -1).sin(), persistent=False)

        def turned(self, x: Any) -> Any:
            first, second = x.chunk(2, dim=-1)
            return x * self.cos + torch.cat((-second, first), dim=-1) * self.sin

        def forward(self, idx: Any) -> Any:
            x = self.embedding(idx)
            q, k, v = self.qkv(self.norm(x)).view(*x.shape[:2], 3, 2, 8).unbind(2)
            q, k = (self.turned(part.transpose(1, 2)) for part in (q, k))
            scores = torch.einsum("bhqd,bhkd->bhqk", q, k) / 8**0.5
            mask = torch.triu(torch.ones(16, 16, dtype=torch.bool), diagonal=1)
            weights = scores.masked_fill(mask, float("-inf")).softmax(-1)
            y = torch.einsum("bhqk,bkhd->bqhd", weights, v).reshape(x.shape)
            return self.out(x + y)

    return {
        "attention by hand": _classes(ByHand, SERIES, 3),
        "MultiheadAttention": _classes(Multihead, SERIES, 3),
        "TransformerEncoderLayer": _classes(Encoder, TOKENS, 2),
        "nanoGPT": Network(NanoGpt, TOKENS),
        "ViT": _classes(Vit, COLOR, 10),
        "einsum with RoPE and RMSNorm": Network(Llama, TOKENS),
    }


def _of_other_data() -> dict[str, Network]:
    import torch
    from torch import nn

    class GraphConvolution(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            adjacency = torch.eye(6) + torch.diag(torch.ones(5), 1) + torch.diag(torch.ones(5), -1)
            self.register_buffer("adjacency", adjacency / adjacency.sum(1, keepdim=True))
            self.first, self.second = nn.Linear(5, 8), nn.Linear(8, 3)

        def forward(self, x: Any) -> Any:
            x = torch.relu(self.adjacency @ self.first(x))
            return (self.adjacency @ self.second(x)).mean(dim=1)

    class MatrixFactorization(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.users, self.films = nn.Embedding(20, 4), nn.Embedding(20, 4)
            self.user_bias, self.film_bias = nn.Embedding(20, 1), nn.Embedding(20, 1)

        def forward(self, pairs: Any) -> Any:
            user, film = pairs[:, 0], pairs[:, 1]
            product = (self.users(user) * self.films(film)).sum(dim=1, keepdim=True)
            return product + self.user_bias(user) + self.film_bias(film)

    return {
        "graph convolution": _classes(GraphConvolution, NODES, 3),
        "matrix factorization": Network(MatrixFactorization, PAIRS, "mean_squared_error", 1),
    }
