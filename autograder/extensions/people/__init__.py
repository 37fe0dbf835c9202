"""The command ``people``: lists of other systems into the roster, and confirmed numbers. The roster is the core's."""
