"""Keys of course.yaml: whether models are diagnosed, how long that may take, and where the lessons on it are."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from autograder.course.extension_keys import ExtensionKey, Refusal
from autograder.extensions.diagnosis.budget import DEFAULT_SECONDS
from autograder.extensions.diagnosis.lesson_links import HEADING, check_headings

KINDS = {
    "output": "The output does not fit the loss",
    "loss": "The loss does not fit the task",
    "linear": "Layers without an activation",
    "rate": "The learning rate",
    "fit": "What `fit` got: rows, labels, batch size",
    "batch": "Batches of most rows",
    "penalty": "Too strong a penalty",
    "scale": "Inputs that are not scaled",
    "dropout": "Too much dropout",
    "exploding": "Exploding gradients",
    "vanishing": "Vanishing gradients",
    "dead": "Dead units",
    "overfit": "Learned by heart",
    "epochs": "Stopped too soon",
    "capacity": "Too few units",
}
"""Kind of a finding → its name for the teacher, in the order of the table."""


def _check_links(links: Mapping[str, str], refusal: Refusal) -> Mapping[str, str]:
    """Refuse links of unknown kinds, and those to neither a web page nor a heading of a notebook."""
    for kind, link in links.items():
        if kind not in KINDS:
            raise refusal(f"{kind!r} is no kind of finding; there are {', '.join(KINDS)}")
        if not _is_web_page(link) and not HEADING.fullmatch(link):
            expected = "must begin with https:// or http://, or be NOTEBOOK.ipynb#Heading"
            raise refusal(f"the link of {kind!r} {expected}, and is {link!r}")
    return links


def _is_web_page(link: str) -> bool:
    try:
        address = urlsplit(link)
    except ValueError:
        return False
    return address.scheme in ("http", "https") and bool(address.netloc)


ON = ExtensionKey(True, bool)
SECONDS = ExtensionKey(DEFAULT_SECONDS, float, ranges={"diagnosis_seconds": (0.5, 600.0)})
"""Processor time for each model."""
LINKS = ExtensionKey({}, Mapping[str, str], check=_check_links, check_release=check_headings)
"""Kind of a finding → where it is taught."""
