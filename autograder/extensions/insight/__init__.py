"""Insight: how questions measure a class, and whose answers are more alike than the class."""
