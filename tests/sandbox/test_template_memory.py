"""What a template does so that many forks of it are cheap."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from autograder.sandbox.template import system

GATHERED = """
import sys
sys.path.insert(0, sys.argv[1])
import system

def huge():
    with open("/proc/self/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("AnonHugePages"))

values = [bytes([number % 251]) * 5000 for number in range(10_000)]
before = huge()
system.gather_memory()
assert all(value == bytes([number % 251]) * 5000 for number, value in enumerate(values))
print(before, huge())
"""


def test_memory_is_gathered_in_huge_pages_and_stays_what_it_was() -> None:
    program = [sys.executable, "-I", "-c", GATHERED, str(Path(system.__file__).parent)]
    done = subprocess.run(program, check=True, capture_output=True, text=True)
    before, after = map(int, done.stdout.split())
    if not after:
        pytest.skip("this Linux gathers no memory in huge pages on request")
    assert after > before + 20_000  # KiB, of 50,000
