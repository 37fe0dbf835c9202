"""Checks of networks and of other models that predict: their layers, their parameters, their losses, their training."""
