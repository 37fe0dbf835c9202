"""Trust: tests that are tested, thresholds that state their error, grades that can be had again."""
