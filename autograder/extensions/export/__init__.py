"""The command `autograder export`: grades and the course table as CSV, and what points add up to."""
