"""Test suites with which others prove that what they registered holds; they need pytest."""
