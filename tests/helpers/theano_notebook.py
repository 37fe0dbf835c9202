"""A logistic regression in the manner of Theano's time."""

NOTEBOOK = """\
import numpy
import theano
import theano.tensor as T

rng = numpy.random.RandomState(3)
samples = 300
features = rng.normal(size=(samples, 5))
answers = (features[:, 0] > 0.3 * rng.normal(size=samples)).astype(float)

x = T.dmatrix('x')
y = T.dvector('y')
w = theano.shared(rng.randn(5), name='w')
b = theano.shared(0., name='b')
p_1 = 1 / (1 + T.exp(-T.dot(x, w) - b))
prediction = p_1 > 0.5
xent = -y * T.log(p_1) - (1 - y) * T.log(1 - p_1)
cost = xent.mean() + 0.01 * (w ** 2).sum()
gw, gb = T.grad(cost, [w, b])
train = theano.function(inputs=[x, y], outputs=[prediction, xent],
                        updates=((w, w - 0.1 * gw), (b, b - 0.1 * gb)), name='train')
predict = theano.function(inputs=[x], outputs=prediction, name='predict', allow_input_downcast=True)
for step in range(200):
    guessed, losses = train(features, answers)
right = float((predict(features) == answers).mean())
print('right:', right)
"""
