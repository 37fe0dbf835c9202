"""Hidden tests, run outside the student's process on snapshots of the student's answers."""
