"""Behind the examiner's wall: one submission of a student becomes one outcome."""
