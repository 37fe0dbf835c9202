"""The small process between the kit and one sandbox; run as a folder, ``python -I -S supervisor FD``.

It uses the standard library alone, has one thread (bwrap's death signal follows the *thread* that started
it, and the kit starts sandboxes from worker threads), and ends the sandbox when the kit asks, or dies.
"""
