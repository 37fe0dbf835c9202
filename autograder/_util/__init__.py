"""Files, text, digests and notebooks: what every room may use, and what knows no room."""
