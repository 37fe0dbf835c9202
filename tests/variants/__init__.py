"""Honest and wrong variants of the lessons' solutions, made by rules, and what they must earn."""
