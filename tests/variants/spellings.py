"""The tables of :mod:`variants.honest`: what stands in the lessons' solutions, and other ways to write the same.

In a table of lines each line is a rule for an expression or a simple statement.
"""

from __future__ import annotations

_PREDICT = "def predict(W, b, X):\n    return "
_LOSS = "def loss(W, b, X, y):\n    return "
_COST = "def cross_entropy(scores, y):\n    "

PYTHON = """
_A * _B                             -> _B * _A
_A + _B                             -> _B + _A
_A - _B                             -> -_B + _A
_A - _B                             -> -(_B - _A)
_A / _B                             -> _A * (1 / _B)
return _A                           -> result = _A; return result
return _A, _B                       -> pair = (_A, _B); return pair
return float(_A)                    -> return _A
return float(_A)                    -> return np.float64(_A)
float(_A)                           -> round(float(_A), 9)
int(_A)                             -> round(float(_A))
_A[1:]                              -> _A[1:len(_A)]
sum(_E for _V in _S)                -> sum([_E for _V in _S])
sum(_E for _V in _S)                -> np.sum([_E for _V in _S])
_A < _B                             -> _B > _A
_A >= _B                            -> not _A < _B
"""

NUMPY = """
np.log(1 + _A)                      -> np.log1p(_A)
np.e                                -> np.exp(1)
np.mean(_A)                         -> np.sum(_A) / np.size(_A)
np.mean(_A)                         -> np.average(_A)
np.log(_A)                          -> np.log2(_A) / np.log2(np.e)
-np.mean(_A)                        -> np.mean(-(_A))
np.clip(_A, _B, _C)                 -> np.minimum(np.maximum(_A, _B), _C)
np.zeros(93)                        -> 0 * np.ones(93)
np.zeros(93)                        -> np.array([0.0] * 93)
y_train.mean()                      -> np.mean(y_train)
np.argmin(_A)                       -> np.asarray(_A).argmin()
int(np.argmin(_A))                  -> _A.index(min(_A))
int(np.argmin(_A)) + 1              -> 1 + min(range(len(_A)), key=_A.__getitem__)
np.moveaxis(_A, -1, 1)              -> np.transpose(_A, (0, 3, 1, 2))
np.moveaxis(_A, -1, 1)              -> _A.transpose(0, 3, 1, 2)
np.moveaxis(_A, -1, 1)              -> np.einsum("nhwc->nchw", _A)
np.moveaxis(_A, -1, 1)              -> np.rollaxis(_A, 3, 1)
np.moveaxis(_A, -1, 1)              -> np.stack([_A[..., c] for c in range(_A.shape[-1])], axis=1)
np.moveaxis(_A, -1, 1)              -> np.array([[row[:, :, c] for c in range(row.shape[-1])] for row in _A])
np.moveaxis(_A, -1, 1)              -> np.swapaxes(np.swapaxes(_A, 1, 3), 2, 3)
np.moveaxis(_A, -1, 1)              -> np.ascontiguousarray(np.moveaxis(_A, 3, 1))
"""

PYTENSOR = """
T.log(1 + T.exp(_A))                -> T.softplus(_A)
T.log(1 + T.exp(_A))                -> T.log1p(T.exp(_A))
T.log(1 + T.exp(_A))                -> T.log1pexp(_A)
T.dvector("v")                      -> T.vector("v", dtype="float64")
T.dvector("v")                      -> T.tensor("v", dtype="float64", shape=(None,))
pytensor.grad(_A.sum(), v)          -> T.sigmoid(v)
pytensor.grad(_A.sum(), v)          -> 1 / (1 + T.exp(-v))
pytensor.grad(_A.sum(), v)          -> T.grad(T.sum(_A), wrt=v)
T.mean(_A)                          -> (_A).mean()
T.mean(_A)                          -> T.sum(_A) / y.shape[0]
T.mean(_A)                          -> T.dot(_A, T.ones_like(y)) / y.shape[0]
T.mean(y * _A + (1 - y) * _B)       -> T.mean(_B - y * scores)
T.mean(y * _A + (1 - y) * _B)       -> T.mean(T.switch(T.eq(y, 1), _A, _B))
T.mean(y * _A + (1 - y) * _B)       -> T.mean(T.softplus((1 - 2 * y) * scores))
pytensor.grad(cost, [w, b])         -> [pytensor.grad(cost, w), pytensor.grad(cost, b)]
pytensor.grad(cost, [w, b])         -> T.grad(cost, wrt=[w, b])
pytensor.grad(cost, [w, b])         -> (T.dot(x.T, p - y) / y.shape[0], T.mean(p - y))
[(w, _A), (b, _B)]                  -> {w: _A, b: _B}
[(w, _A), (b, _B)]                  -> __import__("collections").OrderedDict([(w, _A), (b, _B)])
[(w, _A), (b, _B)]                  -> ((w, _A), (b, _B))
w.set_value(_A)                     -> w.set_value(_A, borrow=True)
"""

TENSORFLOW = """
tf.reduce_mean(_A + _B - _C)        -> tf.reduce_mean(_A) + tf.reduce_mean(_B - _C)
tf.reduce_mean(_A)                  -> tf.reduce_sum(_A) / tf.cast(tf.size(_A), tf.float32)
tf.reduce_mean(_A)                  -> tf.math.reduce_mean(_A)
tf.reduce_sum(_A, axis=1)           -> tf.einsum("ij->i", _A)
tf.reduce_sum(_A, axis=1)           -> tf.math.reduce_sum(_A, axis=-1)
_V.assign_sub(_A)                   -> _V.assign(_V - _A)
_V.assign_sub(_A)                   -> _V.assign_add(-(_A))
_V.assign_add(_A)                   -> _V.assign(_V + _A)
_V.assign(tf.zeros(_S))             -> _V.assign(tf.zeros_like(_V))
_V.assign(tf.zeros(_S))             -> _V.assign(np.zeros(_S, "float32"))
tf.zeros((93, 9))                   -> tf.zeros([93, 9], dtype=tf.float32)
tape.gradient(cost, [W, b])         -> tape.gradient(cost, (W, b))
tf.GradientTape()                   -> tf.GradientTape(persistent=False)
tf.constant(_A)                     -> np.float32(_A)
tf.constant(_A)                     -> tf.cast(_A, tf.float32)
cross_entropy(scores_of(X), y)      -> cross_entropy(tf.matmul(X, W) + b, y)
new_writer(LOG_DIR)                 -> tf.summary.create_file_writer(LOG_DIR)
scores_of(X_train)                  -> X_train @ W.numpy() + b.numpy()
tf.summary.histogram(_A, _V, step=step) -> tf.summary.histogram(_A, _V.numpy().ravel(), step=step)
tf.summary.scalar(_A, _V, step=step) -> tf.summary.scalar(name=_A, data=_V, step=step)
"""

KERAS = """
"adam"                              -> "Adam"
"adam"                              -> keras.optimizers.Adam()
"adam"                              -> keras.optimizers.Adam(learning_rate=0.001)
"adam"                              -> keras.optimizers.get("adam")
OPTIMIZER                           -> "adam"
OPTIMIZER                           -> keras.optimizers.Adam()
OPTIMIZER                           -> keras.optimizers.Adam(learning_rate=1e-3, beta_1=0.9)
OPTIMIZER                           -> keras.optimizers.get(OPTIMIZER)
LOSS                                -> "CategoricalCrossentropy"
LOSS                                -> keras.losses.CategoricalCrossentropy()
LOSS                                -> keras.losses.categorical_crossentropy
LOSS                                -> keras.losses.CategoricalCrossentropy(name="cost")
"sgd"                               -> "SGD"
"sgd"                               -> keras.optimizers.SGD()
"sgd"                               -> keras.optimizers.SGD(0.01)
"categorical_crossentropy"          -> keras.losses.CategoricalCrossentropy()
"categorical_crossentropy"          -> keras.losses.categorical_crossentropy
["accuracy"]                        -> [keras.metrics.CategoricalAccuracy()]
["accuracy"]                        -> ("accuracy",)
["accuracy"]                        -> ["acc"]
["accuracy"]                        -> ["categorical_accuracy", keras.metrics.CategoricalCrossentropy()]
layers.Dense(_N, activation=_A)     -> layers.Dense(_N, _A)
layers.Dense(_N, activation=_A)     -> layers.Dense(units=_N, activation=_A, use_bias=True)
layers.Dense(_N, activation=_A)     -> layers.Dense(_N, activation=_A, kernel_initializer="glorot_uniform", name="one_of_mine")
layers.Dense(_N, activation="relu") -> layers.Dense(_N, activation="relu", kernel_initializer=keras.initializers.HeNormal())
layers.Dense(_N, activation="relu") -> layers.Dense(_N, activation="relu", bias_initializer=keras.initializers.Zeros())
"relu"                              -> keras.activations.relu
"relu"                              -> keras.ops.relu
"relu"                              -> layers.ReLU()
"relu"                              -> __import__("tensorflow").nn.relu
"softmax"                           -> keras.activations.softmax
"softmax"                           -> layers.Softmax()
"softmax"                           -> __import__("tensorflow").nn.softmax
layers.Dropout(_R)                  -> layers.Dropout(rate=_R, seed=3)
model.fit(X_train, y_train, validation_data=_V, epochs=10, batch_size=32, verbose=0) -> model.fit(x=X_train, y=y_train, epochs=10, verbose=0)
model.fit(X_train, y_train, validation_data=_V, epochs=10, batch_size=32, verbose=0) -> model.fit(X_train, y_train, validation_split=0.1, epochs=10, batch_size=32, verbose=0)
model.fit(X_train, y_train, validation_data=_V, epochs=10, batch_size=32, verbose=0) -> [model.fit(X_train, y_train, validation_data=_V, epochs=1, batch_size=32, verbose=0) for _ in range(10)][-1]
model.fit(X_train, y_train, validation_data=_V, epochs=10, batch_size=32, verbose=0) -> model.fit(X_train, y_train, epochs=12, batch_size=64, verbose=2, callbacks=[keras.callbacks.TerminateOnNaN()])
keras.callbacks.EarlyStopping(monitor="val_loss", patience=_P, restore_best_weights=True) -> keras.callbacks.EarlyStopping(patience=_P, restore_best_weights=True, mode="min")
keras.callbacks.EarlyStopping(monitor="val_loss", patience=_P, restore_best_weights=True) -> keras.callbacks.EarlyStopping("val_loss", 0, _P, restore_best_weights=True)
[keeper]                            -> keeper
[own_stopper]                       -> [own_stopper, keras.callbacks.ReduceLROnPlateau(patience=3)]
keras.callbacks.ModelCheckpoint("best.keras", monitor="val_loss", save_best_only=True) -> keras.callbacks.ModelCheckpoint(filepath="best.keras", save_best_only=True, mode="min", verbose=1)
keras.saving.load_model("best.keras") -> keras.models.load_model("best.keras")
keras.saving.load_model("best.keras") -> keras.models.load_model("best.keras", compile=False)
"""

OPS = """
ops.add(_A, _B)                     -> _A + _B
ops.add(ops.matmul(X, W), b)        -> ops.matmul(X, W) + b
ops.matmul(_A, _B)                  -> ops.dot(_A, _B)
ops.matmul(X, W)                    -> ops.einsum("ij,jk->ik", X, W)
ops.matmul(X, W)                    -> ops.tensordot(X, W, axes=1)
ops.matmul(X, W)                    -> X @ W
ops.softmax(_A)                     -> keras.activations.softmax(_A)
ops.softmax(_A)                     -> ops.softmax(_A, axis=-1)
ops.softmax(_A)                     -> ops.nn.softmax(_A)
ops.softmax(_A)                     -> ops.exp(ops.log_softmax(_A))
ops.sum(_A, axis=1)                 -> ops.sum(_A, axis=-1)
ops.sum(ops.multiply(_A, _B), axis=1) -> ops.einsum("ij,ij->i", _A, _B)
ops.sum(ops.multiply(_A, ops.one_hot(y, _C)), axis=1) -> ops.take_along_axis(_A, ops.cast(ops.expand_dims(y, 1), "int32"), axis=1)[:, 0]
ops.multiply(_A, _B)                -> _A * _B
ops.subtract(_A, _B)                -> _A - _B
ops.negative(_A)                    -> -_A
ops.negative(ops.mean(_A))          -> ops.mean(ops.negative(_A))
ops.mean(_A)                        -> ops.sum(_A) / len(X)
ops.maximum(_A, _B)                 -> ops.clip(_A, _B, 1.0)
ops.maximum(_A, _B)                 -> ops.maximum(_A, keras.config.epsilon())
W.shape[1]                          -> b.shape[0]
W.shape[1]                          -> ops.shape(W)[1]
ops.transpose(X)                    -> ops.transpose(X, (1, 0))
ops.divide(_A, X.shape[0])          -> _A / len(X)
ops.mean(error, axis=0)             -> ops.divide(ops.sum(error, axis=0), X.shape[0])
ops.zeros((classes,))               -> ops.zeros(classes)
return _A, _B                       -> return [_A, _B]
RATE = 1.0                          -> RATE = 2
RATE = 1.0                          -> RATE = float(np.sqrt(2))
RATE = 1.0                          -> RATE = max(0.5, 1.0, key=lambda r: -abs(r - 1))
"""

TABLES = (PYTHON, NUMPY, PYTENSOR, TENSORFLOW, KERAS, OPS)

BLOCKS = (
    ("_X = [_E for _V in _S]", "_X = []\nfor _V in _S:\n    _X.append(_E)"),
    ("return sum(_E for _V in _S)", "total = 0\nfor _V in _S:\n    total += _E\nreturn total"),
    ("return sum(_E for _V in _S)", "return int(np.sum([_E for _V in _S]))"),
    ("for _ in range(_N):\n    _BODY", "left = _N\nwhile left > 0:\n    _BODY\n    left -= 1"),
    ("for _V in range(1, _N):\n    _BODY", "for _V in np.arange(1, _N).tolist():\n    _BODY"),
    ("for _V in range(1, _N):\n    _BODY", "_V = 1\nwhile _V < _N:\n    _BODY\n    _V += 1"),
    ("if _A:\n    _BODY", "if not _A:\n    pass\nelse:\n    _BODY"),
    (
        "return ops.softmax(_A)",
        "z = _A\nz = z - ops.max(z, axis=1, keepdims=True)\ne = ops.exp(z)\nreturn e / ops.sum(e, axis=1, keepdims=True)",
    ),
    ("return _A", "print('almost there')\nreturn _A"),
    (
        "def count_parameters(layer_sizes):\n    _BODY",
        "def count_parameters(sizes):\n    if len(sizes) < 2:\n        return 0\n"
        "    return (sizes[0] + 1) * sizes[1] + count_parameters(sizes[1:])",
    ),
    (
        "def early_stop(val_losses, patience):\n    _BODY",
        "def early_stop(losses, patience):\n    for n in range(1, len(losses) + 1):\n"
        "        best = int(np.argmin(losses[:n])) + 1\n        if n - best >= patience:\n            break\n"
        "    return n, best",
    ),
    (
        "def early_stop(val_losses, patience):\n    _BODY",
        "def early_stop(losses, patience):\n    low, since, best = np.inf, 0, 0\n    for n, loss in enumerate(losses):\n"
        "        if loss < low:\n            low, since, best = loss, 0, n + 1\n        else:\n            since += 1\n"
        "            if since == patience:\n                return n + 1, best\n    return len(losses), best",
    ),
    (
        "def train_with_care(X, y, X_valid, y_valid, patience, epochs):\n    _BODY",
        "def train_with_care(X, y, X_valid, y_valid, patience, epochs):\n    network, told = make_network(), []\n"
        "    while len(told) < epochs:\n"
        "        log = network.fit(X, y, validation_data=(X_valid, y_valid), batch_size=128, verbose=0).history\n"
        "        told.append(log['val_loss'][0])\n        if told[-1] == min(told):\n"
        "            best, kept = len(told), network.get_weights()\n"
        "        if len(told) - best >= patience:\n            break\n"
        "    network.set_weights(kept)\n    return network, told",
    ),
    (
        "def train_with_care(X, y, X_valid, y_valid, patience, epochs):\n    _BODY",
        "def train_with_care(X, y, X_valid, y_valid, patience, epochs):\n    network = make_network()\n"
        "    keeper = keras.callbacks.ModelCheckpoint('care.weights.h5', save_best_only=True, save_weights_only=True)\n"
        "    stopper = keras.callbacks.EarlyStopping(patience=patience)\n"
        "    done = network.fit(X, y, validation_data=(X_valid, y_valid), epochs=epochs, batch_size=128, verbose=0,\n"
        "                       callbacks=[keeper, stopper])\n"
        "    network.load_weights('care.weights.h5')\n    return network, done.history['val_loss']",
    ),
    (
        "def train(X, y, rate, steps):\n    _BODY",
        "def train(X, y, rate, steps):\n    W, b = np.zeros((X.shape[1], 9), 'float32'), np.zeros(9, 'float32')\n"
        "    losses = []\n    while len(losses) < steps:\n        losses += [float(loss(W, b, X, y))]\n"
        "        W, b = train_step(W, b, X, y, rate)\n    return W, b, losses",
    ),
    ("def predict(W, b, X):\n    _BODY", _PREDICT + "keras.activations.softmax(ops.convert_to_tensor(X @ W + b))"),
    # Not Keras's own crossentropy: on TensorFlow it looks for the scores behind a softmax, and has no floor then.
    (
        "def loss(W, b, X, y):\n    _BODY",
        _LOSS + "-ops.mean(ops.log(ops.clip(predict(W, b, X), 1e-7, 1)) * ops.one_hot(y, len(b))) * len(b)",
    ),
    (
        _COST + "_BODY",
        _COST + "return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=y, logits=scores))",
    ),
    (_COST + "_BODY", _COST + "return -tf.reduce_mean(tf.reduce_sum(y * tf.nn.log_softmax(scores), axis=1))"),
    (
        _COST + "_BODY",
        _COST + "return tf.reduce_mean(tf.reduce_logsumexp(scores, axis=1) - tf.reduce_sum(y * scores, axis=1))",
    ),
    (
        _COST + "_BODY",
        _COST + "return tf.reduce_mean(tf.keras.losses.categorical_crossentropy(y, scores, from_logits=True))",
    ),
    (_COST + "_BODY", _COST + "return tf.keras.losses.CategoricalCrossentropy(from_logits=True)(y, scores)"),
    (
        "RATE = 1.0",
        "candidates = {}\nfor RATE in (0.3, 1.0):\n    candidates[train(X_train, y_train, RATE, 20)[2][-1]] = RATE\nRATE = candidates[min(candidates)]",
    ),
)
"""Rules of whole statements: a statement, and those that stand in its place."""
