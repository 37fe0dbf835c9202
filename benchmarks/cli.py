"""The time until the command line answers: `--help` of the program and of `grade`, in fresh processes.

    benchmarks/cli.py                20 of each: ten seconds
    benchmarks/cli.py --quick        5 of each

The table (Markdown, standard output) has medians, with the quickest and the slowest. The target, 0.3 s, is the
project's own. `python -c pass` is the floor: nothing written in Python answers sooner.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path

from measurement import Spent, machine, markdown, spent

TARGET = 0.3
"""Seconds that the median of a help is to stay below."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20, metavar="N", help="of each (default: 20)")
    parser.add_argument("--quick", action="store_true", help="5 of each")
    parser.add_argument(
        "--program",
        type=Path,
        default=Path(sys.executable).with_name("autograder"),
        help="the installed command (default: the one beside this python)",
    )
    given = parser.parse_args()
    described = machine("click")
    commands: dict[str, list[str | Path]] = {
        "`autograder --help`": [given.program, "--help"],
        "`autograder grade --help`": [given.program, "grade", "--help"],
        "`python -c pass`": [sys.executable, "-c", "pass"],
    }
    taken: dict[str, list[Spent]] = {name: [] for name in commands}
    for number in range(-1, 5 if given.quick else given.runs):
        for name, command in commands.items():
            took = spent(command)
            if number >= 0:  # the first of each fills the caches
                taken[name].append(took)
    lines = []
    for name, all_runs in taken.items():
        walls = [one.wall for one in all_runs]
        median, cpu = statistics.median(walls), statistics.median(one.cpu for one in all_runs)
        span = f"{len(walls)}: {min(walls):.3f} to {max(walls):.3f} s"
        target = f"{TARGET:g} s" if "help" in name else ""
        lines.append([name, f"{median:.3f} s", span, f"{cpu:.2f} s", target])
    print(f"{described}\n\n{markdown(['', 'median', 'measurements', 'CPU', 'target'], lines)}")


if __name__ == "__main__":
    main()
