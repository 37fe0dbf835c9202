"""What runs in the student's process: a child process of it has the other backend."""
