"""The complete allow-list: layers that can be rebuilt, refused layers with reasons, and base classes.

Arguments that end in ``_initializer``, ``_regularizer`` or ``_constraint`` are read in one place for all layers
(:mod:`autograder.extensions.keras.parts`), and so are ``name``, ``dtype`` and ``trainable``.
"""

from __future__ import annotations

from collections.abc import Mapping

from autograder.extensions.keras import table_core, table_preprocessing, table_sequences, table_spatial
from autograder.extensions.keras.table_core import Arguments

FAMILIES: Mapping[str, Mapping[str, Arguments]] = {
    "core": table_core.CORE,
    "activation": table_core.ACTIVATIONS,
    "regularization": table_core.REGULARIZATION,
    "normalization": table_core.NORMALIZATION,
    "joining": table_core.JOINING,
    "convolution": table_spatial.CONVOLUTIONS,
    "pooling": table_spatial.POOLING,
    "size": table_spatial.SIZES,
    "recurrent": table_sequences.RECURRENT,
    "cells": table_sequences.CELLS,
    "around a layer": table_sequences.AROUND,
    "attention": table_sequences.ATTENTION,
    "numbers": table_preprocessing.SCALING,
    "categories": table_preprocessing.CATEGORIES,
    "words": table_preprocessing.VOCABULARIES,
    "pictures": table_preprocessing.PICTURES,
    "sound": table_preprocessing.SOUND,
}

LAYERS: Mapping[str, Arguments] = {name: table for family in FAMILIES.values() for name, table in family.items()}
"""Class in ``keras.layers`` → its arguments → their validators."""

CELLS = frozenset(table_sequences.CELLS)
_LOOPS = frozenset(table_sequences.RECURRENT)
_WITH_KERNEL = frozenset({"Dense", "EinsumDense", "Embedding", *table_spatial.CONVOLUTIONS}) - {
    name for name in table_spatial.CONVOLUTIONS if name.startswith("Separable")
}

WRAPPERS: Mapping[str, tuple[tuple[str, ...], frozenset[str]]] = {
    "Bidirectional": (("layer", "backward_layer"), _LOOPS),
    "TimeDistributed": (("layer",), frozenset(LAYERS) - CELLS),
    "SpectralNormalization": (("layer",), _WITH_KERNEL),
    "RNN": (("cell",), CELLS),
    "StackedRNNCells": (("cells",), CELLS - {"StackedRNNCells"}),
    "Pipeline": (("layers",), frozenset(LAYERS) - CELLS),
}
"""Layers around layers: the arguments that hold a serialized layer or a list of layers, and which layers are allowed
there."""

REFUSED: Mapping[str, str] = {
    "Lambda": "it is a function of your own",
    "TFSMLayer": "it loads a program from a file",
    "FlaxLayer": "it is a module of another library",
    "JaxLayer": "it is a function of another library",
    "TorchModuleWrapper": "it is a module of another library",
    "MaxNumBoundingBoxes": "it works on bounding boxes, which are not tensors of a model",
}
"""Public layers that are never rebuilt, and why."""

BASES = frozenset({"InputLayer", "InputSpec", "Layer", "Wrapper"})
"""Public classes of ``keras.layers`` that are not layers by themselves (an input is read in :mod:`plan`)."""
