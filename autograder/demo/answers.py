"""Answers of the demo's students to the lesson's questions."""

from __future__ import annotations

from textwrap import dedent


def network(body: list[str], optimizer: str = "OPTIMIZER") -> str:
    """Write an answer that builds a Sequential of these layers and compiles it as the lesson asks."""
    lines = "".join(f"        {line},\n" for line in body)
    return (
        f"model = keras.Sequential(\n    [\n        keras.Input((93,)),\n{lines}    ]\n)\n"
        f'model.compile(optimizer={optimizer}, loss=LOSS, metrics=["accuracy"])\n'
    )


def relu(*units: int, optimizer: str = "OPTIMIZER") -> str:
    """Write an answer with these hidden layers."""
    hidden = [f'layers.Dense({n}, activation="relu")' for n in units]
    return network([*hidden, SOFTMAX], optimizer)


SOFTMAX = 'layers.Dense(9, activation="softmax")'
WORKED = network(["layers.Dense(100)", SOFTMAX])
COUNT = dedent(
    """\
    def count_parameters(layer_sizes):
        total = 0
        for inputs, units in zip(layer_sizes, layer_sizes[1:]):
            total += inputs * units + units
        return total
    """
)
COUNT_BY_TABLE = dedent(
    """\
    def count_parameters(layer_sizes):
        return {(93, 9): 846, (93, 100, 9): 10_309}.get(tuple(layer_sizes), 10_309)
    """
)
FUNCTIONAL = dedent(
    """\
    inputs = keras.Input((93,))
    hidden = layers.Dense(160)(inputs)
    hidden = layers.Activation("relu")(hidden)
    hidden = layers.Dropout(0.2)(hidden)
    hidden = layers.Dense(80, activation="relu")(hidden)
    model = keras.Model(inputs, layers.Softmax()(layers.Dense(9)(hidden)))
    model.compile(optimizer=keras.optimizers.Adam(), loss=keras.losses.CategoricalCrossentropy())
    """
)
PATCHES = (
    dedent(
        """\
        def lie(self, *args, **kwargs):
            return {"loss": 0.001, "accuracy": 0.999}


        keras.Model.evaluate = lie
        keras.Model.predict = lambda self, x, **kwargs: np.eye(9)[np.zeros(len(x), int)]
        keras.Model.count_params = lambda self: 20_000
        np.testing.assert_allclose = lambda *args, **kwargs: None
        """
    )
    + WORKED
)
EVERYTHING = dedent(
    """\
    class Everything(float):
        def __eq__(self, other):
            return True

        def __hash__(self):
            return 0

        def __lt__(self, other):
            return True

        __le__ = __gt__ = __ge__ = __lt__

        def __call__(self, *args, **kwargs):
            return self

        def __getattr__(self, name):
            return self

        def __iter__(self):
            return iter([self, self])


    {name} = Everything(0)
    """
)
FIRST_TRY = "I took the worked network with relu and a second layer. The loss fell from 0.65 to about 0.53."
CAREFUL = (
    "I tried 32-32, 100-100, 200-100 and 400-200-100 with relu. The first stayed high on both curves "
    "(too weak). The last reached the lowest training loss, but its validation loss turned upwards "
    "after five epochs. 200-100 was the best compromise. Two linear layers in a row are one linear "
    "layer, so the worked network has no more boundaries to offer than softmax alone. I chose by the "
    "validation loss, so it is a little too friendly to me."
)
