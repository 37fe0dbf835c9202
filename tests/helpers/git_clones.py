"""Git repositories of students, made with git, and a course that asks for two modules."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from autograder.records.course import Assignment, Course

DUE = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
LAYERS, LOSSES = "def relu(x):\n    return max(x, 0)\n", "def mse(a, b):\n    return 0\n"
RELEASED = {"net/__init__.py": "", "net/layers.py": "pass\n", "losses.py": "pass\n"}
WORK = {"net/__init__.py": "", "net/layers.py": LAYERS, "losses.py": LOSSES}


def make_git_course(root: Path, **settings: object) -> Course:
    """Make a course with the assignments hw1, which is due at :data:`DUE`, and hw2."""
    origin = {"assignment": "hw1", "files": ["losses.py", "net/layers.py"]}
    notebook = {"nbformat": 4, "nbformat_minor": 4, "metadata": {"autograder": origin}, "cells": []}
    put(root / "release/hw1", {"hw1.ipynb": json.dumps(notebook), **RELEASED})
    hw1 = Assignment("hw1", "Homework 1", due=DUE, **settings)  # type: ignore[arg-type]
    return Course(root, "course", "Course", {"hw1": hw1, "hw2": Assignment("hw2", "hw2")})


def put(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write files below a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def git(folder: Path, *words: str, at: datetime = DUE, given: bytes | None = None) -> str:
    """Run git in a folder, with a date for what it commits."""
    date = f"{int(at.timestamp())} +0000"
    people = {f"GIT_{who}_{what}": "s" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    dates = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
    environment = {
        **people,
        **dates,
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ALLOW_PROTOCOL": "file",
    }
    done = subprocess.run(["git", *words], cwd=folder, env=environment, capture_output=True, check=True, input=given)
    return done.stdout.decode().strip()


def commit(folder: Path, files: Mapping[str, str | bytes], at: datetime) -> str:
    """Commit files in a repository, which is made if there is none, and return the commit's id."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / ".git").exists():
        git(folder, "init", "-q", "-b", "main")
    put(folder, files)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", "work", at=at)
    return git(folder, "rev-parse", "HEAD")
