"""Calls of a student's function where Keras has another backend."""
