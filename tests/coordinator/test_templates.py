"""Templates import what their forks would otherwise import one by one."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers.tiny import tiny_course

from autograder._util import registry
from autograder._util.model_families import ModelFamily
from autograder.coordinator import templates
from autograder.coordinator.assignment import load_release
from autograder.coordinator.batch import Planner
from autograder.coordinator.templates import with_late_parts
from autograder.errors import HostError, SandboxError
from autograder.extensions.pytorch.kernel_side import LATE_PARTS


def test_a_template_imports_the_late_parts_of_a_library_after_it() -> None:
    assert with_late_parts(["numpy", "torch.nn"]) == ["numpy", "torch.nn", *LATE_PARTS]


def test_a_course_without_that_library_gets_none_of_them() -> None:
    assert with_late_parts(["numpy", "keras", "torchvision"]) == ["numpy", "keras", "torchvision"]


@pytest.mark.parametrize(
    ("said", "parts"),
    [({"late_parts": ["slow.part"]}, ["slow.part"]), ({}, []), (None, []), ({"late_parts": 1}, [])],
)
def test_any_family_says_its_late_parts_or_none(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, Any] | None, parts: list[str]
) -> None:
    def load(group: str, name: str) -> ModelFamily:
        if said is None:
            raise HostError("it cannot be imported")
        return ModelFamily("Slow", "slow model", dict, **said)

    monkeypatch.setattr(registry, "names", lambda group: ["slow"])
    monkeypatch.setattr(registry, "load", load)
    assert with_late_parts(["slow"]) == ["slow", *parts]


def test_a_template_of_examiners_imports_what_rebuilds_models_too() -> None:
    assert with_late_parts(["keras"], rebuilds=True) == ["keras", "autograder.extensions.keras.model_building"]


@pytest.mark.parametrize("sandbox", ["bubblewrap", "of a kind without templates"])
def test_what_cannot_be_forked_is_known_once_where_it_should_have_been(
    sandbox: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise SandboxError("no user namespaces here")

    course = tiny_course(tmp_path)
    work = Planner(course, load_release(course, course.assignments["hw"])).without_submission()
    monkeypatch.setattr(templates.Templates, "_start_kernel_template", fail)
    made = templates.Templates(work, kernels=2, executed=True)
    if sandbox != "bubblewrap":
        monkeypatch.setattr(templates, "kernel_sandbox", lambda _: object())
    for _ in range(2):
        made.expect_kernels(2)
    assert list(made.cold) == (["Kernels of hw are not forked from a template"] if sandbox == "bubblewrap" else [])


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
