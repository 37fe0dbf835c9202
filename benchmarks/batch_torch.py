"""A batch of small PyTorch submissions: this kit beside nbgrader, otter, bare scripts, and the students' own work.

    benchmarks/batch_torch.py                       40 submissions, 5 for the slow ones: about five minutes
    benchmarks/batch_torch.py --quick               4 submissions, 2 for the slow ones: about two minutes
    benchmarks/batch_torch.py --short               the rows that decide: about two minutes
    benchmarks/batch_torch.py --otter PYTHON        otter, too; PYTHON is what otter-grader and torch are installed for

The exercise is that of batch_keras.py in PyTorch: 12,000 rows of the stand-in (93 features, 9 classes), a small module,
a training step, five epochs, five questions, one with a threshold for the validation loss. No two submissions are the
same, and some are partly wrong. Every grader must give the right scores, or no table is printed. The table is that of
batch_keras.py. It needs PyTorch (scripts/install-torch). No notebook imports TensorFlow or Keras.
"""

from __future__ import annotations

from pathlib import Path

from exercise import Exercise, Question
from graders import NBGRADER, ROOT, Competitor, compared, floors, nbgrader, otter, own, parser, scripts
from measurement import machine

SETUP = """\
import numpy as np
import torch
from torch import nn
from kaggle_data import make_synthetic, preprocess_data, preprocess_labels

torch.set_num_threads(1)
counts, labels = make_synthetic(12_000, seed=7)
X, scaler = preprocess_data(counts)
y, encoder = preprocess_labels(labels, categorical=False)
X_train, X_val, y_train, y_val = map(torch.as_tensor, (X[:10_000], X[10_000:], y[:10_000], y[10_000:]))
loss_fn = nn.CrossEntropyLoss()"""


def network(number: int) -> str:
    return f"""\
class Network(nn.Module):
    def __init__(self, units):
        super().__init__()
        self.hidden, self.scores = nn.Linear(93, units), nn.Linear(units, 9)

    def forward(self, x):
        return self.scores(torch.relu(self.hidden(x)))


units = {64 + number % 50}
torch.manual_seed({number})
model = Network(units)"""


def parameters(number: int) -> str:
    return "parameters = sum(p.numel() for p in model.parameters())" + (" - 9" if number % 7 == 3 else "")


TRAINING = """\
def train_step(x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


optimizer = torch.optim.Adam(model.parameters(), lr=0.002)
losses = []
for epoch in range(5):
    batches = torch.randperm(len(X_train)).split(128)
    losses.append(float(np.mean([train_step(X_train[i], y_train[i]) for i in batches])))"""

LOSS = """\
model.eval()
with torch.no_grad():
    scores = model(X_val)
validation_loss = loss_fn(scores, y_val).item()"""


def most_likely(number: int) -> str:
    return f"def most_likely(rows):\n    return rows.argmax(dim=1){'' if number % 4 == 2 else ' + 1'}"


EXERCISE = Exercise(
    name="module",
    setup=SETUP,
    questions=(
        Question(
            "network",
            network,
            "assert tuple(model(X_val[:5]).shape) == (5, 9)",
            "assert tuple(model(X_val[:7]).shape) == (7, 9)",
        ),
        Question(
            "parameters",
            parameters,
            "assert parameters < 50_000",
            "assert parameters == 93 * units + units + units * 9 + 9",
        ),
        Question("training", lambda number: TRAINING, "assert len(losses) == 5", "assert losses[-1] < losses[0]"),
        Question(
            "loss",
            lambda number: LOSS,
            "assert tuple(scores.shape) == (2_000, 9)",
            "assert nn.functional.cross_entropy(model(X_val), y_val).item() < 0.7",
        ),
        Question(
            "most_likely",
            most_likely,
            "assert most_likely(torch.eye(3)).tolist() == [1, 2, 3]",
            "assert most_likely(torch.tensor([[0.1, 0.2, 0.7], [0.5, 0.3, 0.2]])).tolist() == [3, 1]",
        ),
    ),
    score=lambda number: 5.0 - (number % 7 == 3) - (number % 4 == 2),
    imports=("numpy", "torch", "torch._dynamo", "sklearn", "kaggle_data"),
    files={"kaggle_data.py": ROOT / "kaggle_data.py"},
)


def main() -> None:
    options = parser(__doc__, 40, 5)
    options.add_argument("--otter", type=Path, metavar="PYTHON", help="the python that otter-grader is installed for")
    given = options.parse_args()
    described = machine("torch", "nbgrader")
    competitors = [
        *own([2]),
        Competitor(NBGRADER, nbgrader, slow=True),
        *(
            [Competitor("`otter run`, one after the other", otter(given.otter.absolute()), slow=True)]
            if given.otter
            else []
        ),
        Competitor("`python script.py`, imports included, no test", scripts, slow=True, extra=True),
        *floors(),
    ]
    print(f"{described}. {compared(EXERCISE, competitors, given)}")


if __name__ == "__main__":
    main()
