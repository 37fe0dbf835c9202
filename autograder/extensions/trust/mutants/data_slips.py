"""Data slips: networks and models that are trained on the wrong rows, labels or scales."""

from __future__ import annotations

import ast
import re
from collections.abc import Container, Iterator

from autograder.extensions.trust.mutants.code_slips import called
from autograder.extensions.trust.mutants.syntax_edits import New, Operator, expression

Edits = Iterator[tuple[str, New]]

_ROWS = re.compile(r"[xX](_\w+)?|X\w*|features\w*|inputs?\w*|images\w*")
_LABELS = re.compile(r"[yY](_\w+)?|labels?\w*|targets?\w*")


def scaling(node: ast.AST) -> Edits:
    """Leave a scaler out."""
    if isinstance(node, ast.Call) and called(node) in ("transform", "fit_transform") and len(node.args) == 1:
        yield "scaling left out", node.args[0]


def rows_and_labels(node: ast.AST) -> Edits:
    """Train on labels in another order, on few rows, and on one class less."""
    if not isinstance(node, ast.Call):
        return
    index = next((n for n, pair in enumerate(zip(node.args, node.args[1:], strict=False)) if _is_data(*pair)), None)
    if index is None:
        return
    rows, labels = node.args[index], node.args[index + 1]
    x, y = ast.unparse(rows), ast.unparse(labels)
    for words, new_rows, new_labels in (
        ("labels in the reverse order", x, f"{y}[::-1]"),
        ("labels shifted by one row", f"{x}[1:]", f"{y}[:-1]"),
        ("a tenth of the rows", f"{x}[:len({x}) // 10]", f"{y}[:len({y}) // 10]"),
        ("a class left out", f"{x}[{_class_of(y)} != 0]", f"{y}[{_class_of(y)} != 0]"),
        ("all labels of one class", x, f"0 * {y} + {y}[:1]"),
    ):
        arguments = list(node.args)
        arguments[index : index + 2] = [expression(new_rows), expression(new_labels)]
        yield words, ast.Call(node.func, arguments, node.keywords)


def validation(node: ast.AST) -> Edits:
    """Train on the validation rows, or validate on those that are trained on."""
    if not isinstance(node, ast.Call) or len(node.args) < 2:
        return
    for keyword in node.keywords:
        if keyword.arg == "validation_data" and isinstance(keyword.value, ast.Tuple) and len(keyword.value.elts) == 2:
            yield (
                "trained on the validation rows",
                ast.Call(node.func, [*keyword.value.elts, *node.args[2:]], node.keywords),
            )
            training_rows = ast.Tuple(node.args[:2], ast.Load())
            keywords = [ast.keyword(k.arg, training_rows if k is keyword else k.value) for k in node.keywords]
            yield "validated on the training rows", ast.Call(node.func, node.args, keywords)


def splitting(node: ast.AST) -> Edits:
    """Split without shuffling, or with other shares."""
    if isinstance(node, ast.Call) and called(node) == "train_test_split":
        remaining = [keyword for keyword in node.keywords if keyword.arg not in ("shuffle", "stratify", "random_state")]
        yield (
            "split without shuffling",
            ast.Call(node.func, node.args, [*remaining, ast.keyword("shuffle", ast.Constant(False))]),
        )


def leaks(names: Container[str]) -> Operator:
    """Make an operator that trains on the test rows or on all rows, and scores on the training rows.

    Args:
        names: names that the notebook binds before; rows that are not among them cannot be taken.
    """

    def leak(node: ast.AST) -> Edits:
        if not isinstance(node, ast.Call) or called(node) not in _FITTING | _SCORING:
            return
        swaps = _FITTED if called(node) in _FITTING else _SCORED
        texts = [ast.unparse(argument) for argument in node.args]
        for words, pattern, replacement in swaps:
            changed = [re.sub(pattern, replacement, text) for text in texts]
            new = {name for text in changed for name in re.findall(r"\w+", text) if _SPLIT.search(name) or name in "Xy"}
            if changed != texts and all(name in names for name in new):
                yield words, ast.Call(node.func, list(map(expression, changed)), node.keywords)

    return leak


_SPLIT = re.compile(r"_(train|test|valid|val)$")
_FITTING = frozenset({"fit", "fit_transform", "partial_fit"})
_SCORING = frozenset({"score", "predict", "evaluate", "accuracy_score", "mean_squared_error", "r2_score"})
_FITTED = (
    ("fitted on the test rows", r"\b(\w+)_train\b", r"\1_test"),
    ("fitted on all rows", r"\b(\w+)_train\b", r"\1"),
)
_SCORED = (("scored on the training rows", r"\b(\w+)_(test|valid|val)\b", r"\1_train"),)

OPERATORS: tuple[Operator, ...] = (scaling, rows_and_labels, validation, splitting)


def _is_data(first: ast.expr, second: ast.expr) -> bool:
    """Tell whether two arguments are rows and their labels, by their names."""
    names = [one.id if isinstance(one, ast.Name) else "" for one in (first, second)]
    return bool(_ROWS.fullmatch(names[0]) and _LABELS.fullmatch(names[1]))


def _class_of(labels: str) -> str:
    """Write the class of each row, for whole numbers and for one-hot rows."""
    return f"({labels} if len({labels}.shape) < 2 else {labels}.argmax(axis=1))"
