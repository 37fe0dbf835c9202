"""Keys of course.yaml: whether models are diagnosed, and how long that may take."""

from __future__ import annotations

from autograder.course.extension_keys import ExtensionKey
from autograder.extensions.diagnosis.budget import DEFAULT_SECONDS

ON = ExtensionKey(True, bool)
SECONDS = ExtensionKey(DEFAULT_SECONDS, float, ranges={"diagnosis_seconds": (0.5, 600.0)})
"""Processor time for each model."""
