"""From a source notebook to the students' notebook and its exam; it writes ``release/``."""
