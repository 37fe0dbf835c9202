"""What cells and modules say, read from their text alone: nothing of it runs."""
