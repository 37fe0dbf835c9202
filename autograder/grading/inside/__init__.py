"""What runs in an examiner's process, behind a wall of its own: it reads, runs, examines, and hands out one outcome."""
