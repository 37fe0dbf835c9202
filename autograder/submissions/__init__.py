"""Packing and collecting of submissions: untrusted bytes become ``submitted/``."""
