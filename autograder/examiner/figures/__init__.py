"""Reconstruction of a student's figures from the kernel's claims about them."""
