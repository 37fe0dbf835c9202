"""PyTorch modules in the examiner: graphs of a closed list of operators, computed and trained again by PyTorch."""

LATE_PARTS = ("torch._dynamo", "torch.export._trace")
"""Modules that a first optimizer and a first export import, in a second or two: templates import them."""
