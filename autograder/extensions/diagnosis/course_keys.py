"""Keys of course.yaml: whether models are diagnosed, how long that may take, and where the lessons on it are."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from autograder.course.extension_keys import ExtensionKey, Refusal
from autograder.extensions.diagnosis.budget import DEFAULT_SECONDS

KINDS = {
    "output": "The output does not fit the loss",
    "loss": "The loss does not fit the task",
    "linear": "Layers without an activation",
    "rate": "The learning rate",
    "scale": "Inputs that are not scaled",
    "dropout": "Too much dropout",
    "vanishing": "Vanishing gradients",
    "dead": "Dead units",
    "overfit": "Learned by heart",
    "epochs": "Stopped too soon",
    "capacity": "Too few units",
}
"""Kind of a finding → its name for the teacher, in the order of the table."""


def _check_links(links: Mapping[str, str], refusal: Refusal) -> Mapping[str, str]:
    """Refuse links of unknown kinds, and those that are no address of a web page."""
    for kind, link in links.items():
        if kind not in KINDS:
            raise refusal(f"{kind!r} is no kind of finding; there are {', '.join(KINDS)}")
        try:
            address = urlsplit(link)
        except ValueError:
            address = urlsplit("")
        if address.scheme not in ("http", "https") or not address.netloc:
            raise refusal(f"the link of {kind!r} must begin with https:// or http://, and is {link!r}")
    return links


ON = ExtensionKey(True, bool)
SECONDS = ExtensionKey(DEFAULT_SECONDS, float, ranges={"diagnosis_seconds": (0.5, 600.0)})
"""Processor time for each model."""
LINKS = ExtensionKey({}, Mapping[str, str], check=_check_links)
"""Kind of a finding → where it is taught."""
