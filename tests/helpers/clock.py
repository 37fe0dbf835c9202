"""Time in tests, such that a busy machine fails none of them."""

from __future__ import annotations

import time

PATIENCE_SECONDS = 30.0
"""How long something may take that a quiet machine does at once. Whatever hangs in a test must hang for longer."""

own_seconds = time.process_time
"""Processor time of this process, in seconds: a clock for computations. Others' use of the machine is not in it."""
