"""Grading on Gradescope: a package for its programming assignments, and the program that grades one submission there.

here                                       on the platform, as root, one container for each submission
package ──▶ setup.sh, run_autograder       setup.sh: Python, the pinned libraries, the kit's own wheel
exam, settings, wheel    ──▶   run_autograder: a provisional results.json, then the program
requirements                   program ──▶ examiner and kernels in the sandbox ──▶ results.json
"""
