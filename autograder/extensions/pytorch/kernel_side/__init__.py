"""What describes PyTorch's modules in the student's process, where the sandbox shows this folder beside the agent."""

from .torch_model import claim as claim
