"""Handing in and collecting: bytes from outside become ``submitted/``."""
