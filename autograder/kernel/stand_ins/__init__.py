"""Stand-ins for packages that must not work in the kit's kernels, even where they are installed.

The folder stands in front of the installed packages on a kernel's path, and behind the notebook's own folder.
"""
