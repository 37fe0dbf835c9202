"""Comparison of the kit with ``nbgrader autograde`` on a folder of nbgrader courses; see :mod:`conformance.__main__`."""
