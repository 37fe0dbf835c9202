"""Budget of a diagnosis."""

from __future__ import annotations

DEFAULT_SECONDS = 3.0
"""Processor time that all trainings for one network may take."""
