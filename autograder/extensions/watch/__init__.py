"""Grading of submissions as they arrive: `autograder grade --watch`, and the service for programs."""
