"""Grades back into learning systems: into the CSV files that they export, and through their REST APIs."""
