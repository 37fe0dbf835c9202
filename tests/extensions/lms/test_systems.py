"""Learning systems register, the kit's own and those of other packages."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.installed import installed

from autograder._util import registry
from autograder.errors import HostError, UsageError
from autograder.extensions.lms.sheet import Sheet
from autograder.extensions.lms.systems import recognize, system_names

OWN = ["blackboard", "brightspace", "canvas", "moodle"]
CANVAS = Sheet("canvas.csv", [["Student", "ID", "SIS Login ID", "hw (5678)"], ["Doe, Jane", "7", "jd", ""]])
UNKNOWN = Sheet("own.csv", [["a", "b"], ["1", "2"]])

GREEDY = """
from autograder.extensions.lms.systems import Column, Layout, SystemKind

GREEDY = SystemKind("Greedy", lambda sheet, titles, column: Layout("Greedy", (), (), Column(0)))
"""


def test_the_kits_own_systems_are_registered() -> None:
    assert set(OWN) <= set(registry.names(registry.SYSTEMS))


def test_no_other_package_takes_the_files_of_the_kits_own_systems(tmp_path: Path) -> None:
    entry = "[autograder.systems]\naaa = greedy:GREEDY\n"
    with installed(tmp_path, "greedy", {"greedy": GREEDY}, entry):
        assert system_names()[-1] == "aaa"
        assert recognize(CANVAS, ["hw"]).system == "Canvas"
        assert recognize(UNKNOWN, ["hw"]).system == "Greedy"


def test_a_package_that_cannot_be_loaded_stops_no_file_of_the_kits_own_systems(tmp_path: Path) -> None:
    entry = "[autograder.systems]\nbroken = broken:BROKEN\n"
    with installed(tmp_path, "broken", {"broken": "raise ValueError('no')"}, entry):
        assert recognize(CANVAS, ["hw"]).system == "Canvas"
        with pytest.raises(HostError, match=r"'broken' of the package broken cannot be loaded: ValueError: no"):
            recognize(UNKNOWN, ["hw"])


def test_without_packages_an_unknown_file_names_the_kits_own_systems() -> None:
    with pytest.raises(UsageError, match=r"own\.csv is no grade file of Blackboard, Brightspace, Canvas or Moodle;"):
        recognize(UNKNOWN, ["hw"])
