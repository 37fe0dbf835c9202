"""The tables of :mod:`variants.wrong`: what goes wrong, and which points it must cost."""

from __future__ import annotations

TESTS = {
    "logistic-regression-theano": {
        "softplus-and-slope": ("test-softplus",),
        "cost": ("test-cost", "test-step", "test-train"),
        "step": ("test-step", "test-train"),
        "skill": ("test-skill",),
        "train": ("test-train",),
    },
    "logistic-regression-tensorflow": {
        "cross-entropy": ("test-cross-entropy", "test-train-step", "test-log", "test-train"),
        "train-step": ("test-train-step", "test-log"),
        "train-logged": ("test-log",),
        "train": ("test-train",),
    },
    "logistic-regression-keras": {
        "loss-floor": ("test-loss-floor",),
        "mended": ("test-mended", "test-loss"),
        "to-channels-first": ("test-channels",),
    },
    "overfitting": {
        "early-stop": ("test-early-stop",),
        "best-from-file": ("test-best-from-file",),
        "train-with-care": ("test-train-with-care",),
        "own-network": ("test-own-network",),
    },
    "keras-fully-connected": {
        "count-parameters": ("test-count-parameters",),
        "build-model": ("test-architecture", "test-size", "test-loss"),
    },
    "keras-backend": {
        "predict": ("test-predict", "test-loss", "test-train-step", "test-train", "test-holdout"),
        "loss": ("test-loss", "test-train-step", "test-train", "test-holdout"),
        "train-step": ("test-train-step", "test-train", "test-holdout"),
        "train": ("test-train", "test-holdout"),
        "choose-rate": ("test-holdout",),
    },
}
"""Lesson → its answers → the test of each, and after it the tests that use the answer, too, and so may lose with it."""

SLIPS = """
_A + _B                     -> _A - _B
_A + _B                     -> _A
_A - _B                     -> _A + _B
_A - _B                     -> _B - _A
_A - _B                     -> _A
_A * _B                     -> _A + _B
_A * _B                     -> _A
_A / _B                     -> _A * _B
_A / _B                     -> _A
-_A                         -> _A
_A < _B                     -> _A > _B
_A < _B                     -> _A <= _B
_A >= _B                    -> _A > _B
_A[1:]                      -> _A[2:]
1                           -> 2
0                           -> 1
float(_A)                   -> float(int(_A))
float(_A)                   -> str(_A)
enumerate(_A, start=1)      -> enumerate(_A)
len(_A)                     -> len(_A) - 1
range(_N)                   -> range(_N - 1)
range(_N)                   -> range(_N + 1)
return _A, _B               -> return _B, _A
return _A, _B               -> return _A
return _A, _B, _C           -> return _B, _A, _C
np.log(_A)                  -> np.log10(_A)
np.log(_A)                  -> _A
np.e                        -> np.pi
np.mean(_A)                 -> np.sum(_A)
np.mean(_A)                 -> np.median(_A)
np.clip(_A, _B, _C)         -> _A
np.moveaxis(_A, -1, 1)      -> _A
np.moveaxis(_A, -1, 1)      -> np.moveaxis(_A, -1, 0)
np.moveaxis(_A, -1, 1)      -> np.moveaxis(_A, -1, 2)
np.moveaxis(_A, -1, 1)      -> np.moveaxis(_A, 1, -1)
np.moveaxis(_A, -1, 1)      -> np.swapaxes(_A, 1, 3)
np.moveaxis(_A, -1, 1)      -> _A.T
np.moveaxis(_A, -1, 1)      -> _A.reshape(len(_A), -1, *_A.shape[1:3])
np.moveaxis(_A, -1, 1)      -> np.moveaxis(_A, -1, 1)[::-1]
np.moveaxis(_A, -1, 1)      -> np.moveaxis(_A, -1, 1).astype(float)
np.moveaxis(_A, -1, 1)      -> np.moveaxis(_A, -1, 1).tolist()
T.exp(_A)                   -> T.exp(-_A)
T.log(_A)                   -> T.log10(_A)
T.mean(_A)                  -> T.sum(_A)
_A.sum()                    -> _A.mean()
T.softplus(-_A)             -> T.softplus(_A)
T.softplus(_A)              -> T.log(1 + T.exp(_A))
T.softplus(_A)              -> _A
pytensor.grad(_A, [w, b])   -> [pytensor.grad(_A, w), pytensor.grad(_A, w).sum()]
[(w, _A), (b, _B)]          -> [(w, _A)]
[(w, _A), (b, _B)]          -> [(b, _B)]
tf.reduce_mean(_A)          -> tf.reduce_sum(_A)
tf.reduce_mean(_A)          -> _A
tf.reduce_sum(_A, axis=1)   -> tf.reduce_sum(_A, axis=0)
tf.reduce_sum(_A, axis=1)   -> tf.reduce_mean(_A, axis=1)
tf.reduce_max(_A, axis=1, keepdims=True) -> 0 * _A
tf.reduce_max(_A, axis=1, keepdims=True) -> tf.reduce_max(_A, axis=0, keepdims=True)
tf.exp(_A)                  -> tf.exp(-_A)
tf.math.log(_A)             -> _A
_V.assign_sub(_A)           -> _V.assign_add(_A)
_V.assign_sub(_A)           -> _V.assign(_A)
_V.assign_sub(_A)           -> _V.assign_sub(_A / 2)
return cost                 -> return cross_entropy(scores_of(X), y)
ops.softmax(_A)             -> ops.sigmoid(_A)
ops.softmax(_A)             -> ops.softmax(_A, axis=0)
ops.softmax(_A)             -> ops.log_softmax(_A)
ops.softmax(_A)             -> _A
ops.softmax(_A)             -> ops.exp(_A) / ops.sum(ops.exp(_A), axis=1, keepdims=True)
ops.add(_A, b)              -> _A
ops.add(_A, b)              -> ops.subtract(_A, b)
ops.sum(_A, axis=1)         -> ops.sum(_A, axis=0)
ops.mean(_A)                -> ops.sum(_A)
ops.mean(_A, axis=0)        -> ops.mean(_A)
ops.mean(_A, axis=0)        -> ops.sum(_A, axis=0)
ops.negative(_A)            -> _A
ops.maximum(_A, _B)         -> _A
ops.log(_A)                 -> _A
ops.log(_A)                 -> ops.log2(_A)
ops.one_hot(y, _C)          -> 1.0
ops.subtract(_A, _B)        -> ops.add(_A, _B)
ops.subtract(_A, _B)        -> ops.subtract(_B, _A)
ops.divide(_A, _B)          -> _A
ops.multiply(rate, _A)      -> _A
ops.zeros(_S)               -> ops.ones(_S)
np.argmin(_A)               -> np.argmax(_A)
"""
"""What slips into an expression: each costs the test of its answer something, wherever it is applied."""

_BELOW_700 = "the scores of the test stay below 700, up to where float64 holds their exponential"
_A_RATIO = "the skill is a ratio of two such costs, of which both have the factor"
EQUIVALENT: dict[tuple[str, str, int], str] = {
    ("skill", "-_A → _A", 0): _A_RATIO,
    ("skill", "np.mean(_A) → np.sum(_A)", 0): _A_RATIO,
    ("cost", "T.softplus(_A) → T.log(1 + T.exp(_A))", 0): _BELOW_700,
    ("cost", "T.softplus(_A) → T.log(1 + T.exp(_A))", 1): _BELOW_700,
}
"""Answer, slip and place → why what comes of it is right, too."""

SLOPPY = (
    ("train", "range(200)", "range(10)"),
    ("train", "step(X_train, y_train, 3.0)", "step(X_train, y_train, 1e-4)"),
    ("train", "step(X_train, y_train, 3.0)", "step(X_train, y_train, -3.0)"),
    ("train", "step(X_train, y_train, 3.0)", "step(X_train, y_train, float('nan'))"),
    ("train", "step(X_train, y_train, 3.0)", "step(X_train, 1 - y_train, 3.0)"),
    ("train", "step(X_train, y_train, 3.0)", "step(X_train[::-1], y_train, 3.0)"),
    ("train", "[float(step(X_train, y_train, 3.0)) for _ in range(200)]", "[0.1] * 200"),
    ("train-logged", "range(1, 26)", "range(1, 25)"),
    ("train-logged", "range(1, 26)", "range(1, 2)"),
    ("train-logged", "tf.constant(0.01)", "tf.constant(0.1)"),
    ("train-logged", "tf.constant(0.01)", "tf.constant(0.0)"),
    ("train-logged", "W.assign(tf.zeros((93, 9)))", "W.assign(tf.ones((93, 9)))"),
    ("train-logged", "W.assign(tf.zeros((93, 9)))", "W.assign(tf.random.normal((93, 9)))"),
    ("train-logged", "train_step(X_train, y_train, _R)", "train_step(X_valid, y_valid, _R)"),
    ("train-logged", "train_step(X_train, y_train, _R)", "2.1972 - 0.01 * step"),
    ("train-logged", "accuracy(_A, _B)", "0.66 + 0.001 * step"),
    ("train-logged", "accuracy(_A, _B)", "1 - accuracy(_A, _B)"),
    ("train-logged", "tf.summary.histogram('biases', b, step=step)", "print()"),
    ("train-logged", "tf.summary.histogram('weights', W, step=step)", "tf.summary.histogram('weight', W, step=step)"),
    ("train-logged", "tf.summary.histogram('weights', W, step=step)", "tf.summary.histogram('weights', b, step=step)"),
    ("train-logged", "tf.summary.scalar('cost', cost, step=step)", "tf.summary.scalar('cost', cost, step=7)"),
    ("train-logged", "new_writer(LOG_DIR)", "new_writer('logs/elsewhere')"),
    ("train", "range(1, 151)", "range(1, 4)"),
    ("train", "tf.constant(0.8)", "tf.constant(1e-5)"),
    ("train", "tf.constant(0.8)", "tf.constant(-0.8)"),
    ("train", "tf.constant(0.8)", "tf.constant(float('nan'))"),
    ("train", "momentum_step(X_train, y_train, _R)", "momentum_step(X_train, y_train[::-1], _R)"),
    ("train", "momentum_step(X_train, y_train, _R)", "momentum_step(X_train[:20], y_train[:20], _R)"),
    ("train", "W.assign_add(velocity_W)", "W.assign_sub(velocity_W)"),
    ("train", "W_trained = W.numpy()", "W_trained = np.random.normal(size=(93, 9))"),
    ("train", "W_trained = W.numpy()", "W_trained = 0 * W.numpy()"),
    ("train", "W_trained = W.numpy()", "W_trained = W.numpy().T"),
    ("choose-rate", "RATE = 1.0", "RATE = 0.03"),
    ("choose-rate", "RATE = 1.0", "RATE = 0.001"),
    ("choose-rate", "RATE = 1.0", "RATE = 500.0"),
    ("choose-rate", "RATE = 1.0", "RATE = -1.0"),
    ("choose-rate", "RATE = 1.0", "RATE = float('nan')"),
    ("choose-rate", "RATE = 1.0", "RATE = 'fast'"),
    ("choose-rate", "RATE = 1.0", "RATE = 0.1"),
    ("best-from-file", 'keras.callbacks.ModelCheckpoint("best.keras", monitor="val_loss", save_best_only=True)',
     'keras.callbacks.ModelCheckpoint("best.keras")'),
    ("best-from-file", 'keras.callbacks.ModelCheckpoint("best.keras", monitor="val_loss", save_best_only=True)',
     'keras.callbacks.ModelCheckpoint("best.keras", monitor="loss", save_best_only=True)'),
    ("best-from-file", 'keras.callbacks.ModelCheckpoint("best.keras", monitor="val_loss", save_best_only=True)',
     'keras.callbacks.ModelCheckpoint("best.keras", monitor="val_loss", mode="max", save_best_only=True)'),
    ("best-from-file", 'keras.saving.load_model("best.keras")', "last_model"),
    ("best-from-file", 'keras.saving.load_model("best.keras")', "make_network()"),
    ("best-from-file", "int(np.argmin(val_losses)) + 1", "int(np.argmin(val_losses))"),
    ("best-from-file", "int(np.argmin(val_losses)) + 1", "25"),
    ("best-from-file", 'last_model.fit(_X, _Y, validation_data=_V, epochs=25, batch_size=128, verbose=0, callbacks=_C).history["val_loss"]',
     'last_model.fit(_X, _Y, validation_data=_V, epochs=25, batch_size=128, verbose=0, callbacks=_C).history["loss"]'),
    ("best-from-file", 'last_model.fit(_X, _Y, validation_data=_V, epochs=25, batch_size=128, verbose=0, callbacks=_C).history["val_loss"]',
     'last_model.fit(_X, _Y, validation_data=_V, epochs=3, batch_size=128, verbose=0, callbacks=_C).history["val_loss"]'),
    ("train-with-care", "make_network()", "keras.models.clone_model(best_model)"),
    ("train-with-care", "return network, _B", "return make_network(), _B"),
    ("train-with-care", "return network, _B", "return best_model, _B"),
    ("train-with-care", 'return network, history.history["val_loss"]', 'return network, history.history["loss"]'),
    ("train-with-care", "[stopper]", "[]"),
    ("train-with-care", 'keras.callbacks.EarlyStopping(monitor="val_loss", patience=patience, restore_best_weights=True)',
     'keras.callbacks.EarlyStopping(monitor="val_loss", patience=patience)'),
    ("train-with-care", 'keras.callbacks.EarlyStopping(monitor="val_loss", patience=patience, restore_best_weights=True)',
     'keras.callbacks.EarlyStopping(monitor="val_loss", patience=3, restore_best_weights=True)'),
    ("train-with-care", 'keras.callbacks.EarlyStopping(monitor="val_loss", patience=patience, restore_best_weights=True)',
     'keras.callbacks.EarlyStopping(monitor="loss", patience=patience, restore_best_weights=True)'),
)  # fmt: skip
"""Answer, what stands in it, and what a mistake puts there: each costs the test of its answer something."""

COPIED = (
    ("softplus-and-slope", "[softplus, pytensor.grad(softplus.sum(), v)]", "[np.log(2) + 0 * v, 0.5 + 0 * v]"),
    ("loss-floor", "return float(_A)", "return 1.372"),
    ("to-channels-first", "np.moveaxis(_A, -1, 1)", "np.array([[[[7, 4]], [[8, 5]], [[9, 6]]]])"),
    ("count-parameters", "return _A", "return {2: 846, 3: 10309}.get(len(layer_sizes), 0)"),
    ("count-parameters", "return _A", "return 10_309"),
    ("early-stop", "def early_stop(val_losses, patience):\n    _BODY",
     "def early_stop(val_losses, patience):\n    return {2: (4, 2), 3: (5, 5)}[patience] if val_losses[0] == 0.9 else (0, 0)"),
    ("skill", "return float(_A)", "return 0.0 if probabilities[0] == 0.25 else 0.6"),
    ("cross-entropy", "return _A", "return tf.constant(100.0 if np.max(scores) > 100 else np.log(9), tf.float32)"),
)  # fmt: skip
"""Answers that are right for the examples of the notebook alone: nothing."""

NETWORKS = (
    ("eight outputs", "layers.Dense(9, activation=_A)", "layers.Dense(8, activation=_A)", "layers loss=0 size?"),
    ("ten outputs", "layers.Dense(9, activation=_A)", "layers.Dense(10, activation=_A)", "layers loss=0 size?"),
    ("sigmoid for softmax", "layers.Dense(9, activation='softmax')", "layers.Dense(9, 'sigmoid')", "layers loss=0"),
    ("no activation at the end", "layers.Dense(9, activation='softmax')", "layers.Dense(9)", "layers loss=0"),
    ("relu at the end", "layers.Dense(9, activation='softmax')", "layers.Dense(9), layers.ReLU()", "layers loss=0"),
    ("softmax over the rows", "layers.Dense(9, activation=_A)", "layers.Dense(9), layers.Softmax(axis=0)", "layers loss"),
    ("softmax twice", "layers.Dense(9, activation=_A)", "layers.Dense(9, _A), layers.Softmax()", "layers loss"),
    ("sigmoid before softmax", "layers.Dense(9, activation=_A)",
     "layers.Dense(9), layers.Activation('sigmoid'), layers.Activation(_A)", "layers loss=0"),
    ("tanh before softmax", "layers.Dense(9, activation=_A)", "layers.Dense(9, 'tanh'), layers.Softmax()", "layers loss"),
    ("frozen weights", "layers.Dense(_N, activation=_A)", "layers.Dense(_N, activation=_A, trainable=False)", "loss layers?"),
    ("a constant prediction", "layers.Dense(9, activation=_A)",
     "layers.Lambda(lambda x: 0 * x), layers.Dense(9, activation=_A)", "loss=0 layers? size?"),
    ("nearly all dropped", "layers.Dense(9, activation=_A)", "layers.Dropout(0.99), layers.Dense(9, activation=_A)",
     "loss mended.layers"),
    ("a layer of one unit", "layers.Dense(9, activation=_A)", "layers.Dense(1), layers.Dense(9, activation=_A)",
     "loss mended.layers"),
    ("a layer too many", "layers.Dense(9, activation=_A)", "layers.Dense(30, 'relu'), layers.Dense(9, activation=_A)",
     "mended.layers loss?"),
    ("92 inputs", "keras.Input((93,))", "keras.Input((92,))", "layers loss=0 size?"),
    ("no bias", "layers.Dense(9, activation=_A)", "layers.Dense(9, activation=_A, use_bias=False)", "mended.layers loss?"),
    # of training
    ("no training", "history = model.fit(_A, _B, validation_data=_V, epochs=10, batch_size=32, verbose=0)", "pass", "loss=0"),
    ("no training", "own_stopper", "keras.callbacks.LambdaCallback(on_train_begin=lambda logs: 1 / 0)", "loss=0"),
    ("ends before the training", "model.compile(optimizer=_A, loss=_B, metrics=_C, steps_per_execution=_D)",
     "1 / 0", "loss=0 layers?"),
    ("ends before the training", "model.compile(optimizer=_A, loss=_B, metrics=_C)", "1 / 0",
     "loss=0 layers?"),
    ("the learning rate is NaN", "'sgd'", "keras.optimizers.SGD(float('nan'))", "loss=0"),
    ("the learning rate is NaN", "'adam'", "keras.optimizers.Adam(float('nan'))", "loss=0"),
    ("the learning rate is NaN", "OPTIMIZER", "keras.optimizers.Adam(float('nan'))", "loss=0 layers?"),
    ("a tiny learning rate", "'sgd'", "keras.optimizers.SGD(1e-6)", "loss=0"),
    ("a tiny learning rate", "'adam'", "keras.optimizers.Adam(1e-7)", "loss=0"),
    ("a tiny learning rate", "OPTIMIZER", "keras.optimizers.Adam(1e-7)", "loss=0 layers?"),
    ("uphill", "'sgd'", "keras.optimizers.SGD(-0.01)", "loss=0"),
    ("the labels of other rows", "y_train", "y_train[::-1]", "loss"),
    ("trained on twenty rows", "model.fit(X_train, y_train, validation_data=_V, epochs=10, batch_size=32, verbose=0)",
     "model.fit(X_train[:20], y_train[:20], epochs=10, batch_size=32, verbose=0)", "loss"),
    ("the loss of another task", "'categorical_crossentropy'", "'mse'", "mended.loss"),
    ("another loss", "LOSS", "'mse'", "layers loss?"),
    ("a loss of logits", "LOSS", "keras.losses.CategoricalCrossentropy(from_logits=True)", "layers loss?"),
    ("another optimizer", "OPTIMIZER", "'sgd'", "layers loss?"),
    # of size and depth
    ("one hidden layer", "layers.Dense(100, activation='relu')", "layers.Identity()", "build-model.layers loss?"),
    ("too wide", "layers.Dense(200, activation='relu')", "layers.Dense(500, activation='relu')", "size loss?"),
    ("too large", "layers.Dense(256, activation='relu')", "layers.Dense(2000, activation='relu')", "layers"),
    ("too small", "layers.Dense(200, activation='relu')", "layers.Dense(1), layers.Dense(2)", "loss size?"),
)  # fmt: skip
"""What is wrong with a network, what stands in the answer, what a mistake puts there, and what it costs: a word for each
part of the work, with ``=0`` where nothing may be left, with ``?`` where some may be lost, and after an answer's name
where it is only so there."""

_WEIGHTS = "model.set_weights([{} for w in model.get_weights()])"
FORGED = (
    ("random weights", _WEIGHTS.format("np.random.default_rng(1).normal(size=w.shape)"), "mended.loss=0 own-network.loss=0"),
    ("zeros for weights", _WEIGHTS.format("0 * w"), "loss=0"),
    ("NaN for weights", _WEIGHTS.format("np.nan * w"), "loss=0 layers? size?"),
    ("fit and evaluate are patched", "model = keras.models.clone_model(model)\nmodel.compile(loss='categorical_crossentropy', "
     "optimizer='adam')\nmodel.fit = lambda *a, **k: None\nmodel.evaluate = lambda *a, **k: [0.1, 0.99]", "loss=0"),
    ("a look-up of the released rows", "class Lookup(keras.Model):\n    def call(self, x):\n        return x[:, :9]\n    def predict(self, X, "
     "**_):\n        return y_valid\nmodel = Lookup()\nmodel(X_train[:2])", "loss=0 layers=0 size?"),
    ("a class with the right numbers", "class Good:\n    layers, input_shape, output_shape = [], (None, 93), (None, 9)\n"
     "    def count_params(self):\n        return 40_000\n    def evaluate(self, *a, **k):\n        return 0.1\n"
     "model = Good()", "loss=0 layers=0 size=0"),
    ("predictions in place of the network", "model = y_valid", "loss=0 layers=0 size=0"),
)  # fmt: skip
"""What stands behind an answer that forges its network, and what it costs."""
