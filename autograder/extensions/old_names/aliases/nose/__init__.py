"""The assertions of nose, on ``unittest``: nose itself has no maintainer and does not run on present Pythons.

Only what tests in notebooks use is here, above all :mod:`nose.tools`. There is no test runner.
"""

from __future__ import annotations

from unittest import SkipTest as SkipTest

from . import tools as tools
from .tools import with_setup as with_setup

__version__ = "1.3.7"
