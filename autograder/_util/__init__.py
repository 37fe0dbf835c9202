"""Helpers for files, text, digests and notebooks. Every room may use them; they know no room."""
