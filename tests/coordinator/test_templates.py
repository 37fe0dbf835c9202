"""Templates import what their forks would otherwise import one by one."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from autograder._util import registry
from autograder.coordinator.templates import with_late_parts
from autograder.extensions.pytorch import LATE_PARTS


def test_a_template_imports_the_late_parts_of_a_library_after_it() -> None:
    assert with_late_parts(["numpy", "torch.nn"]) == ["numpy", "torch.nn", *LATE_PARTS]


def test_a_course_without_that_library_gets_none_of_them() -> None:
    assert with_late_parts(["numpy", "keras", "torchvision"]) == ["numpy", "keras", "torchvision"]


@pytest.mark.parametrize(
    ("source", "parts"),
    [("LATE_PARTS = ['slow.part']", ["slow.part"]), ("", []), ("1 / 0", []), ("LATE_PARTS = 1", [])],
)
def test_the_package_of_any_extension_says_its_late_parts_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, parts: list[str]
) -> None:
    (tmp_path / "networks_of_slow").mkdir()
    (tmp_path / "networks_of_slow/__init__.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "networks_of_slow", raising=False)
    monkeypatch.setattr(registry, "names", lambda group: ["slow"])
    monkeypatch.setattr(registry, "package", lambda group, name: "networks_of_slow")
    assert with_late_parts(["slow"]) == ["slow", *parts]


TRAINED_AND_READ = f"""
import importlib, sys
for name in {["torch", *LATE_PARTS]}:
    importlib.import_module(name)
import torch
from autograder.extensions.pytorch.kernel_side import torch_model
before = set(sys.modules)
model = torch.nn.Linear(4, 3)
optimizer = torch.optim.Adam(model.parameters())
model(torch.ones(2, 4)).sum().backward()
optimizer.step()
print(len(set(sys.modules) - before))
assert torch_model.claim(model, {{"shape": [4], "dtype": ""}})[0]["graph"]
print(len(set(sys.modules) - before))
"""


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed here")
def test_a_fork_imports_next_to_nothing_to_train_and_to_describe_a_module() -> None:
    done = subprocess.run([sys.executable, "-c", TRAINED_AND_READ], capture_output=True, text=True, check=True)
    training, reading = map(int, done.stdout.split())
    assert training < 10
    assert reading < 60  # hundreds without the late parts
