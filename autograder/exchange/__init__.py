"""The border between coordinator and examiner: what crosses it, and how either side writes and reads it."""
