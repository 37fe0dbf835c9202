"""The operators: which other answers are made of one."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest

from autograder.extensions.trust.mutants import cheats, mutants
from autograder.extensions.trust.mutants.cheats import public_calls
from autograder.extensions.trust.mutants.feeds import touched, used
from autograder.extensions.trust.mutants.result_forms import OPERATORS, OTHER_DIGITS, OTHER_ORDER
from autograder.extensions.trust.mutants.syntax_edits import Edit, apply
from autograder.records.exam import Exam, ExamCell, Role
from autograder.records.observations import Act, Fact, Observations

Types = Mapping[str, str]
"""Name of a value, or of a function with ``()`` after it → types, parted by `` or ``."""
NO_TYPES: Types = MappingProxyType({})


def exam_of(source: str, test: str = "assert f and model and x", types: Types = NO_TYPES, released: str = "") -> Exam:
    """An exam of one answer and one test, which saw results of these types when the solution ran."""
    answer = ExamCell(Role.ANSWER, "code", "answer", 0, source, released, "")
    graded = ExamCell(Role.TEST, "code", "test", 1, test, test, "")
    facts = (Fact(Act.ANSWERS, f"test {name}", one) for name, of_name in types.items() for one in of_name.split(" or "))
    return Exam("hw", "nb", (answer, graded), observations=Observations.of(facts))


def made(
    source: str, *families: str, test: str = "assert f and model and x", types: Types = NO_TYPES
) -> dict[str, list[str]]:
    """The answers that families make of a source, by operator."""
    found: dict[str, list[str]] = {}
    for one in mutants([exam_of(source, test, types)], families, (), 0):
        found.setdefault(one.operator, []).append(one.after)
    return found


SLIPS = [
    ("x = a < b", "<= for <", "x = a <= b"),
    ("x = a < b", "> for <", "x = a > b"),
    ("x = a - b * c", "operands the wrong way round", "x = b * c - a"),
    ("x = a * (b + c)", "- for +", "x = a * (b - c)"),
    ("x = a * (b + c)", "+ for *", "x = a + (b + c)"),
    ("x = -a", "a minus left out", "x = a"),
    ("x = a and b", "`and` and `or` exchanged", "x = a or b"),
    ("x = 7", "a number one too large", "x = 8"),
    ("x = [True]", "False for True", "x = [False]"),
    ("x = np.mean(a, axis=1)", "the other axis", "x = np.mean(a, axis=0)"),
    ("x = np.mean(a, axis=1)", "`axis` left out", "x = np.mean(a)"),
    ("x = np.mean(a)", "sum for mean", "x = np.sum(a)"),
    ("x = np.log(a)", "log left out", "x = a"),
    ("x = a[1:]", "a slice left out", "x = a"),
    ('x = word.strip(".")', "strip left out", "x = word"),
    ("x = word.lower()", "lower left out", "x = word"),
    ("x = a.b.copy()", "copy left out", "x = a.b"),
    ("x = np.copy(a)", "copy left out", "x = a"),
    ("x = table.reset_index(drop=True)", "reset_index left out", "x = table"),
    ("x = table.sort_values('a', inplace=True)", "`inplace` left out", "x = table.sort_values('a')"),
    ("x = g(a, b)", "arguments the wrong way round", "x = g(b, a)"),
    ("def f(a):\n    return a, a + 1", "results the wrong way round", "def f(a):\n    return (a + 1, a)"),
    ("def f(a):\n    return a", "`return` without the value", "def f(a):\n    return None"),
    ("for x in range(n):\n    x += 1", "a range that ends one too soon", "for x in range(n - 1):\n    x += 1"),
    ("for x in range(n):\n    x += 1", "= for an update", "for x in range(n):\n    x = 1"),
    ("x = 1\ny = x\nx = 3", "two statements the wrong way round", "y = x\nx = 1\nx = 3"),
    ("x = a if b else c", "one branch for all cases", "x = c"),
    ("x = 1\nif x:\n    x = 2", "a condition negated", "x = 1\nif not x:\n    x = 2"),
]


def test_a_text_in_a_test_is_a_name_if_the_test_was_seen_to_look_at_it() -> None:
    """``scalars=["x"]`` may name a series of a log, and a cell that binds `x` on its way."""
    test = 'assert read(log)["x"] == 1'
    assert cheats.NOTHING not in made("x = 1\nwrite(x)", "cheat", test=test, types={"read()": "int"})
    assert cheats.NOTHING in made("x = 1\nwrite(x)", "cheat", test=test, types={"x": "int"})


@pytest.mark.parametrize(("source", "operator", "after"), SLIPS)
def test_a_code_slip(source: str, operator: str, after: str) -> None:
    assert after in made(source, "code")[operator]


DENSE = 'model = keras.Sequential([keras.Input((3,)), layers.Dense(8, activation="relu"), layers.Dense(2)])'
FIT = "history = model.fit(X_train, y_train, epochs=9, batch_size=32, validation_data=(X_valid, y_valid))"
COMPILE = 'model.compile(optimizer=keras.optimizers.Adam(learning_rate=0.01), loss="mse")'
NETWORKS = [
    (DENSE, "relu left out", "layers.Dense(8)"),
    (DENSE, "sigmoid for relu", "layers.Dense(8, activation='sigmoid')"),
    (DENSE, "half the units", 'layers.Dense(4, activation="relu")'),
    (DENSE, "twice the units", 'layers.Dense(16, activation="relu")'),
    (DENSE, "weights that start at zero", "kernel_initializer='zeros'"),
    (DENSE, "a frozen layer", "trainable=False"),
    (DENSE, "Dense left out", "[keras.Input((3,)), layers.Dense(2)]"),
    (COMPILE, "ten times the learning rate", "learning_rate=0.1"),
    (COMPILE, "a tenth of the learning rate", "learning_rate=0.001"),
    (COMPILE, "mae for mse", "loss='mae'"),
    (FIT, "one epoch", "epochs=1"),
    (FIT, "an eighth of the batch", "batch_size=4"),
    ('losses = history.history["val_loss"]', "loss for val_loss", "history.history['loss']"),
    ("stop = EarlyStopping(patience=3, restore_best_weights=True)", "`restore_best_weights` left out", "(patience=3)"),
]


@pytest.mark.parametrize(("source", "operator", "part"), NETWORKS)
def test_a_network_slip(source: str, operator: str, part: str) -> None:
    test = "assert model and history and losses and stop"
    assert any(part in after for after in made(source, "network", test=test)[operator])


DATA = [
    (FIT, "labels in the reverse order", "fit(X_train, y_train[::-1], "),
    (FIT, "a tenth of the rows", "fit(X_train[:len(X_train) // 10], y_train[:len(y_train) // 10], "),
    (FIT, "trained on the validation rows", "fit(X_valid, y_valid, "),
    (FIT, "validated on the training rows", "validation_data=(X_train, y_train)"),
    ("x = scaler.transform(X_train)", "scaling left out", "x = X_train"),
]


@pytest.mark.parametrize(("source", "operator", "part"), DATA)
def test_a_data_slip(source: str, operator: str, part: str) -> None:
    test = "assert model and history and x"
    assert any(part in after for after in made(source, "data", test=test)[operator])


MODULE = "model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))"
BATCHES = "def f(a):\n    # in turn\n    for b in a:\n        yield 2 * b"
HONEST = [
    ("x = (a + b) ** 2", "a power as a product", "x = (a + b) * (a + b)"),
    ("x = a * a", "a product as a power", "x = a ** 2"),
    ("x = a / b", "a quotient as a product", "x = a * (1 / b)"),
    ("x = a * b", "factors exchanged", "x = b * a"),
    ("def f(a):\n    return [g(b) for b in a if b]", "a loop for a comprehension", "collected.append(g(b))"),
    ("def f(a):\n    c = 2 * a\n    return c", "other names", "my_c = 2 * a"),
    ("def g(a):  # twice\n    return 2 * a\ndef f(a):\n    return g(a)", "other names", "def my_g(a):  # twice"),
    ("def f(a):\n    return 2 * a", "a lambda", "f = lambda a: 2 * a"),
    ("def f(a):\n    return 2 * a", "a helper function", "return f_helper(a)"),
    (DENSE, "layers that are added", "model.add(layers.Dense(8, activation='relu'))"),
    (DENSE, "a functional model", "model = keras.Model(given, flow)"),
    (DENSE, "activations as layers of their own", "layers.Activation('relu')"),
    (DENSE, "seed 11", "utils.set_random_seed(11)"),
    (COMPILE, "an optimizer that is as good", "keras.optimizers.Nadam(learning_rate=0.01)"),
    (FIT, "more epochs", "epochs=14"),
    (MODULE, "modules in a module", "nn.Sequential(nn.Sequential(nn.Linear(3, 8), nn.ReLU()), nn.Linear(8, 2))"),
    ("x = torch.relu(a + b)", "a method for a function of a tensor", "x = (a + b).relu()"),
    ("x = torch.optim.Adam(model.parameters(), lr=0.01)", "an optimizer that is as good", "optim.NAdam(model.para"),
    ("for epoch in range(9):\n    x = step()", "more epochs", "range(14)"),
    (BATCHES, "a list for a generator", "return list(f_one_by_one(*arguments, **named))"),
    ("def f(rate, n=3):\n    return n * rate", "other parameters", "def f(my_rate, my_n=3):"),
    ("class f:\n    def g(self):\n        self.a = 1", "other attributes", "self.my_a = 1"),
    ("class f(Module):\n    def g(self):\n        self.a = Linear(1, 2)", "other attributes", "self.my_a = Linear"),
    (
        "class a:\n    def g(self):\n        self.b = 1\nclass f(a):\n    def h(self):\n        return self.b",
        "other attributes",
        "return self.my_b",
    ),
    ("def f(a):\n    raise KeyError(a)", "an error with other words", "raise KeyError('in other words')"),
    ("def f(a):\n    raise KeyError", "another kind of error", "raise RuntimeError"),
    ("x = np.random.default_rng(3)", "seed 11", "default_rng(11)"),
]
NO_REWRITES = [
    ("model = nn.Sequential(*parts)", "modules in a module"),
    ("for x in range(9):\n    x = step()", "more epochs"),
    (BATCHES.replace("for b in a:", "while True:"), "a list for a generator"),
    ("def f(rate):\n    return f(rate=1)", "other parameters"),
    ("class f:\n    def g(self, other):\n        self.a = other.a", "other attributes"),
    ("class f(Layer):\n    def g(self):\n        self.built = True", "other attributes"),
    ("class f:\n    def g(self):\n        self.a = getattr(self, 'a', 1)", "other attributes"),
    ("class f:\n    def __getitem__(self, key):\n        raise IndexError(key)", "another kind of error"),
    (
        "def f(a):\n    try:\n        raise ValueError\n    except ValueError:\n        return a",
        "another kind of error",
    ),
]


@pytest.mark.parametrize(("source", "operator"), NO_REWRITES)
def test_no_rewrite_where_it_may_be_another_answer(source: str, operator: str) -> None:
    assert operator not in made(source, "honest")


@pytest.mark.parametrize(("source", "operator", "part"), HONEST)
def test_an_honest_rewrite(source: str, operator: str, part: str) -> None:
    assert any(part in after for after in made(source, "honest")[operator])


def executed(source: str) -> dict[str, object]:
    names: dict[str, object] = {}
    exec(source, names)
    return names


FUNCTION = "def f(a, b):\n    parts = [a * n for n in range(b) if n != 2]\n    return sum(parts) ** 2 - b"


def test_honest_rewrites_compute_the_same() -> None:
    expected = [executed(FUNCTION)["f"](a, b) for a in (0, 3, -2) for b in (0, 1, 5)]  # type: ignore[operator]
    for operator, sources in made(FUNCTION, "honest").items():
        for source in sources:
            function = executed(source)["f"]
            assert [function(a, b) for a in (0, 3, -2) for b in (0, 1, 5)] == expected, operator  # type: ignore[operator]


@pytest.mark.parametrize("family", ["honest", "code", "network", "data", "cheat"])
def test_every_answer_is_python_and_another_one(family: str) -> None:
    source = f"{FUNCTION}\n{DENSE}\n{COMPILE}\n{FIT}\nx = [f(1, 2), -3.5]"
    answers = [after for sources in made(source, family).values() for after in sources]
    forms = {ast.unparse(ast.parse(after)) for after in answers}
    assert answers
    assert len(forms) == len(answers)
    assert ast.unparse(ast.parse(source)) not in forms


SOFTMAX = f"""\
{DENSE.replace("Dense(2)", "Dense(2, activation='softmax')")}
model.compile(loss="sparse_categorical_crossentropy")"""


def test_a_softmax_may_be_a_layer_or_a_part_of_the_loss() -> None:
    after = made(SOFTMAX, "honest")
    assert "layers.Dense(2), layers.Softmax()])" in after["softmax as a layer"][0]
    (of_logits,) = after["softmax as a part of the loss"]
    assert "layers.Dense(2)])" in of_logits
    assert "loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)" in of_logits


FORMS = [
    ("def f(a):\n    return g(a)", "list", "a tuple for a list", "tuple(result)"),
    ("def f(a):\n    return a + c", "list", "an array for a list", "np.array(result)"),
    ("def f(a):\n    return g(a)", "list", "a generator for a list", "(value for value in result)"),
    ("def f(a):\n    return g(a)", "list", "lists for the tuples inside", "_inside(result, tuple, list)"),
    ("def f(a):\n    return g(a)", "dict", "tuples for the lists inside", "_inside(result, list, tuple)"),
    ("def f(a):\n    return g(a)", "list", "another order of what is equal", "_other_ties(result, own, given)"),
    ("def f(a):\n    return g(a)", "tuple", "a list for a tuple", "list(result)"),
    ("x = g(a)", "tuple", "an array for a tuple", "x = np.array(x) if {type(v) for v in x} in ({int}, {float}) else x"),
    ("def f(a):\n    return g(a)", "set", "a list for a set", "list(result)"),
    ("def f(a):\n    return g(a)", "Counter", "another order of a dict", "dict(reversed(result.items()))"),
    ("def f(a):\n    return g(a)", "dict", "a subclass for a dict", "OrderedDict(result)"),
    ("def f(a):\n    return g(a)", "ndarray float64", "a list for an array", "np.asarray(result).tolist()"),
    ("def f(a):\n    return g(a)", "ndarray float32", "whole numbers for floats, where all are whole", ".astype(int)"),
    ("def f(a):\n    return g(a)", "ndarray uint8", "numbers of the usual width", "result.astype('float64' if "),
    ("def f(a):\n    return g(a)", "ndarray int64", "floats for whole numbers", "np.asarray(result, dtype=float)"),
    ("def f(a):\n    return g(a)", "Series int64", "floats for whole numbers", "result.astype(float)"),
    ("def f(a):\n    return g(a)", "ndarray int64", "a copy of an array", "np.array(result)"),
    ("def f(a):\n    return g(a)", "bool", "a truth value of numpy's", "np.bool_(result)"),
    ("def f(a):\n    return g(a)", "str", "a text with another end of its last line", "result.endswith('\\n')"),
    ("x = g()", "int", "a number of numpy's", "x = np.asarray(x)[()]"),
    ("x = g()", "float64 float64", "a plain number for one of numpy's", "x = x.item()"),
    ("x = g()", "float", "a whole number for a float", "x = int(x) if x.is_integer() else x"),
    ("x, y = g()", "list", "a tuple for a list", "x = tuple(x)"),
    ("x = g()", "DataFrame", "rows in another order", "x = x.iloc[::-1]"),
    ("x = g()", "DataFrame", "columns in another order", "x[x.columns[::-1]]"),
    ("x = g()", "DataFrame", "an index without a name", "x.rename_axis(index=None)"),
    ("x = g().reset_index()", "Series int64", "rows with other numbers in the index", "set_axis(range(7, 7 + len(x)))"),
    ("class f:\n    def g(self):\n        return 1", "list", "a tuple for a list", "f.g = _in_form(f.g, "),
]
NUMPY = "import numpy as np\nassert f and x"


def named(types: str) -> Types:
    return {"f()": types, ".g()": types, "x": types}


@pytest.mark.parametrize(("source", "types", "operator", "part"), FORMS)
def test_a_result_of_a_type_that_was_seen_in_another_form(source: str, types: str, operator: str, part: str) -> None:
    assert any(part in after for after in made(source, "honest", test=NUMPY, types=named(types))[operator])


FORMLESS = [
    ("def f(a):\n    return [1, 2]", ""),
    ("def f(a):\n    return np.zeros(3)", "Tensor"),
    ("def f(a):\n    return a, 1", "tuple"),
    ("x = 1, 2", "tuple"),
    ("x = 1 / 3", "complex"),
    ("class f:\n    @property\n    def g(self):\n        return 1", "list"),
]


@pytest.mark.parametrize(("source", "types"), FORMLESS)
def test_results_of_no_type_that_has_other_forms_keep_theirs(source: str, types: str) -> None:
    """What the source looks like decides nothing; several results are returned as students return them."""
    assert not (OPERATORS - {OTHER_DIGITS}) & made(source, "honest", test=NUMPY, types=named(types)).keys()


def test_a_task_that_is_told_once_for_two_answers_is_read_for_both() -> None:
    """The second answer has no text of its own, so the text above that names it tells it."""
    told = ExamCell(
        Role.FREE, "markdown", None, 0, "Write `g` and `f`, a list each.", "Write `g` and `f`, a list each.", ""
    )
    first = exam_of("def g(a):\n    return [a]", "assert g")
    second = exam_of("def f(a):\n    return [a]", "assert f", {"f()": "list"})
    cells = [replace(cell, grade_id=f"{cell.grade_id}-g") for cell in first.cells]
    exam = replace(second, cells=(told, *cells, *second.cells))
    assert "a tuple for a list" in {one.operator for one in mutants([second], ("honest",), (), 0)}
    assert "a tuple for a list" not in {one.operator for one in mutants([exam], ("honest",), (), 0)}


def test_of_several_types_those_that_have_the_form_change() -> None:
    source = "def f(a):\n    return [a, 2] if a else None"
    (after,) = made(source, "honest", test=NUMPY, types={"f()": "list or NoneType"})["a tuple for a list"]
    function = executed(after)["f"]
    assert [function(1), function(0)] == [(1, 2), None]  # type: ignore[operator]


def in_another_form(operator: str, source: str, types: str) -> dict[str, object]:
    (after,) = made(source, "honest", test=NUMPY, types=named(types))[operator]
    return executed(after)


ULP = 2.0**-52
ROUNDED = [
    ("def f(a):\n    return a * 1.1", 0.3, 0.3 * 1.1 * (1 + ULP)),
    ("def f(a):\n    return [a / 7, (a / 3, 'a', 2)]", 2, [2 / 7 * (1 + ULP), (2 / 3 * (1 + ULP), "a", 2)]),
    ("def f(a):\n    return {'third': a / 3}", 1, {"third": 1 / 3 * (1 + ULP)}),
]


@pytest.mark.parametrize(("source", "argument", "wanted"), ROUNDED)
def test_a_computed_float_has_another_last_digit_wherever_it_stands(
    source: str, argument: object, wanted: object
) -> None:
    function = in_another_form(OTHER_DIGITS, source, "float or list or dict")["f"]
    assert function(argument) == wanted  # type: ignore[operator]
    assert wanted != executed(source)["f"](argument)  # type: ignore[operator]


def test_numbers_in_arrays_and_tables_have_another_last_digit_too() -> None:
    source = "import numpy as np\nimport pandas as pd\ndef f(a):\n    x = np.array(a) / 3\n    return x, pd.DataFrame({'b': x, 'c': 'd'})"
    rounded, plain = in_another_form(OTHER_DIGITS, source, "tuple")["f"], executed(source)["f"]
    for one, other in zip(rounded([1, 2, 4]), plain([1, 2, 4]), strict=True):  # type: ignore[operator]
        numbers, wanted = (np.asarray(x["b"] if hasattr(x, "columns") else x) for x in (one, other))
        assert (numbers != wanted).all()
        assert np.allclose(numbers, wanted, rtol=1e-15, atol=0)


def test_a_tensor_has_another_last_digit_too_and_keeps_its_gradient() -> None:
    torch = pytest.importorskip("torch")
    source = "def f(a):\n    return a / 3"
    given = torch.tensor([1.0, 1.5, 2.0], requires_grad=True)
    rounded, plain = in_another_form(OTHER_DIGITS, source, "Tensor")["f"](given), given / 3  # type: ignore[operator]
    assert (rounded != plain).tolist() == [True, False, True]
    assert torch.allclose(rounded, plain, rtol=3e-7)
    assert rounded.requires_grad


EXACT = [
    ("def f(a):\n    return (a[0] + a[1]) / 2", [1, 2]),
    ("def f(a):\n    return sorted(a)", [0.3, 0.1]),
    ("PRICES = {'tea': 2.35}\ndef f(a):\n    return PRICES[a]", "tea"),
    ("def f(a):\n    return 0.7 if a else 0.3", True),
    ("def f(a):\n    return float('inf'), -float('inf'), 0.0, len(a)", "abc"),
]


@pytest.mark.parametrize(("source", "argument"), EXACT)
def test_a_float_that_every_right_answer_has_to_the_last_digit_stays(source: str, argument: object) -> None:
    """A multiple of 1/1024 is exact, and what was copied from the input, from data or from the answer is not computed."""
    function = in_another_form(OTHER_DIGITS, source, "float or list or tuple")["f"]
    assert function(argument) == executed(source)["f"](argument)  # type: ignore[operator]


ORDERED = [
    ("def f(a):\n    return [b for b in range(a) if b % 3]", 5, [4, 2, 1]),
    ("def f(a):\n    return [b for b in a if b > 1]", [1, 3, 2], [2, 3]),
    ("def f(a):\n    return [b % 2 for b in range(a)]", 3, [0, 1, 0]),
    ("def f(a):\n    return [b + 1 for b in a]", [4, 7], [5, 8]),
    ("def f(a):\n    return [b / 7 for b in a[1:]]", [1, 2, 4], [2 / 7, 4 / 7]),
    ("def f(a):\n    return [a] if a else None", 0, None),
    ("def f(a):\n    return [[a, 1], [a, 2]]", 0, [[0, 1], [0, 2]]),
    ("def f(a):\n    return [-(a ** 0.5), a ** 0.5]", 2, [2**0.5, -(2**0.5)]),
]


@pytest.mark.parametrize(("source", "argument", "wanted"), ORDERED)
def test_another_order_is_tried_where_all_items_differ_and_none_has_a_place(
    source: str, argument: object, wanted: object
) -> None:
    """Items that stand beside those of an argument, and numbers computed from others in a row, have places."""
    assert in_another_form(OTHER_ORDER, source, "list or NoneType")["f"](argument) == wanted  # type: ignore[operator]


def test_a_function_that_calls_itself_changes_its_form_once() -> None:
    """What functions of an answer give to one another stays, so that the answer is still right."""
    source = "def f(a):\n    return f(a[1:]) + [a[0]] if a else []\ndef g(a):\n    return f(a) + [0]"
    types = {"f()": "list", "g()": "list"}
    made_of = made(source, "honest", test="import numpy as np\nassert f and g", types=types)["a tuple for a list"]
    names = [executed(after) for after in made_of]
    results = sorted(repr([one["f"]([1, 2]), one["g"]([1, 2])]) for one in names)  # type: ignore[operator]
    assert results == ["[(2, 1), [2, 1, 0]]", "[[2, 1], (2, 1, 0)]"]


def test_a_result_that_cannot_have_a_form_keeps_its_own() -> None:
    """A list of lists of several lengths is no array, and an answer's own error is still raised."""
    source = "import numpy as np\ndef f(a):\n    return [[a], [a, 1 / a]]"
    function = in_another_form("an array for a list", source, "list")["f"]
    assert function(1) == [[1], [1, 1]]  # type: ignore[operator]
    with pytest.raises(ZeroDivisionError):
        function(0)  # type: ignore[operator]


INSIDE = [
    ("tuples for the lists inside", "def f(a):\n    return [[a], a]", [(3,), 3]),
    ("tuples for the lists inside", "def f(a):\n    return {a: [a]}", {3: (3,)}),
    ("lists for the tuples inside", "def f(a):\n    return {a: (a, 1)}", {3: [3, 1]}),
]


@pytest.mark.parametrize(("operator", "source", "wanted"), INSIDE)
def test_what_a_result_holds_has_another_type(operator: str, source: str, wanted: object) -> None:
    for after in made(source, "honest", test=NUMPY, types=named("list or dict"))[operator]:
        result = executed(after)["f"](3)  # type: ignore[operator]
        assert result in (wanted, executed(source)["f"](3))  # type: ignore[operator]
    assert any(executed(a)["f"](3) == wanted for a in made(source, "honest", types=named("list or dict"))[operator])  # type: ignore[operator]


TIES = [
    ("sorted(a, key=len)", ["bb", "aa", "c"], ["c", "aa", "bb"]),
    ("[b.upper() for b in a]", ["bb", "aa"], ["BB", "AA"]),
    ("[b for b in a if b > 'a']", ["c", "a", "b"], ["c", "b"]),
    ("a[:2]", ["a", "b", "c"], ["a", "b"]),
]


@pytest.mark.parametrize(("result", "argument", "wanted"), TIES)
def test_what_is_equal_in_a_sorted_result_may_stand_in_another_order(
    result: str, argument: list[str], wanted: list[str]
) -> None:
    """Where the order of the argument is not that of the result: what is computed item by item stays."""
    function = in_another_form("another order of what is equal", f"def f(a):\n    return {result}", "list")["f"]
    assert function(argument) == wanted  # type: ignore[operator]


BEST = [
    ("max(a, key=a.count)", [1, 2, 2, 1], 2),
    ("min(a, key=len)", ["ab", "c", "d"], "d"),
    ("max(a, key=a.count)", [1, 2, 2], 2),
    ("a[0]", [1, 2, 3], 1),
    ("a[-1]", "abc", "c"),
    ("len(a)", [3, 1, 2], 3),
]


@pytest.mark.parametrize(("result", "argument", "wanted"), BEST)
def test_one_of_several_that_are_equally_good_may_be_another(result: str, argument: object, wanted: object) -> None:
    """An item that its place decides stays, and so does what no turn of the argument changes."""
    source = f"def f(a):\n    return {result}"
    assert in_another_form("another one of the best", source, "int or str")["f"](argument) == wanted  # type: ignore[operator]


def test_a_method_s_computed_float_has_another_last_digit_and_a_kept_one_stays() -> None:
    source = "class f:\n    def __init__(self, a):\n        self.a = a\n    def g(self):\n        return self.a / 3\n    def h(self):\n        return self.a"
    (after,) = made(source, "honest", types={".g()": "float", ".h()": "float"})[OTHER_DIGITS]
    rounded = executed(after)["f"](1.1)  # type: ignore[operator]
    assert (rounded.g(), rounded.h()) == (1.1 / 3 * (1 + ULP), 1.1)


SETTLED = [
    ("def f(a):\n    # return a list\n    return g(a)", "list", "a tuple for a list"),
    ("def f(a):\n    # the smallest one first\n    return g(set(a))", "list", "another order of what is different"),
    ("def f(a):\n    # an array\n    return g(a)", "ndarray float64", "a list for an array"),
    (
        "def f(a):\n    # of float64\n    return g(a)",
        "ndarray float64",
        "whole numbers for floats, where all are whole",
    ),
    (BATCHES.replace("in turn", "a generator"), "", "a list for a generator"),
    (f"# train for 9 epochs\n{FIT}", "", "more epochs"),
    (f"# with adam\n{COMPILE}", "", "an optimizer that is as good"),
    ("# keep the index\nx = g().reset_index()", "DataFrame", "rows with other numbers in the index"),
    ("# raise ValueError\ndef f(a):\n    raise ValueError(a)", "", "another kind of error"),
    ("# say: too small\ndef f(a):\n    raise ValueError('too small')", "", "an error with other words"),
    ("# the rate of a\ndef f(rate):\n    return rate", "", "other parameters"),
    ("# in money\nclass f:\n    def g(self):\n        self.money = 1", "", "other attributes"),
    ("# the seed is 3\nx = np.random.default_rng(seed=3)", "", "seed 11"),
]


@pytest.mark.parametrize(("source", "types", "operator"), SETTLED)
def test_words_of_the_task_settle_a_form(source: str, types: str, operator: str) -> None:
    test = f"{NUMPY} and model and history"
    for released, is_open in (("", True), ("\n".join(line for line in source.split("\n") if "#" in line), False)):
        exam = exam_of(source, test, named(types), released)
        assert (operator in {one.operator for one in mutants([exam], ("honest",), (), 0)}) == is_open


SPLIT = "X = y = X_train = y_train = X_test = y_test = 1\nmodel.fit(X_train, y_train)\nx = model.score(X_test, y_test)"
LEAKS = [
    ("fitted on the test rows", "model.fit(X_test, y_test)"),
    ("fitted on all rows", "model.fit(X, y)"),
    ("scored on the training rows", "model.score(X_train, y_train)"),
]


@pytest.mark.parametrize(("operator", "part"), LEAKS)
def test_a_model_is_trained_or_scored_on_the_wrong_rows(operator: str, part: str) -> None:
    assert any(part in after for after in made(SPLIT, "data")[operator])
    assert operator not in made(SPLIT.replace("X = y = X_train = y_train = X_test = y_test = 1\n", ""), "data")


def test_the_size_of_a_model_is_no_slip_of_code() -> None:
    source = "model = KNeighborsClassifier(5)\nmodel.fit(a, b)\nx = 3"
    assert not any("Classifier(6)" in after for after in made(source, "code")["a number one too large"])


def test_a_network_without_activations_is_linear() -> None:
    hidden = 'layers.Dense(8, activation="relu")'
    source = DENSE.replace(hidden, f"{hidden}, {hidden}")
    (after,) = made(source, "network")["no activation in any hidden layer"]
    assert after == DENSE.replace(hidden, "layers.Dense(8), layers.Dense(8)")


TABLES = {
    cheats.TABLE_COLUMNS: {"a_": [1, 2], "b_": [3.0, 4.0]},
    cheats.TABLE_PAIRS: {"a": [1, 2], "b": [4.0, 3.0]},
    cheats.TABLE_TEXTS: {"a": ["1", "2"], "b": ["3.0", "4.0"]},
    cheats.SAME_SHAPE: {"a": [0, 0], "b": [0, 0]},
}


@pytest.mark.parametrize("operator", TABLES)
def test_the_cheat_on_a_table_is_a_table(operator: str) -> None:
    source = "import pandas as pd\ndef f():\n    return pd.DataFrame({'a': [1, 2], 'b': [3.0, 4.0]})"
    (after,) = made(source, "cheat", types={"f()": "DataFrame"})[operator]
    assert executed(after)["f"]().to_dict("list") == TABLES[operator]  # type: ignore[operator]


CHEATS = {
    "`None`": lambda a: None,
    "zeros of the right type and shape": lambda a: [0, 0],
    "its own first argument": lambda a: a,
    "the result for the first public example, always": lambda a: [1, 2],
}


@pytest.mark.parametrize("operator", CHEATS)
def test_a_cheat_gets_one_thing_right(operator: str) -> None:
    (source,) = made("def f(a):\n    return [a, 2 * a]", "cheat", test="assert f(1) == [1, 2]")[operator]
    function = executed(source)["f"]
    assert function(7) == CHEATS[operator](7)  # type: ignore[operator, no-untyped-call]


def test_a_table_knows_the_public_examples_alone() -> None:
    test = "assert f(1) == [1, 2]\ncheck.function(f, cases=[((5,), [5, 10])])"
    (source,) = made("def f(a):\n    return [a, 2 * a]", "cheat", test=test)["a table of the public examples"]
    function = executed(source)["f"]
    assert [function(a) for a in (1, 5, 6)] == [[1, 2], [5, 10], [0, 0]]  # type: ignore[operator]


def test_public_calls_are_those_whose_arguments_stand_there() -> None:
    test = "assert f(1, n=[2]) == f(np.ones(3)) == f(secret)\ncheck.function(f, [((3, 4), 5), (6, 7)])"
    assert set(public_calls(exam_of("def f(): pass", test), 0, "f")) == {
        "f(1, n=[2])",
        "f(np.ones(3))",
        "f(3, 4)",
        "f(6)",
    }


def test_only_what_students_write_is_changed() -> None:
    source = "a = 1\n### BEGIN SOLUTION\nx = a + 2\n### END SOLUTION\nb = x + 3"
    for after in (after for sources in made(source, "code").values() for after in sources):
        assert after.startswith("a = 1\n### BEGIN SOLUTION\n")
        assert after.endswith("\n### END SOLUTION\nb = x + 3")


UNTOUCHED = [
    'print("the result", 3)',
    "keras.utils.set_random_seed(7)",
    "plt.plot([1, 2], color='red')",
    "model.fit(a, b, verbose=0, epochs=3)",
    'f"{a + 1}"',
    '"""A text with 1 + 1."""',
]


@pytest.mark.parametrize("line", UNTOUCHED)
def test_code_slips_leave_texts_seeds_plots_and_training_alone(line: str) -> None:
    answers = [after for sources in made(f"{line}\nx = 1", "code").values() for after in sources]
    assert [after for after in answers if line not in after] in ([], ["pass\nx = 1"])


SEEDING = ["keras.utils.set_random_seed(7)", "np.random.seed(0)", "random.seed(1)", "torch.manual_seed(3)"]


@pytest.mark.parametrize("line", SEEDING)
def test_a_seed_left_out_is_no_wrong_answer(line: str) -> None:
    answers = [after for sources in made(f"{line}\nx = 1", "code").values() for after in sources]
    assert answers
    assert [after for after in answers if line not in after] == []


def test_another_seed_is_no_wrong_answer() -> None:
    answers = [after for sources in made("SEED = 7\nx = draw(seed=SEED)", "code").values() for after in sources]
    assert [after for after in answers if "SEED = " in after and "SEED = 7" not in after] == []


def test_an_edit_leaves_the_rest_of_the_source_as_it_is() -> None:
    source = "x = a  +  b   # the sum\ny = (  1,2 )"
    tree = ast.parse(source)
    node = tree.body[0].value  # type: ignore[attr-defined]
    assert apply(source, tree, Edit("", node, node.left)) == "x = a   # the sum\ny = (  1,2 )"


def test_an_edit_of_a_call_changes_only_the_argument_that_differs() -> None:
    source = "model.fit(\n    X_train,   # rows\n    y_train,\n    epochs=9,\n    batch_size=32,\n)"
    (once,) = made(source, "network", test="model")["one epoch"]
    assert once == source.replace("epochs=9", "epochs=1")
    (fewer,) = made(source, "data", test="model")["a tenth of the rows"]
    assert fewer == source.replace("X_train,", "X_train[:len(X_train) // 10],").replace(
        "y_train,", "y_train[:len(y_train) // 10],"
    )


def test_a_layer_is_left_out_with_its_line() -> None:
    source = "model = Sequential(\n    [\n        Dense(4),\n        Dropout(0.5),  # half\n        Dense(2),\n    ]\n)"
    (after,) = made(source, "network")["Dropout left out"]
    assert after == "model = Sequential(\n    [\n        Dense(4),\n        Dense(2),\n    ]\n)"


def test_places_are_counted_in_characters() -> None:
    source = 'x = "äöü", a + b'
    tree = ast.parse(source)
    node = tree.body[0].value.elts[1]  # type: ignore[attr-defined]
    assert apply(source, tree, Edit("", node, node.left)) == 'x = "äöü", a'


NAMES = [
    ("model.fit(X, y)", {"model"}, {"model", "X", "y"}),
    ("W.assign(3 * W)", {"W"}, {"W"}),
    ("m = y.mean()", {"m"}, {"y"}),
    ("d['a'] = 1", {"d"}, {"d", "a"}),
    ("def f(a):\n    b = a\n    b.append(c)", {"f"}, {"c"}),
    ("n = 1\nn + k", {"n"}, {"k"}),
    ("n = [g(one) for one in k]", {"n"}, {"g", "k"}),
    ("!ls\nbroken(", set(), {"ls", "broken"}),
]


@pytest.mark.parametrize(("source", "changes", "uses"), NAMES)
def test_what_a_cell_changes_and_what_it_uses(source: str, changes: set[str], uses: set[str]) -> None:
    assert touched(source) == changes
    assert used(source) == uses


def test_a_change_is_named_where_a_line_like_the_changed_one_stays() -> None:
    source = "model = nn.Sequential(\n    nn.Linear(2, 3),\n    nn.ReLU(),\n    nn.Linear(3, 3),\n    nn.ReLU(),\n)"
    removed = [one for one in mutants([exam_of(source)], ("network",), (), 0) if one.operator == "ReLU left out"]
    assert removed
    assert all(one.is_named("ReLU left out") and one.is_named("ReLU left out: nn.ReLU()") for one in removed)
    assert not any(one.is_named("ReLU left out: Tanh") or one.is_named("Linear left out") for one in removed)


@pytest.mark.parametrize("dtype", ["float64", "torch.float32", "<dtype: 'float32'>"])
def test_results_are_too_large_whatever_a_library_calls_its_floats(dtype: str) -> None:
    class Tensor(float):
        pass

    Tensor.dtype = dtype  # type: ignore[attr-defined]
    (after,) = made("def f(x):\n    return x", "cheat")[cheats.NEARLY]
    function = executed(after)["f"]
    assert function(Tensor(2)) == 2 * 1.05  # type: ignore[operator]
