"""What runs inside the sandbox, beside the student's code.

This folder is bound read-only into the sandbox and started as a program, in which it is the package ``agent``: its
modules import one another with leading dots. It imports the standard library, IPython's kernel, and nothing of the rest
of the package. Nothing it says is believed: a student can replace all of it at run time, and would only replace claims
by claims.
"""
