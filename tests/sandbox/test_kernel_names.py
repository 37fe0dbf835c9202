"""Names in a kernel: a course's or a student's module is hidden by none of the kit's, whatever it is called."""

from __future__ import annotations

import ast

import pytest
from helpers.limits import ROOMY, forked, starting

from autograder.execution.client import SandboxedKernel

pytestmark = [pytest.mark.sandbox, pytest.mark.integration]

OF_THE_KIT = """
import sys
places = {name: [getattr(module, "__file__", None), *getattr(module, "__path__", [])] for name, module in sys.modules.items()}
print(sorted({name.split(".")[0] for name, found in places.items() if any(str(p).startswith("/opt/kernel") for p in found)}))
"""
"""Names of modules that a kernel has from the kit, and not from an installed package."""
OLD = ("nose", "otter", "theano")
"""Old libraries, for which something stands in."""


def printed(kernel: SandboxedKernel, source: str) -> str:
    run = kernel.run(source, 60)
    return "".join(output.get("text", "") for output in run.outputs)


@pytest.mark.parametrize("is_warm", [False, True], ids=["cold", "warm"])
def test_the_kits_one_name_in_a_fresh_kernel_is_none_that_a_course_would_use(is_warm: bool) -> None:
    if is_warm:
        with forked() as kernel:
            names = printed(kernel, OF_THE_KIT)
    else:
        with starting(ROOMY) as start:
            names = printed(start(), OF_THE_KIT)
    assert ast.literal_eval(names) == ["_kernel_agent"]


def test_what_can_be_imported_of_the_kits_own_stands_in_for_old_libraries() -> None:
    source = """
import sys
from pathlib import Path
print(sorted(p.name for folder in sys.path if folder.startswith("/opt/kernel") for p in Path(folder).iterdir()
             if p.name != "__pycache__" and p.stem != "__init__"))
"""
    with forked() as kernel:
        assert ast.literal_eval(printed(kernel, source)) == list(OLD)


@pytest.mark.parametrize("name", ["agent", "kernel", "codec", "extensions", "server", "template", *OLD])
def test_a_module_beside_the_notebook_is_the_one_that_is_imported(name: str) -> None:
    source = f"""
from pathlib import Path
_ = Path("{name}.py").write_text("class BaseAgent:\\n    mine = 7")
from {name} import BaseAgent
print(BaseAgent.mine)
"""
    with forked() as kernel:
        assert printed(kernel, source) == "7\n"
