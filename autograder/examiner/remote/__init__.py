"""Stand-ins for objects that stay in the student's kernel."""
