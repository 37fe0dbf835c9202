"""Grading by hand: one question across all students, on a page of a server on this machine."""
