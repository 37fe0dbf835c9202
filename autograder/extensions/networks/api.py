"""Names of this extension that stay: others build on them, as on :mod:`autograder.api`."""

from autograder.extensions.networks.measuring import Judge, report_outputs
from autograder.extensions.networks.metrics import BadOutput
from autograder.extensions.networks.network import Network

__all__ = ["BadOutput", "Judge", "Network", "report_outputs"]
