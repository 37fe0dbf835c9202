"""A process inside the wall that has imported what notebooks import, and forks a walled-in kernel for each of them.

Run as a folder, ``python -I template PROGRAM``, by the interpreter that notebooks run in; standard library alone, from
Python 3.7 on. It runs no student's code: each fork builds walls of its own around itself before it does.
"""
