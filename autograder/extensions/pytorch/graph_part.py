"""A part of a graph as a graph of its own, which is computed on rows that the examiner draws."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from autograder.extensions.pytorch.operator_graph import Graph, Input, Node, Shapes, ValueRef


def graph_part(
    source: Graph,
    shapes: Shapes,
    inside: Collection[int],
    starts: Sequence[int],
    outputs: Sequence[int],
    rows: Sequence[tuple[int, ...]],
) -> Graph | None:
    """Return a part of a graph; None if it asks for another number of rows than its inputs have.

    Args:
        source: the graph.
        shapes: number of a value → its shape, as it was measured.
        inside: the values that the part computes from its inputs. Constants that it takes come with it.
        starts: the values that are its inputs.
        outputs: the values that it gives.
        rows: the shape of a row of each input.
    """
    wanted, waiting = set[int](), [*inside, *outputs]
    while waiting:
        number = waiting.pop()
        if number not in starts and number not in wanted:
            wanted.add(number)
            if number >= source.first_node and source.node(number).operator != "sym_size.int":
                waiting += source.node(number).refs
    held = sorted(number for number in wanted if number < source.first_node)
    if any(number < source.first_tensor for number in held):
        return None
    count = len(starts)
    numbers: dict[int, Any] = {number: ValueRef(place) for place, number in enumerate([*starts, *held])}
    nodes: list[Node] = []

    def moved(value: Any) -> Any:
        if isinstance(value, ValueRef):
            return numbers[value.value]
        return type(value)(moved(item) for item in value) if isinstance(value, (list, tuple)) else value

    for number in sorted(wanted - set(held)):
        node = source.node(number)
        if node.operator == "sym_size.int":
            asked_shape, axis = shapes.get(node.refs[0], ()), node.args[1]
            if axis != 0:
                numbers[number] = asked_shape[axis]
                continue
            if asked_shape[:1] != shapes[starts[0]][:1]:
                return None
            node = Node(node.operator, (ValueRef(0), 0), {})
        else:
            node = Node(node.operator, moved(node.args), {name: moved(held) for name, held in node.keywords.items()})
        numbers[number] = ValueRef(count + len(held) + len(nodes))
        nodes.append(node)
    inputs = tuple(Input(row, "float64") for row in rows)
    tensors = tuple(source.tensors[number - source.first_tensor] for number in held)
    given_outputs = tuple(numbers[number].value for number in outputs)
    return Graph(inputs, (), tensors, tuple(nodes), given_outputs, frozenset(range(count + len(held) + len(nodes))))
