"""The command line: each command parses, calls one library function, and shows the result.

Of the core, this room alone prints and exits. Exit codes: 0 done · 1 the course or the input is wrong · 2 usage · 3
some submissions could not be graded. Heavy libraries are imported in the commands that use them, so that ``--help`` is
quick.
"""

from __future__ import annotations

from autograder._util.bytecode import write_no_closed_bytecode

write_no_closed_bytecode()  # before the imports that would

from autograder.cli.main import main  # noqa: E402

__all__ = ["main"]
