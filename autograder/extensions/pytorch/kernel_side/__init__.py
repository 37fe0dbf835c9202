"""What describes PyTorch's modules in the student's process, where the sandbox shows this folder beside the agent."""

from __future__ import annotations

from typing import Any

LATE_PARTS = ("torch._dynamo", "torch.export._trace")
"""Modules that a first optimizer and a first export import, in a second or two: before a process is copied for it."""


def __getattr__(name: str) -> Any:
    """Import ``claim`` where it is used: every kernel has this folder, and few have a module to describe."""
    if name == "claim":
        from .torch_model import claim

        return claim
    raise AttributeError(name)
