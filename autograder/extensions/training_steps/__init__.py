"""Checks of a student's own training loop: its steps, its optimizer, and the losses that it notes."""
