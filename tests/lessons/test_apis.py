"""No lesson teaches what today's libraries do not have any more, in code or in prose."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from helpers.lessons import grade_id, lesson_names, source_notebook

from autograder.syntax.magics import without_magics

REMOVED_WORDS = [
    # (pattern, a line that must be caught, a line that must not)
    (r"\bnp_utils\b", "from keras.utils import np_utils", "keras.utils.to_categorical(y)"),
    (
        r"\b(?:tf|tensorflow)\.placeholder\b",
        "x = tf.placeholder('float', [None, 93])",
        "x = tf1.placeholder(tf1.float32)",
    ),
    (r"\b(?:tf|tensorflow)\.log\b", "tf.log(p)", "tf.compat.v1.log(p) + tf.math.log(p)"),
    (r"\b(?:tf|tensorflow)\.(?:Interactive)?Session\b", "with tf.Session() as s:", "with tf1.Session() as s:"),
    (r"\b(?:tf|tensorflow)\.train\.\w*Optimizer\b", "tf.train.AdamOptimizer(0.1)", "tf1.train.AdamOptimizer(0.1)"),
    (
        r"\b(?:tf|tensorflow)\.summary\.(?:FileWriter|merge|merge_all)\b",
        "tf.summary.FileWriter('logs')",
        "tf1.summary.FileWriter('logs'), tf.summary.create_file_writer('logs')",
    ),
    (
        r"\b(?:tf|tensorflow)\.(?:global_variables_initializer|initialize_all_variables|get_variable|reset_default_graph)\b",
        "session.run(tf.global_variables_initializer())",
        "session.run(tf1.global_variables_initializer())",
    ),
    (r"\b(?:tf|tensorflow)\.contrib\b", "tf.contrib.layers", "tf.nn.softmax"),
    (r"\bdisable_(?:eager_execution|v2_behavior)\b", "tf1.disable_eager_execution()", "tf1.Graph().as_default()"),
    (r"\btensorflow\.tensorboard\b", "python -m tensorflow.tensorboard", "python -m tensorboard.main --logdir logs"),
    (
        r"\bkeras\.layers\.(?:core|convolutional|normalization)\b",
        "from keras.layers.core import Dense",
        "keras.layers.Core",
    ),
    (r"\bkeras\.core\b", "keras.core.layers", "keras.layers"),
    (r"\b(?:nb_epoch|nb_val_samples|samples_per_epoch)\b", "model.fit(X, y, nb_epoch=5)", "model.fit(X, y, epochs=5)"),
    (r"\b(?:fit|evaluate|predict)_generator\b", "model.fit_generator(g)", "model.fit(g)"),
    (r"\bpredict_(?:classes|proba)\b", "model.predict_classes(X)", "model.predict(X).argmax(axis=1)"),
    (r"\bcompiled_(?:loss|metrics)\b", "model.compiled_loss", "check.compiled(model, loss='mse')"),
    (r"\blayers?(?:\[[^\]]*\])?\.(?:in|out)put_shape\b", "model.layers[0].output_shape", "model.output_shape"),
    (r"\b(?:set_)?image_dim_ordering\b", "K.set_image_dim_ordering('th')", "keras.config.image_data_format()"),
    (r"\b(?:MaxoutDense|TimeDistributedDense)\b", "MaxoutDense(64)", "TimeDistributed(Dense(64))"),
    (r"""["'](?:val_)?acc["']""", "history.history['val_acc']", "history.history['val_accuracy']"),
    (r"(?<!\.weights)\.(?:h5|hdf5)\b", "model.save('best.h5')", "model.save('best.keras'); 'x.weights.h5'"),
    (
        r"\bnp\.(?:float|int|bool|object|str|complex)\b",
        "X.astype(np.float)",
        "X.astype(np.float32), np.bool_, np.integer",
    ),
]
OF_ANY_LAYER = frozenset(
    [
        "input_shape",
        "batch_input_shape",
        "input_dim",
        "init",
        "weights",
        "output_dim",
        "bias",
        "W_regularizer",
        "b_regularizer",
        "W_constraint",
        "b_constraint",
        "dim_ordering",
        "border_mode",
        "subsample",
    ]
)
OF_OPTIMIZERS = frozenset({"lr", "decay"})
LAYERS = frozenset(
    [
        "Activation",
        "ActivityRegularization",
        "BatchNormalization",
        "Conv2D",
        "Dense",
        "Dropout",
        "Flatten",
        "Lambda",
        "Permute",
        "Reshape",
    ]
)
OPTIMIZERS = frozenset(["Adadelta", "Adagrad", "Adam", "RMSprop", "SGD"])
REMOVED_ARGUMENTS = [
    ("layers.Dense(9, input_shape=(93,))", "check.architecture(model, [...], input_shape=(93,), output_shape=(9,))"),
    ("model.add(Dense(9, input_dim=93))", "keras.Input((93,))"),
    ("Dense(9, init='uniform')", "Dense(9, kernel_initializer='uniform')"),
    ("keras.layers.Dense(9, weights=[w, b])", "check.parameters(model, weights=3)"),
    ("Dense(output_dim=9)", "Dense(units=9)"),
    ("Dense(9, W_regularizer=l2(0.01))", "Dense(9, kernel_regularizer=keras.regularizers.L2(0.01))"),
    ("layers.Conv2D(5, 3, border_mode='same')", "layers.Conv2D(5, kernel_size=3, padding='same')"),
    ("keras.optimizers.SGD(lr=0.1)", "keras.optimizers.SGD(learning_rate=0.1)"),
    ("SGD(lr=0.1)", "torch.optim.SGD(parameters, lr=0.1)"),
]


def removed_words(text: str) -> list[str]:
    """What a text names that is gone."""
    return [match[0] for pattern, _, _ in REMOVED_WORDS for match in re.finditer(pattern, text)]


def removed_arguments(source: str) -> list[str]:
    """Calls of layers and optimizers, as written, with an argument that is gone. SyntaxError: it is not Python."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            arguments = {keyword.arg for keyword in node.keywords}
            owner, _, name = ast.unparse(node.func).rpartition(".")
            layer = name in LAYERS or owner.endswith("layers")
            optimizer = (name in OPTIMIZERS or owner.endswith("optimizers")) and not owner.startswith("torch.")
            if (layer and arguments & OF_ANY_LAYER) or (optimizer and arguments & OF_OPTIMIZERS):
                found.append(ast.unparse(node))
    return found


def python_in(markdown: str) -> Iterator[str]:
    """The pieces of code in a markdown cell that parse as Python."""
    pieces = re.findall(r"`([^`\n]+)`", markdown)
    pieces += re.findall(r"^```\w*\n(.*?)^```", markdown, re.M | re.S)
    pieces += [line.strip() for line in re.findall(r"^    (.*)$", markdown, re.M)]
    for piece in pieces:
        try:
            ast.parse(piece)
        except SyntaxError:
            continue
        yield piece


@pytest.mark.parametrize(("pattern", "bad", "good"), REMOVED_WORDS)
def test_a_removed_name_is_found_and_its_successor_is_not(pattern: str, bad: str, good: str) -> None:
    assert re.search(pattern, bad)
    assert removed_words(bad)
    assert not removed_words(good)


@pytest.mark.parametrize(("bad", "good"), REMOVED_ARGUMENTS)
def test_a_removed_argument_is_found_and_its_successor_is_not(bad: str, good: str) -> None:
    assert removed_arguments(bad)
    assert not removed_arguments(good)
    (shown,) = python_in(f"Write `{bad}` for it.")
    assert removed_arguments(shown)


@pytest.mark.parametrize("name", lesson_names())
def test_no_cell_uses_or_names_a_removed_api(name: str) -> None:
    for index, cell in enumerate(source_notebook(name).cells):
        where = grade_id(cell) or index
        assert not removed_words(cell.source), where
        for piece in [without_magics(cell.source)] if cell.cell_type == "code" else python_in(cell.source):
            assert not removed_arguments(piece), where


def test_theano_is_imported_only_where_the_lesson_shows_the_alias() -> None:
    found = set()
    for name in lesson_names():
        heading = ""
        for cell in source_notebook(name).cells:
            titles = re.findall(r"^## .*", cell.source, re.M) if cell.cell_type == "markdown" else []
            heading = titles[-1] if titles else heading
            if re.search(r"\b(?:import|from) theano\b", cell.source):
                found.add((name, heading))
    assert found == {("logistic-regression-theano", "## 9 · Old notebooks")}
