"""Kernels for tests that need no sandbox: the same agent, in this process."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import io
import linecache
import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import numpy as np

import autograder
from autograder.codec import Packed, decode
from autograder.errors import LostError
from autograder.examiner.origin import cell_stem
from autograder.examiner.remote.proxy import Remote
from autograder.examiner.student_text import taint
from autograder.execution.link import Answer
from autograder.records.run import CellRun, RunStatus

_agent = sys.modules["_kernel_agent"] = ModuleType("_kernel_agent")  # the kernel's own copy, as it is in a sandbox
_agent.__path__ = autograder.__path__
server = importlib.import_module("_kernel_agent.kernel.server")
described = importlib.import_module("_kernel_agent.kernel.description")
codec_of_agent = importlib.import_module("_kernel_agent.codec")
"""For tests that need the agent's own."""


@contextlib.contextmanager
def watching(now: Any) -> Iterator[None]:
    """What the examiner remembers of a test cell; None where it looks at nothing."""
    before, taint._now = taint._now, now
    try:
        yield
    finally:
        taint._now = before


@contextlib.contextmanager
def inside(folder: Path) -> Iterator[None]:
    """The working folder of a kernel: where the examiner is, is another process's business."""
    with watching(None):
        before = Path.cwd()
        os.chdir(folder)
    try:
        yield
    finally:
        with watching(None):
            os.chdir(before)


class Dies(BaseException):
    """Raised by a cell under test to end the kernel."""


class NumpyState:
    """A state of numpy's one generator, compared and copied as bytes: to describe or set it takes fifty microseconds.

    Args:
        described: as ``numpy.random.get_state`` gives it.
    """

    def __init__(self, described: Any) -> None:
        self.described = described
        self.words = described[1].tobytes() + described[2].to_bytes(4, sys.byteorder)
        self.is_words_alone = not described[3]
        """Whether no normal number waits beside them, the second of a pair."""

    def or_newer(self) -> NumpyState:
        """This state, which was loaded last, or the generator's if somebody has drawn since."""
        now = ctypes.string_at(np.random.get_bit_generator().ctypes.state_address, len(self.words))
        return self if self.is_words_alone and self.words == now else NumpyState(np.random.get_state())

    def load(self, instead_of: NumpyState) -> None:
        """Make it the generator's state."""
        if self.is_words_alone and instead_of.is_words_alone:
            ctypes.memmove(np.random.get_bit_generator().ctypes.state_address, self.words, len(self.words))
        else:
            np.random.set_state(self.described)


class Generators:
    """The random generators of a kernel that shares its process with the examiner: each has states of its own."""

    examiners = NumpyState(np.random.get_state())
    """The state that was loaded last for an examiner."""

    def __init__(self) -> None:
        self.state, self.numpys = random.Random().getstate(), NumpyState(np.random.RandomState().get_state())

    @contextlib.contextmanager
    def used(self) -> Iterator[None]:
        state, numpys = random.getstate(), Generators.examiners.or_newer()
        patched = [(random, "seed", random.seed), (np.random, "seed", np.random.seed)]
        random.setstate(self.state)
        self.numpys.load(numpys)
        for module, name, function in patched:
            setattr(module, name, getattr(function, "__wrapped__", function))
        try:
            yield
        finally:
            for module, name, function in patched:
                setattr(module, name, function)
            self.state, self.numpys = random.getstate(), self.numpys.or_newer()
            random.setstate(state)
            numpys.load(self.numpys)
            Generators.examiners = numpys


class InProcessKernel:
    """Runs cells with ``exec`` and answers with the real agent. Never for code that one does not trust."""

    label = "in this process"

    def __init__(self) -> None:
        self.namespace: dict[str, Any] = {"__name__": "__main__", "Dies": Dies}
        self.server = server.Server(self.namespace, frozenset(self.namespace))
        self.ran: list[str] = []
        self.requests: list[bytes] = []
        self.end: tuple[RunStatus, str] | None = None
        self.closed = False
        self.generators = Generators()

    def run(self, source: str, seconds: float) -> CellRun:
        self.ran.append(source)
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed), self.generators.used():
                exec(self.compiled(source), self.namespace)
        except Dies:
            self.end = (RunStatus.KILLED, "The kernel died.")
            return CellRun("error", error="the kernel died")
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            name = type(error).__name__
            output = {"output_type": "error", "ename": name, "evalue": str(error), "traceback": [f"{name}: {error}"]}
            return CellRun("error", (output,), error=f"{name}: {error}")
        text = printed.getvalue()
        return CellRun("ok", ({"output_type": "stream", "name": "stdout", "text": text},) if text else ())

    def compiled(self, source: str) -> CodeType:
        """With its source at hand for ``inspect``, and without this module's own ``__future__``."""
        name = f"/tmp/ipykernel/{cell_stem(source)}.py"
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        return compile(source, name, "exec", dont_inherit=True)

    def exchange(self, request: Packed, timeout: float | None = None, answer: Answer | None = None) -> Packed:
        if self.end or self.closed:
            raise LostError("the notebook's kernel is gone")
        self.requests.append(request.text + b"".join(request.buffers))
        watched = taint._now

        def asked_back(question: Packed) -> Packed:
            assert answer is not None
            with watching(watched):
                return answer(question)

        self.server.callbacks.channel = None if answer is None else asked_back
        # What the kernel compiles, it compiles in another process; and there it draws.
        with watching(None), self.generators.used():
            return Packed(*self.server.answer(request.text, request.buffers))

    def ended(self) -> tuple[RunStatus, str] | None:
        return self.end

    def killed(self) -> bool:
        return False

    def waited(self) -> float:
        return 0.0

    def usage(self) -> tuple[float, float | None]:
        return (0.0, None)

    def close(self) -> None:
        self.closed = True


class FreezingKernel(InProcessKernel):
    """One that also makes frozen copies: forks of this process."""

    def __init__(self) -> None:
        super().__init__()
        self.server.copies.start()

    def close(self) -> None:
        super().close()
        for copy in self.server.copies.living.values():
            copy.end()


def remote_after(source: str) -> tuple[Remote, InProcessKernel]:
    """A kernel in which ``source`` has run, and the way to it."""
    kernel = InProcessKernel()
    kernel.run(source, 1)
    return Remote(kernel), kernel


class Names:
    """The kernel's names at one moment, as attributes."""

    def __init__(self, remote: Remote, kernel: InProcessKernel) -> None:
        self.remote, self.kernel = remote, kernel
        self.number, self.names = remote.ask("snapshot")

    def __getattr__(self, name: str) -> Any:
        _, text, buffers = self.remote.ask("fetch", self.number, [name])[name]
        return decode(text, buffers, self.remote.stand_in)
