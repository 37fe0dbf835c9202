"""The walls within an examiner's process: which text becomes code, which files are opened."""
