"""Results as people and programs read them: result.json, gradebook, feedback, reports.

This room writes ``autograded/``, ``feedback/``, ``reports/`` and the gradebook.
"""
