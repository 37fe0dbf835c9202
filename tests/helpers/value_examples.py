"""The examples of values in the reference, as test parameters."""

from __future__ import annotations

import array
import collections
import datetime
import decimal
import fractions
import ipaddress
import math
import pathlib
import re
import types
import uuid
import zoneinfo
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

PAGE = Path(__file__).parents[2] / "docs/reference/values.md"
MODULES = [array, collections, datetime, decimal, fractions, ipaddress, math, pathlib, re, types, uuid, zoneinfo]
KNOWN = {"np": np, "pd": pd, "sparse": sparse, **{module.__name__: module for module in MODULES}}
STRING_DTYPE = pytest.mark.skipif(not hasattr(np.dtypes, "StringDType"), reason="numpy has StringDType since 2.0")
LIBRARIES = {"jnp": "jax.numpy", "tf": "tensorflow", "torch": "torch"}


def examples() -> list[Any]:
    found = []
    for row in re.findall(r"^\| (`.*`) \| (.*?) \|$", PAGE.read_text(encoding="utf-8"), re.M):
        for source in re.findall(r"`([^`]+)`", row[0]):
            library = source.split(".")[0]
            marks = [pytest.mark.keras] if library == "tf" else [STRING_DTYPE] if "StringDType" in source else []
            found.append(pytest.param(source, row[1], id=source, marks=marks))
    return found
