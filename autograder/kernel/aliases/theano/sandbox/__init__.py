"""``theano.sandbox``: of its parts, the random numbers live on."""

from . import rng_mrg

__all__ = ["rng_mrg"]
