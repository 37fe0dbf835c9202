"""Honest rewrites of networks: other ways to write layers, losses and optimizers that mean or do as much."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from autograder.extensions.trust.mutants.code_slips import called
from autograder.extensions.trust.mutants.syntax_edits import New, Operator, expression

Edits = Iterator[tuple[str, New]]
MORE_EPOCHS, AS_GOOD = "more epochs", "an optimizer that is as good"


def activations(node: ast.AST) -> Edits:
    """Write the activation of a layer as a layer of its own; a list of layers may hold it."""
    if not isinstance(node, ast.List):
        return
    separated: list[ast.expr] = []
    for layer in node.elts:
        separated += _apart(layer)
    if len(separated) > len(node.elts):
        yield "activations as layers of their own", ast.List(separated, ast.Load())


def _apart(layer: ast.expr) -> list[ast.expr]:
    if not isinstance(layer, ast.Call) or called(layer) != "Dense":
        return [layer]
    keywords = [keyword for keyword in layer.keywords if keyword.arg != "activation"]
    activations = [keyword.value for keyword in layer.keywords if keyword.arg == "activation"] or layer.args[1:2]
    if not activations:
        return [layer]
    kind = ast.Attribute(layer.func.value, "Activation", ast.Load()) if isinstance(layer.func, ast.Attribute) else None
    if kind is None:
        return [layer]
    return [ast.Call(layer.func, layer.args[:1], keywords), ast.Call(kind, [activations[0]], [])]


def forms(node: ast.AST) -> Edits:
    """Build a Sequential network with ``add``, and as a functional model."""
    match node:
        case ast.Assign(
            targets=[ast.Name() as target],
            value=ast.Call(
                func=ast.Attribute(value=module, attr="Sequential"), args=[ast.List(elts=layers)]
            ) as network,
        ) if layers:
            empty = ast.Call(network.func, [], network.keywords)
            adds = [
                ast.Expr(ast.Call(ast.Attribute(expression(target.id), "add", ast.Load()), [layer], []))
                for layer in layers
            ]
            yield "layers that are added", [ast.Assign([target], empty, lineno=node.lineno), *adds]
            if isinstance(layers[0], ast.Call) and called(layers[0]) == "Input" and len(layers) > 1:
                yield "a functional model", list(_functional(target.id, module, layers, network.keywords, node.lineno))


def _functional(
    name: str, module: ast.expr, layers: Sequence[ast.expr], keywords: list[ast.keyword], line: int
) -> Iterator[ast.stmt]:
    input_name, flow = "given", "flow"
    yield ast.Assign([ast.Name(input_name, ast.Store())], layers[0], lineno=line)
    before = input_name
    for layer in layers[1:]:
        yield ast.Assign([ast.Name(flow, ast.Store())], ast.Call(layer, [expression(before)], []), lineno=line)
        before = flow
    model = ast.Attribute(module, "Model", ast.Load())
    yield ast.Assign(
        [ast.Name(name, ast.Store())],
        ast.Call(model, [expression(input_name), expression(flow)], keywords),
        lineno=line,
    )


def optimizers(node: ast.AST) -> Edits:
    """Take an optimizer that learns as well, and train for more epochs."""
    if not isinstance(node, ast.Call) or called(node) not in ("compile", "fit"):
        return
    for index, keyword in enumerate(node.keywords):
        value = keyword.value
        new: ast.expr | None = None
        if keyword.arg == "epochs" and isinstance(value, ast.Constant) and type(value.value) is int and value.value > 1:
            operator, new = MORE_EPOCHS, _half_as_many_more(value.value)
        elif keyword.arg == "optimizer" and isinstance(value, ast.Constant) and value.value in _AS_GOOD:
            operator, new = AS_GOOD, ast.Constant(_AS_GOOD[str(value.value)])
        elif keyword.arg == "optimizer" and isinstance(value, ast.Call) and called(value).lower() in _AS_GOOD:
            text = re.sub(called(value), _CLASSES[_AS_GOOD[called(value).lower()]], ast.unparse(value), count=1)
            operator, new = AS_GOOD, expression(text)
        if new is not None:
            keywords = [ast.keyword(k.arg, new if n == index else k.value) for n, k in enumerate(node.keywords)]
            yield operator, ast.Call(node.func, node.args, keywords)


def _half_as_many_more(epochs: int) -> ast.Constant:
    return ast.Constant(epochs + (epochs + 1) // 2)


_AS_GOOD = {"adam": "nadam", "nadam": "adam", "adamw": "adam"}
_CLASSES = {"adam": "Adam", "nadam": "Nadam"}


def modules(node: ast.AST) -> Edits:
    """Write a network of PyTorch's otherwise: modules in a module, functions of a tensor as its methods."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return
    name, owner = node.func.attr, ast.unparse(node.func.value)
    if name == "Sequential" and owner in ("nn", "torch.nn") and len(node.args) > 2 and not _is_starred(node.args):
        inner = ast.Call(node.func, node.args[:-1], [])
        yield "modules in a module", ast.Call(node.func, [inner, node.args[-1]], node.keywords)
    if name in ("relu", "tanh", "sigmoid") and owner in _TENSOR_FUNCTIONS and len(node.args) == 1 and not node.keywords:
        method = ast.Attribute(node.args[0], name, ast.Load())
        yield "a method for a function of a tensor", ast.Call(method, [], [])


_TENSOR_FUNCTIONS = ("torch", "F", "nn.functional", "torch.nn.functional")


def _is_starred(arguments: Sequence[ast.expr]) -> bool:
    return any(isinstance(each, ast.Starred) for each in arguments)


def torch_optimizers(node: ast.AST) -> Edits:
    """Take an optimizer of PyTorch's that learns as well, and train for more epochs in a loop."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        owner, as_good = ast.unparse(node.func.value), _AS_GOOD.get(node.func.attr.lower())
        if owner in ("optim", "torch.optim") and as_good is not None:
            function = expression(f"{owner}.{_TORCH_CLASSES[as_good]}")
            yield AS_GOOD, ast.Call(function, node.args, node.keywords)
    if isinstance(node, ast.For) and "epoch" in ast.unparse(node.target).lower():
        match node.iter:
            case ast.Call(func=ast.Name(id="range"), args=[ast.Constant(value=int(count))]) if count > 1:
                longer = ast.Call(node.iter.func, [_half_as_many_more(count)], [])
                yield MORE_EPOCHS, [ast.For(node.target, longer, node.body, node.orelse, lineno=node.lineno)]


_TORCH_CLASSES = {"adam": "Adam", "nadam": "NAdam"}


def logits(tree: ast.Module) -> Iterator[tuple[str, ast.Module]]:
    """Write a softmax in the last layer as a layer of its own, and as a part of the loss."""
    texts = ast.unparse(tree)
    softmax = re.compile(r"(\w+\.)?Dense\(([^()]*), activation='softmax'\)")
    if len(softmax.findall(texts)) != 1:
        return
    yield "softmax as a layer", ast.parse(softmax.sub(r"\1Dense(\2), \1Softmax()", texts))
    loss = re.search(r"loss='((sparse_)?categorical_crossentropy)'", texts)
    if loss and (module := re.search(r"(\w+)\.Sequential\(", texts)):
        name = "".join(part.capitalize() for part in loss[1].split("_"))
        of_logits = texts.replace(loss[0], f"loss={module[1]}.losses.{name}(from_logits=True)")
        yield "softmax as a part of the loss", ast.parse(softmax.sub(r"\1Dense(\2)", of_logits))


OPERATORS: tuple[Operator, ...] = (activations, forms, optimizers, modules, torch_optimizers)
SETTLED = {
    MORE_EPOCHS: r"epoch",
    AS_GOOD: r"optimi[sz]er|adam",
    "softmax as a layer": r"softmax",
    "softmax as a part of the loss": r"softmax|probabilit|sums? to one",
}
"""Rewrite → pattern of the words by which a task settles that it is none."""
