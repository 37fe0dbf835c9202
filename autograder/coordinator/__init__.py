"""Grading of many submissions: examiners, the kernels that are lent to them, and the check of what they send back.

coordinator ──task──▶ examiner in a sandbox of its own ──▶ outcome, read strictly ──▶ autograded/
     │                     │ asks for a kernel
     └──▶ kernel in its sandbox ◀── its sockets, passed as descriptors
"""
