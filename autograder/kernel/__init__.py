"""The agent: the kit's program inside the sandbox, beside the student's code.

This folder is bound read-only into the sandbox and started as a program. There it is the package ``agent``, so its
modules import one another with leading dots. It imports the standard library, IPython's kernel and nothing else of the
kit. Nothing that it says is believed: a student can replace all of it at run time, and would only replace claims by
claims.
"""
