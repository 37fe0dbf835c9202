"""What is there stays; what comes from here on is collected as ever. And Keras, if imported, is as kernels have it."""

import gc

from autograder.probe import keras_pipelines

keras_pipelines.install()
gc.freeze()
gc.enable()
