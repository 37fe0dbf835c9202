"""Signature of a bundle: made and verified offline by OpenSSH's ``ssh-keygen -Y``.

The signature lies beside the bundle, as ``….zip.sig``. Whom a key belongs to stands in a file of allowed signers, as
``ssh-keygen(1)`` describes it: ``ada@example.org ssh-ed25519 AAAA…``.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from autograder._util.text import one_line
from autograder.errors import AutograderError, HostError, UsageError

PROGRAM = "ssh-keygen"
NAMESPACE = "nbexaminer-bundle"
"""What the signature is for: one that was made for something else does not count."""
SECONDS = 60.0


class SignatureError(AutograderError):
    """A signature that is missing, or that the allowed signers did not make."""


def signature_path(bundle: Path) -> Path:
    """Return where ``ssh-keygen`` writes a bundle's signature, and looks for it: ``….zip.sig``."""
    return bundle.with_name(f"{bundle.name}.sig")


def sign(bundle: Path, key: Path) -> Path:
    """Sign a bundle, and return the path of the signature; the program may ask for a passphrase.

    Args:
        bundle: the zip.
        key: a private SSH key, or a public one whose private part an agent holds.

    Raises:
        UsageError: there is no such key.
        HostError: the program is missing, or cannot sign with the key.
    """
    if not key.is_file():
        raise UsageError(f"there is no key {key}")
    path = signature_path(bundle)
    path.unlink(missing_ok=True)  # the program asks before it writes over one
    process = _run("sign", "-f", str(key.resolve()), "-n", NAMESPACE, str(bundle.resolve()), data=None)
    if process.returncode or not path.is_file():
        raise HostError(f"{key} cannot sign {bundle.name}: {_message(process)}")
    return path


def signer(bundle: Path, allowed: Path) -> str:
    """Return who signed a bundle.

    Args:
        bundle: the zip.
        allowed: the file of allowed signers.

    Raises:
        UsageError: there is no such file.
        SignatureError: the bundle has no signature, or none of these signers made it for these bytes.
        HostError: the program is missing.
    """
    if not allowed.is_file():
        raise UsageError(f"there is no file of allowed signers {allowed}")
    path = signature_path(bundle)
    if not path.is_file():
        raise SignatureError(f"{bundle.name} is not signed: there is no {path.name} beside it")
    files = ("-s", str(path.resolve()), "-f", str(allowed.resolve()))
    search = _run("find-principals", *files, data=None)
    names = search.stdout.decode(errors="replace").splitlines()
    if search.returncode or not names:
        raise SignatureError(f"{path.name} was made with a key of nobody in {allowed}")
    verification = _run("verify", *files, "-I", names[0], "-n", NAMESPACE, data=bundle)
    if verification.returncode:
        raise SignatureError(f"{path.name} does not fit {bundle.name}: {_message(verification)}")
    return names[0]


def _run(action: str, *arguments: str, data: Path | None) -> subprocess.CompletedProcess[bytes]:
    command = [PROGRAM, "-Y", action, *arguments]
    try:
        with Path(data or os.devnull).open("rb") as file:
            terminal = None if action == "sign" else file  # a passphrase is asked for there
            return subprocess.run(command, stdin=terminal, capture_output=True, timeout=SECONDS, check=False)
    except FileNotFoundError:
        raise HostError(f"{PROGRAM} is not installed; signatures need OpenSSH 8.9 or later") from None
    except subprocess.TimeoutExpired:
        raise HostError(f"{PROGRAM} did not end within {SECONDS:g} s") from None


def _message(process: subprocess.CompletedProcess[bytes]) -> str:
    return (
        one_line((process.stderr or process.stdout).decode(errors="replace"), 300) or f"exit code {process.returncode}"
    )
