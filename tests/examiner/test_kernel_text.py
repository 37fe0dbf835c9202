"""What the kernel said is remembered as far as it may be a path, within bounds."""

from __future__ import annotations

import numpy as np
import pytest

from autograder.codec import Packed, encode
from autograder.examiner.student_text import kernel_text as telling
from autograder.examiner.student_text.kernel_text import KernelText


@pytest.mark.parametrize(
    "value",
    [
        "/a/b.csv",
        ["x", {"k": ("/a/b.csv",)}],
        {"/a/b.csv": 1},
        b"/a/b.csv",
        np.array(["/a/b.csv"]),
        np.array([b"/a/b.csv"]),
    ],
)
def test_a_path_is_found_wherever_it_stands(value) -> None:
    kernel_text = KernelText()
    kernel_text.keep(encode(value))
    assert kernel_text.has("/a/b.csv")
    assert not kernel_text.has("/a/c.csv")


def test_nor_does_another_way_to_write_it_hide_it() -> None:
    kernel_text = KernelText()
    kernel_text.keep(Packed(b'["s","\\u002fa\\/b\\u002ecsv"]', []))
    assert kernel_text.has("/a/b.csv")


def test_a_path_that_leads_upwards_is_found_at_the_end_of_another() -> None:
    kernel_text = KernelText()
    kernel_text.keep(encode("../../b.csv"))
    assert kernel_text.has("/work/here/../../b.csv")
    assert not kernel_text.has("/work/here/b.csv")


def test_what_is_remembered_is_bounded(monkeypatch) -> None:
    monkeypatch.setattr(telling, "MAX_TEXTS", 3)
    kernel_text = KernelText()
    kernel_text.keep(encode([f"{n}.csv" for n in range(9)]))
    kernel_text.keep_file(b"a.csv\nb.csv\n")
    assert len(kernel_text.paths) == 3
