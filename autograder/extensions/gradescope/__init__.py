"""The command for Gradescope, and the sandbox for its containers; what runs there is in ``grading/gradescope``."""
