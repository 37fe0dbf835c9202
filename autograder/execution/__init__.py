"""One notebook in one kernel: run, recorded, replayed. It touches one sandbox."""
