"""A Jupyter kernel in the sandbox, and a client that survives what it sends."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from helpers.clock import PATIENCE_SECONDS

from autograder.errors import SandboxError
from autograder.records.limits import Limits
from autograder.sandbox import default_sandbox
from autograder.sandbox.base import Job, Process
from autograder.sandbox.bubblewrap import BubblewrapSandbox
from autograder.sandbox.kernel_manager import SandboxKernelClient, SandboxKernelManager
from autograder.sandbox.kernel_start import kernel_manager

pytestmark = pytest.mark.sandbox

IPYKERNEL = (sys.executable, "-I", "-m", "ipykernel_launcher", "-f", "{connection_file}")
LIMITS = Limits(memory_mib=1024, processes=128, disk_mib=64)


@asynccontextmanager
async def running(
    argv: tuple[str, ...] = IPYKERNEL, limits: Limits = LIMITS, files: dict[str, Path] | None = None
) -> AsyncIterator[tuple[SandboxKernelManager, SandboxKernelClient]]:
    manager = kernel_manager(default_sandbox(), files or {}, limits, argv=argv)
    await manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=30)
        yield manager, client
    finally:
        client.stop_channels()
        await manager.shutdown_kernel(now=True)


async def printed(client: Any, code: str, seconds: float = 30.0) -> str:
    """Execute code; what it printed, or the name of what it raised."""
    texts: list[str] = []

    def hook(message: dict[str, Any]) -> None:
        content = message["content"]
        texts.append(content.get("text") or content.get("data", {}).get("text/plain", "") or content.get("ename", ""))

    await client.execute_interactive(code, output_hook=hook, timeout=seconds, allow_stdin=False)
    return "".join(texts)


def drive(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 120))


def test_executes_is_interrupted_and_shut_down() -> None:
    """1 + 1 is 2; an interrupt by message ends a loop; after the shutdown nothing is left."""

    async def go() -> None:
        async with running() as (manager, client):
            assert await printed(client, "1 + 1") == "2"
            message = client.execute("import time\nwhile True: time.sleep(0.05)")
            await asyncio.sleep(0.3)
            await manager.interrupt_kernel()
            reply = await client._async_recv_reply(message, timeout=PATIENCE_SECONDS)
            assert reply["content"]["ename"] == "KeyboardInterrupt"
            process = manager.provisioner.process
            assert await manager.is_alive()
        assert process.poll() is not None
        assert not Path(f"/proc/{process.pid}").exists()
        assert process.usage().cpu_seconds > 0

    drive(go)


def test_leaves_no_file_on_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection file and no socket lies in a folder of the host."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    async def go() -> None:
        async with running() as (_, client):
            assert await printed(client, "1 + 1") == "2"
            assert list(tmp_path.iterdir()) == []

    drive(go)


def test_kernel_that_ends_itself_is_seen() -> None:
    """os._exit in a cell: the manager says that the kernel is dead, at once."""

    async def go() -> None:
        async with running() as (manager, client):
            client.execute("import os; os._exit(3)")
            begin = time.monotonic()
            while await manager.is_alive():
                assert time.monotonic() - begin < PATIENCE_SECONDS
                await asyncio.sleep(0.02)
            assert manager.provisioner.process.poll() == 3

    drive(go)


def test_kernel_that_does_not_start_is_an_error() -> None:
    """The message quotes what the kernel said."""
    manager = kernel_manager(
        default_sandbox(), {}, LIMITS, argv=(sys.executable, "-I", "-c", "raise SystemExit('no luck')")
    )

    async def go() -> None:
        with pytest.raises(SandboxError, match=r"ended with status 1.*no luck"):
            await manager.start_kernel()

    drive(go)


class Remembering(BubblewrapSandbox):
    """Remembers what it has started."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[Process] = []

    def start(self, job: Job) -> Process:
        self.started.append(super().start(job))
        return self.started[-1]


def test_kernel_that_never_listens_is_an_error() -> None:
    """The start is bounded in time, and what was started is ended."""
    argv = (sys.executable, "-I", "-c", "import time; time.sleep(60)")
    sandbox = Remembering()
    manager = kernel_manager(sandbox, {}, LIMITS, argv=argv, startup_seconds=0.5)

    async def go() -> None:
        with pytest.raises(SandboxError, match="did not answer within"):
            await manager.start_kernel()
        (process,) = sandbox.started
        assert process.poll() is not None

    drive(go)


def test_message_above_the_limit_disconnects() -> None:
    """A display of 20 MB never arrives: the channel is lost, and the client says so."""

    async def go() -> None:
        async with running() as (manager, client):
            assert client.lost == frozenset()
            code = "from IPython.display import display; display({'text/plain': 'x' * 20_000_000}, raw=True)"
            client.execute(code)
            begin = time.monotonic()
            while "iopub" not in client.lost:
                assert time.monotonic() - begin < PATIENCE_SECONDS
                await asyncio.sleep(0.05)
            assert await manager.is_alive()

    drive(go)


def test_a_swapped_socket_leads_nowhere(tmp_path: Path) -> None:
    """The student replaces the shell's socket by a link to one of the host: a later client still reaches
    the kernel."""
    bait = tmp_path / "bait"
    import socket

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(bait))
        server.listen()
        server.setblocking(False)

        async def go() -> None:
            async with running() as (manager, client):
                code = f"import os; os.unlink('/run/kernel/k-1'); os.symlink({str(bait)!r}, '/run/kernel/k-1')"
                await printed(client, code)
                later = manager.client()
                later.start_channels()
                try:
                    assert await printed(later, "2 + 2") == "4"
                finally:
                    later.stop_channels()

        drive(go)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_files_of_the_job_can_be_imported(tmp_path: Path) -> None:
    """A module that comes with the assignment lies in the work folder."""
    (tmp_path / "kaggle_data.py").write_text("rows = 61_878")

    async def go() -> None:
        files = {"/home/student/kaggle_data.py": tmp_path / "kaggle_data.py"}
        argv = (sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}")
        async with running(argv, files=files) as (_, client):
            assert await printed(client, "import kaggle_data; kaggle_data.rows") == "61878"

    drive(go)


def test_the_entry_point_works_with_an_ordinary_manager() -> None:
    """A kernel specification that names the provisioner runs its kernel in the default sandbox."""
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    async def go() -> None:
        manager = AsyncKernelManager(transport="ipc")
        provisioner = {"provisioner_name": "autograder-sandbox"}
        manager._kernel_spec = KernelSpec(
            argv=list(IPYKERNEL), interrupt_mode="message", metadata={"kernel_provisioner": provisioner}
        )
        try:
            await manager.start_kernel()
        except ModuleNotFoundError:
            pytest.skip("the package is not installed")
        client = manager.client()
        client.start_channels(hb=False)
        try:
            await client.wait_for_ready(timeout=30)
            assert "notebook" in await printed(client, "import platform; platform.node()")
        finally:
            client.stop_channels()
            await manager.shutdown_kernel(now=True)

    drive(go)


@pytest.mark.keras
@pytest.mark.slow
def test_keras_trains_inside() -> None:
    """TensorFlow imports and a small fit runs under the filter and the default limits."""
    code = """
import keras, numpy as np
keras.utils.set_random_seed(1)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
model.compile(optimizer="sgd", loss="categorical_crossentropy")
history = model.fit(np.ones((64, 4)), np.eye(3)[np.zeros(64, int)], epochs=2, verbose=0)
print(history.history["loss"][1] < history.history["loss"][0])
"""

    async def go() -> None:
        async with running(limits=Limits()) as (manager, client):
            assert "True" in (await printed(client, code, 100)).split()
            assert manager.provisioner.process.usage().out_of_memory is False

    drive(go)
