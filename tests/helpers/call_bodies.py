"""Bodies of ``call`` as students write them with TensorFlow: the kind of network, and what its class computes."""

from __future__ import annotations

from typing import Any

import numpy as np

DRAW = np.random.default_rng(0)
ROWS: dict[str, Any] = {
    "rows": DRAW.normal(size=(6, 4)).astype("float32"),
    "series": DRAW.normal(size=(6, 5, 4)).astype("float32"),
    "pictures": DRAW.normal(size=(6, 8, 8, 3)).astype("float32"),
    "words": DRAW.integers(0, 9, (6, 5)),
}

READ = r"""
rows|return tf.nn.softmax(self.b(tf.nn.relu(self.a(x))))
rows|h = tf.keras.activations.relu(self.a(x)); return tf.keras.activations.softmax(self.b(h))
rows|h = tf.nn.dropout(self.a(x), 0.3) if training else self.a(x); return self.b(h)
rows|h = self.a(x); h = tf.where(h > 0, h, 0.1 * h); return self.b(h)
rows|h = self.a(x); mean, var = tf.nn.moments(h, axes=[-1], keepdims=True); return self.b((h - mean) / tf.sqrt(var + 1e-5))
rows|return self.b(tf.concat([self.a(x), x, tf.square(x)], axis=1))
rows|h = self.a(x); gate = tf.sigmoid(self.b(x)); return gate * self.b(h[:, :4])
rows|return tf.raw_ops.Relu(features=self.a(x))
rows|return tf.raw_ops.MatMul(a=self.a(x), b=tf.ones((8, 3)))
rows|return tf.raw_ops.Softmax(logits=self.b(tf.raw_ops.Tanh(x=self.a(x))))
rows|return tf.einsum('bi,ij->bj', x, self.w) + self.c
rows|return x @ self.w + self.c
rows|return tf.linalg.matvec(self.w, x, transpose_a=True)
rows|h = self.a(x); return self.b(h / (tf.norm(h, axis=-1, keepdims=True) + 1e-7))
rows|return self.b(tf.clip_by_value(self.a(x), -1.0, 1.0))
rows|h = tf.stack([self.a(x), self.a(-x)], axis=0); return self.b(tf.reduce_mean(h, axis=0))
rows|h = self.a(x); h = tf.cond(tf.constant(True), lambda: tf.nn.relu(h), lambda: h); return self.b(h)
rows|h = x\nfor layer in self.many: h = layer(h)\nreturn self.b(h)
rows|h = self.a(x); return self.b(tf.math.softmax(h) * tf.math.reduce_max(h, axis=-1, keepdims=True))
rows|n = tf.shape(x)[0]; return tf.reshape(self.b(tf.reshape(x, [n, 2, 2])[:, 0]), [n, 3])
rows|h = tf.cast(x, tf.float64); return tf.cast(self.b(tf.cast(h, tf.float32)), tf.float32)
rows|eps = tf.zeros_like(self.a(x)); return self.b(self.a(x) + tf.exp(0.5 * self.a(x)) * eps)
rows|tf.debugging.assert_all_finite(x, 'bad'); return self.b(x)
rows|tf.print('x') ; return self.b(x)
rows|print('shape', x.shape); return self.b(x)
rows|h = self.a(x); h = h - tf.stop_gradient(tf.reduce_max(h, axis=1, keepdims=True)); e = tf.exp(h); return e / tf.reduce_sum(e, axis=1, keepdims=True)
rows|h = tf.reduce_sum(tf.square(tf.expand_dims(x, 1) - tf.transpose(self.w)), axis=-1); return tf.exp(-h)
rows|h = tf.meshgrid(tf.range(2), tf.range(2))[0]; return self.b(x) + tf.cast(tf.reduce_sum(h), tf.float32)
series|q, k, v = self.q(x), self.k(x), self.v(x); s = tf.matmul(q, k, transpose_b=True) / tf.math.sqrt(4.0); return tf.reduce_mean(tf.nn.softmax(s) @ v, axis=1)
series|q = self.q(x); s = tf.einsum('bik,bjk->bij', q, self.k(x)); s += (1 - tf.linalg.band_part(tf.ones((5, 5)), -1, 0)) * -1e9; return tf.einsum('bij,bjk->bik', tf.nn.softmax(s), self.v(x))
series|h = tf.zeros((tf.shape(x)[0], 4))\nfor t in range(x.shape[1]): h = tf.tanh(self.q(x[:, t]) + self.k(h))\nreturn self.v(h)
series|h = tf.unstack(x, axis=1); return self.v(tf.add_n([self.q(t) for t in h]))
series|return self.v(tf.gather(x, [0, 4], axis=1))
series|return self.v(tf.squeeze(tf.image.resize(x[..., None], (3, 4)), -1))
series|q = tf.transpose(tf.reshape(self.q(x), (-1, 5, 2, 2)), [0, 2, 1, 3]); k = tf.transpose(tf.reshape(self.k(x), (-1, 5, 2, 2)), [0, 2, 1, 3]); a = tf.nn.softmax(tf.matmul(q, k, transpose_b=True)); return self.v(tf.reshape(tf.transpose(a @ q, [0, 2, 1, 3]), (-1, 5, 4)))
series|return tf.nn.conv1d(x, tf.ones((3, 4, 2)), 1, 'SAME')
series|return self.v(tf.sequence_mask([5], 5, tf.float32)[..., None] * x)
series|return self.v(x + places(5, 4))
pictures|x = tf.nn.relu(self.conv(x)); x = tf.nn.max_pool2d(x, 2, 2, 'VALID'); x = tf.reshape(x, [tf.shape(x)[0], -1]); return self.out(x)
pictures|x = tf.nn.relu(self.conv(x)); x = tf.nn.max_pool2d(x, 2, 2, 'VALID'); x = tf.reshape(x, [-1, 9 * 4]); return self.out(x)
pictures|x = tf.image.random_flip_left_right(x) if training else x; return self.out(tf.reduce_mean(self.conv(x), axis=[1, 2]))
pictures|x = self.conv(x / 255.0); return self.out(tf.keras.layers.Flatten()(x))
pictures|x = self.conv(tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]])); return self.out(tf.reduce_max(x, axis=(1, 2)))
pictures|return self.out(tf.nn.pool(self.conv(x), [2, 2], 'AVG', strides=[2, 2])[:, 0, 0])
words|e = tf.nn.embedding_lookup(self.e.embeddings, x); return self.o(tf.reduce_mean(e, axis=1))
words|e = self.e(x); m = tf.cast(tf.not_equal(x, 0), tf.float32)[..., None]; return self.o(tf.reduce_sum(e * m, 1) / tf.maximum(tf.reduce_sum(m, 1), 1.0))
words|return self.o(tf.one_hot(tf.cast(x, tf.int32), 9)[:, 0, :4])
words|return self.o(tf.gather(self.e.embeddings, tf.cast(x, tf.int32))[:, -1])
""".strip().splitlines()

NOT_READ = r"""
rows|h = tf.TensorArray(tf.float32, size=2); h = h.write(0, self.a(x)); h = h.write(1, self.a(-x)); return self.b(tf.reduce_mean(h.stack(), axis=0))
rows|h = tf.map_fn(lambda r: tf.nn.relu(r), self.a(x)); return self.b(h)
rows|h = tf.vectorized_map(lambda r: tf.nn.relu(r), self.a(x)); return self.b(h)
rows|h = self.a(x); h.set_shape((None, 8)); return self.b(h)
rows|h = tf.py_function(np.tanh, [self.a(x)], tf.float32); return self.b(tf.ensure_shape(h, (None, 8)))
series|h = tf.zeros((tf.shape(x)[0], 4))\nfor t in tf.range(5): h = tf.tanh(self.q(x[:, t]) + self.k(h))\nreturn self.v(h)
pictures|return tf.nn.depthwise_conv2d(x, tf.ones((3, 3, 3, 1)), [1, 1, 1, 1], 'SAME')
pictures|return tf.nn.conv2d_transpose(x, tf.ones((3, 3, 2, 3)), [tf.shape(x)[0], 16, 16, 2], 2)
pictures|return self.out(tf.nn.local_response_normalization(self.conv(x))[:, 0, 0])
pictures|a = tf.image.sobel_edges(x); return self.out(tf.reduce_mean(a, axis=[1, 2])[..., 0])
words|return self.o(tf.math.bincount(tf.cast(x, tf.int32), minlength=9, axis=-1)[:, :4])
""".strip().splitlines()


def model_of(line: str, names: dict[str, Any]) -> Any:
    """A model of a class with this body, which has seen its rows."""
    keras = names["keras"]
    kind, body = line.split("|", 1)
    written = "".join(f"        {part}\n" for part in body.replace("\\n", "\n").replace("; ", "\n").split("\n"))
    own = {**names, "places": places}
    exec(f"class Own(keras.Model):\n    def call(self, x, training=None):\n{written}", own)
    model, layers = own["Own"](), keras.layers
    if kind == "rows":
        model.a, model.b, model.many = layers.Dense(8), layers.Dense(4 if "gate" in body else 3), [layers.Dense(8)]
        model.w, model.c = model.add_weight(shape=(4, 3), name="w"), model.add_weight(shape=(3,), name="c")
    elif kind == "series":
        model.q, model.k, model.v = layers.Dense(4), layers.Dense(4), layers.Dense(4)
    elif kind == "pictures":
        model.conv, model.out = layers.Conv2D(4, 3), layers.Dense(3)
    else:
        model.e, model.o = layers.Embedding(9, 4), layers.Dense(2)
        model.e.build(None)
    model(ROWS[kind])
    return model


def places(count: int, size: int) -> Any:
    """Positions of words as sines and cosines."""
    found = np.arange(count)[:, None] / 10000 ** (np.arange(size)[None] / size)
    found[:, 0::2], found[:, 1::2] = np.sin(found[:, 0::2]), np.cos(found[:, 1::2])
    return found[None].astype("float32")
