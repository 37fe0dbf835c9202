"""One notebook in one kernel: run, recorded, replayed. This room touches one sandbox."""
