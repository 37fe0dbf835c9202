"""Trust in grades: bundles for a second look, replays of grades, calibrated thresholds."""
