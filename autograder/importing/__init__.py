"""Around the imports of a server that forks: ``begin`` is imported before them, and ``end`` after.

Imports make hundreds of thousands of objects and leave next to no garbage behind. To look for it again and again takes
a quarter of the time that TensorFlow's import takes; and what is there at the end stays, so that no process that is
forked has to look at it either.
"""
