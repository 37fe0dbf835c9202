"""Sources of ``otter assign``, read into the versions of a notebook that nbgrader's sources have.

blocks (boundary cells) ──▶ settings (their YAML) ──▶ cells (otter's student notebook) ──▶ notebook (exam's versions)
                            cases (test cells)    ──▶ points ──▶ examined (code that the examiner runs)

outputs saves what doctests give; conversion makes a source of an autograder.zip.
"""
