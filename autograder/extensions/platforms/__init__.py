"""Grading on platforms that run a container for each submission: packages for them, and the program that grades there.

here                                       on the platform, as root, one container for each submission
package ──▶ setup.sh, run_autograder       setup.sh, once: Python, the pinned libraries, the kit's own wheel
exam, settings, wheel    ──▶   run_autograder: results that say "not graded", then the program
requirements                   program ──▶ examiner and kernels in the sandbox ──▶ results, as the platform reads them
"""
