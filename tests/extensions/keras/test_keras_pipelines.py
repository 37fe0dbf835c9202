"""Keras's pipelines of arrays without their tuning: the same batches, and nothing else that anybody could see."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from helpers.grids import each_once
from helpers.tiny import submit, tiny_course, tiny_release

from autograder.coordinator import batch
from autograder.examination import common
from autograder.exchange.parcel import pack_common_head
from autograder.execution.own_kernel import sandboxed_kernel
from autograder.extensions.keras.kernel_side import fast_training
from autograder.extensions.keras.kernel_side.fast_training import pipelines, versions
from autograder.records.limits import Limits
from autograder.sandbox import default_sandbox

pytestmark = pytest.mark.keras

ROWS = 301
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(ROWS, 6)).astype("float32")
Y = RANDOM.integers(0, 3, ROWS)


@pytest.fixture
def adapter(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Keras's class that makes the pipelines, as Keras has it; what a test teaches it is forgotten afterwards."""
    import keras  # noqa: F401
    from keras.src.trainers.data_adapters.array_data_adapter import ArrayDataAdapter

    make = ArrayDataAdapter.get_tf_dataset
    monkeypatch.setattr(ArrayDataAdapter, "get_tf_dataset", getattr(make, "tuned", make))
    return ArrayDataAdapter


def is_tuned(dataset: Any) -> bool:
    return dataset.options().autotune.enabled is not False


def test_a_pipeline_of_arrays_is_not_tuned(adapter: Any) -> None:
    assert is_tuned(adapter(X).get_tf_dataset())
    pipelines.install()
    assert not is_tuned(adapter(X).get_tf_dataset())


def test_its_functions_are_traced_as_they_stand(adapter: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import tensorflow

    make, seen = adapter.get_tf_dataset, []

    def noting(self: Any) -> Any:
        seen.append(tensorflow.__internal__.autograph.control_status_ctx().status.name)
        return make(self)

    monkeypatch.setattr(adapter, "get_tf_dataset", noting)
    pipelines.install()
    adapter(X).get_tf_dataset()
    assert seen == ["DISABLED"]  # nothing is rewritten, parsed and compiled anew first


@pytest.mark.parametrize(("batch_size", "shuffle"), each_once([7, 32, 400], [True, False, "batch"]))
def test_rows_weights_and_their_order_are_the_same(adapter: Any, batch_size: int, shuffle: Any) -> None:
    import tensorflow

    def batches() -> list[list[bytes]]:
        tensorflow.random.set_seed(5)
        made = adapter(X, Y, np.arange(ROWS), batch_size=batch_size, shuffle=shuffle).get_tf_dataset()
        return [[part.numpy().tobytes() for part in batch] for _ in range(2) for batch in made]

    tuned = batches()
    pipelines.install()
    assert batches() == tuned


def test_what_a_training_gives_is_the_same_to_the_bit(adapter: Any) -> None:
    import keras

    def outcome() -> Any:
        keras.utils.set_random_seed(3)
        layers = [keras.Input((6,)), keras.layers.Dense(8), keras.layers.Dropout(0.3), keras.layers.Dense(3)]
        model = keras.Sequential(layers)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss, metrics=["accuracy"])
        said = model.fit(
            X, Y, epochs=3, batch_size=16, validation_split=0.2, class_weight={0: 2.0, 1: 1.0, 2: 0.5}, verbose=0
        )
        arrays = [np.asarray(v).tobytes() for v in (*model.variables, *model.optimizer.variables)]
        return said.history, arrays, model.evaluate(X, Y, verbose=0), model.predict(X, verbose=0).tobytes()

    tuned = outcome()
    pipelines.install()
    assert outcome() == tuned


def test_a_pipeline_of_a_students_own_is_as_it_was_made(adapter: Any) -> None:
    import tensorflow

    pipelines.install()
    assert is_tuned(tensorflow.data.Dataset.from_tensor_slices(X).batch(8))


def test_keras_is_taught_once_and_only_where_it_is_there(adapter: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hooks: list[tuple[str, Callable[..., None]]] = []
    register = SimpleNamespace(register=lambda *hook: hooks.append(hook))
    fast_training.start(SimpleNamespace(events=register), fast=False)
    ((name, hook),) = hooks
    assert name == "pre_run_cell"
    plain = adapter.get_tf_dataset
    with monkeypatch.context() as without:
        without.delitem(sys.modules, "tensorflow")
        hook(None)
        assert adapter.get_tf_dataset is plain
        without.delitem(sys.modules, "keras.src.trainers.data_adapters.array_data_adapter")
        hook(None)
    hook(None)
    taught = adapter.get_tf_dataset
    hook(None)
    assert adapter.get_tf_dataset is taught
    assert (taught.tuned, taught.__name__, taught.__doc__) == (plain, "get_tf_dataset", plain.__doc__)


def test_the_installed_keras_is_a_tested_version() -> None:
    """After an upgrade, run this package's tests with the new version, then add it to ``versions.PIPELINES``."""
    import keras

    assert versions.is_one_of(versions.PIPELINES), f"Keras {keras.__version__} is outside of what these tests vouch for"


@pytest.mark.parametrize("version", ["3.7.0", f"3.{versions.PIPELINES[-1][1] + 1}.0", "4.0.0", "nightly"])
def test_with_an_untested_version_of_keras_pipelines_stay_as_they_are(
    adapter: Any, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    import keras

    monkeypatch.setattr(keras, "__version__", version)
    pipelines.install()
    assert is_tuned(adapter(X).get_tf_dataset())


@pytest.mark.parametrize("training", ["fast", "exact"])
def test_the_examiners_predictions_do_not_wait_either(
    adapter: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, training: str
) -> None:
    from keras.src.backend.tensorflow.trainer import TensorFlowTrainer

    for name in ("fit", "evaluate", "predict"):
        method = getattr(TensorFlowTrainer, name)
        monkeypatch.setattr(TensorFlowTrainer, name, getattr(method, "exact", method))
    course = tiny_course(tmp_path)
    submit(course, "ada")
    (work,) = batch.plan(course, tiny_release(course))
    work = replace(work, assignment=replace(work.assignment, training=training))
    (tmp_path / "common").write_bytes(pack_common_head(work))
    monkeypatch.setattr(common, "COMMON", str(tmp_path / "common"))
    monkeypatch.setattr(common, "stand_in", lambda course: course)
    assert common._read() is not None
    assert hasattr(adapter.get_tf_dataset, "tuned")
    can_be_fast = versions.is_one_of(versions.TRAINERS)
    assert hasattr(TensorFlowTrainer.predict, "exact") == (training == "fast" and can_be_fast)


@pytest.mark.sandbox
@pytest.mark.slow
@pytest.mark.parametrize("options", [[], [fast_training.OPTION]])
def test_in_the_sandbox_every_kernel_does_so(options: list[str]) -> None:
    cell = (
        "from keras.src.trainers.data_adapters.array_data_adapter import ArrayDataAdapter\n"
        "import numpy as np\n"
        "print(ArrayDataAdapter(np.ones((3, 2))).get_tf_dataset().options().autotune.enabled)"
    )
    kernel = sandboxed_kernel(default_sandbox(), {}, Limits(), preload=["keras", *options])
    try:
        ran = kernel.run(cell, 120)
    finally:
        kernel.close()
    assert (ran.status, [output.get("text") for output in ran.outputs]) == ("ok", ["False\n"])
