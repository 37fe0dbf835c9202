"""The program of an examiner whose end of the connection halts; in a sandbox, in place of the kit's own program."""

import random

from halting import Halting

from autograder.examination import main as inside
from autograder.exchange.wire import Line

SECONDS = 0.02


def halting_line(connection, max_parcel_bytes, **options):
    return Line(Halting(connection, random.Random(), SECONDS), max_parcel_bytes, **options)


inside.Line = halting_line
inside.main()
