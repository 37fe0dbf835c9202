"""The allow-list, part 3: recurrent layers, their cells and wrappers, and attention."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograder.extensions.keras.parts import SEED, activation
from autograder.extensions.keras.table_core import RATE, Arguments, ignored
from autograder.extensions.keras.table_spatial import convolution
from autograder.models.argument_values import (
    RefusedModel,
    Validator,
    boolean,
    either,
    integer,
    one_of,
    optional,
    several,
)


def _stateless(value: Any, label: str) -> bool:
    """Require that ``stateful`` is off, since a stateful layer's answers depend on earlier questions."""
    if boolean(value, label):
        raise RefusedModel(
            f"{label} is True: the outputs of such a layer depend on earlier calls, so that a grade would "
            "depend on the order of the tests. Pass the states as initial_state instead.",
            kind_refused=True,
        )
    return False


_CELL: Arguments = {
    "units": integer(1),
    "activation": activation,
    "use_bias": boolean,
    "dropout": RATE,
    "recurrent_dropout": RATE,
    "seed": SEED,
}
_GATES: Arguments = {"recurrent_activation": activation}
_LSTM: Arguments = {**_GATES, "unit_forget_bias": boolean}
_GRU: Arguments = {**_GATES, "reset_after": boolean}
_LOOP: Arguments = {
    "return_sequences": boolean,
    "return_state": boolean,
    "go_backwards": boolean,
    "stateful": _stateless,
    "unroll": ignored,  # the result is the same, and a long unrolled loop is a large graph
    "zero_output_for_mask": boolean,
}

CELLS: Mapping[str, Arguments] = {
    "SimpleRNNCell": _CELL,
    "LSTMCell": {**_CELL, **_LSTM},
    "GRUCell": {**_CELL, **_GRU},
    "StackedRNNCells": {},
}
RECURRENT: Mapping[str, Arguments] = {
    "RNN": _LOOP,
    "SimpleRNN": {**_CELL, **_LOOP},
    "LSTM": {**_CELL, **_LSTM, **_LOOP},
    "GRU": {**_CELL, **_GRU, **_LOOP},
    **{
        f"ConvLSTM{rank}D": {
            **{key: check for key, check in _CELL.items() if key != "units"},
            **convolution(rank),
            **_LSTM,
            **_LOOP,
            "filters": integer(1),
        }
        for rank in (1, 2, 3)
    },
}
AROUND: Mapping[str, Arguments] = {
    "Bidirectional": {"merge_mode": optional(one_of("sum", "mul", "concat", "ave"))},
    "TimeDistributed": {},
}

_HEADS: Validator = integer(1, 4096)
_WINDOW = optional(integer(1))
ATTENTION: Mapping[str, Arguments] = {
    "Attention": {
        "use_scale": boolean,
        "score_mode": one_of("dot", "concat"),
        "dropout": RATE,
        "seed": SEED,
    },
    "AdditiveAttention": {"use_scale": boolean, "dropout": RATE, "seed": SEED},
    "MultiHeadAttention": {
        "num_heads": _HEADS,
        "key_dim": integer(1),
        "value_dim": optional(integer(1)),
        "dropout": RATE,
        "use_bias": boolean,
        "use_gate": boolean,
        "output_shape": optional(either(integer(1), several(integer(1), 1, 3))),
        "attention_axes": optional(either(integer(-6, 6), several(integer(-6, 6), 1, 4))),
        "sliding_window": _WINDOW,
        "seed": SEED,
    },
    "GroupQueryAttention": {
        "head_dim": integer(1),
        "num_query_heads": _HEADS,
        "num_key_value_heads": _HEADS,
        "dropout": RATE,
        "use_bias": boolean,
        "use_gate": boolean,
        "sliding_window": _WINDOW,
        "seed": SEED,
    },
}
