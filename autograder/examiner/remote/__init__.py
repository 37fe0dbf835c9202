"""Handles of objects that stay in the student's kernel."""
