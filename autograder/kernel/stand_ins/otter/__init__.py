"""Stand-in for otter-grader in the kit's kernels: a notebook's calls of it succeed, and do nothing.

The questions' tests run outside of this process, after its last cell; what happens here decides no point. So nothing of
a notebook's metadata or of a ``tests`` folder is read, and no log is written.
"""

from __future__ import annotations

from typing import Any


class Notebook:
    """Object that students call ``grader``."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        pass

    def check(self, question: str, global_env: Any = None) -> None:
        """Do nothing: this question's tests run when the notebook is graded."""

    def check_all(self) -> None:
        """Do nothing."""

    def export(self, *arguments: Any, **options: Any) -> None:
        """Do nothing: the notebook was handed in."""

    def to_pdf(self, *arguments: Any, **options: Any) -> None:
        """Do nothing."""

    def submit(self, *arguments: Any, **options: Any) -> None:
        """Do nothing."""

    def add_plugin_files(self, *arguments: Any, **options: Any) -> None:
        """Do nothing."""

    def run_plugin(self, *arguments: Any, **options: Any) -> None:
        """Do nothing."""
