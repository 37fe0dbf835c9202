"""Templates of a batch, from which processes are forked: one for kernels, one for examiners, each in its own sandbox.

They import while the caller continues, live until their context ends, and run no student's code.
"""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from autograder._util import registry
from autograder.coordinator import staging
from autograder.coordinator.grading_sandboxes import examiner_sandbox, kernel_sandbox
from autograder.errors import SandboxError
from autograder.exchange import work_layout
from autograder.exchange.parcel import pack_common_head
from autograder.exchange.work import HEAVY, Work, heavy_modules, hidden_paths, released_modules, test_libraries
from autograder.records.limits import Limits
from autograder.sandbox import Sandbox, require
from autograder.sandbox.base import Job, kernel_environment, own_python
from autograder.sandbox.bubblewrap import BubblewrapSandbox
from autograder.sandbox.kernel_template import template
from autograder.sandbox.warm_start import Template, WarmSandbox
from autograder.sandbox.work_files import work_files

MIN_SUBMISSIONS_FOR_TEMPLATE = 2
"""Submissions for which a template of examiners is worth its start."""
MIN_KERNELS_FOR_TEMPLATE = 2
"""Number of kernels from which a template is worth its start."""
NOT_FORKED = "are not forked from a template"
"""Words for a lost warm start."""
EXAMINER_MODULES = ("numpy.random", "numpy.testing", "autograder.examination.main")
COMMON = "autograder.examination.common"
"""Module that is imported last."""
EXAMINER_DISK_MIB = 4096
EXAMINER_PROCESSES = 512


def examiner_limits(work: Work) -> Limits:
    """Return the limits of the process that examines a submission."""
    limits = work.assignment.limits
    return Limits(
        memory_mib=limits.examiner_memory_mib,
        processes=EXAMINER_PROCESSES,
        disk_mib=EXAMINER_DISK_MIB,
        cpu_seconds=max(2, limits.threads) * work.seconds,
        threads=limits.threads,
    )


def _shared(work: Work) -> tuple[object, ...]:
    """Return what a template reads or holds itself; all else is sent to each fork.

    Of the limits, these are the threads of its libraries, and the memory, which is watched with that of its forks where
    there are no control groups.
    """
    limits = work.assignment.limits
    kept_limits = Limits(
        threads=limits.threads, memory_mib=limits.memory_mib, examiner_memory_mib=limits.examiner_memory_mib
    )
    exams = [replace(exam, observations=None) for exam in work.exams]
    return work.course, replace(work.assignment, limits=kept_limits), exams


def with_late_parts(modules: Sequence[str], *, rebuilds: bool = False) -> list[str]:
    """List the modules that a template imports for these, so that no fork imports a large library's parts itself.

    Args:
        modules: what the forks use.
        rebuilds: whether the forks rebuild models, too.
    """
    libraries = {module.split(".")[0] for module in modules}
    parts: list[str] = []
    for library in sorted(libraries & {*registry.names(registry.MODELS)}):
        with contextlib.suppress(Exception):  # a foreign package may raise anything: forks import the parts themselves
            registration = registry.load(registry.MODELS, library)
            parts += [*registration.late_parts, *(registration.modules if rebuilds else ())]
    return [*modules, *parts]


class Started:
    """A template that was started: it still imports, or is ready."""

    def __init__(self, sandbox: BubblewrapSandbox, started: Template) -> None:
        self._sandbox = sandbox
        self._template = started
        self._lock = threading.Lock()
        self._found: WarmSandbox | SandboxError | None = None
        threading.Thread(target=self._prove, daemon=True).start()

    def _prove(self) -> None:
        """Test the template as soon as it is ready, so that later callers wait less."""
        with contextlib.suppress(SandboxError):
            self.sandbox()

    def sandbox(self) -> WarmSandbox:
        """Return the sandbox that forks the template, once all is imported and a fork has passed the self-test.

        Raises:
            SandboxError: it cannot be used; it is not tried a second time.
        """
        with self._lock:
            if self._found is None:
                self._found = self._tried()
        if isinstance(self._found, SandboxError):
            raise self._found
        return self._found

    def _tried(self) -> WarmSandbox | SandboxError:
        try:
            self._template.wait_until_ready()
            require(WarmSandbox(self._sandbox, self._template.address, strict=True))
        except SandboxError as error:
            return error
        except OSError as error:  # it was stopped meanwhile
            return SandboxError(f"The template is gone ({error}).")
        return WarmSandbox(self._sandbox, self._template.address)


class Templates:
    """The templates of one assignment's batch. Thread-safe once it is entered.

    Args:
        work: any submission of the batch.
        submissions: number of submissions that are due; a single one is examined in a process of its own.
        kernels: estimated number of kernels; few are started one by one.
        executed: whether all submissions are executed. If some may be replayed, examiners begin without the libraries
            that take long to import, and get them from the first submission on that needs them.
    """

    def __init__(
        self, work: Work, *, kernels: int, executed: bool, submissions: int = MIN_SUBMISSIONS_FOR_TEMPLATE
    ) -> None:
        self._work = work
        self._submissions = submissions
        self._kernels = kernels
        self._stack = contextlib.ExitStack()
        self._lock = threading.Lock()
        self._heavy = executed or not self.large
        self._examiners: dict[bool, Sandbox | Started] = {}
        self._kernel_template: Started | None = None
        self.cold: dict[str, None] = {}
        """Processes that a template should have forked, and could not."""

    def serves(self, work: Work) -> bool:
        """Tell whether the submission can be examined here: its exams and assignment are these, but for some limits."""
        return _shared(work) == _shared(self._work)

    @property
    def large(self) -> list[str]:
        """Libraries of the exams that take long to import."""
        return [name for name in heavy_modules(self._work.exams) if name != HEAVY[0]]

    def __enter__(self) -> Templates:
        try:
            self.staged = self._stack.enter_context(staging.staged(self._work))
            self.staged.write_common(pack_common_head(self._work))
            with ThreadPoolExecutor(1) as beside:
                kernels = beside.submit(self.expect_kernels, self._kernels)
                self._examiners[self._heavy] = self._start_examiners(heavy=self._heavy)
                kernels.result()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @contextlib.contextmanager
    def _noted(self, processes: str) -> Iterator[None]:
        """Note in the batch's log why processes are not forked."""
        try:
            yield
        except SandboxError as error:
            unforked = f"{processes} of {self._work.assignment.name} {NOT_FORKED}"
            self.cold[unforked] = None
            self.note(f"{unforked}: {error}")

    def _keep(self, started: Template) -> None:
        """End the template with this context, and copy its libraries' output to the batch's log."""
        self._stack.enter_context(started)
        self._stack.callback(lambda: self.note(started.stderr()))

    def note(self, text: str) -> None:
        """Append a text to the batch's log, if it can be written."""
        if text:
            with contextlib.suppress(OSError):
                self._work.batch_log.parent.mkdir(parents=True, exist_ok=True)
                with self._work.batch_log.open("a") as log:
                    log.write(text.rstrip("\n") + "\n")

    # --- kernels

    def expect_kernels(self, count: int) -> None:
        """Start a template for kernels, if so many of them are worth its start."""
        if count >= MIN_KERNELS_FOR_TEMPLATE and self._kernel_template is None:
            with self._noted("Kernels"):
                sandbox = kernel_sandbox(self._work.assignment)
                if isinstance(sandbox, BubblewrapSandbox):
                    self._kernel_template = self._start_kernel_template(sandbox)

    def _start_kernel_template(self, sandbox: BubblewrapSandbox) -> Started:
        started = template(
            sandbox,
            work_files(self.staged.released),
            self._work.assignment.limits,
            python=self._work.assignment.environment,
            hidden_paths=hidden_paths(self._work),
            modules=with_late_parts(self.released_modules),
        )
        self._keep(started)
        return Started(sandbox, started)

    @functools.cached_property
    def released_modules(self) -> list[str]:
        """Modules that students' notebooks import as they are released."""
        return released_modules(self._work)

    def kernel_sandbox(self) -> WarmSandbox | None:
        """Return the sandbox that forks kernels; None where there is no template."""
        template = self._kernel_template
        if template is None:
            return None
        with self._noted("Kernels"):
            return template.sandbox()
        self._kernel_template = None
        return None

    # --- examiners

    def start_large(self) -> None:
        """Give examiners the large libraries from now on; they are imported while the caller continues."""
        with self._lock:
            if True not in self._examiners:
                self._examiners[True] = self._start_examiners(heavy=True)
            self._heavy = True

    def examiner(self) -> tuple[Sandbox, list[str]]:
        """Return the sandbox that starts examiners now, and the libraries that they cannot import.

        Raises:
            SandboxError: there is none.
        """
        with self._lock:
            heavy = self._heavy
            examiners = self._examiners[heavy]
        without = [] if heavy else self.large
        if not isinstance(examiners, Started):
            return examiners, without
        with self._noted("Examiners"):
            return examiners.sandbox(), without
        cold = examiner_sandbox(self._work.assignment.sandbox)
        require(cold)
        with self._lock:
            self._examiners[heavy] = cold
        return cold, without

    def examiner_job(self) -> Job:
        """Describe the process that examines a submission."""
        backend = {"KERAS_BACKEND": os.environ["KERAS_BACKEND"]} if "KERAS_BACKEND" in os.environ else {}
        return Job(
            argv=(own_python(), "-I", work_layout.PROGRAM),
            env=kernel_environment(threads=self._work.assignment.limits.threads) | {"MPLBACKEND": "agg"} | backend,
            files={
                work_layout.PROGRAM: Path(__file__).parents[1] / "examination" / "program",
                work_layout.COURSE: self.staged.course,
                work_layout.COMMON: self.staged.common,
            },
            hidden_paths=hidden_paths(self._work),
            limits=examiner_limits(self._work),
        )

    def _start_examiners(self, *, heavy: bool) -> Sandbox | Started:
        sandbox = examiner_sandbox(self._work.assignment.sandbox)
        if not isinstance(sandbox, BubblewrapSandbox):
            return sandbox
        if self._submissions < MIN_SUBMISSIONS_FOR_TEMPLATE:
            return sandbox
        large = [*self.large, *test_libraries(self._work.exams, self._work.modules)] if heavy else []
        modules = [*EXAMINER_MODULES, *with_late_parts(large, rebuilds=True), COMMON]
        started = Template(sandbox, self.examiner_job(), modules)
        self._keep(started)
        return Started(sandbox, started)
