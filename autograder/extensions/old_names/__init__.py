"""Old names of living libraries: Theano's for PyTensor, and those parts of nose that notebooks of its time use."""
