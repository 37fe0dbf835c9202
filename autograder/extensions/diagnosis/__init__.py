"""Diagnosis: what a test compared for one student, read from what a batch has kept."""
