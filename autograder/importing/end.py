"""What is there stays; what comes from here on is collected as ever. Keras has, where it is there, what kernels have."""

import gc

from autograder.probe import keras_pipelines

keras_pipelines.install()
gc.freeze()
gc.enable()
