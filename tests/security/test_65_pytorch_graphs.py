"""Acceptance test 65: graphs of PyTorch's operators that a student's kernel made up.

Each is refused in a sentence, or computed as the plain numbers that it stands for. Nothing of it runs: no operator outside
of the list, no text, and no memory or time beyond the limits.
"""

from __future__ import annotations

import importlib.util
import resource
import time
from typing import Any

import numpy as np
import pytest
from helpers.pipeline import Graded, grade, release
from helpers.tiny import cell, notebook

from autograder.course.configuration import load_course
from autograder.models import RefusedModel, rebuild

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed here"),
]

WEIGHTS = np.arange(12, dtype="float32").reshape(3, 4) / 10
X, W, NODE = {"value": 0}, {"value": 1}, 2
LINEAR = ["linear.default", [X, W], {}]


def tensor(array: Any, **changed: Any) -> tuple[dict[str, Any], Any]:
    entry = {"parameter": True, "trainable": True, "dtype": array.dtype.name, "initializer": "linear", "of": -1}
    return {**entry, **changed}, array


def claim(*nodes: Any, tensors: Any = None, **changed: Any) -> tuple[dict[str, Any], list[Any]]:
    """A claim of these operators, on an input of four numbers and a weight; what is ``changed`` are parts of the graph."""
    held = [tensor(WEIGHTS), *(tensors or [])]
    graph = {
        "inputs": [{"shape": [4], "dtype": "float32"}],
        "names": [],
        "tensors": [entry for entry, _ in held],
        "nodes": list(nodes),
        "outputs": [NODE + len(tensors or []) + len(nodes) - 1],
    }
    answers = [np.zeros((12, 3), "float32")] * 2
    described = {"kind": "Module", "library": "torch", "unread": "", "probe": {"kind": "real", "number": 12}}
    return {**described, "graph": {**graph, **changed}}, [array for _, array in held] + answers


def node(operator: Any, *args: Any, **keywords: Any) -> list[Any]:
    return [operator, list(args), keywords]


def with_input(shape: Any, dtype: Any = "float32") -> dict[str, Any]:
    return {"inputs": [{"shape": shape, "dtype": dtype}]}


INDEX = tensor(np.full(3, 99, "int64"), parameter=False)
TABLE = {"value": 1}
SECOND, THIRD = {"value": 2}, {"value": 3}
DOUBLING = [node("cat.default", [{"value": max(0, 1 + k)}] * 2 if k else [X, X], 1) for k in range(60)]

EXPANDED = [  # no number of its own, and gigabytes in the product
    LINEAR, node("view.default", W, [12, 1, 1]), node("expand.default", {"value": 3}, [12, 500, 4000]),
    *(node("mul.Tensor", {"value": 4 + k}, {"value": 4}) for k in range(12)),
    node("sum.dim_IntList", {"value": 16}, [0, 1, 2]), node("add.Tensor", {"value": 2}, {"value": 17}),
]  # fmt: skip
MASKED = [  # an honest mask of a thousand positions
    LINEAR, node("ones.default", [1000, 1000]), node("tril.default", {"value": 3}), node("mean.dim", {"value": 4}, [0, 1]),
    node("add.Tensor", {"value": 2}, {"value": 5}),
]  # fmt: skip

OPERATORS = (
    "system.default", "__class__.default", "relu", "relu.out", "_to_copy.out", "relu_.default", "add_.Tensor",
    "copy_.default", "fill_.Scalar", "as_strided.default", "set_.source_Storage", "resize_.default",
    "poisson.default", "geometric.default", "randperm.default", "native_dropout.default", "rrelu.default", "multinomial.default",
    "from_file.default", "cond", "mylib::op.default", "torch.load", "eval", "load_library.default", "save.default",
    "scatter_.src", "index_put_.default", "max_unpool2d.default", "_unsafe_index.Tensor", "empty.memory_format",
    "nonzero.default", "masked_select.default", "item.default", "_local_scalar_dense.default",
)  # fmt: skip
"""Operators that read files, change tensors, draw at random, decide by values, or are not there at all."""

GRAPHS: dict[str, tuple[dict[str, Any], list[Any]]] = {
    **{f"operator {name}": claim(node(name, X)) for name in OPERATORS},
    # --- what is no graph
    "an operator that is a number": claim(node(7, X)),
    "an operator that is a list": claim(node(["relu.default"], X)),
    "a node that is a text": claim("relu.default"),
    "a node of four": claim([*LINEAR, None]),
    "arguments that are a dictionary": claim(["relu.default", {"self": X}, {}]),
    "a keyword that is a number": claim(["relu.default", [X], {7: X}]),
    "a cycle": claim(node("relu.default", {"value": NODE})),
    "a value of later": claim(node("relu.default", {"value": NODE + 1}), LINEAR),
    "a negative value": claim(node("relu.default", {"value": -1})),
    "a value that is True": claim(node("relu.default", {"value": True})),
    "a value with more to it": claim(node("relu.default", {"value": 0, "code": "1"})),
    "an unknown tag": claim(node("relu.default", {"function": "eval"})),
    "an output that is not there": claim(LINEAR, outputs=[10**9]),
    "no output": claim(LINEAR, outputs=[]),
    "an output that is a size": claim(node("sym_size.int", X, 0)),
    "an output that is a pair": claim(node("max.dim", X, 1)),
    "no input": claim(LINEAR, inputs=[]),
    "a negative input": claim(LINEAR, **with_input([-4])),
    "an input of a fraction": claim(LINEAR, **with_input([4.0])),
    "a huge input": claim(LINEAR, **with_input([10**7, 10**7])),
    "an input of many dimensions": claim(LINEAR, **with_input([1] * 7)),
    "an input of objects": claim(LINEAR, **with_input([4], "object")),
    "an input of a class": claim(LINEAR, **with_input([4], "__class__")),
    "names twice": claim(LINEAR, names=["x", "x"]),
    "a name that is a number": claim(LINEAR, names=[7]),
    "six thousand nodes": claim(*[node("relu.default", X)] * 6_000),
    "a graph of texts": claim(LINEAR, nodes="linear"),
    # --- arguments
    "code for a text": claim(node("gelu.default", X, approximate="__import__('os').system('id')")),
    "code for an equation": claim(node("einsum.default", "i,j->__import__('os')", [X, X])),
    "an equation without end": claim(node("einsum.default", "a" * 200, [X])),
    "out=": claim(node("relu.default", X, out=W)),
    "an unknown keyword": claim(node("relu.default", X, device="cuda")),
    "an argument twice": claim(["relu.default", [X], {"self": X}]),
    "an argument too few": claim(node("linear.default", X)),
    "an argument too many": claim(node("relu.default", X, X)),
    "a list for a tensor": claim(node("relu.default", [X])),
    "a text for a tensor": claim(node("relu.default", "none")),
    "a tensor for a text": claim(node("gelu.default", X, approximate=X)),
    "a tensor for a size": claim(node("softmax.int", X, X)),
    "a type for a number": claim(node("mul.Tensor", X, {"dtype": "float32"})),
    "a complex type": claim(node("_to_copy.default", X, dtype={"dtype": "complex64"})),
    "a quantized type": claim(node("_to_copy.default", X, dtype={"dtype": "qint8"})),
    "an unknown number": claim(node("mul.Tensor", X, {"number": "1e999"})),
    "a number without end": claim(node("mul.Tensor", X, 2**80)),
    "a number that is none": claim(node("mul.Tensor", X, float("nan"))),
    "five thousand sizes": claim(node("view.default", X, [1] * 5_000)),
    "a deep list": claim(node("view.default", X, [[[[1]]]])),
    # --- draws at random, other modes
    "dropout that drops": claim(node("dropout.default", X, 0.5, True)),
    "dropout by a value": claim(node("dropout.default", X, 0.5, X)),
    "dropout by keyword": claim(["dropout.default", [X, 0.5], {"train": True}]),
    "alpha dropout": claim(node("alpha_dropout.default", X, 0.5, True)),
    "a normalization by the batch": claim(
        node("batch_norm.default", X, None, None, None, None, True, 0.1, 1e-5, False)
    ),
    "attention that drops": claim(node("scaled_dot_product_attention.default", X, X, X, None, 0.5)),
    "a loop that drops": claim(node("lstm.input", X, [X, X], [W, W], True, 1, 0.5, True, False, True)),
    # --- sizes and costs
    "zeros without end": claim(node("zeros.default", [10**6, 10**6])),
    "a full tensor without end": claim(node("full.default", [2**62, 2**62], 1.0)),
    "a wide one": claim(node("expand.default", X, [10**12, 3, 4])),
    "repeats": claim(node("repeat.default", X, [1, 10**9])),
    "positions without end": claim(node("arange.start_step", 0, 1, 1e-300)),
    "positions": claim(node("arange.default", 10**12)),
    "padding": claim(node("constant_pad_nd.default", X, [10**10, 10**10])),
    "negative padding": claim(node("constant_pad_nd.default", X, [-100, -100])),
    "classes": claim(node("_to_copy.default", X, dtype={"dtype": "int64"}), node("one_hot.default", SECOND, 10**10)),
    "classes by values": claim(node("_to_copy.default", X, dtype={"dtype": "int64"}), node("one_hot.default", SECOND)),
    "a large picture": claim(
        node("view.default", X, [-1, 1, 2, 2]), node("upsample_nearest2d.vec", SECOND, [10**6, 10**6], None)
    ),
    "a scale": claim(
        node("view.default", X, [-1, 1, 2, 2]), node("upsample_nearest2d.vec", SECOND, None, [1e9, 1e9])
    ),
    "a picture without sides": claim(
        node("view.default", X, [-1, 1, 2, 2]), node("upsample_nearest2d.vec", SECOND, [0, 0], None)
    ),
    "doubling": claim(*DOUBLING),
    "a product of all": claim(node("einsum.default", "ab,cd,ef->abcdef", [X, X, X]), node("view.default", SECOND, [3, -1])),
    "products of four": claim(node("einsum.default", "a,b,c,d->abcd", [X, X, X, X])),
    "work without end": claim(
        *[node("expand.default", X, [4_000, -1, 4])],
        node("repeat.default", SECOND, [1, 1, 1_000]),
        node("permute.default", THIRD, [0, 2, 1]),
        node("matmul.default", {"value": 4}, THIRD),
    ),
    "a size times a size": claim(
        node("sym_size.int", X, 1), *[node("mul", {"value": 2 + k}, {"value": 2 + k}) for k in range(9)]
    ),
    "a division by no size": claim(
        node("sym_size.int", X, 1), node("floordiv", SECOND, 0), node("view.default", X, [{"value": 3}, 4])
    ),
    "the item of a tensor": claim(node("getitem", X, 0)),
    "the item far behind": claim(node("max.dim", X, 1), node("getitem", SECOND, 10**9)),
    "the item of a name": claim(node("max.dim", X, 1), node("getitem", SECOND, "none")),
    # --- tensors
    "a forged type": claim(LINEAR, tensors=[tensor(WEIGHTS, dtype="int64")]),
    "texts for numbers": claim(LINEAR, tensors=[tensor(np.array(["a"]), dtype="float32")]),
    "objects for numbers": claim(LINEAR, tensors=[tensor(np.array([None]), dtype="float32")]),
    "a list for an array": claim(LINEAR, tensors=[(tensor(WEIGHTS)[0], [1.0])]),
    "weights that are no numbers": claim(LINEAR, tensors=[tensor(np.full(3, np.nan, "float32"))]),
    "many dimensions": claim(LINEAR, tensors=[tensor(np.zeros([1] * 7, "float32"))]),
    "an unknown initializer": claim(LINEAR, tensors=[tensor(WEIGHTS, initializer="eval")]),
    "a bias of what is later": claim(LINEAR, tensors=[tensor(WEIGHTS, of=9)]),
    "a tensor that is a text": claim(LINEAR, tensors=[("weights", WEIGHTS)]),
    "a parameter of a text": claim(LINEAR, tensors=[tensor(WEIGHTS, parameter="yes")]),
    # --- shapes and indices
    "shapes that do not fit": claim(node("linear.default", W, X)),
    "an embedding out of range": claim(node("embedding.default", TABLE, SECOND), tensors=[INDEX]),
    "a choice out of range": claim(node("index_select.default", X, 1, SECOND), tensors=[INDEX]),
    "an index out of range": claim(node("index.Tensor", X, [None, SECOND]), tensors=[INDEX]),
    "a gathering out of range": claim(
        node("expand.default", SECOND, [3, 3]), node("gather.default", X, 1, THIRD), tensors=[INDEX]
    ),
    "a number scattered out of range": claim(
        node("expand.default", SECOND, [3, 3]), node("scatter.value", X, 1, THIRD, 1.0), tensors=[INDEX]
    ),
    "numbers added out of range": claim(node("index_add.default", X, 1, SECOND, TABLE), tensors=[INDEX]),
    "numbers put out of range": claim(node("index_put.default", X, [None, SECOND], TABLE), tensors=[INDEX]),
    "a place far behind": claim(node("select.int", X, 1, 0), node("select_scatter.default", X, SECOND, 1, 10**9)),
    "too few numbers for a mask": claim(
        node("eq.Tensor", X, X), node("slice.Tensor", TABLE, 0, 0, 1), node("masked_scatter.default", X, SECOND, THIRD)
    ),
    "draws without end": claim(node("randn.default", [10**6, 10**6])),
    "draws with a negative spread": claim(node("normal.float_float", 0.0, -1.0, [3, 4])),
    "draws of the rows' own number": claim(
        node("sym_size.int", X, 0), node("mul", SECOND, SECOND), node("rand.default", [THIRD, THIRD])
    ),
    "bags out of range": claim(
        node("embedding_bag.padding_idx", TABLE, SECOND, SECOND, False, 0, False, None, False, None),
        node("getitem", THIRD, 0),
        tensors=[INDEX],
    ),
    "a loop of too few weights": claim(node("lstm.input", X, [X, X], [W], True, 1, 0.0, False, False, True)),
    "a loop of other states": claim(node("lstm.input", X, [W], [W, W, W, W], True, 1, 0.0, False, False, True)),
    "a loop of many layers": claim(node("gru.input", X, W, [W, W], False, 10**6, 0.0, False, False, True)),
    "statistics of another shape": claim(
        node("batch_norm.default", X, None, None, W, W, False, 0.1, 1e-5, False)
    ),
    "a convolution of no group": claim(node("conv1d.default", X, W, None, [1], [0], [1], 0)),
    "a convolution without steps": claim(
        node("view.default", X, [-1, 1, 4]), node("view.default", W, [3, 1, 4]),
        node("conv1d.default", SECOND, THIRD, None, [0], [0], [1], 1),
    ),
    "a convolution with much padding": claim(
        node("view.default", X, [-1, 1, 4]), node("view.default", W, [3, 1, 4]),
        node("conv1d.default", SECOND, THIRD, None, [1], [10**9], [1], 1),
    ),
    "a pool of nothing": claim(node("view.default", X, [-1, 1, 4]), node("max_pool1d.default", SECOND, [0])),
    "a grid of an unknown kind": claim(
        node("view.default", X, [-1, 1, 2, 2]), node("view.default", X, [-1, 2, 1, 2]),
        node("grid_sampler.default", SECOND, THIRD, 99, 99, False),
    ),
    "an axis that is not there": claim(node("cumsum.default", X, 99)),
    "an axis twice": claim(node("permute.default", X, [0, 0])),
    "two unknown sizes": claim(node("view.default", X, [-1, -1])),
    "the most of too few": claim(node("topk.default", X, 99), node("getitem", SECOND, 0)),
    "pieces of nothing": claim(node("split.Tensor", X, 0, 1), node("getitem", SECOND, 0)),
    "no pieces": claim(node("chunk.default", X, 0, 1), node("getitem", SECOND, 0)),
    "a whole division by 0": claim(
        node("_to_copy.default", X, dtype={"dtype": "int64"}), node("floor_divide.default", SECOND, 0)
    ),
    "a rest of 0": claim(
        node("_to_copy.default", X, dtype={"dtype": "int64"}), node("remainder.Scalar", SECOND, 0)
    ),
    "pixels of nothing": claim(node("view.default", X, [-1, 4, 1, 1]), node("pixel_shuffle.default", SECOND, 0)),
    "a group of nothing": claim(node("view.default", X, [-1, 4, 1]), node("group_norm.default", SECOND, 0)),
    "a negative power of a distance": claim(node("cdist.default", X, X, -1.0)),
    # --- what ends a process, or takes memory and time that the results do not show
    "the lowest number by -1": claim(
        node("div.Tensor_mode", SECOND, THIRD, rounding_mode="trunc"), node("add.Tensor", X, {"value": 4}),
        tensors=[tensor(np.full(4, -(2**63)), parameter=False), tensor(np.full(4, -1), parameter=False)],
    ),
    "statistics of fewer channels": claim(
        node("_native_batch_norm_legit_no_training.default", X, None, None, SECOND, SECOND, 0.1, 1e-5),
        node("getitem", THIRD, 0),
        tensors=[tensor(np.ones(1, "float32"), parameter=False)],
    ),
    "a loop of no weights": claim(
        node("view.default", X, [-1, 1, 4]), node("lstm.input", SECOND, [SECOND, SECOND], [], False, 2, 0.0, False, False, True),
        node("getitem", THIRD, 0),
    ),
    "distances of all pairs": claim(
        node("ones.default", [1, 2000, 1000]), node("ones.default", [2000, 1, 1000]),
        node("pairwise_distance.default", SECOND, THIRD),
    ),
    "angles of all pairs": claim(
        node("ones.default", [1, 2000, 1000]), node("ones.default", [2000, 1, 1000]),
        node("cosine_similarity.default", SECOND, THIRD, -1),
    ),
    "a pool of millions": claim(
        node("ones.default", [3, 1, 4000, 4000]), node("avg_pool2d.default", SECOND, [2000, 2000], [1, 1])
    ),
    "a maximum of millions": claim(
        node("ones.default", [3, 1, 4000, 4000]), node("max_pool2d.default", SECOND, [2000], [1])
    ),
    "a convolution of 64 bits that is unfolded": claim(
        node("ones.default", [3, 1, 600, 600], dtype={"dtype": "float64"}),
        node("ones.default", [1, 1, 90, 90], dtype={"dtype": "float64"}),
        node("conv2d.default", SECOND, THIRD),
    ),
    "a convolution whose padding is not seen": claim(
        node("ones.default", [3, 1, 9, 9]), node("ones.default", [1, 1, 2000, 2000]),
        node("conv2d.default", SECOND, THIRD, None, [1, 1], [2900, 2900], [1, 1], 1),
    ),
    "a weight by its name": claim(
        node("ones.default", [3, 1, 3000, 3000]), node("ones.default", [1, 1, 1500, 1500]),
        ["conv2d.default", [SECOND], {"weight": THIRD}],
    ),
    "a size that grows with the rows": claim(
        node("sym_size.int", X, 0), node("mul", SECOND, SECOND), node("mul", THIRD, THIRD),
        node("ones.default", [{"value": 4}, {"value": 4}, 100]),
        node("sum.dim_IntList", {"value": 5}, None), node("add.Tensor", X, {"value": 6}),
    ),
    # --- rows
    "rows for columns": claim(node("permute.default", X, [1, 0])),
    "rows in another order": claim(node("flip.default", X, [0]), node("linear.default", SECOND, W)),
    "the mean of all rows": claim(node("mean.dim", X, [0], True), node("sub.Tensor", X, SECOND), node("linear.default", THIRD, W)),
    "sums of the rows before": claim(node("cumsum.default", X, 0), node("linear.default", SECOND, W)),
    "other outputs than the module's": claim(LINEAR),
}  # fmt: skip
PROBES = [{"kind": "real", "number": 10**9}, {"kind": "eval", "number": 12}, {"number": 12}, None, [], "real"]
MAX_SECONDS, MAX_GROWTH_KIB = 5.0, 1_000_000


def refusal(described: Any, arrays: Any) -> str:
    with pytest.raises(RefusedModel) as caught:
        rebuild(described, arrays)
    return str(caught.value)


def sizes_of_process() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_65_there_are_enough_of_them() -> None:
    assert len(GRAPHS) >= 60


@pytest.mark.parametrize("name", GRAPHS)
def test_65_a_graph_that_was_made_up_ends_in_a_sentence(name: str) -> None:
    import torch

    torch.ones(1)
    before, began = sizes_of_process(), time.process_time()
    message = refusal(*GRAPHS[name])
    assert message.endswith(".")
    assert "import" not in message
    assert time.process_time() - began < MAX_SECONDS
    assert sizes_of_process() - before < MAX_GROWTH_KIB


@pytest.mark.parametrize("probe", PROBES)
def test_65_rows_that_were_made_up_are_refused(probe: Any) -> None:
    described, arrays = claim(LINEAR)
    assert refusal({**described, "probe": probe}, arrays).endswith(".")


@pytest.mark.parametrize("library", ["os", "tensorflow", "autograder", 7, None, "torch.nn"])
def test_65_a_library_that_nobody_registered_is_refused(library: Any) -> None:
    described, arrays = claim(LINEAR)
    assert refusal({**described, "library": library}, arrays).endswith(".")


def honest() -> tuple[dict[str, Any], list[Any]]:
    from autograder.kernel import probe_rows

    described, arrays = claim(LINEAR)
    rows = probe_rows.rows((None, 4), "float32", "real", 0, 12)
    order = np.concatenate(probe_rows.batches(12))
    return described, [arrays[0], rows @ WEIGHTS.T, (rows @ WEIGHTS.T)[order]]


def test_65_rows_that_are_mixed_only_in_larger_batches_than_the_kits_are_computed_by_nobody() -> None:
    """What differs with the number of rows computes with it, so that the module is only asked."""
    described, arrays = honest()
    described["graph"] |= {
        "nodes": [
            LINEAR,
            node("mean.dim", {"value": 2}, [0], True),
            node("sym_size.int", X, 0),
            node("floordiv", {"value": 4}, 13),
            node("mul.Tensor", {"value": 3}, {"value": 5}),
            node("sub.Tensor", {"value": 2}, {"value": 6}),
        ],
        "outputs": [7],
    }
    with pytest.raises(RefusedModel, match="computes with the number of rows"):
        rebuild(described, arrays)


def test_65_an_index_of_a_hidden_row_that_is_out_of_range_is_a_failure_and_does_not_say_it() -> None:
    from autograder import check

    table = tensor(WEIGHTS, initializer="embedding")
    described, arrays = claim(node("embedding.default", TABLE, X), node("sum.dim_IntList", SECOND, [1]))
    described["graph"] |= {"inputs": [{"shape": [4], "dtype": "int64"}], "tensors": [table[0]]}
    from autograder.kernel import probe_rows

    rows = probe_rows.rows((None, 4), "int64", "real", 0, 12)
    answer = WEIGHTS[rows].sum(1)
    order = np.concatenate(probe_rows.batches(12))
    network = rebuild(described, [arrays[0], answer, answer[order]])
    hidden = np.full((5, 4), 27)
    with check.recording() as results:
        check.loss(network, on=(hidden, np.zeros((5, 4))), below=9, loss="mse")
    assert results[0].fraction == 0
    assert "27" not in results[0].message
    assert "does not accept" in results[0].message


def test_65_control_the_same_graph_without_a_trick_is_computed() -> None:
    network = rebuild(*honest())
    rows = np.random.default_rng(0).normal(size=(7, 4)).astype("float32")
    np.testing.assert_allclose(network.outputs(rows)[0], rows @ WEIGHTS.T, rtol=1e-5, atol=1e-6)


def test_65_control_pytorch_itself_computes_what_is_refused_here() -> None:
    """The operators are there: nothing but the list keeps a graph from drawing at random and from changing a tensor."""
    import torch

    given = torch.zeros(3)
    torch.ops.aten.add_.Tensor(given, 1)
    assert given.tolist() == [1, 1, 1]
    assert torch.ops.aten.as_strided.default(given, [10**6], [0]).shape == (10**6,)
    assert torch.ops.aten.bernoulli.p(given, 0.5).shape == (3,)


# --- a notebook with modules -----------------------------------------------------------------------------

YAML = """\
course: models
limits: {cell_seconds: 200, notebook_seconds: 600, memory_mib: 4096}
assignments: {models: {hidden: [holdout.npz]}}
"""
START = """
import sys
import numpy as np
import torch
from torch import nn
from autograder import check
"""
HONEST = """
torch.manual_seed(0)
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden, self.drop, self.out = nn.Linear(10, 16), nn.Dropout(0.1), nn.Linear(16, 3)
    def forward(self, x):
        return self.out(self.drop(torch.relu(self.hidden(x))))
honest = Net()
"""
LIAR = """
import importlib
packages = {name.rpartition('.')[0] for name in list(sys.modules) if name.endswith(('kernel.server', 'kernel.model_family'))}
for package in packages:
    agent = importlib.import_module(package.rpartition('.')[0] + '.extensions.pytorch.kernel_side.torch_model')
    def claim(module, shapes, honest_claim=agent.claim):
        described, arrays = honest_claim(module, shapes)
        if isinstance(module, Liar):
            described['graph']['nodes'].append(['system.default', [{'value': 0}], {}])
        return described, arrays
    agent.claim = claim
class Liar(Net):
    pass
assert packages
liar = Liar()
"""
GIVEN = "holdout = check.hidden_data('holdout.npz')\nX, y = holdout['X'], holdout['y']\n"
LAYERS = (
    "check.architecture({0}, [check.layer('Linear', out_features=16), check.layer('Dropout', p=0.1), "
    "check.layer('Linear', out_features=3)], input_shape=(10,))\n"
    "check.architecture({0}, [check.dense(16, 'relu'), check.layer('Dropout', rate=0.1), check.dense(3)], input_shape=(10,))"
)
AGAIN = (
    "check.retrained({0}, on=(X, y), holdout=(X, y), epochs=8, below=0.5, from_logits=True, "
    "optimizer=torch.optim.SGD([torch.zeros(1)], lr=0.1), seeds=1, close_calls='exact', seconds=100)"
)
QUESTIONS = {
    "honest-layers": (HONEST, LAYERS.format("honest"), 1.0),
    "honest-size": ("", "check.parameters(honest, exactly=227)", 1.0),
    "honest-loss": ("", GIVEN + "check.loss(honest, on=(X, y), below=5, from_logits=True)", 1.0),
    "honest-again": ("", GIVEN + AGAIN.format("honest"), 1.0),
    "liar-layers": (LIAR, LAYERS.format("liar"), 0.0),
    "liar-again": ("", GIVEN + AGAIN.format("liar"), 0.0),
}
"""Name → what a student does, what asks about it, and what it earns."""


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    root = tmp_path_factory.mktemp("modules") / "course"
    (root / "source/models/hidden").mkdir(parents=True)
    draw = np.random.default_rng(3)
    labels = np.repeat([0, 1, 2], 100)
    rows = draw.normal(size=(3, 10))[labels] * 2 + 0.5 * draw.normal(size=(300, 10))
    np.savez(root / "source/models/hidden/holdout.npz", X=rows.astype("float32"), y=labels)
    cells, answers = ([cell(START, "start", locked=True)] for _ in range(2))
    for name, (answer, test, _) in QUESTIONS.items():
        hidden = f"### BEGIN HIDDEN TESTS\n{test}\n### END HIDDEN TESTS"
        cells += [
            cell("### BEGIN SOLUTION\npass\n### END SOLUTION", name, solution=True),
            cell(hidden, f"test-{name}", grade=True, locked=True, points=1),
        ]
        answers.append(cell(answer or "pass  # nothing more", name, solution=True))
    (root / "source/models/nb.ipynb").write_text(notebook(*cells))
    (root / "course.yaml").write_text(YAML)
    course = load_course(root)
    release(course, "models", proof=False)
    handed_in = course.submitted("eve", "models")
    handed_in.mkdir(parents=True)
    (handed_in / "nb.ipynb").write_text(notebook(*answers))
    return grade(course, name="models")


@pytest.mark.security
@pytest.mark.sandbox
@pytest.mark.parametrize("name", QUESTIONS)
def test_65_modules_in_a_notebook(modules: Graded, name: str) -> None:
    assert modules.grades["eve"].status == "completed", modules.output
    (book,) = modules.grades["eve"].notebooks
    (question,) = [question for question in book.questions if question.id == f"test-{name}"]
    assert question.score == QUESTIONS[name][2], (question.message, question.detail)
    assert question.needs_manual_grade is name.startswith("liar"), "it is only asked"


def test_65_numbers_that_depend_on_no_row_count_as_many_as_they_are() -> None:
    """They were counted as a share of each row, and a graph of expanded weights took gigabytes."""
    from autograder.extensions.pytorch.graph_costs import measured
    from autograder.extensions.pytorch.operator_graph import read_graph

    def graph(nodes: list[Any]) -> Any:
        described, arrays = claim(*nodes)
        return read_graph(described["graph"], arrays[:1])

    assert measured(graph(MASKED), 10**6).fixed == pytest.approx(2e6 + 1)
    with pytest.raises(RefusedModel, match="too large to be graded"):
        measured(graph(EXPANDED), 10**6)
