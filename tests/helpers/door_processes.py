"""A door as processes of its own, as `autograder serve` starts them."""

from __future__ import annotations

import csv
import io
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

KINDS = {"web": ["--only", "web", "--bind"], "worker": ["--only", "worker", "--workers", "2"]}
END_SECONDS = 120


class DoorProcesses:
    """The web process and the worker of a course folder; both end with :meth:`stop`."""

    def __init__(self, root: Path, environment: Mapping[str, str] | None = None) -> None:
        self.root, self.environment = root, {**os.environ, **(environment or {})}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "autograder", "serve", *words, "--course", str(self.root)]

    def start(self, kind: str) -> None:
        words = [*KINDS[kind], *([self.address] if kind == "web" else [])]
        with (self.root / f"{kind}.out").open("ab") as out:
            self.processes[kind] = subprocess.Popen(
                self.command(*words), stdout=out, stderr=out, start_new_session=True, env=self.environment
            )

    def links(self) -> dict[str, str]:
        said = self._said("links", "--url", f"http://{self.address}")
        return {row["id"]: row["link"] for row in csv.DictReader(io.StringIO(said))}

    def history(self) -> list[Mapping[str, Any]]:
        return [json.loads(line) for line in self._said("history").splitlines()]

    def _said(self, *words: str) -> str:
        return subprocess.run(
            self.command(*words), capture_output=True, text=True, check=True, env=self.environment
        ).stdout

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(END_SECONDS)
