"""Descriptions of PyTorch's modules in the student's process, where the sandbox shows this folder beside the agent."""

LATE_PARTS = ("torch._dynamo", "torch.export._trace")
"""Modules that a first optimizer and a first export import, in a second or two: before a process is copied for it."""
