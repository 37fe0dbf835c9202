"""``model = keras.Sequential([...])`` in an answer: its layers, and the same network written otherwise."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from variants.rewriting import put, rewrites


@dataclass(frozen=True)
class Network:
    """One network that a cell makes."""

    source: str
    target: str
    layers: tuple[str, ...]
    """Without the input layer."""
    keywords: str
    """``name="yours"``, or empty."""

    def written(self, *statements: str) -> str:
        """The cell with these statements in place of the one that makes the network."""
        tree = ast.parse(self.source)
        holder, index = _place(tree) or (tree, 0)
        put(holder, "body", index, ast.parse("\n".join(statements)).body)
        return ast.unparse(tree)

    def listed(self, layers: Sequence[str]) -> str:
        """The cell with a Sequential of these layers after the input."""
        return self.written(f"{self.target} = keras.Sequential([keras.Input((93,)), {', '.join(layers)}])")


def network_of(source: str) -> Network | None:
    """The network of a cell; None where it makes none in this way."""
    tree = ast.parse(source)
    place = _place(tree)
    if place is None:
        return None
    statement = place[0].body[place[1]]
    items = [ast.unparse(item) for item in statement.value.args[0].elts[1:]]
    keywords = ", ".join(ast.unparse(k) for k in statement.value.keywords)
    return Network(source, statement.targets[0].id, tuple(items), keywords)


def _place(tree: ast.Module) -> tuple[ast.Module, int] | None:
    for index, node in enumerate(tree.body):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and node.value.args:
            parts = node.value.args[0]
            if ast.unparse(node.value.func) == "keras.Sequential" and isinstance(parts, ast.List) and parts.elts:
                return (tree, index) if ast.unparse(parts.elts[0]).startswith("keras.Input(") else None
    return None


# --- the same network, written otherwise ----------------------------------------------------------------


def _added(n: Network) -> str:
    adds = [f"{n.target}.add({layer})" for layer in ("layers.Input(shape=(93,))", *n.layers)]
    return n.written(f"{n.target} = keras.Sequential({n.keywords})", *adds)


def _functional(n: Network) -> str:
    calls = [f"h{i + 1} = {layer}(h{i})" for i, layer in enumerate(n.layers)]
    return n.written("h0 = keras.Input(shape=(93,))", *calls, f"{n.target} = keras.Model(h0, h{len(calls)})")


def _one_name(n: Network) -> str:
    calls = [f"x = {layer}(x)" for layer in n.layers]
    end = f"{n.target} = keras.Model(inputs=inputs, outputs=x, name='mine')"
    return n.written("x = inputs = layers.Input((93,))", *calls, end)


def _nested(n: Network) -> str:
    inner = f"trunk = keras.Sequential([{', '.join(n.layers[:-1]) or 'layers.Identity()'}])"
    return n.written(inner, f"{n.target} = keras.Sequential([keras.Input((93,)), trunk, {n.layers[-1]}])")


def _nested_functional(n: Network) -> str:
    return n.written(
        f"inner = keras.Sequential([keras.Input((93,)), {', '.join(n.layers)}])",
        "outer_input = keras.Input((93,))",
        f"{n.target} = keras.Model(outer_input, inner(outer_input))",
    )


def _built(n: Network) -> str:
    return n.written(f"{n.target} = keras.Sequential([{', '.join(n.layers)}])", f"{n.target}.build((None, 93))")


def _input_shape(n: Network) -> str:
    first = n.layers[0].removesuffix(")") + ", input_shape=(93,))"
    return n.written(f"{n.target} = keras.Sequential([{', '.join([first, *n.layers[1:]])}])")


def _input_dim(n: Network) -> str:
    first = n.layers[0].removesuffix(")") + ", input_dim=93)"
    return n.written(f"{n.target} = keras.models.Sequential([{', '.join([first, *n.layers[1:]])}])")


def _input_of_rows(n: Network) -> str:
    return n.written(f"{n.target} = keras.Sequential([keras.Input(X_train.shape[1:]), {', '.join(n.layers)}])")


def _input_layer(n: Network) -> str:
    return n.written(f"{n.target} = keras.Sequential([layers.InputLayer(shape=(93,)), {', '.join(n.layers)}])")


def _by_function(n: Network) -> str:
    made = f"return keras.Sequential([keras.Input((inputs,)), {', '.join(n.layers)}])"
    return n.written("def make_it(inputs):\n    " + made, f"{n.target} = make_it(93)")


def _by_loop(n: Network) -> str:
    return n.written(
        f"parts = [{', '.join(n.layers)}]",
        f"{n.target} = keras.models.Sequential([keras.Input((93,))])",
        f"for part in parts:\n    {n.target}.add(part)",
    )


def _cloned(n: Network) -> str:
    return n.written(
        f"plan = keras.Sequential([keras.Input((93,)), {', '.join(n.layers)}])",
        f"{n.target} = keras.models.clone_model(plan)",
    )


def _saved_and_loaded(n: Network) -> str:
    return n.written(
        f"plan = keras.Sequential([keras.Input((93,)), {', '.join(n.layers)}])",
        "plan.save('plan.keras')",
        f"{n.target} = keras.models.load_model('plan.keras')",
    )


def _from_config(n: Network) -> str:
    return n.written(
        f"plan = keras.Sequential([keras.Input((93,)), {', '.join(n.layers)}])",
        f"{n.target} = keras.Sequential.from_config(plan.get_config())",
    )


FORMS: tuple[Callable[[Network], str], ...] = (
    _added, _functional, _one_name, _nested, _nested_functional, _built, _input_shape, _input_dim, _input_of_rows,
    _input_layer, _by_function, _by_loop, _cloned, _saved_and_loaded, _from_config,
)  # fmt: skip

DENSE = "layers.Dense(_N, activation=_A)"
SPLIT = {
    "Activation": "layers.Activation(_A)",
    "Activation of a function": "layers.Activation(keras.activations.get(_A))",
}
BY_KIND = {"relu": ("layers.ReLU()", "layers.Activation(keras.ops.relu)"), "softmax": ("layers.Softmax()",)}


def split_activations(n: Network) -> list[str]:
    """The cell with every ``Dense(n, activation)`` as two layers, in each of the ways to write the second."""
    return [n.listed(_split(n.layers, way)) for way in range(3)]


def _split(layers: Sequence[str], way: int) -> list[str]:
    made: list[str] = []
    for layer in layers:
        plain = rewrites(layer, DENSE, "layers.Dense(_N)")
        kind = next((k for k in BY_KIND if f"'{k}'" in layer), "")
        if not plain:
            made.append(layer)
            continue
        ways = [*(rewrites(layer, DENSE, second)[0] for second in SPLIT.values()), BY_KIND[kind][-1]]
        made += [plain[0], ways[way]]
    return made
