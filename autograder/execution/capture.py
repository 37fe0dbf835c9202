"""Copies of a kernel's names, files and figures at the position of a test cell, as the kernel gives them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from autograder.codec import Packed, Reference, references
from autograder.errors import BusyError, RemoteError
from autograder.execution.allowance import Allowance
from autograder.execution.captured_files import CapturedFiles, FolderCopy
from autograder.execution.link import REPLY_SECONDS
from autograder.kernel.figures import MAX_FIGURES

NETWORK = "network"
"""Kind of the references to models that stay in the kernel, and describe themselves where a check reads them."""
MAX_NETWORKS = 8
"""Most networks of one test cell that are described at the cell."""
FIGURES = frozenset({"figure", "axes"})
"""Kinds of references that are copied out as the description of a figure."""


class Asker(Protocol):
    """A way to ask a kernel that decodes its answers."""

    def ask(self, verb: str, *arguments: Any, timeout: float | None = None) -> Any:
        """Ask one question.

        Raises:
            LostError: there is no answer.
        """

    def plain(self, reference: Reference) -> Any:
        """Return the bare handle of a reference."""


@dataclass(frozen=True)
class Captured:
    """A name as the kernel gave it at the position of a test cell."""

    packed: Packed | None
    refused: str = ""
    """Why there is no value: ``more than 256 MiB``."""
    models: Mapping[int, Any] = field(default_factory=dict)
    """Handle → what the kernel says of a model or a matplotlib figure, for each one in the value."""


@dataclass(frozen=True)
class FrozenCopy:
    """A copy of the kernel's process as it was at a test cell; see :mod:`autograder.kernel.frozen_copies`."""

    snapshot: int
    """Number of the snapshot at which it was made, and its own."""
    last: int
    """The last handle that it knows."""


@dataclass(frozen=True)
class Capture:
    """All captures of one test cell: the answers that its test may use."""

    snapshot: int
    names: Mapping[str, Captured]
    files: CapturedFiles | None = None
    """What the notebook had written; None for a cell that does not look at files."""
    figures: Sequence[Any] | None = None
    """Claims of the open figures, the current one last; None for a cell that does not ask for figures."""
    bound: frozenset[str] = frozenset()
    """All names that the student's code has bound; only these may be told to the kernel."""
    frozen: FrozenCopy | None = None
    """The copy that holds the pinned objects as they were; None: they are as they are at the end of the notebook."""
    unfrozen: str = ""
    """Why there is no copy although one was wanted: the end of a sentence."""

    @property
    def handles(self) -> frozenset[int]:
        """Handles of what lives only in the kernel; a copied model or figure does not."""
        return frozenset(r.handle for r in self._pinned())

    @property
    def objects(self) -> bool:
        """Whether some of them are of objects, whose state may change, and not of functions and classes alone."""
        return any(r.kind == "object" for r in self._pinned())

    def _pinned(self) -> list[Reference]:
        packed = [c.packed for c in self.names.values() if c.packed is not None]
        return [r for p in packed for r in references(p.text) if r.kind not in ("module", "model", *FIGURES)]


@dataclass(frozen=True)
class ExtraCaptures:
    """The test cells, by index, that look at more than names."""

    files: frozenset[int] = frozenset()
    """See :func:`autograder.syntax.file_paths.looks_at_files`."""
    figures: frozenset[int] = frozenset()
    """See :func:`autograder.examiner.figures.reconstruction.uses_current_figure`."""
    kernel: frozenset[int] = frozenset()
    """Tests that run in the kernel, see :mod:`autograder.examiner.kernel_tests`."""
    networks: frozenset[int] = frozenset()
    """Tests that use a check, which may read a network."""
    at_end: bool = False
    """Whether files are copied out after the last cell, too: a later notebook of the hand-in gets them."""


MAX_SNAPSHOTS = 100_000
MAX_CAPTURED_BYTES = 512 * 2**20
"""Limit on all answers of one run, which the examiner holds until it examines them."""


@dataclass
class Budget:
    """The bytes that captures may still take."""

    left: int = MAX_CAPTURED_BYTES


def capture(
    remote: Asker, names: frozenset[str], budget: Budget, until: Allowance, *, networks: bool = False
) -> Capture | None:
    """Copy out or pin the names that exist; None if the kernel gives no answer.

    The kernel is never told a name that the student's code has not bound: a hidden test's own names stay hidden.

    Args:
        remote: the way to the kernel.
        names: the names that the test needs.
        budget: the bytes that are left, for this cell and those after it.
        until: the time that copying may take; everything that is not copied by then is refused.
        networks: whether a check may read a network, which stays in the kernel and is described all the same.

    Raises:
        BusyError: others had the processors for that long.
    """
    try:
        number, bound = remote.ask("snapshot", timeout=until_reply(until))
        if type(number) is not int or not 0 <= number < MAX_SNAPSHOTS or type(bound) is not list:
            return None
        existing = frozenset(name for name in bound if type(name) is str)
        wanted = {name: _captured(remote, number, name, budget, until) for name in sorted(names & existing)}
        if networks:
            wanted = _with_networks(remote, wanted, budget, until)
        return Capture(number, wanted, bound=existing)
    except BusyError:
        raise
    except Exception:  # the student's code decides what the kernel answers or raises
        return None


def capture_files_and_figures(
    captured: Capture,
    remote: Asker,
    folder: FolderCopy,
    index: int,
    extras: ExtraCaptures,
    budget: Budget,
    until: Allowance,
) -> Capture:
    """Add the files and figures that the cell looks at, as they are now, to its capture."""
    try:
        if index in extras.files:
            contents, _ = folder.pull(remote.ask, timeout=until_reply(until))
            budget.left -= sum(map(len, contents.values()))
            if budget.left < 0:
                folder.refused = f"all answers together are more than {MAX_CAPTURED_BYTES >> 20} MiB"
            captured = dataclasses.replace(captured, files=folder.capture())
        if index in extras.figures:
            claims = open_figures(remote.ask, timeout=until_reply(until))
            captured = dataclasses.replace(captured, figures=claims)
    except BusyError:
        raise
    except Exception:  # the student's code decides what the kernel answers or raises
        return captured
    return captured


def until_reply(allowance: Allowance) -> float:
    """Return the seconds that one reply may take."""
    return max(0.1, min(REPLY_SECONDS, allowance.left()))


def _is_too_late(until: Allowance) -> bool:
    if until.is_starved():
        raise BusyError(f"this machine was too busy: copying the answers got {until.story()}")
    return until.over()


def _captured(remote: Asker, number: int, name: str, budget: Budget, until: Allowance) -> Captured:
    try:
        if _is_too_late(until):
            return Captured(None, "copying the answers took too long")
        kind, text, buffers = remote.ask("fetch", number, [name], timeout=until_reply(until))[name]
        if kind != "value":
            return Captured(None, str(text)[:200])
        packed = Packed(bytes(text), [bytes(b) for b in buffers])
        models = {}
        for reference in _described(packed):
            if _is_too_late(until):
                return Captured(None, "copying the answers took too long")
            models[reference.handle] = _claim(remote, reference, until_reply(until))
        budget.left -= len(packed.text) + sum(map(len, packed.buffers)) + sum(map(_weight_bytes, models.values()))
        if budget.left < 0:
            return Captured(None, f"all answers together are more than {MAX_CAPTURED_BYTES >> 20} MiB")
        return Captured(packed, "", models)
    except (BusyError, RemoteError):
        raise
    except Exception:  # the student's code decides what shape the kernel's answer has
        return Captured(None, "the notebook's kernel gave no readable answer")


def _with_networks(
    remote: Asker, captured: dict[str, Captured], budget: Budget, until: Allowance
) -> dict[str, Captured]:
    """Add what the kernel says of networks, as far as time and budget allow."""
    claims: dict[int, Any] = {}
    pinned = {name: references(answer.packed.text) for name, answer in captured.items() if answer.packed is not None}
    for reference in {r.handle: r for listed in pinned.values() for r in listed if r.kind == NETWORK}.values():
        if len(claims) == MAX_NETWORKS or _is_too_late(until):
            break
        try:
            claim = remote.ask("aside", "record", remote.plain(reference), None, timeout=until_reply(until))
        except BusyError:
            raise
        except Exception:  # the student's code may raise anything while a network describes itself
            continue
        size = _weight_bytes(claim)
        if size <= budget.left:
            budget.left -= size
            claims[reference.handle] = claim
    return {
        name: dataclasses.replace(answer, models={**answer.models, **_of_references(claims, pinned.get(name, ()))})
        for name, answer in captured.items()
    }


def _of_references(claims: Mapping[int, Any], pinned: Sequence[Reference]) -> dict[int, Any]:
    return {reference.handle: claims[reference.handle] for reference in pinned if reference.handle in claims}


def _weight_bytes(claim: Any) -> int:
    weights = claim[1] if type(claim) is tuple and len(claim) == 2 else None
    return sum(int(getattr(w, "nbytes", 0)) for w in weights) if type(weights) is list else 0


def _claim(remote: Asker, reference: Reference, timeout: float) -> Any:
    """Ask for the kernel's claim about a model or a figure; None if it gives none.

    An honest kernel's claim about a model is ``(description, weights)``.
    """
    try:
        if reference.kind in FIGURES:
            return remote.ask("operate", "figure", (remote.plain(reference),), timeout=timeout)
        return remote.ask("model", reference.handle, timeout=timeout)
    except (BusyError, RemoteError):
        raise
    except Exception:  # the student's code may raise anything while the model describes itself
        return None


def _described(packed: Packed) -> list[Reference]:
    """List the references that are copied out as a description, each once."""
    described = {r.handle: r for r in references(packed.text) if r.kind == "model" or r.kind in FIGURES}
    return list(described.values())


def open_figures(ask: Callable[..., Any], **options: Any) -> list[Any]:
    """Ask for claims of the open figures, or of the one shown last; the current one is last."""
    opened = ask("operate", "figures", (), **options)
    return opened[-MAX_FIGURES:] if type(opened) is list else []
