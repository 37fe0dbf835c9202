"""The agent as a program, in an environment that has ipykernel and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.connect import write_connection_file

from autograder.codec import Reference, decode, encode
from autograder.sandbox.kernel_job import AGENT, program_files

WITHOUT_NUMPY = """
import runpy, sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "numpy":
            raise ModuleNotFoundError("No module named 'numpy'", name="numpy")
sys.meta_path.insert(0, Hidden())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
CELL = """
class Rule:
    classes_ = ["a", "b"]
    def predict(self, rows):
        return [0 for _ in rows]
rule, total = Rule(), sum(range(5))
def step(net, xb, yb): pass
"""


class Handle:
    """An argument that stays in the kernel."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[BlockingKernelClient]:
    """A client of an agent whose interpreter cannot import numpy."""
    program = tmp_path / Path(AGENT).name
    for path, source in program_files().items():
        copy = program / Path(path).relative_to(AGENT) if path.startswith(f"{AGENT}/") else tmp_path / Path(path).name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, copy) if source.is_dir() else shutil.copy(source, copy)
    connection, _ = write_connection_file(str(tmp_path / "connection.json"))
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", WITHOUT_NUMPY, str(program / "__main__.py"), "-f", connection], cwd=tmp_path
    )
    client = BlockingKernelClient(connection_file=connection)
    client.load_connection_file()
    client.start_channels(stdin=False, hb=False)
    try:
        client.wait_for_ready(timeout=60)
        yield client
    finally:
        client.stop_channels()
        process.kill()
        process.wait()


def ask(client: BlockingKernelClient, verb: str, *arguments: Any) -> Any:
    """The result of one of the examiner's questions."""
    packed = encode((verb, {}, *arguments), lambda value: value.reference)
    message = client.session.msg("state_request")
    client.session.send(client.shell_channel.socket, message, buffers=[packed.text, *packed.buffers])
    while True:
        reply = client.get_shell_msg(timeout=30)
        if reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
            text, *buffers = [bytes(part) for part in reply["buffers"]]
            outcome, result, _ = decode(text, buffers, lambda reference: reference)
            assert outcome == "ok", result
            return result


def test_an_environment_without_numpy_gets_a_kernel_and_its_answers(kernel: BlockingKernelClient) -> None:
    reply = kernel.execute_interactive(CELL, timeout=30)
    assert reply["content"]["status"] == "ok"
    number, names = ask(kernel, "snapshot")
    assert {"rule", "total"} <= set(names)
    kind, text, buffers = ask(kernel, "fetch", number, ["total"])["total"]
    assert (kind, decode(text, buffers)) == ("value", 10)


def pinned(kernel: BlockingKernelClient, name: str) -> Handle:
    """What the agent holds of a name of the notebook."""
    kernel.execute_interactive(CELL, timeout=30)
    number, _ = ask(kernel, "snapshot")
    _, text, buffers = ask(kernel, "fetch", number, [name])[name]
    references: list[Any] = []
    decode(text, buffers, references.append)
    return Handle(references[0])


def test_a_model_of_plain_python_is_described_without_numpy(kernel: BlockingKernelClient) -> None:
    described = ask(kernel, "ask_model", "describe", pinned(kernel, "rule"))
    assert (described["family"], described["how"], described["classes"]) == ("predictor", "predict", None)


def test_what_an_extension_brings_along_for_its_check_answers_without_numpy(kernel: BlockingKernelClient) -> None:
    question = "training_steps.kernel_side.step_arguments:roles"
    assert ask(kernel, "ask_model", question, pinned(kernel, "step"), None) == [
        ("net", "model"), ("xb", "inputs"), ("yb", "labels"),
    ]  # fmt: skip
