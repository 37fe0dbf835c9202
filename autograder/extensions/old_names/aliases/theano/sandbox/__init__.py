"""The part of ``theano.sandbox`` that still exists: random numbers."""

from . import rng_mrg

__all__ = ["rng_mrg"]
