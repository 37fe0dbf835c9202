"""Sources of submissions that are no uploads: git clones, and what Gradescope hands out."""
