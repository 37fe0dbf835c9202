"""The gradebook of nbgrader: grades in its schema, with the points that people enter."""
