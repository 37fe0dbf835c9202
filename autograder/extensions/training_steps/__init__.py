"""Training steps: the check of a student's own training loop, by the weights that come out of it."""
