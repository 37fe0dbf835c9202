"""PyTorch modules are read from their graph and computed by PyTorch; checks say of them what they say of Keras models."""

from __future__ import annotations

import copy
import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers.remote_models import answer, recorded
from helpers.torch_modules import ROWS, SERIES, modules, network_of
from helpers.torch_modules import module as module_of

from autograder import check
from autograder.extensions.networks.input_shapes import of_rows
from autograder.extensions.networks.subject import count_parameters
from autograder.extensions.pytorch.kernel_side import torch_model
from autograder.models import RefusedModel, rebuild
from autograder.records.checks import is_undecided

pytestmark = [
    pytest.mark.keras,
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed here"),
]
NAMES = (
    "Sequential", "softmax", "convolutions", "strided", "depthwise", "residual", "blocks", "group norm",
    "one dimension", "normalized", "LSTM", "GRU", "words", "attention", "parameter", "autoencoder", "two inputs",
    "where", "double", "twice", "positions",
)  # fmt: skip


@pytest.fixture(scope="module")
def made() -> dict[str, tuple[Any, Any, str]]:
    pytest.importorskip("keras")
    found = modules()
    assert set(found) == set(NAMES)
    return found


def outputs(module: Any, rows: Any) -> Any:
    """The module's own predictions, as for a test."""
    import torch

    twin = copy.deepcopy(module).eval()
    kind = next(p.dtype for p in twin.parameters())
    given = [torch.as_tensor(array) for array in (rows if isinstance(rows, list) else [rows])]
    with torch.no_grad():
        return twin(*(tensor.to(kind) if tensor.is_floating_point() else tensor for tensor in given)).numpy()


@pytest.mark.parametrize("name", NAMES)
def test_modules_are_read_with_their_predictions_and_parameters(made: Any, name: str) -> None:
    module, rows, layers = made[name]
    twin = network_of(module, rows)
    np.testing.assert_allclose(twin.outputs(rows)[0], outputs(module, rows), rtol=1e-4, atol=1e-5)
    count = sum(parameter.numel() for parameter in module.parameters())
    assert (count_parameters(twin).total, count_parameters(twin).trainable) == (count, count)
    if layers:
        assert " → ".join(map(str, twin.steps("keras"))) == layers


ASSIGNED = {
    "one place after the other": "y = torch.zeros(x.size(0), 5, 3)\nfor t in range(5):\n    y[:, t] = own.out(x[:, t])",
    "a slice": "y = own.out(x)\ny[:, 1:3] = 0",
    "a mask by slices": "m = torch.zeros(5, 5)\nm[1:, :2] = 1\nm[3] = 2\ny = own.out(m @ x)",
    "by numbers": "y = own.out(x)\ny[:, torch.tensor([0, 4])] = 1.0",
    "added by numbers": "y = torch.zeros(x.size(0), 2, 3).index_add(1, torch.tensor([0, 1, 1, 0, 1]), own.out(x))",
    "scattered": "y = own.out(x)\ny = torch.zeros_like(y).scatter(2, y.argmax(2, keepdim=True), 1.0) * y",
}


@pytest.mark.parametrize("code", ASSIGNED.values(), ids=ASSIGNED)
def test_values_that_are_assigned_into_a_tensor_are_read(code: str) -> None:
    import torch
    from torch import nn

    def forward(own: Any, x: Any) -> Any:
        names = {"torch": torch, "own": own, "x": x}
        exec(code, names)
        return names["y"]

    series = np.random.default_rng(0).normal(size=(6, 5, 4)).astype("float32")
    module = module_of(forward, out=nn.Linear(4, 3))
    np.testing.assert_allclose(network_of(module, series).outputs(series)[0], outputs(module, series), atol=1e-5)


def test_outputs_by_name_are_read_in_their_order() -> None:
    from torch import nn

    module = module_of(lambda own, x: {"scores": own.scores(x), "extra": [own.extra(x)]},
                       scores=nn.Linear(4, 3), extra=nn.Linear(4, 2))  # fmt: skip
    assert [output.shape for output in network_of(module, ROWS).outputs(ROWS)] == [(6, 3), (6, 2)]
    result = recorded(
        lambda: check.loss(network_of(module, ROWS), on=(ROWS, np.zeros((6, 2))), loss="mse", below=9, part=1)
    )
    assert result.fraction == 1, result.message


def test_a_frozen_layer_counts_and_is_not_trainable(made: Any) -> None:
    module = copy.deepcopy(made["Sequential"][0])
    for parameter in module[0].parameters():
        parameter.requires_grad = False
    found = count_parameters(network_of(module, ROWS))
    assert (found.total, found.trainable) == (67, 27)


@pytest.mark.parametrize("name", ["blocks", "LSTM"])
def test_the_module_is_as_before(made: Any, name: str) -> None:
    import torch

    module, rows, _ = made[name]
    module.train()
    next(iter(module.children())).eval()
    before = copy.deepcopy(module.state_dict())
    flags, draw = [part.training for part in module.modules()], torch.random.get_rng_state()
    names = [sorted(vars(part)) for part in module.modules()]
    network_of(module, rows)
    assert [part.training for part in module.modules()] == flags
    assert [sorted(vars(part)) for part in module.modules()] == names
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert torch.equal(torch.random.get_rng_state(), draw)


# --- checks ----------------------------------------------------------------------------------------------

SOURCE = """
import torch
from torch import nn
torch.manual_seed(0)
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden, self.out, self.drop = nn.Linear(4, 8), nn.Linear(8, 3), nn.Dropout(0.2)
    def forward(self, x):
        return torch.softmax(self.out(self.drop(torch.relu(self.hidden(x)))), dim=1)
model = Net()
"""
LABELS = np.arange(6) % 3
IN_ORDER = [
    check.layer("Linear", out_features=8),
    check.layer("ReLU"),
    check.layer("Dropout"),
    check.layer("Linear"),
    check.layer("Softmax"),
]
ASKED = [check.dense(8, "relu"), check.layer("Dropout", rate=0.2), check.dense(3, "softmax")]


@pytest.fixture(params=["at home", "in the examiner"])
def place(request: pytest.FixtureRequest) -> Callable[[str], Any]:
    pytest.importorskip("keras")

    def module(source: str) -> Any:
        names: dict[str, Any] = {"__name__": "__main__"}
        exec(source, names)
        return names["model"]

    return module if request.param == "at home" else answer


def test_checks_read_a_module_in_the_words_of_keras(place: Any) -> None:
    model = place(SOURCE)
    found = [
        recorded(lambda: check.architecture(model, ASKED, input_shape=(4,), output_shape=(3,))),
        recorded(lambda: check.architecture(model, ASKED)),
        recorded(lambda: check.parameters(model, exactly=67)),
        recorded(lambda: check.loss(model, on=(ROWS, LABELS), below=9)),
        recorded(lambda: check.accuracy(model, on=(ROWS, LABELS), above=0)),
        recorded(lambda: retrained(model)),
    ]
    assert [result.fraction for result in found] == [1.0] * 6, [result.message for result in found]
    assert not any("in_kernel" in result.evidence or "reported" in result.evidence for result in found)


def retrained(model: Any) -> Any:
    rows = (ROWS, LABELS)
    return check.retrained(model, on=rows, holdout=rows, epochs=1, below=9, seeds=1, close_calls="exact")


def test_checks_say_what_is_wrong_of_a_module(place: Any) -> None:
    model = place(SOURCE)
    wrong = [check.dense(9, "relu"), *ASKED[1:]]
    assert recorded(lambda: check.architecture(model, wrong, input_shape=(4,))).fraction == 0
    assert recorded(lambda: check.parameters(model, exactly=68)).fraction == 0
    assert recorded(lambda: check.architecture(model, ASKED, input_shape=(5,))).fraction == 0


def test_names_of_pytorch_are_compared_with_the_graph(place: Any) -> None:
    model = place(SOURCE)
    pattern = [
        check.layer("Linear", out_features=8),
        check.layer("Dropout", p=0.2),
        check.layer("Linear", out_features=3),
    ]
    result = recorded(lambda: check.architecture(model, pattern))
    assert result.fraction == 1, result.message
    spelled = [pattern[0], check.layer("ReLU"), *pattern[1:], check.layer("Softmax", dim=1)]
    assert recorded(lambda: check.architecture(model, spelled, input_shape=(4,))).fraction == 1
    assert recorded(lambda: check.architecture(model, pattern[::-1])).fraction == 0


@pytest.mark.parametrize("kind", ["GRU", "LSTM", "RNN"])
def test_recurrent_layers_are_named_with_their_sizes(kind: str) -> None:
    from torch import nn

    loop = getattr(nn, kind)(4, 5, batch_first=True)
    module = module_of(lambda own, x: own.out(own.loop(x)[0][:, -1]), loop=loop, out=nn.Linear(5, 2))
    for size, fraction in ((5, 1.0), (6, 0.0)):
        pattern = [check.layer(kind, hidden_size=size), check.layer("Linear", out_features=2)]
        result = recorded(lambda: check.architecture(module, pattern, input_shape=(3, 4)))  # noqa: B023
        assert (result.fraction, is_undecided(result)) == (fraction, False), result.message


@pytest.mark.parametrize("flat", ["nn.Flatten()", "Flat()"])
def test_flatten_may_stand_in_a_pattern_of_pytorch_or_be_left_out(flat: str) -> None:
    names: dict[str, Any] = {}
    own = "class Flat(nn.Module):\n    def forward(self, x):\n        return x.view(x.size(0), -1)\n"
    exec(f"from torch import nn\n{own}model = nn.Sequential(nn.Conv2d(1, 3, 2), {flat}, nn.Linear(12, 2))", names)
    conv, linear = check.layer("Conv2d", out_channels=3), check.layer("Linear", out_features=2)
    for pattern, fraction in (
        ([conv, check.layer("Flatten"), linear], 1.0),
        ([conv, linear], 1.0),
        ([conv, linear, check.layer("Flatten")], 0.0),
    ):
        result = recorded(lambda: check.architecture(names["model"], pattern, input_shape=(1, 3, 3)))  # noqa: B023
        assert (result.fraction, is_undecided(result)) == (fraction, False), result.message


def test_a_layer_or_setting_that_a_graph_does_not_show_is_for_a_person(place: Any) -> None:
    model = place(SOURCE)
    for pattern in (
        [check.layer("MultiheadAttention", num_heads=2), ...],
        [check.layer("Linear", out_features=8, device="cpu"), ...],
        [check.layer("Dense", units=8, kernel_initializer="he_normal"), ...],
    ):
        result = recorded(lambda: check.architecture(model, pattern, input_shape=(4,)))  # noqa: B023
        assert is_undecided(result), result.message


def test_a_layer_that_is_called_twice_is_one_layer() -> None:
    from torch import nn

    tower = nn.Sequential(nn.Linear(4, 3), nn.ReLU())
    module = module_of(lambda own, x, y: own.tower(x) - own.tower(y), tower=tower)
    twin = network_of(module, [ROWS, ROWS])
    assert [str(step) for step in twin.steps("keras")] == ["Dense(units=3, activation=relu)", "Subtract"]


def test_at_home_a_message_says_how_the_module_was_read() -> None:
    names: dict[str, Any] = {}
    exec(SOURCE, names)
    result = recorded(lambda: check.loss(names["model"], on=(ROWS, LABELS), below=9))
    assert "read from the module's graph" in result.message
    assert result.evidence["exported"] is True


@pytest.mark.parametrize("wrapped", ["torch.compile(model, backend='eager')", "nn.DataParallel(model)"])
def test_a_module_that_only_calls_another_is_read_as_that_one(wrapped: str) -> None:
    import torch

    names = {"torch": torch, "nn": torch.nn, "model": torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Softmax(1))}
    twin = network_of(eval(wrapped, names), ROWS)
    np.testing.assert_allclose(twin.outputs(ROWS)[0], outputs(names["model"], ROWS), rtol=1e-4, atol=1e-5)
    assert " → ".join(map(str, twin.steps("torch"))) == " → ".join(
        map(str, network_of(names["model"], ROWS).steps("torch"))
    )


def test_a_view_of_the_result_of_an_attention_is_read() -> None:
    """PyTorch's attention gives its numbers in an order that depends on the device; ``contiguous`` is not exported."""
    from torch import nn
    from torch.nn.functional import scaled_dot_product_attention

    def attention(own: Any, x: Any) -> Any:
        heads = own.project(x).view(x.size(0), 5, 2, 4).transpose(1, 2)
        mixed = scaled_dot_product_attention(heads, heads, heads, is_causal=True)
        return own.out(mixed.transpose(1, 2).contiguous().view(x.size(0), 5, 8))

    module = module_of(attention, project=nn.Linear(4, 8), out=nn.Linear(8, 3))
    twin = network_of(module, SERIES)
    np.testing.assert_allclose(twin.outputs(SERIES)[0], outputs(module, SERIES), rtol=1e-4, atol=1e-5)


def any_number(own: Any, *rows: Any, **settings: Any) -> Any:
    return own.out(*rows)


FORMS: dict[str, Callable[..., Any]] = {
    "by the length of the rows": lambda own, x: own.out(x.view(len(x), -1)),
    "with any number of arguments": any_number,
}


@pytest.mark.parametrize("name", FORMS)
def test_a_module_may_take_its_rows_in_any_form(name: str) -> None:
    from torch import nn

    module = module_of(FORMS[name], out=nn.Linear(4, 3))
    twin = network_of(module, ROWS)
    np.testing.assert_allclose(twin.outputs(ROWS)[0], outputs(module, ROWS), rtol=1e-4, atol=1e-5)
    assert list(map(str, twin.steps("torch"))) == ["Linear(in_features=4, out_features=3)"]


def test_lazy_layers_that_have_seen_no_data_are_read_for_the_shapes_of_a_test() -> None:
    source = "import torch\nfrom torch import nn\nmodel = nn.Sequential(nn.LazyLinear(8), nn.ReLU(), nn.LazyLinear(3))"
    assert is_undecided(recorded(lambda: check.parameters(answer(source), exactly=67)))
    model = answer(source)
    layers = recorded(lambda: check.architecture(model, [check.dense(8, "relu"), check.dense(3)], input_shape=(4,)))
    size = recorded(lambda: check.parameters(model, exactly=67))
    assert (layers.fraction, size.fraction) == (1, 1), (layers.message, size.message)


MASKED = """
import torch
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.keys = nn.Linear(4, 4)
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(5))
    def forward(self, x):
        return (x @ self.keys(x).transpose(1, 2) + self.mask).softmax(-1) @ x
model = Net()
"""


def test_a_mask_of_infinite_numbers_comes_with_its_module() -> None:
    result = recorded(lambda: check.causal(answer(MASKED), SERIES, positions=1))
    assert result.fraction == 1, result.message


def test_a_mask_that_is_written_into_the_scores_is_read() -> None:
    import torch
    from torch import nn

    def attention(own: Any, x: Any) -> Any:
        scores = x @ own.keys(x).transpose(1, 2)
        scores[:, torch.ones(5, 5, dtype=torch.bool).triu(1)] = -torch.inf
        return scores.softmax(-1) @ x

    module = module_of(attention, keys=nn.Linear(4, 4))
    twin = network_of(module, SERIES)
    np.testing.assert_allclose(twin.outputs(SERIES)[0], outputs(module, SERIES), rtol=1e-4, atol=1e-5)
    assert recorded(lambda: check.causal(twin, SERIES, positions=1)).fraction == 1


@pytest.mark.parametrize("mask", ["made when called", "made before"])
def test_a_transformer_that_is_not_told_that_its_mask_is_causal_is_read(mask: str) -> None:
    from torch import nn

    causal = nn.Transformer.generate_square_subsequent_mask
    layers = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), 2)
    module = module_of(
        lambda own, x: own.layers(x, mask=own.mask if mask == "made before" else causal(5)), layers=layers
    )
    module.register_buffer("mask", causal(5))
    twin = network_of(module, SERIES)
    np.testing.assert_allclose(twin.outputs(SERIES)[0], outputs(module, SERIES), rtol=1e-4, atol=1e-5)
    assert recorded(lambda: check.causal(twin, SERIES, positions=1)).fraction == 1


def test_averaged_weights_are_read() -> None:
    from torch import nn
    from torch.optim.swa_utils import AveragedModel

    twin = network_of(AveragedModel(nn.Sequential(nn.Linear(4, 3))), ROWS)
    assert (count_parameters(twin).total, *map(str, twin.steps("keras"))) == (15, "Dense(units=3)")


def test_layers_that_share_an_array_of_weights_are_read_one_by_one() -> None:
    import torch
    from torch import nn

    def halves(own: Any, x: Any) -> Any:
        first, second = own.weights.chunk(2)
        return nn.functional.linear(x, first), nn.functional.linear(x, second)

    twin = network_of(module_of(halves, weights=nn.Parameter(torch.ones(6, 4))), ROWS)
    assert list(map(str, twin.steps("torch"))) == ["Linear(in_features=4, out_features=3)"] * 2
    across = module_of(lambda own, x, y: own.mix(x, y, y)[0], mix=nn.MultiheadAttention(4, 2, batch_first=True))
    assert [step.kind for step in network_of(across, [SERIES, SERIES + 1]).steps("torch")][-1] == "Linear"


KEEPS = {
    "its hidden units": "def forward(self, x):\n        self.kept = torch.relu(self.hidden(x))\n        return self.out(self.kept)",
    "all hidden units": "kept = []\n    def forward(self, x):\n        self.kept = [*self.kept, torch.relu(self.hidden(x))]\n"
    "        return self.out(self.kept[-1])",
}


@pytest.mark.parametrize("name", KEEPS)
def test_a_module_that_keeps_tensors_of_its_last_pass_is_read(name: str) -> None:
    """Weights of attention for a plot, or the last loss: PyTorch copies no tensor that has gradients to pass on."""
    start = SOURCE.partition("    def forward")[0].replace(", self.drop", "").replace(", nn.Dropout(0.2)", "")
    model = answer(
        f"{start}    {KEEPS[name]}\nmodel = Net()\nloss = model(torch.ones(5, 4)).sum()\nloss.backward()\nmodel.loss = loss"
    )
    result = recorded(lambda: check.architecture(model, [check.dense(8, "relu"), check.dense(3)], input_shape=(4,)))
    assert result.fraction == 1, result.detail


def test_lazy_layers_that_were_never_called_are_read() -> None:
    model = answer("from torch import nn\nmodel = nn.Sequential(nn.LazyLinear(8), nn.ReLU(), nn.LazyLinear(3))")
    pattern = [check.layer("Linear", out_features=8), check.layer("ReLU"), check.layer("Linear", out_features=3)]
    result = recorded(lambda: check.architecture(model, pattern, input_shape=(4,)))
    assert result.fraction == 1, result.detail
    assert recorded(lambda: check.parameters(model, exactly=67)).fraction == 1


PARAMETRIZED = {
    "weight_norm": {"exactly": 75},  # a length for each row of the weight beside its direction
    "spectral_norm": {"at_least": 67, "at_most": 79},  # with two vectors of its iteration, which could hold knowledge
}


@pytest.mark.parametrize("name", PARAMETRIZED)
def test_parametrized_layers_are_the_layers_with_the_parameters_that_pytorch_counts(name: str) -> None:
    layer = f"nn.utils.parametrizations.{name}(nn.Linear(4, 8))"
    model = answer(f"from torch import nn\nmodel = nn.Sequential({layer}, nn.ReLU(), nn.Linear(8, 3))")
    pattern = [check.layer("Linear", out_features=8), check.layer("ReLU"), check.layer("Linear", out_features=3)]
    result = recorded(lambda: check.architecture(model, pattern, input_shape=(4,)))
    assert result.fraction == 1, result.detail
    assert recorded(lambda: check.parameters(model, **PARAMETRIZED[name])).fraction == 1


NORMED = [
    "nn.utils.parametrizations.weight_norm(nn.Linear(4, 8))",
    "nn.utils.weight_norm(nn.Linear(4, 8))",
    "torch.nn.utils.prune.random_unstructured(nn.Linear(4, 8), 'weight', 0.0)",
]


@pytest.mark.parametrize("layer", NORMED)
def test_a_training_from_parameters_whose_start_is_not_known_waits_for_a_person(layer: str) -> None:
    model = answer(
        f"import torch.nn.utils.prune\nfrom torch import nn\nmodel = nn.Sequential({layer}, nn.Linear(8, 3))"
    )
    result = recorded(lambda: retrained(model))
    assert is_undecided(result), result.message


def own_linear(layer: str) -> Any:
    """A module with a linear layer that is written as an expression of ``x``, its weights ``w`` and its biases ``b``."""
    import torch
    from torch import nn

    def forward(own: Any, x: Any) -> Any:
        names = {"torch": torch, "x": x, "w": own.w, "b": own.b}
        return own.out(torch.relu(eval(layer, names)))

    return module_of(forward, w=nn.Parameter(torch.randn(8, 4)), b=nn.Parameter(torch.ones(8)), out=nn.Linear(8, 3))


@pytest.mark.parametrize(
    ("layer", "is_read"),
    [
        ("x @ w.T + b", True),
        ("b[None] + x.matmul(w.mT)", True),
        ("torch.addmm(b, x, w.t())", True),
        ("torch.einsum('bi,oi->bo', x, w) + b", True),
        ("torch.einsum('oi, ...i -> ...o', w, x) + b", True),
        ("torch.einsum('bi,oi->ob', x, w).T + b", True),
        ("(x[:, None] * w).sum(-1) + b", False),
        ("(w @ x.T).T + b", True),
    ],
)
def test_a_linear_layer_of_the_students_own_is_read_or_waits_for_a_person(layer: str, is_read: bool) -> None:
    model = network_of(own_linear(layer), ROWS)
    for pattern in (
        [check.layer("Linear", in_features=4, out_features=8), check.layer("ReLU"), check.layer("Linear")],
        [check.dense(8, "relu"), check.dense(3)],
    ):
        result = recorded(lambda: check.architecture(model, pattern, input_shape=(4,)))  # noqa: B023
        assert (result.fraction, is_undecided(result)) == (float(is_read), not is_read), (result.message, result.detail)


def test_a_linear_layer_of_the_students_own_with_too_many_units_fails() -> None:
    model = network_of(own_linear("x @ w.T + b"), ROWS)
    result = recorded(lambda: check.architecture(model, [check.dense(9, "relu"), check.dense(3)]))
    assert (result.fraction, is_undecided(result)) == (0, False), result.message


def test_the_length_of_the_rows_is_their_free_number() -> None:
    """``x.reshape(len(x), -1)`` is read as ``x.reshape(x.shape[0], -1)`` is."""
    import torch

    def forward(own: Any, x: Any) -> Any:
        return own.out(torch.cat([x, torch.zeros(len(x), 2)], dim=1).reshape(len(x), -1))

    module = module_of(forward, out=torch.nn.Linear(6, 3))
    twin = network_of(module, ROWS)
    np.testing.assert_allclose(twin.outputs(ROWS)[0], outputs(module, ROWS), rtol=1e-4, atol=1e-5)
    assert len.__module__ == "builtins"


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_a_cell_that_is_called_for_each_step_is_the_recurrent_layer(kind: str) -> None:
    import torch

    def forward(own: Any, x: Any) -> Any:
        state = None
        for step in range(x.shape[1]):
            state = own.cell(x[:, step], state)
        return own.out(state[0] if kind == "LSTM" else state)

    model = module_of(forward, cell=getattr(torch.nn, f"{kind}Cell")(4, 8), out=torch.nn.Linear(8, 3))
    for asked, units, passes in ((kind, 8, True), (f"{kind}Cell", 8, True), (kind, 9, False), ("Linear", 8, False)):
        layer = check.layer(asked, **{"out_features" if asked == "Linear" else "hidden_size": units})
        found = recorded(lambda: check.architecture(model, [layer, check.layer("Linear")], input_shape=(5, 4)))  # noqa: B023
        assert (found.fraction == 1) is passes, found.message


@pytest.mark.parametrize(
    ("padding", "kernel", "fits"),
    [("same", 3, [1, (1, 1), "same"]), (1, 3, [1, "same"]), ("valid", 3, [0, "valid"]), (0, 3, [0, "valid"]),
     ("same", 2, ["same"]), (2, 3, [2])],
)  # fmt: skip
def test_a_padding_is_one_thing_however_it_is_written(padding: Any, kernel: int, fits: list[Any]) -> None:
    import torch

    model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, kernel, padding=padding), torch.nn.Flatten())
    for asked in (0, 1, 2, "same", "valid", (1, 1)):
        layer = check.layer("Conv2d", padding=asked)
        found = recorded(lambda: check.architecture(model, [layer], input_shape=(3, 8, 8)))  # noqa: B023
        assert (found.fraction == 1) is (asked in fits or (asked == (1, 1) and 1 in fits)), (asked, found.message)


def test_a_forward_that_turns_gradients_off_is_read() -> None:
    """As of a frozen backbone."""
    import torch

    def forward(own: Any, x: Any) -> Any:
        with torch.no_grad():
            x = torch.relu(own.first(x))
        return own.out(x)

    module = module_of(forward, first=torch.nn.Linear(4, 5), out=torch.nn.Linear(5, 3))
    twin = network_of(module, ROWS)
    np.testing.assert_allclose(twin.outputs(ROWS)[0], outputs(module, ROWS), rtol=1e-4, atol=1e-5)


# --- what is only asked ------------------------------------------------------------------------------------

FORWARDS = {
    "by its values": "y if x.sum() > 1e9 else 1 - y",
    "by the number of rows": "y if x.shape[0] == 12 else 1 - y",
    "by being exported": "y if torch.compiler.is_exporting() else 1 - y",
    "with numpy": "torch.from_numpy(y.detach().numpy())",
    "over the rows": "y - y.mean(dim=0)",
    "the order of rows": "y.flip(0)",
    "in a way that is not in the table": "torch.special.bessel_j0(y)",
    "with a loss beside": "y, y.mean()",
    "at random": "y + torch.poisson(torch.exp(y))",
}


def forward(text: str) -> str:
    return SOURCE.replace("return torch.softmax(", "y = torch.softmax(").replace(
        "model = Net()", f"        return {text}\nmodel = Net()"
    )


def waits_for_a_person(model: Any) -> None:
    asked = recorded(lambda: check.architecture(model, ASKED, input_shape=(4,)))
    assert is_undecided(asked), asked.message
    asked = recorded(lambda: check.architecture(model, IN_ORDER))
    assert is_undecided(asked), asked.message
    asked = recorded(lambda: check.architecture(model, [...], input_shape=(4,), output_shape=(3,)))
    assert is_undecided(asked), asked.message
    assert is_undecided(recorded(lambda: retrained(model)))
    measured = recorded(lambda: check.loss(model, on=(ROWS, np.eye(3)[LABELS]), below=99, loss="mse"))
    assert "exported" not in measured.evidence


@pytest.mark.parametrize("name", FORWARDS)
def test_a_module_that_cannot_be_read_waits_for_a_person(name: str) -> None:
    waits_for_a_person(answer(forward(FORWARDS[name])))


REASONS = {
    "by its values": "decides by the values",
    "by the number of rows": "depends on the number of rows",
    "by being exported": "predicts something else than the module",
    "with numpy": "turns tensors into numbers",
    "over the rows": "depend on the other rows",
    "the order of rows": "depend on the other rows",
    "with a loss beside": "other than tensors with one row for each row of its input",
    "in a way that is not in the table": "runs an operator that the grader does not compute: special_bessel_j0",
    "at random": "draws at random in evaluation mode, too",
}


@pytest.mark.parametrize("name", FORWARDS)
def test_a_person_reads_why_a_module_is_only_asked_and_the_student_does_not(name: str) -> None:
    model = answer(forward(FORWARDS[name]))
    for result in (
        recorded(lambda: check.architecture(model, ASKED, input_shape=(4,))),
        recorded(lambda: check.architecture(model, IN_ORDER, input_shape=(4,))),
        recorded(lambda: retrained(model)),
    ):
        assert REASONS[name] in result.detail
        assert "module cannot be read" in result.message
        assert REASONS[name] not in result.message


def test_a_module_whose_parts_are_as_asked_and_whose_shapes_nobody_knows_waits_for_a_person() -> None:
    source = "import torch\nfrom torch import nn\nclass Own(nn.Sequential):\n    def forward(self, x):\n"
    model = answer(f"{source}        return super().forward(torch.special.bessel_j0(x))\nmodel = Own(nn.Linear(4, 3))")
    result = recorded(lambda: check.architecture(model, [check.layer("Linear", out_features=3)], input_shape=(4,)))
    assert is_undecided(result), result.message


def test_a_word_of_the_kernel_that_is_no_name_is_not_repeated() -> None:
    claim = {"kind": "Module", "library": "torch", "unread": "library", "operator": "<b>full points</b>"}
    with pytest.raises(RefusedModel) as refused:
        rebuild(claim, [])
    assert "points" not in str(refused.value)


def test_a_module_of_another_shape_is_told_so() -> None:
    found = recorded(
        lambda: check.architecture(answer(SOURCE), IN_ORDER, input_shape=(4,), output_shape=(5,), show=True)
    )
    assert (found.fraction, found.message) == (0, "output shape (3,), expected (5,)")


@pytest.mark.parametrize(
    "name", ["by its values", *(pytest.param(name, marks=pytest.mark.slow) for name in list(FORWARDS)[1:])]
)
def test_it_does_so_at_home(name: str) -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(forward(FORWARDS[name]), names)
    waits_for_a_person(names["model"])


# --- random in evaluation mode -----------------------------------------------------------------------------

DRAWN = {
    "randn_like": "torch.randn_like(std)",
    "randn with the number of rows": "torch.randn(x.size(0), 2)",
    "normal": "torch.normal(0.0, 1.0, size=mu.shape)",
    "normal around the means": "(torch.normal(mu, std) - mu) / std",
    "filled in place": "std.data.new(std.size()).normal_()",
    "a distribution": "(torch.distributions.Normal(mu, std).rsample() - mu) / std",
    "Bernoulli": "torch.bernoulli(torch.sigmoid(mu))",
    "Gumbel": "F.gumbel_softmax(mu)",
}


def autoencoder(noise: str) -> Any:
    """A variational autoencoder that draws its code in evaluation mode, too."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    def forward(own: Any, x: Any) -> Any:
        hidden = torch.relu(own.hidden(x))
        mu, log_variance = own.mu(hidden), own.log_variance(hidden)
        std = torch.exp(0.5 * log_variance)
        drawn = eval(noise, {"torch": torch, "F": F, "mu": mu, "std": std, "x": x})
        return own.decoder(mu + std * drawn), mu, log_variance

    parts = {"hidden": nn.Linear(4, 8), "mu": nn.Linear(8, 2), "log_variance": nn.Linear(8, 2)}
    return module_of(forward, **parts, decoder=nn.Linear(2, 4))


@pytest.mark.parametrize("noise", DRAWN.values(), ids=DRAWN)
def test_a_module_that_draws_in_evaluation_mode_is_read(noise: str) -> None:
    import torch

    module = autoencoder(noise)
    network = network_of(module, ROWS)
    drawn, means, _ = network.outputs(ROWS)
    with torch.no_grad():
        np.testing.assert_allclose(means, module.eval()(torch.as_tensor(ROWS))[1].numpy(), atol=1e-6)
    np.testing.assert_array_equal(network.outputs(ROWS)[0], drawn)  # a grade can be given again
    assert drawn.shape == ROWS.shape
    assert network.counts().total == sum(parameter.numel() for parameter in module.parameters())
    layers = [
        check.layer("Linear", out_features=8),
        check.layer("Linear"),
        check.layer("Linear"),
        check.layer("Linear"),
    ]
    assert recorded(lambda: check.architecture(network, layers)).fraction == 1


def test_reading_it_takes_no_draw_from_the_notebook() -> None:
    import torch

    module, state = autoencoder(DRAWN["randn_like"]), torch.random.get_rng_state()
    network_of(module, ROWS).outputs(ROWS)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_what_it_computes_beside_its_draws_must_be_what_its_graph_computes() -> None:
    import torch

    def forward(own: Any, x: Any) -> Any:
        more = 0.0 if torch.compiler.is_exporting() else 1.0
        return own.inner(x)[0] + more * x.abs().sum(dim=1, keepdim=True)

    with pytest.raises(RefusedModel, match="predicts something else"):
        network_of(module_of(forward, inner=autoencoder(DRAWN["randn_like"])), ROWS)


def test_its_training_step_waits_for_a_person() -> None:
    def step(model: Any, x: Any, y: Any) -> None: ...

    result = recorded(
        lambda: check.training_step(step, network_of(autoencoder(DRAWN["randn_like"]), ROWS), (ROWS, ROWS))
    )
    assert is_undecided(result), result.message
    assert "draws at random" in result.message


# --- dishonest ---------------------------------------------------------------------------------------------


def test_a_module_that_differs_in_training_is_what_it_is_without(place: Any) -> None:
    model = place(forward("y if self.training else torch.zeros_like(y) + 0 * y + 1 / 3"))
    result = recorded(lambda: check.loss(model, on=(ROWS, LABELS), below=9))
    assert f"{np.log(3):.4f}" in result.message


@pytest.mark.parametrize(
    ("limits", "waits"),
    [({"at_most": 20}, True), ({"exactly": 15}, True), ({"at_most": 14}, False), ({"exactly": 39}, False)],
)
def test_a_person_decides_where_positions_by_sines_alone_break_a_limit(limits: Any, waits: bool) -> None:
    import torch
    from torch import nn

    module = module_of(lambda own, x: own.out(x + own.positions[0]), out=nn.Linear(4, 3))
    module.register_buffer("positions", torch.sin(torch.outer(torch.arange(6.0), torch.arange(1.0, 5))))
    result = recorded(lambda: check.parameters(network_of(module, ROWS), **limits))
    assert (is_undecided(result), result.fraction) == (waits, 0), result.message


def test_a_table_of_answers_counts_as_parameters() -> None:
    import torch
    from torch import nn

    answers = torch.rand(9, 3)
    module = module_of(lambda own, x: own.out(x) @ answers, out=nn.Linear(4, 9))
    twin = network_of(module, ROWS)
    assert count_parameters(twin).total == 45 + 27


def test_a_module_that_lies_about_its_parameters_is_counted_all_the_same(place: Any) -> None:
    lie = "    def parameters(self, recurse=True): return iter([nn.Parameter(torch.zeros(1))])\nmodel = Net()"
    model = place(SOURCE.replace("model = Net()", lie))
    assert recorded(lambda: check.parameters(model, exactly=67)).fraction == 1


def test_a_copy_that_is_another_module_is_worth_what_it_shows_and_shows_one() -> None:
    """The module shows a small network, and a large one to the checks after the first: they count for nothing."""
    lie = """
    def __deepcopy__(self, memo):
        Net.copies = getattr(Net, "copies", 0) + 1
        return nn.Sequential(nn.Linear(4, 3), nn.Softmax(-1)) if Net.copies < 3 else nn.Linear(4, 3)
model = Net()"""
    model = answer(SOURCE.replace("model = Net()", lie))
    shown = [check.dense(3, "softmax")]
    assert recorded(lambda: check.architecture(model, shown, input_shape=(4,))).fraction == 1
    assert recorded(lambda: check.parameters(model, exactly=15)).fraction == 1
    found = recorded(lambda: check.loss(model, on=(ROWS, LABELS), below=9))
    assert found.evidence["in_kernel"] is True


@pytest.mark.parametrize(
    "spoil",
    [
        lambda claim, arrays: (claim, arrays[:-1]),
        lambda claim, arrays: (claim, [array + 1 for array in arrays]),
        lambda claim, arrays: ({**claim, "graph": {**claim["graph"], "nodes": []}}, arrays),
        lambda claim, arrays: ({**claim, "probe": {"kind": "real", "number": 10**9}}, arrays),
    ],
)
def test_a_description_that_does_not_fit_is_refused(made: Any, spoil: Any) -> None:
    claim = torch_model.claim(made["Sequential"][0], of_rows(ROWS))
    with pytest.raises(RefusedModel):
        rebuild(*spoil(*claim))


@pytest.mark.parametrize(("mode", "says"), [("train", True), ("eval", False)])
def test_a_module_in_training_mode_is_measured_in_evaluation_mode_and_that_is_said(mode: str, says: bool) -> None:
    source = f"{SOURCE}\nmodel.{mode}()"
    result = recorded(lambda: check.loss(answer(source), on=(ROWS, LABELS), below=9))
    assert (result.fraction, "left in training mode" in result.message) == (1, says)
