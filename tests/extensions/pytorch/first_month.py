"""Mistakes of a first month with PyTorch: an answer, the test that finds it, and a part of what its page says.

``says`` is a sentence, or its telling part. Where a student cannot act on it, ``helps`` is False.
"""

from __future__ import annotations

from typing import NamedTuple


class Mistake(NamedTuple):
    """An answer, its test, and what the page says."""

    answer: str
    test: str
    says: str
    waits: bool = False
    """Whether a person decides."""
    helps: bool = True
    """Whether a student can act on what the page says."""


NET = """class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(12, 16)
        self.out = nn.Linear(16, 4)
    def forward(self, x):
        return self.out(F.relu(self.hidden(x)))
model = Net()
"""
CALLED = NET + "model(X)\n"
CNN = """model = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64, 4))
model(torch.randn(5, 1, 8, 8))
"""
LAYERS = """check.architecture(model, [
    check.layer("Linear", out_features=16), check.layer("ReLU"), check.layer("Linear", out_features=4),
], input_shape=(12,))"""
OF_CNN = """check.architecture(model, [
    check.layer("Conv2d", out_channels=4), check.layer("ReLU"), check.layer("MaxPool2d"), check.layer("Flatten"), check.layer("Linear", out_features=4),
], input_shape=(1, 8, 8))"""
COUNT = "check.parameters(model, exactly=276)"
SAME = "check.computes(model, like=nn.Sequential(nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, 4)), input_shape=(12,))"
BOTH = f"{LAYERS}\n{COUNT}"
CNN_CLASS = """class CNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.drop = nn.Dropout(0.2)
        self.fc = nn.Linear(64, 4)
    def forward(self, x):
        x = F.max_pool2d(F.relu(self.norm(self.conv(x))), 2)
        return self.fc(self.drop(x.flatten(1)))
model = CNN()
"""
OF_CLASS = """check.architecture(model, [
    check.layer("Conv2d", out_channels=4), check.layer("BatchNorm2d"), check.layer("ReLU"), check.layer("MaxPool2d"),
    check.layer("Flatten"), check.layer("Dropout", p=0.2), check.layer("Linear", out_features=4),
], input_shape=(1, 8, 8))
check.parameters(model, exactly=308)"""
LOSS = "check.loss(model, on=(X.numpy(), y.numpy()), below=1.0, from_logits=True)"
ACCURACY = "check.accuracy(model, on=(X.numpy(), y.numpy()), above=0.9)"
STEP = (
    "check.training_step(train_step, model, (X.numpy(), y.numpy()), from_logits=True, "
    "optimizer=torch.optim.SGD([torch.zeros(1)], lr=0.1))"
)
LOOP = """def train_step(model, x, y, loss_fn, optimizer):
    model.train()
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()
"""
TRAINED = """optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
for _ in range(200):
    optimizer.zero_grad()
    F.cross_entropy(model(X), y).backward()
    optimizer.step()
"""
ADAM = 'check.optimizer(optimizer, kind="adam", lr=0.001, model=model)'


def step(old: str, new: str) -> str:
    """The plain network with a loop that has a slip."""
    assert old in LOOP
    return NET + LOOP.replace(old, new)


def net(old: str, new: str, *, called: bool = True) -> str:
    """The plain network with a slip."""
    assert old in NET
    return (CALLED if called else NET).replace(old, new)


def cnn(old: str, new: str, *, called: bool = False) -> str:
    """The convolutional network with a slip."""
    assert old in CNN_CLASS
    return CNN_CLASS.replace(old, new) + ("model(torch.randn(5, 1, 8, 8))\n" if called else "")


AT_CNN = "The model does not accept rows of the shape (1, 8, 8): RuntimeError in cell 2, line "
PLAIN_LIST = net("self.hidden = nn.Linear(12, 16)", "self.layers = [nn.Linear(12, 16), nn.Linear(16, 4)]").replace(
    "        self.out = nn.Linear(16, 4)\n", ""
).replace("self.out(F.relu(self.hidden(x)))", "self.layers[1](F.relu(self.layers[0](x)))")  # fmt: skip
MISTAKES: dict[str, Mistake] = {
    # --- the module
    "wrong number of units": Mistake(net("16, 4)", "16, 3)"), LAYERS, "layer 2: Linear with out_features 3, expected 4"),
    "no activation": Mistake(net("F.relu(self.hidden(x))", "self.hidden(x)"), LAYERS, "ReLU is missing"),
    "another activation": Mistake(net("F.relu", "torch.tanh"), LAYERS, "after layer 1: ReLU is missing"),
    "a layer too many": Mistake(
        net("self.out = nn.Linear(16, 4)", "self.more, self.out = nn.Linear(16, 16), nn.Linear(16, 4)").replace("self.hidden(x))", "self.more(F.relu(self.hidden(x))))"),
        LAYERS, "layer 2: Linear(in_features=16, out_features=16) is one too many",
    ),
    "a layer that forward leaves out": Mistake(net("self.out(F.relu(self.hidden(x)))", "F.relu(self.hidden(x))"), LAYERS, "Linear(out_features=4) is missing"),
    "wrong size of the input": Mistake(
        net("12, 16", "10, 16", called=False), LAYERS,
        "The model does not accept rows of the shape (12,): RuntimeError in cell 2, line 7",
    ),
    "sizes that do not meet": Mistake(
        net("16, 4", "15, 4", called=False), LAYERS,
        "The model does not accept rows of the shape (12,): RuntimeError in cell 2, line 7",
    ),
    "foward": Mistake(net("forward", "foward", called=False), LAYERS, "The module has no method `forward`"),
    "no return": Mistake(net("return self", "self"), LAYERS, "forward returns no tensor: it ends without `return`"),
    "a fixed batch": Mistake(net("self.hidden(x)", "self.hidden(x.view(64, -1))"), LAYERS, "RuntimeError in cell 2, line 7"),
    "no self": Mistake(net("F.relu(self.hidden(x))", "F.relu(hidden(x))", called=False), LAYERS, "NameError in cell 2, line 7"),
    "an undefined attribute": Mistake(net("self.out(F", "self.output(F", called=False), LAYERS, "AttributeError in cell 2, line 7"),
    "no super().__init__()": Mistake(net("        super().__init__()\n", ""), LAYERS, "`model` is not defined: cell 2, which makes it, raised AttributeError: cannot assign module before Module.__init__() call"),
    "the class for the model": Mistake(NET.replace("Net()", "Net"), LAYERS, "This is a class, not a model: call it to make one."),
    "the call of the model for the model": Mistake(CALLED + "model = model(X)", LAYERS, "This is not a model"),
    "no model": Mistake(NET.replace("model =", "net ="), LAYERS, "`model` is not defined"),
    "an error where the model is called": Mistake(
        net("12, 16", "10, 16", called=False).replace("model = Net()", "print(Net()(X)); model = Net()"), LAYERS,
        "cell 2, which makes it, raised RuntimeError: mat1 and mat2 shapes cannot be multiplied (64x12 and 10x16)",
    ),
    "too many parameters": Mistake(net("16", "20"), COUNT, "344 parameters, exactly 276 asked"),
    "no bias": Mistake(net("16, 4)", "16, 4, bias=False)"), COUNT, "272 parameters, exactly 276 asked"),
    "a frozen layer": Mistake(CALLED + "model.hidden.requires_grad_(False)", 'check.parameters(model, exactly=276, kind="trainable")', "68 trainable parameters, exactly 276 asked"),
    "layers in a plain list": Mistake(PLAIN_LIST, BOTH, "layers stand in a Python list or dict, where PyTorch does not find their weights; use nn.ModuleList"),
    "layers in a plain list, compared": Mistake(PLAIN_LIST, SAME, "no optimizer trains them. Layers in a plain list"),
    "foward, counted": Mistake(net("forward", "foward", called=False), BOTH, "parameters: The module has no method `forward`, so it cannot be called"),
    "no return, counted": Mistake(net("return self", "self"), BOTH, "parameters: The module's forward returns no tensor"),
    "a NumPy array returned": Mistake(net("(x)))", "(x))).detach().numpy()"), LAYERS, "or a NumPy array"),
    "forward without self": Mistake(net("forward(self, x)", "forward(x)", called=False), BOTH, "look at its parameters; `self` is the first"),
    "labels as an argument of forward": Mistake(net("forward(self, x)", "forward(self, x, y)", called=False), LAYERS, "does not take its inputs alone"),
    "rows and columns exchanged": Mistake(net("self.hidden(x)", "self.hidden(x.T)", called=False), LAYERS, "its forward depends on the number of rows", waits=True),
    "softmax along the batch": Mistake(net("return self.out(F.relu(self.hidden(x)))", "return self.out(F.relu(self.hidden(x))).softmax(0)"), LAYERS, "its predictions for a row depend on the other rows of a batch", waits=True),
    "F.dropout that never ends": Mistake(net("self.out(F.relu(self.hidden(x)))", "self.out(F.dropout(F.relu(self.hidden(x)), 0.5))"), LAYERS, "give F.dropout training=self.training, or use nn.Dropout", waits=True),
    "whole numbers in place of fractions": Mistake(net("self.hidden(x)", "self.hidden(x.long())", called=False), LOSS, "RuntimeError in cell 2, line 7: `return self.out(F.relu(self.hidden(x.long())))`"),
    "the class of an activation in place of a layer": Mistake(net("F.relu(", "nn.ReLU(", called=False), LAYERS, "TypeError in cell 2, line 7"),
    "a device that is not there": Mistake(net("self.hidden(x)", "self.hidden(x.cuda())", called=False), LAYERS, "AssertionError in cell 2, line 7"),
    "__init__ misspelt": Mistake(net("__init__(self)", "_init_(self)", called=False), LAYERS, "AttributeError in cell 2, line 7"),
    "one layer too few, compared": Mistake(net("self.out(F.relu(self.hidden(x)))", "self.hidden(x)").replace("12, 16", "12, 4"), SAME, "Your network has no weights of the shape (16, 12); the asked one has 1. It has 1 weight of the shape (4, 12) instead."),
    "no bias, compared": Mistake(net("12, 16", "12, 16, bias=False"), SAME, "Your network has no weights of the shape (16,); the asked one has 1."),
    "two outputs, compared": Mistake(net("self.hidden(x)))", "self.hidden(x))), x"), SAME, "Your network has 2 outputs; the asked one has 1."),
    "classes in place of scores, compared": Mistake(net("(x)))", "(x))).argmax(1)"), SAME, "Your network gives outputs of the shape (rows)"),
    "an activation at the end, compared": Mistake(net("return self.out(F.relu(self.hidden(x)))", "return F.relu(self.out(F.relu(self.hidden(x))))"), SAME, "something else than the asked one. Its weights are as many as asked: look at activations"),
    "weights for the model": Mistake(CALLED + "model = model.state_dict()", LAYERS, "This is not a model (its type is OrderedDict)."),
    "what a function without return gave": Mistake(CALLED + "model = model.zero_grad()", LAYERS, "There is no model yet."),
    "an error before the model": Mistake("print(undefined)\n" + CALLED, LAYERS, "cell 2, which makes it, raised NameError: name 'undefined' is not defined"),
    # --- convolutions
    "padding forgotten and a Flatten that does not fit": Mistake(cnn(", padding=1", ""), OF_CLASS, f"parameters: {AT_CNN}10"),
    "Flatten over the batch": Mistake(cnn("x.flatten(1)", "x.flatten()"), OF_CLASS, f"{AT_CNN}10"),
    "channels last": Mistake(cnn("self.conv(x)", "self.conv(x.permute(0, 2, 3, 1))"), OF_CLASS, f"{AT_CNN}9"),
    "BatchNorm1d for pictures": Mistake(cnn("BatchNorm2d", "BatchNorm1d"), OF_CLASS, "ValueError in cell 2, line 9"),
    "batch normalization after the ReLU": Mistake(cnn("F.relu(self.norm(self.conv(x)))", "self.norm(F.relu(self.conv(x)))", called=True), OF_CLASS, "ReLU"),
    "another rate of a dropout": Mistake(cnn("0.2", "0.5", called=True), OF_CLASS, "Dropout with p 0.5, expected 0.2"),
    "a dropout that is not called": Mistake(cnn("self.drop(x.flatten(1))", "x.flatten(1)", called=True), OF_CLASS, "Dropout(p=0.2) is missing"),
    "another kernel": Mistake(cnn("3, padding=1", "5, padding=2", called=True), OF_CLASS, "372 parameters, exactly 308 asked"),
    "padding forgotten": Mistake(CNN.replace(", padding=1", "").replace("64", "36"), OF_CNN.replace("out_channels=4", "out_channels=4, padding=1"), "padding"),
    "a wrong number after Flatten": Mistake(CNN.replace("64", "100").rsplit("\n", 2)[0], OF_CNN, "does not accept rows of the shape (1, 8, 8): RuntimeError", helps=False),
    "pooling forgotten": Mistake(CNN.replace("nn.MaxPool2d(2), ", "").replace("64", "256"), OF_CNN, "MaxPool2d is missing"),
    # --- losses and training
    "softmax before cross-entropy": Mistake(NET.replace("self.out(F", "F.softmax(self.out(F").replace("(x)))", "(x))), dim=1)") + TRAINED, LOSS.replace("1.0", "0.5"), "full credit at 0.5 or less", helps=False),
    "not trained": Mistake(CALLED, LOSS, "full credit at 1 or less"),
    "half trained": Mistake(NET + TRAINED.replace("200", "3"), ACCURACY, "full credit at 0.9 or more"),
    "no zero_grad": Mistake(step("    optimizer.zero_grad()\n", ""), STEP, "gradients of earlier batches are added"),
    "no backward": Mistake(step("    loss.backward()\n", ""), STEP, "no weight changes: the optimizer takes no step"),
    "no step": Mistake(step("    optimizer.step()\n", ""), STEP, "no weight changes: the optimizer takes no step"),
    "step before backward": Mistake(step("    loss.backward()\n    optimizer.step()", "    optimizer.step()\n    loss.backward()"), STEP, "before"),
    "zero_grad after backward": Mistake(step("    optimizer.zero_grad()\n    loss", "    loss").replace("backward()\n", "backward()\n    optimizer.zero_grad()\n"), STEP, "no weight changes: the optimizer takes no step"),
    "softmax in the step": Mistake(step("model(x), y", "model(x).softmax(1), y"), STEP, "softmax"),
    "a sum in place of a mean": Mistake(step("loss_fn(model(x), y)", "F.cross_entropy(model(x), y, reduction='sum')"), STEP, "sum"),
    "an optimizer in the step": Mistake(step("    optimizer.step()", "    torch.optim.SGD(model.parameters(), lr=0.01).step()"), STEP, "learning rate"),
    "arguments of the loss swapped": Mistake(step("loss_fn(model(x), y)", "loss_fn(y, model(x))"), STEP, "the step raises"),
    "loss detached": Mistake(step("loss = loss_fn(model(x), y)", "loss = loss_fn(model(x).detach(), y)"), STEP, "the step raises"),
    "gradients off": Mistake(step("    loss = loss_fn(model(x), y)\n", "    with torch.no_grad():\n        loss = loss_fn(model(x), y)\n"), STEP, "the step raises"),
    # --- optimizers
    "a wrong rate": Mistake(CALLED + "optimizer = torch.optim.Adam(model.parameters(), lr=0.1)", ADAM, "the learning rate is not 0.001"),
    "another optimizer": Mistake(CALLED + "optimizer = torch.optim.SGD(model.parameters(), lr=0.001)", ADAM, "it is no Adam"),
    "an optimizer of one layer": Mistake(CALLED + "optimizer = torch.optim.Adam(model.out.parameters(), lr=0.001)", ADAM, "it does not train all of the model's parameters"),
    "an optimizer of the model before": Mistake(CALLED + "optimizer = torch.optim.Adam(model.parameters(), lr=0.001)\nmodel = Net()", ADAM, "it does not train all of the model's parameters"),
    "the generator for the optimizer": Mistake(CALLED + "optimizer = model.parameters()", ADAM, "this is not an optimizer"),
}  # fmt: skip
