"""Conversion of a source notebook to the students' notebook and its exam; this room writes ``release/``."""
