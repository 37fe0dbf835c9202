"""The program of an examiner, in a sandbox of its own: it reads, runs and examines one submission."""
