"""Test files for pytest: each test function of theirs is a question of the exam."""
