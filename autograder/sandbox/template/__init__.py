"""A process inside the walls that has imported what notebooks import, and forks a walled-in kernel for each notebook.

Run as a folder, ``python -I template PROGRAM``, by the notebooks' interpreter; only the standard library, from Python
3.9 on. It runs no student's code: each fork first builds walls around itself.
"""
