"""What people and programs read of grades: result.json, gradebook, feedback, reports.

It writes ``autograded/``, ``feedback/``, ``reports/`` and the gradebook.
"""
