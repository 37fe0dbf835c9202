"""A class graded while everything that can be killed is killed: nothing is lost. ``make test-interruptions`` runs it."""
