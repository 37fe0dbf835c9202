"""Disturbs batches in every way and prints what it counted; exit code 1 where something was lost.

``python -m interruptions --help`` lists what can be chosen.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from interruptions.processes import left
from interruptions.scenarios import Lab, Lost, everything


def main() -> int:
    parser = argparse.ArgumentParser(prog="interruptions", description=__doc__)
    parser.add_argument("--submissions", type=int, default=40)
    parser.add_argument("--kills", type=int, default=50, help="of the coordinator")
    parser.add_argument("--part-kills", type=int, default=8, help="of each of the batch's other processes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", choices=list(everything(0, 0)), help="these scenarios")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with tempfile.TemporaryDirectory(prefix="interruptions-", ignore_cleanup_errors=True) as folder:
        lab = Lab(Path(folder), chosen.submissions, chosen.seed)
        print(f"{chosen.submissions} submissions, seed {chosen.seed}; undisturbed: {lab.seconds:.0f} s", flush=True)
        names = [name for name in everything(0, 0) if not chosen.only or name in chosen.only]
        try:
            held = [_tried(lab, name, everything(chosen.kills, chosen.part_kills)[name]) for name in names]
        finally:
            left(seconds=0)  # ends what runs where this was stopped
            for what, count in sorted(lab.counts.items()):
                print(f"{count:6,} {what}")
    return 0 if all(held) else 1


def _tried(lab: Lab, name: str, disturb: Callable[[Lab], None]) -> bool:
    """Says what came of one scenario; whether nothing was lost."""
    if name == "full-disk" and os.geteuid() != 0:
        print(f"{name:16} not tried: only root can mount a small disk", flush=True)
        return True
    began = time.monotonic()
    said = "nothing lost"
    try:
        disturb(lab)
    except Lost as error:
        said = f"LOST: {error}"
    print(f"{name:16} {time.monotonic() - began:5.0f} s  {said}", flush=True)
    return said == "nothing lost"


if __name__ == "__main__":
    sys.exit(main())
