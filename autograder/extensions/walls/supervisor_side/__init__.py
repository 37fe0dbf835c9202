"""Modules that the supervisor of a sandbox imports by their path: standard library, and its own neighbors."""
