"""Sequence models: whether an output depends on what comes later."""
