"""What it costs that networks are computed in a process without hidden labels.

    benchmarks/computed_apart.py            Keras and PyTorch, twelve pairs each: about two minutes

Each figure is of one submission's model, rebuilt and measured by one check of its loss, in a process that is forked as
a batch's examiners are. The pairs alternate, with and without the process. Processor time is that of all processes.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pickle
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]
ROWS = np.random.default_rng(0).random((2_000, 93), dtype="float32")
LABELS = np.arange(2_000) % 9


def described(library: str) -> Any:
    """The description of a network of 93 inputs, 64 units and 9 classes."""
    from autograder.codec import decode, encode

    if library == "keras":
        import keras

        from autograder.extensions.keras.kernel_side.keras_model import claim

        layers = [keras.layers.Dense(64, "relu"), keras.layers.Dense(9, "softmax")]
        model: Any = keras.Sequential([keras.Input((93,)), *layers])
        model.compile("adam", "sparse_categorical_crossentropy")
        packed = encode(list(claim(model)))
    else:
        from torch import nn

        from autograder.extensions.networks.input_shapes import of_rows
        from autograder.extensions.pytorch.kernel_side.torch_model import claim as claim_module

        layers = [nn.Linear(93, 64), nn.ReLU(), nn.Linear(64, 9), nn.Softmax(dim=1)]
        packed = encode(list(claim_module(nn.Sequential(*layers), of_rows(ROWS))))
    return decode(packed.text, packed.buffers)


def in_fork(action: Any) -> Any:
    """What an action returns in a fork of this process."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.close(reader)
        with os.fdopen(writer, "wb") as file:
            pickle.dump(action(), file)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        content = file.read()
    os.wait()
    return pickle.loads(content)


def cpu_of(pid: int) -> float:
    """The processor seconds of the living threads of a process."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat") if pid else []
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def measured(description: Any, apart: bool) -> tuple[float, float, float]:
    """Wall clock and processor time of one submission's model, and its loss."""
    from autograder import check
    from autograder.models import rebuild
    from autograder.models.computing_process import computing_apart, current

    wall, cpu = time.perf_counter(), time.process_time()
    with computing_apart() if apart else contextlib.nullcontext():
        with check.recording() as results:
            check.loss(rebuild(*description), on=(ROWS, LABELS), below=9)
        process = current()
        others = 0.0 if process is None else sum(map(cpu_of, process.pids))
    return time.perf_counter() - wall, time.process_time() - cpu + others, results[0].evidence["loss"]


def main() -> None:
    """Print the medians of the pairs as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=12)
    pairs = parser.parse_args().pairs
    for library in ("keras", "torch"):
        print(json.dumps(compared(library, pairs)))


def compared(library: str, pairs: int) -> dict[str, Any]:
    """Medians of wall clock and processor time, in seconds."""
    __import__(library)

    description = in_fork(lambda: described(library))
    here, apart = [], []
    for _ in range(pairs):
        here.append(in_fork(lambda: measured(description, False)))
        apart.append(in_fork(lambda: measured(description, True)))
    assert len({round(loss, 6) for *_, loss in [*here, *apart]}) == 1
    differences = np.array(apart)[:, :2] - np.array(here)[:, :2]
    names = ("here", "apart", "difference")
    figures = (np.median(found, axis=0)[:2].round(4).tolist() for found in (here, apart, differences))
    return {"library": library, "pairs": pairs, **dict(zip(names, figures, strict=True))}


if __name__ == "__main__":
    main()
