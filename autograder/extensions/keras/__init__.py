"""Keras models: rebuilt from Keras's own layers, of what a kernel or a notebook says of them."""
