"""The agent: the kit's program inside the sandbox, beside the student's code.

This folder and the codec's are bound read-only into the sandbox, as parts of the package ``_kernel_agent``, which
is started as a program. No course calls a module of its own so. Their modules import one another with leading dots.
The agent imports the standard library, IPython's kernel and nothing else of the kit. Nothing that it says is believed:
a student can replace all of it at run time, and would only replace claims by claims.
"""
