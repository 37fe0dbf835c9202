"""Trials of changes on a network, behind the examiner's wall or in a student's own notebook."""
