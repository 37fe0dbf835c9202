"""Weights of a file in the format of safetensors are read by header and raw arrays, and belong to one model."""

from __future__ import annotations

import importlib.util
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.exams import exam_of
from helpers.kernels import InProcessKernel
from helpers.weight_files import written

from autograder.examination.shown_cells import shown_cells
from autograder.execution.composition import _trained_elsewhere
from autograder.kernel import weight_file
from autograder.records.composed_notebook import Composed, ComposedCell
from autograder.records.exam import Role
from autograder.records.run import Run, RunStatus
from autograder.records.weights import TrainedWeights

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed here")


ARRAYS = {
    "a": np.arange(6, dtype="<f4").reshape(2, 3),
    "b": np.array(3, dtype="<i8"),
    "c": np.zeros((0, 2), dtype="<f8"),
    "d": np.ones(3, dtype="<f2"),
}


def test_arrays_come_back_with_types_and_shapes(tmp_path: Path) -> None:
    read = weight_file.read(written(tmp_path / "m.safetensors", ARRAYS))
    assert read.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert read[name].dtype == array.dtype
        np.testing.assert_array_equal(read[name], array)


@pytest.mark.parametrize(
    "changes",
    [
        {"dtype": "V"}, {"dtype": None}, {"shape": [2, 4]}, {"shape": [-1, 3]}, {"shape": ["2", 3.5]}, {"shape": None},
        {"data_offsets": [0, 10**9]}, {"data_offsets": [-4, 20]}, {"data_offsets": [24, 0]}, {"data_offsets": "ab"},
        {"data_offsets": [0, 23]},
    ],
)  # fmt: skip
def test_a_header_that_does_not_fit_ends_in_a_sentence(tmp_path: Path, changes: Any) -> None:
    path = written(tmp_path / "m.safetensors", ARRAYS, **changes)
    with pytest.raises(ValueError, match="its header does not describe its arrays"):
        weight_file.read(path)


@pytest.mark.parametrize(
    "content", [b"", b"\x02", b"\xff" * 16, (2**40).to_bytes(8, "little") + b"{}", b"PK\x03\x04" * 9]
)
def test_another_file_ends_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.safetensors").write_bytes(content)
    with pytest.raises(ValueError, match="no valid length"):
        weight_file.read(str(tmp_path / "m.safetensors"))


@pytest.mark.parametrize("text", [b"[]", b"{]", b'{"a": 1}', b'{"a": {}}', b"\xff\xff"])
def test_a_header_that_is_no_table_ends_in_a_sentence(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "m.safetensors").write_bytes(len(text).to_bytes(8, "little") + text)
    with pytest.raises((ValueError), match="its header does not describe its arrays"):
        weight_file.read(str(tmp_path / "m.safetensors"))


ONE = ["sequential/dense/kernel", "sequential/dense_1/kernel"]


@pytest.mark.parametrize(
    ("there", "here", "order"),
    [
        (["sequential_2/dense_9/kernel", "sequential_2/dense_10/kernel"], ONE, [0, 1]),
        (["sequential_2/dense_10/kernel", "sequential_2/dense_9/kernel"], ONE, [1, 0]),
        (["sequential/dense_1/kernel", "sequential/dense/kernel"], ONE, [1, 0]),
        (["sequential/dense/kernel", "sequential/dense_5/bias"], ["m/dense/kernel", "m/dense/bias"], None),
        (["m/a_2/kernel", "m/a_3/kernel"], ["m/a/kernel"], None),
    ],
)
def test_layers_are_found_whatever_numbers_a_session_gave_them(
    there: list[str], here: list[str], order: list[int] | None
) -> None:
    """The numbers' order decides; what has other names without numbers belongs to another model."""
    arrays = {name: np.array(number) for number, name in enumerate(there)}
    numbered = weight_file._as_numbered(arrays, here)
    assert numbered == (arrays if order is None else dict(zip(here, order, strict=True)))


# --- in a notebook -------------------------------------------------------------------------------------

SOURCE = """
import torch
torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
"""
CELL = _trained_elsewhere(
    ComposedCell(Role.ANSWER, "code", "raise SystemExit", "train"), TrainedWeights("m.safetensors", "model")
)


def state(**changes: Any) -> dict[str, Any]:
    shapes = {
        "0.weight": (3, 2),
        "0.bias": (3,),
        **{f"1.{name}": (3,) for name in ("weight", "bias", "running_mean", "running_var")},
    }
    arrays = {name: np.full(shape, 0.5, "<f4") for name, shape in shapes.items()}
    return {**arrays, "1.num_batches_tracked": np.array(7, "<i8"), **changes}


def ran(folder: Path, arrays: dict[str, Any]) -> tuple[Any, InProcessKernel]:
    written(folder / "m.safetensors", arrays)
    kernel = InProcessKernel()
    assert kernel.run(SOURCE, 60).status == "ok"
    return kernel.run(CELL.instead, 60), kernel


@needs_torch
def test_a_training_cell_reads_the_weights_in_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run, kernel = ran(tmp_path, state())
    assert run.status == "ok", run.error
    assert float(kernel.namespace["model"][0].weight[0, 0].detach()) == 0.5
    assert int(kernel.namespace["model"][1].num_batches_tracked) == 7
    assert not {"scope", "load", "read"} & set(kernel.namespace)
    assert CELL.source == "raise SystemExit"
    assert "was not run" in CELL.note


@needs_torch
@pytest.mark.parametrize("arrays", [state(**{"0.weight": np.zeros((2, 3), "<f4")}), state(more=np.zeros(1, "<f4")), {}])
def test_weights_of_another_model_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arrays: Any) -> None:
    monkeypatch.chdir(tmp_path)
    run, kernel = ran(tmp_path, arrays)
    assert run.status == "raised" or run.error
    assert float(kernel.namespace["model"][0].weight[0, 0].detach()) != 0.5


def tied() -> Any:
    import torch

    model = torch.nn.Sequential(torch.nn.Embedding(5, 4), torch.nn.Linear(4, 5, bias=False))
    model[1].weight = model[0].weight
    return model


@needs_torch
@pytest.mark.parametrize("names", [["0.weight"], ["1.weight"], ["0.weight", "1.weight"], ["_orig_mod.0.weight"]])
def test_tied_weights_may_stand_once_and_a_compiled_module_names_them_otherwise(
    tmp_path: Path, names: list[str]
) -> None:
    """``save_model`` of safetensors writes tied weights once; ``torch.compile`` puts a word before each name."""
    model, weights = tied(), np.full((5, 4), 0.5, "<f4")
    weight_file.load(model, written(tmp_path / "m.safetensors", dict.fromkeys(names, weights)))
    assert float(model[1].weight.detach().min()) == 0.5
    assert model[0].weight is model[1].weight


@needs_torch
@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod."])
def test_words_of_wrappers_before_the_names_of_a_file_are_none(tmp_path: Path, prefix: str) -> None:
    import torch

    model = torch.nn.Sequential(torch.nn.Linear(2, 1, bias=False))
    weights = {f"{prefix}0.weight": np.full((1, 2), 0.5, "<f4")}
    for wrapped in (model, torch.nn.DataParallel(model)):
        model[0].weight.data.zero_()
        weight_file.load(wrapped, written(tmp_path / "m.safetensors", weights))
        assert float(model[0].weight.detach().min()) == 0.5


@needs_torch
def test_an_error_lists_the_names_of_the_file(tmp_path: Path) -> None:
    import torch

    path = written(tmp_path / "m.safetensors", {"net.fc.weight": np.zeros((1, 2), "<f4")})
    with pytest.raises(ValueError, match=r"The file has net\.fc\.weight; the model has weight, bias"):
        weight_file.load(torch.nn.Linear(2, 1), path)


@needs_torch
def test_a_page_shows_why_a_file_was_not_read_and_none_of_the_kits_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run, _ = ran(tmp_path, {})
    composed = Composed(exam_of(), (CELL,))
    (shown,) = shown_cells(composed, Run(RunStatus.COMPLETED, "", (run,), 0.0, 0.0, None, "", {}))
    assert "exec" not in str(shown.outputs)
    assert "belongs to another model" in str(shown.outputs)
    assert "are those of" not in shown.note


@needs_torch
def test_weights_of_a_compiled_module_go_into_the_module_inside(tmp_path: Path) -> None:
    import torch

    model = torch.compile(torch.nn.Linear(2, 1, bias=False), backend="eager")
    weight_file.load(model, written(tmp_path / "m.safetensors", {"weight": np.full((1, 2), 0.5, "<f4")}))
    assert float(model.weight.detach().min()) == 0.5


def test_a_file_of_many_arrays_is_not_copied_for_each(tmp_path: Path) -> None:
    """The system reads the arrays as they are used: next to nothing is held."""
    arrays = {str(number): np.ones(2**18, "<f4") for number in range(24)}
    path = written(tmp_path / "m.safetensors", arrays)
    tracemalloc.start()
    try:
        read = weight_file.read(path)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()
    assert all(array.sum() == 2**18 for array in read.values())


def test_an_array_that_begins_between_two_numbers_is_read(tmp_path: Path) -> None:
    """The header may have any length; arrays in memory begin at a number's own places."""
    content = Path(written(tmp_path / "m.safetensors", {"a": np.arange(3, dtype="<f8")})).read_bytes()
    length = int.from_bytes(content[:8], "little")
    for spaces in range(8):
        header = content[8 : 8 + length] + b" " * spaces
        (tmp_path / "n.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + content[8 + length :])
        (array,) = weight_file.read(str(tmp_path / "n.safetensors")).values()
        assert array.flags.aligned
        assert list(array) == [0, 1, 2]


@needs_torch
def test_a_model_keeps_its_weights_when_the_file_is_written_over(tmp_path: Path) -> None:
    import torch

    model = torch.nn.Linear(2, 1)
    weights = {"weight": np.ones((1, 2), "<f4"), "bias": np.ones(1, "<f4")}
    path = written(tmp_path / "m.safetensors", weights)
    weight_file.load(model, path)
    size = Path(path).stat().st_size
    with Path(path).open("r+b") as file:
        file.write(bytes(size))
    assert model(torch.ones(1, 2)).item() == 3
