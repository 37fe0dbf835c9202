"""An error of complex numbers has a square below 0: an answer is complex only where the solution's is."""

from __future__ import annotations

import numpy as np
import pytest

from autograder.codec import CodecError, decode, encode
from autograder.codec.core import COMPLEX


def strict(value: object, *kept: str) -> object:
    packed = encode(value)
    return decode(packed.text, packed.buffers, strict=True, kept_types=frozenset(kept))


COMPLEX_ANSWERS = {
    "an array": np.full(3, 1e6j),
    "an array of few bits": np.full(3, 1e6j, np.complex64),
    "a number of numpy": np.complex128(1e6j),
    "a number of Python": 1e6j,
    "a list": [1.0, 1e6j],
    "an array of objects": np.array([1e6j, 2.0], object),
    "an imaginary part that is no number": np.array([complex(1, np.nan)]),
}


@pytest.mark.parametrize("value", COMPLEX_ANSWERS.values(), ids=COMPLEX_ANSWERS)
def test_a_complex_answer_is_not_read_where_the_solution_gives_real_numbers(value: object) -> None:
    with pytest.raises(CodecError, match="its numbers are complex, and the solution's are not"):
        strict(value)


@pytest.mark.parametrize("value", list(COMPLEX_ANSWERS.values())[:4])
def test_control_a_complex_answer_is_read_where_the_solution_is_complex(value: object) -> None:
    assert np.array_equal(np.asarray(strict(value, COMPLEX)), np.asarray(value))


def test_real_numbers_that_were_computed_with_complex_ones_are_real() -> None:
    """``np.fft.ifft`` and ``np.linalg.eigvals`` give such answers for real data."""
    back = np.fft.ifft(np.fft.fft([3.0, -2.0, 5.0, 1.0]))
    read = strict(back)
    assert isinstance(read, np.ndarray)
    assert read.dtype == np.float64
    np.testing.assert_allclose(read, [3, -2, 5, 1])
    assert type(strict(complex(4, 0))) is float
    assert strict(complex(4, 0)) == 4
    assert strict(np.complex128(2)) == 2


def test_a_real_tensor_without_dimensions_keeps_its_shape() -> None:
    torch = pytest.importorskip("torch")
    assert np.shape(strict(torch.tensor(2 + 0j))) == ()


def test_a_matrix_is_an_array_where_the_solution_gives_none() -> None:
    """Its square is a product of matrices."""
    answer = np.matrix([[0, 1e6], [-1e6, 0]])
    read = strict(answer)
    assert type(read) is np.ndarray
    assert np.sum(read**2) > 0
    assert type(strict(answer, "matrix")) is np.matrix
