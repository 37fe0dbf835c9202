"""Acceptance test 73: a network that reads memory, or ends its process, is computed where no hidden label lies.

The kit refuses the graphs of which that is known. Here the refusal is taken away, as by a fault that nobody knows yet.
"""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed here"),
]

SETUP = """
import json, os, re, sys
import numpy as np
from autograder import check
from autograder.check.data import serving_hidden_data
from autograder.extensions.pytorch import computation
from autograder.extensions.pytorch.operator_graph import read_graph
from autograder.extensions.pytorch.torch_network import TorchNetwork
from autograder.models import computing_process
from autograder.models.computing_process import Computed, computing_apart

WEIGHTS = np.arange(3, dtype="float32").reshape(3, 1)
TABLE = np.ones((5, 3), "float32")


def network(*nodes):
    tensors = [WEIGHTS, TABLE, np.arange(4)]
    entries = [
        {"dtype": held.dtype.name, "parameter": True, "trainable": False, "initializer": "own", "of": -1}
        for held in tensors
    ]
    linear = [
        ["_to_copy.default", [{"value": 0}], {"dtype": {"dtype": "float32"}}],
        ["linear.default", [{"value": 4}, {"value": 1}], {}],
    ]
    claim = {
        "inputs": [{"shape": [1], "dtype": "int64"}], "names": [], "tensors": entries,
        "nodes": [*linear, *nodes], "outputs": [5 + len(nodes)],
    }
    return TorchNetwork(read_graph(claim, tensors))


def bags(offsets_of):
    flat = ["view.default", [{"value": 0}, [-1]], {}]
    offsets = [offsets_of, [{"value": 6}, -(10**9)], {}]
    bag = ["embedding_bag.padding_idx",
           [{"value": 2}, {"value": 3}, {"value": 7}, False, 0, False, None, False, None], {}]
    return network(flat, offsets, bag, ["getitem", [{"value": 8}, 0], {}],
                   ["add.Tensor", [{"value": 5}, {"value": 9}], {}])


ROWS = np.array([[0], [1], [0], [0], [1], [0]])
LABELS = np.array(ROWS * WEIGHTS.T, dtype="float64")


def fractions(*models, on=(ROWS, LABELS)):
    with check.recording() as results:
        for model in models:
            check.loss(model, on=on, below=0.01, loss="mse")
    return [(result.fraction, result.message) for result in results]
"""
UNCHECKED = "computation._require_bags = lambda *_: None\n"


def told(script: str, *arguments: Any, before: str = "") -> Any:
    """What a script that computes networks apart prints as its last line."""
    command = [sys.executable, "-c", SETUP + before + textwrap.dedent(script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_73_control_offsets_that_fall_end_a_process_that_computes_them_unchecked() -> None:
    script = UNCHECKED + "bags('mul.Scalar').outputs(ROWS)\nprint('survived')"
    done = subprocess.run(
        [sys.executable, "-c", SETUP + script], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == -11
    assert "survived" not in done.stdout


def test_73_offsets_that_fall_are_refused_before_pytorch_sees_them() -> None:
    ((fraction, message),) = told("print(json.dumps(fractions(bags('mul.Scalar'))))")
    assert fraction == 0
    assert "IndexError" in message


def test_73_a_network_that_ends_its_process_loses_its_question_and_nothing_else() -> None:
    before, hostile, after = told(
        """
        with computing_apart():
            honest = network()
            print(json.dumps(fractions(honest, bags('mul.Scalar'), honest)))
        """,
        before=UNCHECKED,
    )
    assert before[0] == after[0] == 1
    assert hostile[0] == 0
    assert "ended the process that computes it" in hostile[1]


def test_73_a_worker_that_another_network_has_damaged_costs_nobody_else_a_point() -> None:
    """The next worker is asked once more before a network is blamed."""
    results = told(
        """
        with computing_apart():
            honest = network()
            honest.outputs(ROWS)
            os.kill(computing_process.current().pids[1], 11)
            print(json.dumps(fractions(honest)))
        """
    )
    assert results[0][0] == 1


SCAN = """
def holds(pid, canary):
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb") as memory:
        for line in maps:
            place, rights, *_ = line.split()
            start, end = (int(word, 16) for word in place.split("-"))
            try:
                memory.seek(start)
                if rights[0] == "r" and canary in memory.read(end - start):
                    return True
            except (OSError, ValueError, OverflowError):
                pass  # no memory of a process: vsyscall, vvar
    return False
"""


def test_73_what_computes_networks_holds_no_hidden_label(tmp_path: Path) -> None:
    """Neither the worker nor the process that makes it has the bytes of the labels; the examiner has."""
    rng = np.random.default_rng()
    canary = rng.random(8)
    inputs = np.array([[0], [1], [0], [0], [1], [0], [1], [0]])
    np.savez(tmp_path / "holdout.npz", X=inputs, y=canary)
    results = told(
        """
        with computing_apart(), serving_hidden_data(sys.argv[1]):
            held = check.hidden_data("holdout.npz")
            fraction = fractions(network(), on=(held["X"], held["y"]))[0][0]
            canary = held["y"].tobytes()
            source, worker = computing_process.current().pids
            print(json.dumps([worker > 0, *(holds(pid, canary) for pid in (source, worker, os.getpid()))]))
        """,
        tmp_path,
        before=SCAN,
    )
    assert results == [True, False, False, True]


FOREIGN = """
from pathlib import Path


class Foreign:
    '''What a fault could make of a worker.'''

    def died(self):
        os.kill(os.getpid(), 9)

    def said(self):
        return {"not": [object]}


sys.modules["foreign"] = sys.modules["__main__"]
Foreign.__module__ = "foreign"
"""


def test_73_the_examiner_lets_no_worker_look_into_its_memory() -> None:
    """Without the right of root, a process opens ``/proc/<number>/mem`` of no process that is not traceable."""
    traceable = told(
        """
        import ctypes
        def traceable():
            return ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
        before = traceable()
        with computing_apart():
            network().outputs(ROWS)
            during = traceable()
        print(json.dumps([before, during, traceable()]))
        """
    )
    assert traceable == [1, 0, 1]


def test_73_a_training_whose_worker_ended_is_not_taken_for_one_that_went_on() -> None:
    names = told(
        """
        class Counting(Foreign):
            is_stateful = True
            count = 0
            def counted(self):
                self.count += 1
                return self.count
        Counting.__module__ = "foreign"
        with computing_apart():
            counting, plain = Computed(Counting), Computed(Foreign)
            first = [counting.ask("counted"), counting.ask("counted")]
            for ask in (lambda: plain.ask("died"), lambda: counting.ask("counted")):
                try:
                    first.append(ask())
                except Exception as error:
                    first.append(type(error).__name__)
        print(json.dumps(first))
        """,
        before=FOREIGN,
    )
    assert names == [1, 2, "EndedComputation", "EndedComputation"]


@pytest.mark.parametrize("method", ["died", "said", "__init_subclass__", "absent"])
def test_73_an_answer_that_is_none_is_a_failure_and_no_value(method: str) -> None:
    name = told(
        """
        with computing_apart():
            try:
                print(json.dumps(repr(Computed(Foreign).ask(sys.argv[1]))))
            except Exception as error:
                print(json.dumps(type(error).__name__))
        """,
        method,
        before=FOREIGN,
    )
    assert name in {"died": ["EndedComputation"], "said": ["ValueError"], "absent": ["AttributeError"]}.get(
        method, ["None"]
    )


@pytest.mark.parametrize(
    "answer",
    ["[[1.0]]", "[numpy.zeros(6, 'float64')]", "[numpy.zeros((5, 1), 'float32')]", "7", "[numpy.array(['a'] * 6)]"],
)
def test_73_outputs_of_another_form_are_no_outputs(answer: str) -> None:
    results = told(
        """
        import numpy
        from autograder.extensions.pytorch.computed_network import ComputedNetwork
        ComputedNetwork.outputs = lambda *_: eval(sys.argv[1])
        with computing_apart():
            print(json.dumps(fractions(network())))
        """,
        answer,
    )
    assert results[0][0] == 0


def test_73_control_outputs_apart_are_those_of_this_process() -> None:
    assert told(
        """
        here = network().outputs(ROWS)[0].tolist()
        with computing_apart():
            print(json.dumps(network().outputs(ROWS)[0].tolist() == here))
        """
    )


def test_73_what_layers_are_is_not_computed_in_the_examiner() -> None:
    """Steps, their order, idle layers and chains are those of this process, which computes none of them."""
    here, apart, wrong, ended = told(
        """
        from autograder.extensions.networks import element_wise
        from autograder.extensions.pytorch import computed_layers, computed_network, named_modules
        from autograder.extensions.pytorch.unit_traces import Tracer

        def own_relu():
            return network(["abs.default", [{"value": 5}], {}], ["add.Tensor", [{"value": 5}, {"value": 6}], {}],
                           ["div.Tensor", [{"value": 7}, 2], {}])

        def read(*names):
            made = own_relu()
            with check.recording() as results:
                check.architecture(made, [check.layer(name) for name in names])
            flow = made.flow("torch")
            return [results[0].fraction, results[0].message, str(flow), made.ending()[0], str(made.chain()),
                    made.has_idle("torch", {"ReLU"}), sorted(made.own_computations())]

        here = read("Linear", "ReLU")
        with computing_apart():
            for owner in (computed_layers.graph_layers, computed_layers.graph_flow, computed_layers.plain_chain):
                owner.steps = owner.flow = owner.ending = owner.plain_chain = None
            Tracer.value = named_modules._verified = element_wise.agree = computed_network.idle_values = None
            apart, wrong = read("Linear", "ReLU"), read("Linear", "Tanh")
            computed_layers.ServedLayers.__module__ = computed_network.ComputedNetwork.__module__ = "absent"
            try:
                ended = own_relu().steps("torch")
            except Exception as error:
                ended = type(error).__name__
            print(json.dumps([here, apart, wrong, ended]).replace("0x", ""))
        """
    )
    assert [here[0], apart[0], wrong[0]] == [1, 1, 0]
    assert _without_addresses(here) == _without_addresses(apart)
    assert ended == "ModuleNotFoundError"


def _without_addresses(told: list[Any]) -> list[str]:
    return [re.sub(r" at [0-9a-f]+>", ">", str(part)) for part in told]


def test_73_layers_of_another_form_are_none() -> None:
    """They fail the test as a worker that ends does, and no value of theirs goes on."""
    names = told(
        """
        from autograder.extensions.pytorch.computed_network import ComputedNetwork
        step = [-1, "ReLU", {}, None, {}, [], False, True, 1, False, ""]
        names = []
        for answer in (None, [[1, 2]], [step], [[]], [[*step[:2], 3, *step[3:]]]):
            ComputedNetwork.steps = lambda *_: answer
            with computing_apart():
                try:
                    check.architecture(network(), [check.layer("Linear")])
                except Exception as error:
                    names.append(type(error).__name__)
        print(json.dumps(names))
        """
    )
    assert names == ["EndedComputation"] * 5


# --- Keras -----------------------------------------------------------------------------------------------

KERAS = """
import pickle
import subprocess
import keras
from keras import layers
from autograder.codec import decode
from autograder.models import rebuild
from autograder.extensions.keras.model_building import ComputedModel

text, buffers = pickle.loads(bytes.fromhex(sys.argv[1]))
X = np.random.default_rng(0).normal(size=(60, 3)).astype("float32")
Y = np.eye(2)[(X[:, 0] > 0).astype(int)]


def model():
    return rebuild(*decode(text, buffers))


def measured():
    made = model()
    with check.recording() as results:
        check.loss(made, on=(X, Y), below=9)
        check.retrained(made, on=(X, Y), holdout=(X, Y), epochs=3, below=9, seeds=2, seconds=60)
    told = [result.evidence.get("loss") for result in results]
    return [*told, *made.evaluate(X, Y, verbose=0), made.predict(X, verbose=0).tolist(), np.asarray(made(X)).tolist()]
"""


@pytest.fixture(scope="module")
def described() -> str:
    """A model of Keras as a kernel describes it."""
    return _described(
        """
made = keras.Sequential([keras.Input((3,)), layers.Dense(8, "relu"), layers.Dropout(0.5), layers.Dense(2, "softmax")])
made.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
"""
    )


IDLE = {
    "factor": "h = layers.Dense(8, 'tanh')(x)\nh = h + 0.0 * layers.Dense(8, 'relu')(x)",
    "where": "h = layers.Dense(8, 'tanh')(x)\nh = keras.ops.where(h > 1e9, layers.Dense(8, 'relu')(x), h)",
    "tiny": "h = layers.Dense(8, 'tanh')(x)\nh = h + 1e-12 * layers.Dense(8, 'relu')(x)",
    "rows of one length": "x = keras.Input((None,))\nr = keras.ops.reshape(x, (-1, 5))\n"
    "h = layers.Dense(8, 'tanh')(r) + 0.0 * layers.Dense(8, 'relu')(r)",
    "rows of no length that is tried": "x = keras.Input((None,))\nr = keras.ops.reshape(x, (-1, 23))\n"
    "h = layers.Dense(8, 'tanh')(r) + 0.0 * layers.Dense(8, 'relu')(r)",
}
USED = {
    "residual": "h = layers.Dense(3, 'tanh')(x)\nh = layers.Dense(8, 'relu')(h + x)",
    "gate": "h = layers.Dense(8, 'tanh')(x)\nh = h * layers.Dense(8, 'relu')(x)",
    "normalized": "h = layers.Dense(8, 'tanh')(x)\nh = layers.BatchNormalization()(layers.Dense(8, 'relu')(h))\n"
    "h = layers.Dropout(0.5)(layers.LayerNormalization()(h))",
    "highway": "h = layers.Dense(8, 'tanh')(x)\ng = keras.ops.sigmoid(50 * h)\nh = g * layers.Dense(8, 'relu')(h)",
    "largest": "h = layers.Dense(8, 'tanh')(x)\nh = layers.Maximum()([h, layers.Dense(8, 'relu')(x)])",
    "zero at first": "h = layers.Dense(8, 'tanh')(x)\nh = h + layers.Dense(8, 'relu', kernel_initializer='zeros')(h)",
    "a wide kernel": "x = keras.Input((None, 4))\nh = layers.GlobalAveragePooling1D()(layers.Conv1D(8, 20)(x))\n"
    "h = layers.Dense(8, 'relu')(layers.Dense(8, 'tanh')(h))",
    "sequence": "h = layers.Embedding(9, 4, mask_zero=True)(x)\nh = layers.GRU(5)(h)\n"
    "h = layers.Dense(8, 'relu')(layers.Dense(8, 'tanh')(h))",
}


@pytest.mark.keras
def test_73_a_layer_of_keras_that_changes_nothing_is_for_a_person() -> None:
    """Control: each usual layer changes something, whatever its weights are; what is asked is the ReLU's layer."""
    pytest.importorskip("keras")
    script = f"""
import keras
from keras import layers
from autograder.extensions.keras.kernel_side.keras_model import claim
from autograder.models import rebuild
found = {{}}
with computing_apart():
    for name, code in {{**{IDLE!r}, **{USED!r}}}.items():
        names = {{"keras": keras, "layers": layers, "x": keras.Input((3,))}}
        exec(code, names)
        made = keras.Model(names["x"], layers.Dense(2, "softmax")(names["h"]))
        with check.recording() as results:
            asked = ..., check.layer("Dense", activation="tanh"), ..., check.layer("Dense", activation="relu"), ...
            check.architecture(rebuild(*claim(made)), list(asked))
        found[name] = [results[0].fraction, results[0].waits is not None]
print(json.dumps(found))
"""
    found = told(script)
    assert found == {name: [0, True] if name in IDLE else [1, False] for name in (*IDLE, *USED)}


@pytest.fixture(scope="module")
def described_pieces() -> str:
    """A model with activations by their formula, as a kernel describes it."""
    return _described(
        """
rows = keras.Input((3,))
h = layers.Dense(8)(rows)
h = layers.Dense(4)((h + keras.ops.abs(h)) / 2)
made = keras.Model(rows, layers.Softmax()(layers.Dense(2)(layers.LeakyReLU(negative_slope=0.0)(h))))
"""
    )


def _described(model: str) -> str:
    import pickle

    script = f"""
import pickle, keras
from keras import layers
from autograder.codec import encode
from autograder.extensions.keras.kernel_side.keras_model import claim
keras.utils.set_random_seed(0)
{model}
packed = encode(list(claim(made)))
print(pickle.dumps((packed.text, [bytes(buffer) for buffer in packed.buffers])).hex())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=True)
    assert pickle.loads(bytes.fromhex(done.stdout.split()[-1]))
    return done.stdout.split()[-1]


@pytest.mark.keras
def test_73_control_a_model_of_keras_is_worth_the_same_apart(described: str) -> None:
    """Predictions, evaluations and trainings, of the first call and of a test's own."""
    script = "print(json.dumps(measured()))"
    here = told(script, described, before=KERAS)
    apart = told(f"with computing_apart():\n    {script}", described, before=KERAS)
    for one, other in zip(here, apart, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.keras
def test_73_control_kerass_own_losses_are_of_the_scores_apart_too(described: str) -> None:
    """A probability near 0 may cost more than its rounding: Keras's losses take the scores that it keeps beside."""
    script = """
made = model()
made.set_weights([array * 300 for array in made.get_weights()])
losses = keras.losses.categorical_crossentropy(Y[:, ::-1], made(X))
print(json.dumps([made.evaluate(X, Y[:, ::-1], verbose=0)[0], float(np.mean(losses))]))
"""
    here = told(script, described, before=KERAS)
    apart = told(f"with computing_apart():\n{textwrap.indent(script, '    ')}", described, before=KERAS)
    assert min(here) > 17
    np.testing.assert_allclose(here, apart, rtol=1e-5)


@pytest.mark.keras
def test_73_steps_of_a_model_of_keras_are_not_computed_in_the_examiner(described: str) -> None:
    """Outputs, moved weights and gradients are those of this process, which computes none of them."""
    script = """
from autograder.extensions.training_steps import keras_steps
def taken(calculus):
    drawn = calculus.draw(3)
    passed = calculus.forward(drawn, X, training=True, seed=5)
    found = [*drawn, passed.outputs, *passed.weights, *passed.gradients(Y), *passed.gradients(-Y)]
    return [held.tolist() for held in found]
"""
    here = told(f"{script}print(json.dumps(taken(keras_steps.steps_of(model()))))", described, before=KERAS)
    apart = told(
        script
        + """
with computing_apart():
    made = model()
    keras_steps.KerasSteps.forward = keras_steps.KerasSteps.draw = None
    print(json.dumps(taken(keras_steps.steps_of(made))))
""",
        described,
        before=KERAS,
    )
    for one, other in zip(here, apart, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.keras
def test_73_a_model_of_keras_is_not_diagnosed_in_the_examiner(described: str) -> None:
    """The changes that help are the same; a worker that ends gives none, and costs no grade."""
    script = """
from autograder.extensions.diagnosis.trials import counterfactuals
made = None
def tried():
    rows = np.random.default_rng(1).normal(size=(400, 3)).astype("float32")
    made.compile(keras.optimizers.SGD(1e-6), "categorical_crossentropy")
    labels = np.eye(2)[(rows[:, 0] > 0).astype(int)]
    found = counterfactuals.diagnose(made, rows, labels, counterfactuals.Settings(20), 60)
    return [[finding.trial.kind for finding in found.findings], found.rows, found.loss, found.note]
"""
    here = told(f"{script}made = model()\nprint(json.dumps(tried()))", described, before=KERAS)
    apart, ended = told(
        script
        + """
with computing_apart():
    made = model()
    counterfactuals._diagnosis = None
    apart = tried()
    os.kill(computing_process.current().pids[1], 9)
    counterfactuals.ComputedDiagnosis.__module__ = "absent"
    print(json.dumps([apart, tried()]))
""",
        described,
        before=KERAS,
    )
    assert here == apart
    assert here[0]
    assert here[0][0] == "rate"
    assert ended == [[], 0, "", "This network cannot be trained on these data."]


@pytest.mark.keras
def test_73_pieces_of_a_model_of_keras_are_not_computed_in_the_examiner(described_pieces: str) -> None:
    script = """
from autograder.extensions.networks import activations, element_wise, keras_pieces
RIGHT = ["Dense", "ReLU", "Dense", "ReLU", "Dense", "Softmax"]
def read(names):
    with check.recording() as results:
        check.architecture(model(), [check.layer(name) for name in names])
    return [results[0].fraction, results[0].message]
"""
    here = told(f"{script}print(json.dumps(read(RIGHT)))", described_pieces, before=KERAS)
    apart, wrong = told(
        script
        + """
with computing_apart():
    keras_pieces._ModelValues.names = keras_pieces.activation_named = None
    computed = activations._values
    def of_the_pattern(layer, rows):  # Keras's own, as the test wrote it
        assert not hasattr(layer, "_inbound_nodes") or not layer._inbound_nodes
        return computed(layer, rows)
    activations._values = of_the_pattern
    print(json.dumps([read(RIGHT), read([name.replace("ReLU", "ELU") for name in RIGHT])]))
""",
        described_pieces,
        before=KERAS,
    )
    assert here == apart
    assert here[0] == 1
    assert wrong[0] < 1


@pytest.mark.keras
def test_73_a_model_of_keras_that_a_test_changes_is_computed_as_it_is_now(described: str) -> None:
    changed, restored = told(
        """
        with computing_apart():
            made = model()
            before, weights = np.asarray(made(X)), made.get_weights()
            made.set_weights([array * 2 for array in weights])
            changed = not np.allclose(made(X), before)
            made.set_weights(weights)
            restored = np.allclose(made(X), before)
            made.layers[-1].activation = keras.activations.linear
            print(json.dumps([changed and not np.allclose(made(X), before), bool(restored)]))
        """,
        described,
        before=KERAS,
    )
    assert changed
    assert restored


@pytest.mark.keras
def test_73_a_model_of_keras_is_not_computed_in_the_examiner(described: str, tmp_path: Path) -> None:
    """Neither by a check nor by a test's own call; and it may end its process."""
    canary = np.random.default_rng().random((60, 2))
    np.savez(tmp_path / "holdout.npz", y=canary)
    results = told(
        """
        outputs = ComputedModel.outputs
        def ending(self, inputs, weights):
            if inputs[0].max() > 100:
                os.kill(os.getpid(), 11)
            return outputs(self, inputs, weights)
        ComputedModel.outputs = ending
        with computing_apart(), serving_hidden_data(sys.argv[2]):
            y = check.hidden_data("holdout.npz")["y"]
            made = model()
            found = fractions(made, made, on=(X, y * 0 + 0.5))
            hostile = fractions(made, on=(X * 1000, y))
            after = fractions(made, on=(X, y * 0 + 0.5))
            source, worker = computing_process.current().pids
            there = [holds(pid, y.tobytes()) for pid in (source, worker, os.getpid())]
            print(json.dumps([[len(found), found[0][0] == after[0][0], hostile[0]], there]))
        """,
        described,
        tmp_path,
        before=KERAS + SCAN,
    )
    (count, same, hostile), there = results
    assert (count, same, hostile[0]) == (2, True, 0)
    assert "ended the process" in hostile[1]
    assert there == [False, False, True]


@pytest.fixture(scope="module")
def described_parts() -> str:
    """A model with models, layers and operations inside of it, as a kernel describes it."""
    return _described(
        """
inner = keras.Sequential([keras.Input((3,)), layers.Dense(4, "relu"), layers.Dense(2)])
rows = keras.Input((5, 3))
h = layers.TimeDistributed(inner)(rows)
h = layers.Dense(6)(layers.Bidirectional(layers.LSTM(3, return_sequences=True))(h))
h = layers.LSTM(4)(layers.BatchNormalization()(keras.ops.where(h > 0, h, 0.1 * h)))
made = keras.Model(rows, layers.Dense(2, "softmax")(h))
"""
    )


PARTS = """
X = np.random.default_rng(0).normal(size=(60, 5, 3)).astype("float32")

def used(made):
    wrapper, inner = made.layers[1], made.layers[1].layer
    part = keras.Model(made.inputs, made.layers[-2].output)
    wrapped = keras.Sequential([keras.Input((5, 3)), layers.TimeDistributed(inner)])
    around = keras.Sequential([keras.Input((5, 3)), made])
    both = layers.Bidirectional(layers.LSTM(3)), made.layers[2]
    found = {
        "a layer": made.layers[-1](np.ones((60, 4), "float32")),
        "a wrapper": wrapper(X),
        "a model in a wrapper": inner(X[:, 0]),
        "predictions of a model in a wrapper": inner.predict(X[:, 0], verbose=0),
        "a layer of that model": inner.layers[0](X[:, 0]),
        "two directions": made.layers[2](np.ones((60, 5, 2), "float32")),
        "one of two directions": made.layers[2].forward_layer(np.ones((60, 5, 2), "float32")),
        "a part": part(X),
        "predictions of a part": part.predict(X, verbose=0),
        "a wrapper of the test's own": wrapped(X),
        "predictions of such a wrapper": wrapped.predict(X, verbose=0),
        "a model around it": around(X),
        "predictions of a model around it": around.predict(X, verbose=0),
    }
    made.layers[-1].set_weights([2 * held for held in made.layers[-1].get_weights()])
    found["a layer with other weights"] = made.layers[-1](np.ones((60, 4), "float32"))
    made.layers[-1].activation = keras.activations.linear
    found["a part of a changed model"] = part(X)
    found["a model of which a layer is changed"] = made(X)
    return {name: np.asarray(held).tolist() for name, held in found.items()}
"""


@pytest.mark.keras
def test_73_parts_of_a_model_of_keras_are_not_computed_in_the_examiner(described_parts: str) -> None:
    """Layers, wrappers and models inside, in a test's own models, too: values are the worker's, and those of here."""
    here = told("print(json.dumps(used(model())))", described_parts, before=KERAS + PARTS)
    apart = told("with computing_apart():\n    print(json.dumps(used(model())))", described_parts, before=KERAS + PARTS)
    for name, values in here.items():
        np.testing.assert_allclose(apart[name], values, rtol=1e-4, atol=1e-5, err_msg=name)
    marked = told(
        """
        outputs, part = ComputedModel.outputs, ComputedModel.part
        marks = lambda held: keras.tree.map_structure(lambda array: None if array is None else np.full_like(array, 7), held)
        ComputedModel.outputs = lambda *given: marks(outputs(*given))
        ComputedModel.part = lambda *given: marks(part(*given))
        with computing_apart():
            print(json.dumps(used(model())))
        """,
        described_parts,
        before=KERAS + PARTS,
    )
    changed = {"a model of which a layer is changed"}  # its last layer is the test's
    assert {name for name, values in marked.items() if not np.all(np.asarray(values) == 7)} == changed
    assert np.ptp(marked["a model of which a layer is changed"], axis=0).max() == 0


FITS = """
LABELS = np.stack([X[:, 0] > 0, X[:, 0] <= 0], 1).astype("float32")

def trained(**given):
    keras.utils.set_random_seed(3)
    made = model()
    before = made.get_weights()
    first = made.fit(X, LABELS, epochs=20, batch_size=10, validation_data=(X, LABELS), **given)
    second = made.fit(X, LABELS, epochs=3, initial_epoch=1, validation_split=0.2)
    made.compile("sgd", "mse", metrics=["accuracy"])
    third = made.fit(X, LABELS)
    moved = max(np.abs(one - other).max() for one, other in zip(before, made.get_weights()))
    return [made.evaluate(X, LABELS, verbose=0), float(moved), int(made.optimizer.iterations), made.history is third,
            *([sorted(each.history), list(each.epoch), each.history["loss"][-1]] for each in (first, second, third))]
"""


@pytest.mark.keras
def test_73_a_training_of_a_tests_own_is_not_computed_in_the_examiner(described: str) -> None:
    """It learns as much, goes on with the optimizer's state, and repeats what a seed decides."""
    here = told("print(json.dumps(trained(verbose=0)))", described, before=KERAS + FITS)
    apart, again = told(
        """
        with computing_apart():
            from keras.src.backend.tensorflow.trainer import TensorFlowTrainer
            model()
            TensorFlowTrainer.train_function = TensorFlowTrainer.make_train_function = None
            print(json.dumps([trained(verbose=0), trained()]))
        """,
        described,
        before=KERAS + FITS,
    )
    assert apart == again
    assert apart[2:4] == here[2:4] == [2, True]
    assert [part[:2] for part in apart[4:]] == [part[:2] for part in here[4:]]
    assert apart[4][2] < 0.6
    np.testing.assert_allclose([part[2] for part in apart[4:]], [part[2] for part in here[4:]], atol=0.15)


@pytest.mark.keras
def test_73_a_training_that_ends_its_process_is_the_answers_failure(described: str) -> None:
    name = told(
        """
        from autograder.extensions.keras.computed_fit import ComputedFit
        ComputedFit.fit = lambda *_: os.kill(os.getpid(), 11)
        with computing_apart():
            try:
                model().fit(X, Y, verbose=0)
            except Exception as error:
                print(json.dumps(type(error).__name__))
        """,
        described,
        before=KERAS,
    )
    assert name == "EndedComputation"


@pytest.mark.keras
def test_73_control_a_training_with_a_callback_of_the_tests_is_its_own(described: str) -> None:
    epochs = told(
        """
        class Counting(keras.callbacks.Callback):
            epochs = []
            def on_epoch_end(self, epoch, logs=None):
                self.epochs.append(epoch)
        with computing_apart():
            model().fit(X, Y, epochs=3, verbose=0, callbacks=[Counting()])
            print(json.dumps(Counting.epochs))
        """,
        described,
        before=KERAS,
    )
    assert epochs == [0, 1, 2]


# --- a notebook behind the walls ---------------------------------------------------------------------------

YAML = """\
course: models
limits: {cell_seconds: 200, notebook_seconds: 600, memory_mib: 4096}
assignments: {models: {hidden: [holdout.npz]}}
"""
START = "import os\nimport numpy as np\nimport torch\nfrom torch import nn\nfrom autograder import check"
GIVEN = "holdout = check.hidden_data('holdout.npz')\nX, y = holdout['X'], holdout['y']\n"
LOSS = "check.loss(net, on=(X, y), below=9, from_logits=True)\n"
WORKER = "from autograder.models import computing_process\nsource, worker = computing_process.current().pids\n"
QUESTIONS = {
    "measured": f"{GIVEN}{LOSS}{WORKER}assert worker not in (0, source, os.getpid())",
    "ended": f"{GIVEN}{WORKER}os.kill(worker, 11)\n{LOSS}assert computing_process.current().pids[1] != worker",
    "again": f"{GIVEN}check.retrained(net, on=(X, y), holdout=(X, y), epochs=2, below=9, from_logits=True, seeds=1, "
    "optimizer='sgd', seconds=100)",
}
"""Name → the hidden test of a question; each is worth a point."""


@pytest.mark.security
@pytest.mark.sandbox
def test_73_in_a_batch_networks_are_computed_apart_and_a_worker_that_ends_costs_no_question(tmp_path: Path) -> None:
    from helpers.pipeline import grade, release
    from helpers.tiny import cell, notebook

    from autograder.course.configuration import load_course

    root = tmp_path / "course"
    (root / "source/models/hidden").mkdir(parents=True)
    draw = np.random.default_rng(3)
    np.savez(
        root / "source/models/hidden/holdout.npz",
        X=draw.normal(size=(60, 4)).astype("float32"),
        y=draw.integers(0, 3, 60),
    )
    made = "net = nn.Linear(4, 3)"
    cells = [
        cell(START, "start", locked=True),
        cell(f"### BEGIN SOLUTION\n{made}\n### END SOLUTION", "net", solution=True),
    ]
    for name, test in QUESTIONS.items():
        hidden = f"### BEGIN HIDDEN TESTS\n{test}\n### END HIDDEN TESTS"
        cells.append(cell(hidden, f"test-{name}", grade=True, locked=True, points=1))
    (root / "source/models/nb.ipynb").write_text(notebook(*cells))
    (root / "course.yaml").write_text(YAML)
    course = load_course(root)
    release(course, "models", proof=False)
    for student in ("ada", "bob"):
        handed_in = course.submitted(student, "models")
        handed_in.mkdir(parents=True)
        (handed_in / "nb.ipynb").write_text(
            notebook(cell(START, "start", locked=True), cell(made, "net", solution=True))
        )
    graded = grade(course, name="models")
    for student in ("ada", "bob"):
        (book,) = graded.grades[student].notebooks
        told = [(question.id, question.score, question.message, question.detail) for question in book.questions]
        assert [score for _, score, *_ in told] == [1.0] * len(QUESTIONS), told
