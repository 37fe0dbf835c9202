"""Theano's fast random streams; here they are the usual ones."""

from ..tensor.shared_randomstreams import RandomStreams

MRG_RandomStreams = RandomStreams

__all__ = ["MRG_RandomStreams"]
