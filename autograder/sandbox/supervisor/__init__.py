"""The small process between the kit and one sandbox; run as a folder, ``python -I -S supervisor FD``.

It uses only the standard library and has one thread: bwrap's death signal follows the *thread* that started it, and the
kit starts sandboxes from worker threads. It ends the sandbox when the kit asks for it, or dies.
"""
