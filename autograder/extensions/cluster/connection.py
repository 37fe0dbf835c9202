"""Connection of a batch to dask.distributed: TLS, and the workers as machines that prove their sandboxes."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from autograder._util.libraries import with_extra
from autograder.coordinator.batch import EXAMINER_MIB, needed_mib
from autograder.coordinator.course_files import course_files
from autograder.errors import HostError, UsageError
from autograder.exchange.parcel import pack_common
from autograder.exchange.work import Endings, Work
from autograder.extensions.cluster.dispatch import Dispatch, SentUnit
from autograder.extensions.cluster.grader import MachineStanding
from autograder.records.course import Engine

CONNECT_SECONDS = 20.0
MISSING = f"the engine beyond one machine needs dask.distributed: {with_extra('scale')}"

_KEYS = {
    "tls_ca_file": "distributed.comm.tls.ca-file",
    "tls_client_cert": "distributed.comm.tls.client.cert",
    "tls_client_key": "distributed.comm.tls.client.key",
}
"""Option of a connection → where dask's configuration names its file."""


class InCluster:
    """Execution of a batch on the workers of a dask scheduler; an :data:`~autograder.coordinator.batch.Execute`.

    Args:
        engine: the scheduler's address and the certificates for it.
        root: the course folder, from which relative paths of certificates start.
        insecure: allow a connection without TLS.
        warm: fork kernels from templates on the workers.
        program: starts the grading program on a worker; for tests.

    Raises:
        UsageError: the address cannot be used, or names a connection without TLS that is not allowed.
    """

    def __init__(
        self,
        engine: Engine,
        root: Path,
        *,
        insecure: bool = False,
        warm: bool = True,
        program: tuple[str, ...] | None = None,
    ) -> None:
        check_address(engine.scheduler or "", insecure)
        self.engine, self.root, self.warm, self.program = engine, root, warm, program

    def __call__(self, due: Sequence[Work], workers: int) -> Endings:
        """Grade as :func:`~autograder.coordinator.pool.in_processes` does, on the cluster's workers.

        ``workers`` bounds the submissions at a time on all machines; with 0, only their slots do.

        Raises:
            SandboxError: no worker's sandbox holds.
            HostError: there is no scheduler, or no worker.
        """
        if not due:
            return
        common = pack_common(due, course_files(due[0]), warm=self.warm)
        with connected(self.engine, self.root) as client, fleet(client, common, due, self.program) as machines:
            dispatch = Dispatch(machines, most=workers or None, patience=self.engine.patience_seconds)
            with contextlib.closing(dispatch.run(due)) as outcomes:
                yield from outcomes


def check_address(address: str, insecure: bool) -> None:
    """Raise :class:`UsageError` for a scheduler's address that cannot be used, or that lacks TLS."""
    protocol, separator, host = address.partition("://")
    if not separator or protocol not in ("tls", "tcp") or ":" not in host:
        raise UsageError(f"{address!r} is not a scheduler's address; write it like tls://host:8786")
    if protocol == "tcp" and not insecure:
        raise UsageError(
            f"{address} is a connection without TLS: anybody who reaches it can run code on all workers and read "
            "hidden data. Use tls://, or say --insecure-scheduler"
        )


@contextlib.contextmanager
def connected(engine: Engine, root: Path) -> Iterator[Any]:
    """Connect to the scheduler, and yield the client.

    Raises:
        HostError: dask is not installed, certificates are missing, or nothing answers at the address.
    """
    try:
        import dask
        from distributed import Client
        from distributed.security import Security
    except ModuleNotFoundError as error:
        raise HostError(f"{MISSING} ({error})") from error
    address = str(engine.scheduler)
    # For every option that is not set here, dask's own configuration decides.
    options = {"tls_ca_file": engine.ca, "tls_client_cert": engine.cert, "tls_client_key": engine.key}
    files = {option: str(_existing(root / path)) for option, path in options.items() if path is not None}
    parcels_are_large = {"distributed.admin.large-graph-warning-threshold": "4GiB"}
    if address.startswith("tls://") and not all(
        name in files or dask.config.get(_KEYS[name], None) for name in options
    ):
        raise HostError(
            f"{address} needs certificates, and neither `engine` in course.yaml (ca, cert, key) nor dask's settings "
            "name them; deploy/certificates makes them, and deploy/dask.yaml has those settings"
        )
    with dask.config.set(parcels_are_large):
        try:
            security = Security(require_encryption=address.startswith("tls://"), **files)
            client = Client(address, security=security, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError, TypeError, RuntimeError) as error:
            first = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise HostError(
                f"no scheduler answers at {address} ({first}); is it started, with these certificates?"
            ) from error
        try:
            yield client
        finally:
            client.close()


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise HostError(f"there is no file {path}; `engine` in course.yaml names it")
    return path


@contextlib.contextmanager
def fleet(client: Any, common: bytes, due: Sequence[Work], program: tuple[str, ...] | None) -> Iterator[DaskFleet]:
    """Start a grading program on each worker, and end them with the context."""
    from autograder.extensions.cluster.plugin import PREFIX, GraderPlugin

    name = PREFIX + secrets.token_hex(8)
    _clear(client)
    threads = max(work.assignment.limits.threads for work in due)
    plugin = GraderPlugin(name, common, needed_mib(due) + EXAMINER_MIB, threads, program)
    try:
        # A worker fails here if it lacks this version of the kit; its standing will say so.
        with contextlib.suppress(Exception):
            client.register_plugin(plugin, name=name)
        yield DaskFleet(client, name)
    finally:
        with contextlib.suppress(Exception):  # the cluster may be gone
            client.unregister_worker_plugin(name)


def _clear(client: Any) -> None:
    """Remove the plugins of batches whose coordinators were killed."""
    from autograder.extensions.cluster.plugin import abandoned

    abandoned_plugins = client.run(abandoned, on_error="ignore")
    for name in {name for names in abandoned_plugins.values() for name in names}:
        with contextlib.suppress(Exception):
            client.unregister_worker_plugin(name)


class DaskFleet:
    """Workers of a scheduler; see :class:`autograder.extensions.cluster.dispatch.Fleet`."""

    def __init__(self, client: Any, name: str) -> None:
        self.client, self.name = client, name

    def standing(self) -> Mapping[str, MachineStanding]:
        """Return address → standing, as :class:`~autograder.extensions.cluster.dispatch.Fleet` defines."""
        from autograder.extensions.cluster.plugin import standing

        answers = self.client.run(standing, self.name, on_error="return")
        return {address: _standing(answer) for address, answer in answers.items()}

    def submit(self, address: str, parcel: bytes, ended: Callable[[Any], object]) -> SentUnit:
        """Send a submission, as :class:`~autograder.extensions.cluster.dispatch.Fleet` defines."""
        from autograder.extensions.cluster.plugin import grade_parcel

        future = self.client.submit(
            grade_parcel,
            self.name,
            parcel,
            key=f"grade-{secrets.token_hex(16)}",  # no student's name: dask shows keys to anybody
            workers=[address],
            allow_other_workers=False,
            pure=False,
            retries=0,
        )
        future.add_done_callback(ended)
        return cast(SentUnit, future)

    def forget(self, sent: SentUnit) -> None:
        """Cancel a submission, as :class:`~autograder.extensions.cluster.dispatch.Fleet` defines."""
        with contextlib.suppress(Exception):
            cast(Any, sent).cancel()


def _standing(answer: Any) -> MachineStanding:
    if isinstance(answer, BaseException):
        if isinstance(answer, ImportError | AttributeError | TypeError):
            return MachineStanding(refused=f"this version of the kit is not installed there ({answer})")
        return MachineStanding()  # it may be busy, or about to leave
    return MachineStanding(*answer)
