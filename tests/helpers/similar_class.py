"""A class of notebooks with natural variants of answers, and copies among them that are disguised in known ways.

Everything is drawn from a seed. A student has habits (names, loops or arrays, comments), and each answer is put
together from variants that students write, so that honest answers meet often, above all where they are short.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from helpers.disguises import KINDS, disguised

Answers = dict[str, list[str]]
"""Question → its cells."""
CODE = ("standardize", "one-hot", "confusion", "moving-average", "model", "curves")
TEXT = "explain"
QUESTIONS = (*CODE, TEXT)


@dataclass(frozen=True)
class CopiedClass:
    """A class, and who copied from whom."""

    answers: Mapping[str, Answers]
    """Student → answers."""
    planted: Mapping[frozenset[str], str] = field(default_factory=dict)
    """Pair → the kind of its disguise."""


def honest_class(size: int, seed: int) -> dict[str, Answers]:
    """Draw the answers of a class in which nobody copied."""
    return {f"s{number:03}": student_answers(random.Random(f"{seed}/{number}")) for number in range(size)}


def copied_class(size: int, seed: int, kinds: tuple[str, ...] = KINDS) -> CopiedClass:
    """Draw a class in which the last students copied from others, one for each kind of disguise."""
    answers = honest_class(size, seed)
    rng = random.Random(f"{seed}/plants")
    copiers = sorted(answers)[-len(kinds) :]
    sources = rng.sample(sorted(answers)[: -len(kinds)], 2 * len(kinds))
    planted: dict[frozenset[str], str] = {}
    for kind, copier in zip(kinds, copiers, strict=True):
        with_loops = [name for name in sources if _loops(answers[name]) > 1]
        first = (with_loops if kind == "loops rewritten" else sources)[-1]
        sources.remove(first)
        second = sources.pop()
        answers[copier] = disguised(kind, answers[first], answers[second], answers[copier], rng)
        planted[frozenset((copier, first))] = kind
        if kind == "merged from two":
            planted[frozenset((copier, second))] = kind
    return CopiedClass(answers, planted)


def _loops(answers: Answers) -> int:
    return sum("    for " in cell for cells in answers.values() for cell in cells)


class Habits:
    """What a student does again and again."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.loops = rng.random() < 0.45
        self.comments = rng.choice([0.0, 0.1, 0.3, 0.6])
        self.docstrings = rng.random() < 0.25
        self.hints = rng.random() < 0.15
        self.steps = rng.random() < 0.5
        """Whether results get a name before they are returned."""

    def name(self, *pool: str) -> str:
        return self.rng.choice(pool)

    def maybe(self, chance: float, *lines: str) -> list[str]:
        return list(lines) if self.rng.random() < chance else []

    def note(self, *pool: str) -> list[str]:
        return self.maybe(self.comments, f"    # {self.rng.choice(pool)}")

    def result(self, expression: str, *names: str) -> list[str]:
        """Return an expression, at once or by a name."""
        if not self.steps:
            return [f"    return {expression}"]
        name = self.rng.choice(names)
        return [f"    {name} = {expression}", f"    return {name}"]


def student_answers(rng: random.Random) -> Answers:
    """Draw the answers of a student."""
    habits = Habits(rng)
    writers: dict[str, Callable[[Habits], list[str]]] = {
        "standardize": _standardize,
        "one-hot": _one_hot,
        "confusion": _confusion,
        "moving-average": _moving_average,
        "model": _model,
        "curves": _curves,
    }
    answers: Answers = {question: ["\n".join(write(habits))] for question, write in writers.items()}
    answers[TEXT] = [_explanation(rng)]
    return answers


def _head(habits: Habits, definition: str, *docstrings: str) -> list[str]:
    return [definition, *([f'    """{habits.rng.choice(docstrings)}"""'] if habits.docstrings else [])]


def _standardize(habits: Habits) -> list[str]:
    rng = habits.rng
    mean = habits.name("mean", "mu", "m", "means", "avg", "col_mean", "x_mean")
    deviation = habits.name("std", "sigma", "s", "sd", "stds", "dev", "x_std")
    epsilon = rng.choice(["1e-8", "1e-7", "1e-12", "1e-10", "eps", "0.000001"])
    lines = _head(habits, "def standardize(X):", "Standardize the columns.", "Zero mean, unit variance.", "Scale X.")
    lines += habits.maybe(0.2, "    X = np.asarray(X, dtype=float)") or habits.maybe(0.15, "    X = np.array(X)")
    if epsilon == "eps":
        lines.append(f"    eps = {rng.choice(['1e-8', '1e-9', '1e-6'])}")
    lines += habits.note("statistics of each column", "compute mean and std", "per feature", "mean over rows")
    if habits.loops and rng.random() < 0.5:
        out, column = habits.name("out", "Z", "result", "scaled", "X_new"), habits.name("j", "i", "c", "col", "k")
        lines += [f"    {out} = np.zeros_like(X{rng.choice(['', ', dtype=float'])})"]
        lines += [f"    for {column} in range(X.shape[1]):"]
        lines += [f"        {mean} = X[:, {column}].mean()", f"        {deviation} = np.std(X[:, {column}])"]
        lines += rng.choice(
            [
                [f"        {out}[:, {column}] = (X[:, {column}] - {mean}) / ({deviation} + {epsilon})"],
                [
                    f"        if {deviation} == 0:",
                    f"            {deviation} = 1",
                    f"        {out}[:, {column}] = (X[:, {column}] - {mean}) / {deviation}",
                ],
            ]
        )
        return [*lines, f"    return {out}"]
    axis = rng.choice(["axis=0", "0", "axis=0, keepdims=True"])
    lines += rng.choice(
        [
            [f"    {mean} = X.mean({axis})", f"    {deviation} = X.std({axis})"],
            [f"    {mean} = np.mean(X, {axis})", f"    {deviation} = np.std(X, {axis})"],
            [f"    {mean}, {deviation} = X.mean({axis}), X.std({axis})"],
        ]
    )
    guard = rng.choice(
        [
            [],
            [f"    {deviation} = np.where({deviation} == 0, 1, {deviation})"],
            [f"    {deviation}[{deviation} == 0] = 1{rng.choice(['', '.0'])}"],
            [f"    {deviation} = np.maximum({deviation}, {epsilon})"],
        ]
    )
    below = deviation if guard else f"({deviation} + {epsilon})"
    return [*lines, *guard, *habits.result(f"(X - {mean}) / {below}", "scaled", "Z", "result", "X_std", "out", "norm")]


def _one_hot(habits: Habits) -> list[str]:
    rng = habits.rng
    labels, classes = habits.name("labels", "y", "targets", "labels"), habits.name("classes", "n", "num_classes", "k")
    lines = _head(habits, f"def one_hot({labels}, {classes}):", "One-hot rows.", "Encode labels.", "Make a matrix.")
    lines += habits.note("one row per label", "identity matrix", "all zeros first", "set a one per row")
    out = habits.name("out", "result", "encoded", "onehot", "matrix", "res", "Y", "hot")
    if not habits.loops and rng.random() < 0.6:
        expression = rng.choice(
            [
                f"np.eye({classes})[{labels}]",
                f"np.eye({classes}, dtype=int)[{labels}]",
                f"np.identity({classes})[{labels}]",
            ]
        )
        return [*lines, *habits.result(expression, out)]
    lines += [
        rng.choice(
            [
                f"    {out} = np.zeros((len({labels}), {classes}))",
                f"    {out} = np.zeros(({labels}.shape[0], {classes}))",
                f"    {out} = np.zeros([len({labels}), {classes}], dtype=int)",
            ]
        )
    ]
    row, label = habits.name("i", "row", "r", "n_row", "idx"), habits.name("label", "c", "value", "l", "k_", "cls")
    lines += rng.choice(
        [
            [f"    {out}[np.arange(len({labels})), {labels}] = 1"],
            [f"    for {row}, {label} in enumerate({labels}):", f"        {out}[{row}, {label}] = 1"],
            [
                f"    for {row} in range(len({labels})):",
                f"        {out}[{row}, {labels}[{row}]] = 1{rng.choice(['', '.0'])}",
            ],
            [
                f"    for {row} in range(len({labels})):",
                f"        {label} = {labels}[{row}]",
                f"        {out}[{row}][{label}] = 1",
            ],
        ]
    )
    return [*lines, f"    return {out}"]


def _confusion(habits: Habits) -> list[str]:
    rng = habits.rng
    truth, guess = habits.name("truth", "y_true", "actual", "t"), habits.name("guess", "y_pred", "pred", "p")
    table, row = (
        habits.name("table", "cm", "matrix", "counts", "conf", "M"),
        habits.name("t_", "a", "i", "actual_", "x"),
    )
    column = habits.name("p_", "b", "j", "g", "predicted")
    lines = _head(
        habits, f"def confusion({truth}, {guess}, classes):", "Count pairs.", "Confusion matrix.", "Rows: truth."
    )
    lines += [f"    {table} = np.zeros((classes, classes){rng.choice([', dtype=int', ', int', ''])})"]
    lines += habits.note("count each pair", "rows are the truth", "fill the table", "add one per example")
    add = rng.choice([f"{table}[{row}, {column}] += 1", f"{table}[{row}][{column}] += 1"])
    lines += rng.choice(
        [
            [f"    for {row}, {column} in zip({truth}, {guess}):", f"        {add}"],
            [f"    for n in range(len({truth})):", f"        {table}[{truth}[n], {guess}[n]] += 1"],
            [
                f"    for {row} in range(classes):",
                f"        for {column} in range(classes):",
                f"            {table}[{row}, {column}] = np.sum(({truth} == {row}) & ({guess} == {column}))",
            ],
            [
                f"    for {row} in range(classes):",
                f"        for {column} in range(classes):",
                f"            {table}[{row}, {column}] = (({truth} == {row}) * ({guess} == {column})).sum()",
            ],
            [f"    np.add.at({table}, ({truth}, {guess}), 1)"],
        ]
    )
    return [*lines, f"    return {table}"]


def _moving_average(habits: Habits) -> list[str]:
    rng = habits.rng
    values, width = habits.name("values", "x", "losses", "data"), habits.name("width", "w", "window", "n", "k")
    lines = _head(habits, f"def moving_average({values}, {width}):", "Smooth a curve.", "Mean of a window.", "Average.")
    out, start = (
        habits.name("out", "result", "means", "avg", "smooth", "res", "r"),
        habits.name("i", "start", "j", "s", "pos"),
    )
    if not habits.loops and rng.random() < 0.6:
        lines += habits.note("cumulative sum", "convolution with a box", "a window of ones")
        if rng.random() < 0.5:
            kernel = rng.choice([f"np.ones({width}) / {width}", f"np.ones({width})", f"np.full({width}, 1 / {width})"])
            tail = f" / {width}" if kernel == f"np.ones({width})" else ""
            return [*lines, *habits.result(f"np.convolve({values}, {kernel}, mode='valid'){tail}", out)]
        total = habits.name("c", "total", "cumsum", "sums", "acc")
        lines += [f"    {total} = np.cumsum(np.insert({values}, 0, 0))"]
        return [*lines, *habits.result(f"({total}[{width}:] - {total}[:-{width}]) / {width}", out)]
    stop = f"len({values}) - {width} + 1"
    mean = rng.choice(
        [
            f"sum({values}[{start}:{start} + {width}]) / {width}",
            f"np.mean({values}[{start}:{start} + {width}])",
            f"{values}[{start}:{start} + {width}].mean()",
        ]
    )
    lines += habits.note("slide the window", "for each position", "move along the curve")
    if rng.random() < 0.4:
        return [*lines, *habits.result(f"[{mean} for {start} in range({stop})]", out)]
    lines += [f"    {out} = []", f"    for {start} in range({stop}):"]
    if rng.random() < 0.4:
        part = habits.name("part", "chunk", "piece", "win", "sub")
        lines += [f"        {part} = {values}[{start}:{start} + {width}]"]
        mean = rng.choice([f"sum({part}) / len({part})", f"np.mean({part})", f"sum({part}) / {width}"])
    lines += [f"        {out}.append({mean})"]
    return [*lines, f"    return {rng.choice([out, f'np.array({out})'])}"]


def _model(habits: Habits) -> list[str]:
    rng = habits.rng
    model = habits.name("model", "model", "model", "net", "network", "mlp")
    widths = [
        rng.choice([16, 32, 32, 64, 64, 64, 100, 128, 128, 256, 48, 96, 200, 50])
        for _ in range(rng.choice([1, 2, 2, 2, 3]))
    ]
    activation = rng.choice(["relu", "relu", "relu", "tanh", "elu", "selu", "gelu"])
    drop = rng.choice([0, 0, 0.1, 0.2, 0.2, 0.25, 0.3, 0.4, 0.5])
    layers = []
    for number, width in enumerate(widths):
        penalty = ", kernel_regularizer='l2'" if number == 0 and rng.random() < 0.1 else ""
        layers.append(f"Dense({width}, activation='{activation}'{penalty})")
        layers += [f"Dropout({drop})"] if drop and rng.random() < 0.8 else []
        layers += ["BatchNormalization()"] if rng.random() < 0.1 else []
    layers.append("Dense(9, activation='softmax')")
    prefix = rng.choice(["layers.", "layers.", "keras.layers.", ""])
    lines = _built(habits, model, [prefix + layer for layer in layers], prefix)
    rate = rng.choice(["", "", "0.001", "0.01", "0.002", "0.003", "1e-3", "5e-4"])
    optimizer = rng.choice(["Adam", "Adam", "Adam", "RMSprop", "SGD", "Nadam"])
    chosen = (
        f"keras.optimizers.{optimizer}({rng.choice(['learning_rate=', ''])}{rate})"
        if rate
        else f"'{optimizer.lower()}'"
    )
    metrics = rng.choice(["", ", metrics=['accuracy']", ", metrics=['acc']"])
    lines += [f"{model}.compile(optimizer={chosen}, loss='categorical_crossentropy'{metrics})"]
    history = habits.name("history", "hist", "h", "log", "run", "fit")
    extra = rng.choice(["", "", ", verbose=0", ", verbose=2", ", shuffle=True"])
    epochs, batch = rng.choice([10, 15, 20, 20, 25, 30, 40, 50, 12]), rng.choice([32, 64, 64, 128, 128, 256, 100])
    check = rng.choice([", validation_split=0.2", ", validation_split=0.1", ", validation_data=(X_val, Y_val)"])
    stop = []
    if rng.random() < 0.35:
        patience, name = rng.choice([2, 3, 3, 5, 5, 8, 10]), habits.name("stop", "early", "es", "early_stopping", "cb")
        best = rng.choice([", restore_best_weights=True", ""])
        stop = [f"{name} = keras.callbacks.EarlyStopping(patience={patience}{best})"]
        extra += f", callbacks=[{name}]"
    return [
        *lines,
        *stop,
        f"{history} = {model}.fit(X_train, Y_train, epochs={epochs}, batch_size={batch}{check}{extra})",
    ]


def _built(habits: Habits, model: str, layers: list[str], prefix: str) -> list[str]:
    rng = habits.rng
    entry = rng.choice(["keras.Input(shape=(93,))", "keras.Input((93,))", f"{prefix}Input(shape=(93,))"])
    way = rng.choice(["list", "list", "add", "functional"])
    if way == "list":
        return [f"{model} = keras.Sequential([", f"    {entry},", *(f"    {layer}," for layer in layers), "])"]
    if way == "add":
        return [
            f"{model} = keras.Sequential()",
            f"{model}.add({entry})",
            *(f"{model}.add({layer})" for layer in layers),
        ]
    start, flow = habits.name("inputs", "inp", "x_in", "entry"), habits.name("x", "h", "z", "out")
    flows = [f"{flow} = {layer}({start if number == 0 else flow})" for number, layer in enumerate(layers)]
    return [f"{start} = {entry}", *flows, f"{model} = keras.Model({start}, {flow})"]


def _curves(habits: Habits) -> list[str]:
    rng = habits.rng
    log, best = (
        habits.name("log", "history", "h", "hist"),
        habits.name("best", "best_epoch", "e", "epoch", "b", "minimum"),
    )
    lines = _head(habits, f"def best_epoch({log}):", "Epoch with the lowest loss.", "Find the best epoch.", "From 1.")
    if habits.loops and rng.random() < 0.6:
        lowest, epoch, value = (
            habits.name("low", "lowest", "smallest", "mn"),
            habits.name("i", "ep", "n"),
            habits.name("v", "loss", "l"),
        )
        first = rng.choice([f"{log}['val_loss'][0]", "float('inf')", "1e9", "np.inf", "1000"])
        lines += [f"    {lowest} = {first}", f"    {best} = 0"]
        lines += [f"    for {epoch}, {value} in enumerate({log}['val_loss']):", f"        if {value} < {lowest}:"]
        lines += [f"            {lowest} = {value}", f"            {best} = {epoch}{rng.choice(['', ' + 1'])}"]
        return [*lines, f"    return {best}"]
    losses = habits.name("losses", "val", "val_loss", "vl", "curve")
    lines += [f"    {losses} = {rng.choice(['np.array({})', '{}', '{}'])}".format(f"{log}['val_loss']")]
    expression = rng.choice(
        [f"int(np.argmin({losses})) + 1", f"np.argmin({losses}) + 1", f"list({losses}).index(min({losses})) + 1"]
    )
    return [*lines, *habits.result(expression, best)]


_OPENINGS = (
    "I chose {model}.", "My network has {model}.", "The final model is {model}.", "After some tries I kept {model}.",
    "We used {model} here.", "I started small and ended with {model}.", "{model} worked best for me.",
)  # fmt: skip
_MODELS = (
    "two hidden layers", "one wide hidden layer", "three layers of falling width", "a small network with dropout",
    "a deeper network", "layers of equal width", "a bottleneck in the middle",
)  # fmt: skip
_REASONS = (
    "A deeper one learned by heart: the training loss fell while the validation loss rose",
    "With more units the validation loss got worse after {n} epochs",
    "Fewer units could not bring the training loss below {x}",
    "The curves of training and validation stay close together, so it does not overfit much",
    "Dropout made the gap between both curves smaller, from {x} to {y}",
    "I wanted at most {k} parameters because the data set is small",
    "The activation did not matter a lot in my experiments",
    "A larger batch made each epoch faster but needed more epochs",
    "The learning rate mattered most: with {r} the loss jumped around",
    "Early stopping ended the training after about {n} epochs",
    "The classes are not balanced, so accuracy alone tells little",
    "Standardizing the inputs made training much faster",
    "The loss of the test rows was {x}, close to that of the validation rows",
    "I compared {m} networks and looked at the lowest validation loss of each",
    "The optimizer with momentum reached the same loss in half the time",
    "Without the penalty the weights grew and the predictions became too sure",
)
_ENDINGS = (
    "So I would keep it.", "More data would help most.", "Next I would try a smaller rate.", "That is why it is enough.",
    "A third layer did not help.", "I am not sure whether this is chance.", "With more time I would tune the dropout.", "",
)  # fmt: skip
_LINKS = ("", "Also, ", "Then ", "In addition, ", "Besides, ", "Moreover, ", "Secondly, ", "On the other hand, ")


def _explanation(rng: random.Random) -> str:
    """Compose a text from what students notice, with numbers of their own."""
    numbers = {
        "n": rng.randint(4, 40),
        "x": f"{rng.uniform(0.3, 0.9):.{rng.choice([1, 2, 2, 3])}f}",
        "y": f"{rng.uniform(0.1, 0.5):.2f}",
        "k": rng.choice(["10,000", "20,000", "50 000", "50,000", "100k", "30 thousand"]),
        "r": rng.choice(["0.1", "0.01", "0.05", "0.03"]),
        "m": rng.choice(["three", "four", "five", "six", "ten", "3", "4", "a few"]),
    }
    sentences = [rng.choice(_OPENINGS).format(model=rng.choice(_MODELS))]
    for position, reason in enumerate(rng.sample(_REASONS, rng.randint(2, 5))):
        link = rng.choice(_LINKS) if position else ""
        text = _reworded(reason.format(**numbers), rng)
        sentences.append(f"{link}{text[0].lower() + text[1:] if link else text}.")
    text = " ".join([*sentences, rng.choice(_ENDINGS)]).strip()
    return text[0].upper() + text[1:]


_WORDS = {
    "made": ("made", "got", "turned"), "faster": ("faster", "quicker"), "network": ("network", "net", "model"),
    "smaller": ("smaller", "lower", "less"), "rows": ("rows", "examples", "samples"), "much": ("much", "a lot", "far"),
    "about": ("about", "around", "roughly"), "fell": ("fell", "went down", "decreased"), "rose": ("rose", "went up"),
    "curves": ("curves", "lines", "plots"), "units": ("units", "neurons", "nodes"), "close": ("close", "near", "similar"),
    "because": ("because", "since", "as"), "tells": ("tells", "says", "means"), "reached": ("reached", "got to"),
}  # fmt: skip


def _reworded(text: str, rng: random.Random) -> str:
    """Say a sentence in a student's own words."""
    return " ".join(rng.choice(_WORDS.get(word, (word,))) for word in text.split())
