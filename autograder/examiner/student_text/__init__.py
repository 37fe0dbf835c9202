"""The walls inside an examiner's process: which texts become code, and which files are opened."""
