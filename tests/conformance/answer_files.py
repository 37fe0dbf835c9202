"""Conformance of answer files with pytest: hand-ins of a public course's assignment, with known truth.

``python -m conformance.answer_files ASSIGNMENT``: the folder of CS231n's first assignment with its six modules solved,
from a checkout of one's own. Nothing of it is changed: the course's own marks around each answer are named in
nbgrader_config.py. The hand-ins are made of it: the solution, the release, each marked block alone left out, and each
block with slips. The truth is what plain pytest says of the same tests in the same folder.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from click.testing import CliRunner

from autograder.cli import main as autograder

BEGIN, END = (f"*****{word} OF YOUR CODE (DO NOT DELETE/MODIFY THIS LINE)*****" for word in ("START", "END"))
ANSWERS = [
    "cs231n/layers.py",
    "cs231n/optim.py",
    "cs231n/classifiers/fc_net.py",
    "cs231n/classifiers/k_nearest_neighbor.py",
    "cs231n/classifiers/linear_classifier.py",
    "cs231n/classifiers/linear_svm.py",
    "cs231n/classifiers/softmax.py",
]
GIVEN = ["cs231n/__init__.py", "cs231n/classifiers/__init__.py", "cs231n/layer_utils.py", "cs231n/gradient_check.py"]
CONFIG = f"""\
c = get_config()
c.ClearSolutions.begin_solution_delimeter = "{BEGIN}"
c.ClearSolutions.end_solution_delimeter = "{END}"
c.ClearSolutions.code_stub = {{"python": "pass"}}
"""
HEAD = """\
import numpy as np
import pytest
from cs231n.gradient_check import eval_numerical_gradient_array as numerical


def rel(a, b):
    assert np.shape(a) == np.shape(b)
    return np.max(np.abs(a - b) / np.maximum(1e-8, np.abs(a) + np.abs(b)))


def data(*shape):
    return np.random.RandomState(231).randn(*shape)

"""
TESTS = {
    "affine_forward": """\
from cs231n.layers import affine_forward
x, w, b = data(2, 2, 3), data(6, 4), data(4)
out, _ = affine_forward(x, w, b)
assert rel(out, x.reshape(2, 6).dot(w) + b) < 1e-8""",
    "affine_backward": """\
from cs231n.layers import affine_backward
x, w, b, dout = data(3, 2, 2), data(4, 5), data(5), data(3, 5)
dx, dw, db = affine_backward(dout, (x, w, b))
assert rel(dx, dout.dot(w.T).reshape(x.shape)) < 1e-8
assert rel(dw, x.reshape(3, 4).T.dot(dout)) < 1e-8
assert rel(db, dout.sum(0)) < 1e-8""",
    "relu_forward": """\
from cs231n.layers import relu_forward
x = np.linspace(-0.5, 0.5, num=12).reshape(3, 4)
out, _ = relu_forward(x)
assert np.allclose(out, np.where(x > 0, x, 0))""",
    "relu_backward": """\
from cs231n.layers import relu_backward
x, dout = data(4, 5), data(4, 5) + 3
assert np.allclose(relu_backward(dout, x), np.where(x > 0, dout, 0))""",
    "svm_loss": """\
from cs231n.layers import svm_loss
x, y = data(6, 4), np.array([0, 1, 2, 3, 0, 1])
loss, dx = svm_loss(x, y)
margins = np.maximum(0, x - x[np.arange(6), y][:, None] + 1.0)
margins[np.arange(6), y] = 0
assert abs(loss - margins.sum() / 6) < 1e-8
wanted = (margins > 0).astype(float)
wanted[np.arange(6), y] -= (margins > 0).sum(1)
assert np.allclose(dx, wanted / 6)""",
    "softmax_loss": """\
from cs231n.layers import softmax_loss
x, y = 3 * data(6, 4), np.array([0, 1, 2, 3, 0, 1])
loss, dx = softmax_loss(x, y)
p = np.exp(x) / np.exp(x).sum(1, keepdims=True)
assert abs(loss + np.log(p[np.arange(6), y]).mean()) < 1e-8
p[np.arange(6), y] -= 1
assert np.allclose(dx, p / 6)""",
    "affine_relu": """\
from cs231n.layer_utils import affine_relu_forward, affine_relu_backward
x, w, b, dout = data(2, 3, 4), data(12, 10), data(10), data(2, 10)
out, cache = affine_relu_forward(x, w, b)
dx, dw, db = affine_relu_backward(dout, cache)
score = x.reshape(2, 12).dot(w) + b
assert np.allclose(out, score * (score > 0))
assert np.allclose(dw, x.reshape(2, 12).T.dot(dout * (score > 0)))""",
    "sgd": """\
from cs231n.optim import sgd
w, config = sgd(np.ones(3), np.array([1.0, 2.0, -1.0]), {"learning_rate": 0.1})
assert np.allclose(w, [0.9, 0.8, 1.1])""",
    "two_layer_net_init": """\
from cs231n.classifiers.fc_net import TwoLayerNet
model = TwoLayerNet(input_dim=5, hidden_dim=50, num_classes=7, weight_scale=1e-3)
assert {k: v.shape for k, v in model.params.items()} == {"W1": (5, 50), "b1": (50,), "W2": (50, 7), "b2": (7,)}
assert abs(np.std(model.params["W1"]) - 1e-3) < 3e-4
assert np.all(model.params["b2"] == 0)""",
    "two_layer_net_scores": """\
from cs231n.classifiers.fc_net import TwoLayerNet
model = TwoLayerNet(input_dim=4, hidden_dim=6, num_classes=3, weight_scale=1.0)
x = data(5, 4)
w1, b1, w2, b2 = (np.array(model.params[k]) for k in ("W1", "b1", "W2", "b2"))
assert np.allclose(model.loss(x), np.maximum(0, x.dot(w1) + b1).dot(w2) + b2)""",
    "two_layer_net_gradients": """\
from cs231n.classifiers.fc_net import TwoLayerNet
model = TwoLayerNet(input_dim=4, hidden_dim=6, num_classes=3, weight_scale=1.0, reg=0.7)
x, y = data(5, 4), np.array([0, 1, 2, 0, 1])
w1, b1, w2, b2 = (np.array(model.params[k]) for k in ("W1", "b1", "W2", "b2"))
loss, grads = model.loss(x, y)
h = np.maximum(0, x.dot(w1) + b1)
s = h.dot(w2) + b2
p = np.exp(s - s.max(1, keepdims=True))
p /= p.sum(1, keepdims=True)
assert abs(loss + np.log(p[np.arange(5), y]).mean() - 0.35 * ((w1 ** 2).sum() + (w2 ** 2).sum())) < 1e-8
p[np.arange(5), y] -= 1
assert np.allclose(grads["W2"], h.T.dot(p / 5) + 0.7 * w2)
assert np.allclose(grads["b1"], ((p / 5).dot(w2.T) * (h > 0)).sum(0))""",
    "knn_two_loops": """\
from cs231n.classifiers.k_nearest_neighbor import KNearestNeighbor
knn = KNearestNeighbor()
knn.train(data(6, 3), np.arange(6) % 3)
x = data(4, 3) + 0.3
assert np.allclose(knn.compute_distances_two_loops(x), np.linalg.norm(x[:, None] - data(6, 3)[None], axis=2))""",
    "knn_one_loop": """\
from cs231n.classifiers.k_nearest_neighbor import KNearestNeighbor
knn = KNearestNeighbor()
knn.train(data(6, 3), np.arange(6) % 3)
x = data(4, 3) + 0.3
assert np.allclose(knn.compute_distances_one_loop(x), np.linalg.norm(x[:, None] - data(6, 3)[None], axis=2))""",
    "knn_no_loops": """\
from cs231n.classifiers.k_nearest_neighbor import KNearestNeighbor
knn = KNearestNeighbor()
knn.train(data(6, 3), np.arange(6) % 3)
x = data(4, 3) + 0.3
assert np.allclose(knn.compute_distances_no_loops(x), np.linalg.norm(x[:, None] - data(6, 3)[None], axis=2))""",
    "knn_labels": """\
from cs231n.classifiers import KNearestNeighbor
knn = KNearestNeighbor()
knn.train(np.zeros((5, 1)), np.array([2, 1, 1, 0, 2]))
dists = np.array([[1.0, 2, 3, 4, 5], [5, 4, 3, 2, 1], [9, 1, 2, 3, 8]])
assert list(knn.predict_labels(dists, k=3)) == [1, 0, 1]
assert list(knn.predict_labels(dists, k=1)) == [2, 2, 1]""",
    **{
        f"{kind}_{how}": f"""\
from cs231n.classifiers.{module} import {kind}_loss_{how}
w, x, y = 0.5 * data(4, 3), data(6, 4), np.array([0, 1, 2, 0, 1, 2])
loss, dw = {kind}_loss_{how}(w, x, y, 0.3)
{reference}
assert abs(loss - wanted - 0.3 * (w ** 2).sum()) < 1e-8
assert np.allclose(dw, x.T.dot(d) + 0.6 * w)"""
        for kind, module, reference in (
            (
                "softmax",
                "softmax",
                "p = np.exp(x.dot(w)); p /= p.sum(1, keepdims=True)\n"
                "wanted = -np.log(p[np.arange(6), y]).mean()\np[np.arange(6), y] -= 1; d = p / 6",
            ),
            (
                "svm",
                "linear_svm",
                "s = x.dot(w); m = np.maximum(0, s - s[np.arange(6), y][:, None] + 1); m[np.arange(6), y] = 0\n"
                "wanted = m.sum() / 6\nd = (m > 0).astype(float); d[np.arange(6), y] -= d.sum(1); d = d / 6",
            ),
        )
        for how in ("naive", "vectorized")
    },
    "linear_predict": """\
from cs231n.classifiers import LinearSVM
model = LinearSVM()
model.W = data(4, 3)
x = data(7, 4)
assert list(model.predict(x)) == list(x.dot(data(4, 3)).argmax(1))""",
    "linear_train": """\
from cs231n.classifiers import Softmax
np.random.seed(0)
model = Softmax()
x = np.concatenate([data(40, 2) + [4, 0], data(40, 2) - [4, 0]])
history = model.train(x, np.repeat([0, 1], 40), learning_rate=0.1, reg=1e-3, num_iters=60, batch_size=20)
assert len(history) == 60
assert history[-1] < 0.2 < 0.5 < history[0]""",
}
SLIPS = [
    (" + ", " - "), (" - ", " + "), (" * ", " + "), ("axis=1", "axis=0"), ("axis=0", "axis=1"), (".T", ""), (" > 0", " < 0"),
    ("np.maximum", "np.minimum"), (" / ", " * "), ("np.sum", "np.max"), (" @ ", " * "), ("-=", "+="), ("+=", "-="),
]  # fmt: skip


def lay_out(assignment: Path, root: Path) -> Path:
    """Make a course of the assignment's folder."""
    source = root / "source/a1"
    for name in [*ANSWERS, *GIVEN]:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(assignment / name, source / name)
    (source / "tests").mkdir()
    (source / "tests/test_all.py").write_text(tests())
    (root / "nbgrader_config.py").write_text(CONFIG)
    listed = ", ".join(ANSWERS)
    (root / "course.yaml").write_text(f"course: conformance\nassignments:\n  a1: {{answers: [{listed}]}}\n")
    return source


def tests() -> str:
    """Write the test file: each question is a point."""
    indented = {name: "\n".join(f"    {line}" for line in body.split("\n")) for name, body in TESTS.items()}
    return HEAD + "".join(f"\n@pytest.mark.points(1)\ndef test_{n}():\n{body}\n\n" for n, body in indented.items())


def blocks(text: str) -> list[tuple[int, int]]:
    """Find the lines between the marks."""
    lines = text.split("\n")
    begins = [number for number, line in enumerate(lines) if BEGIN in line]
    return [(first, next(n for n in range(first, len(lines)) if END in lines[n])) for first in begins]


def hand_ins(source: Path, most: int) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Make hand-ins: name → the files that differ from the solution."""
    yield "solution", {}
    count = 0
    for name in ANSWERS:
        text = (source / name).read_text()
        lines = text.split("\n")
        for number, (first, last) in enumerate(blocks(text)):
            indent = re.match(r"\s*", lines[first])[0]  # type: ignore[index]
            label = f"{Path(name).stem}-{number}"
            yield f"{label}-blank", {name: "\n".join([*lines[:first], f"{indent}pass", *lines[last + 1 :]])}
            for line in range(first + 1, last):
                for old, new in SLIPS:
                    if old in lines[line] and not lines[line].lstrip().startswith("#") and count < most:
                        count += 1
                        changed = [*lines[:line], lines[line].replace(old, new, 1), *lines[line + 1 :]]
                        yield f"{label}-slip{count}", {name: "\n".join(changed)}


def truth(folder: Path) -> dict[str, float]:
    """Ask plain pytest."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rA", "tests/test_all.py"]
    said = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout
    passed = set(re.findall(r"^PASSED tests/test_all.py::test_(\w+)", said, re.MULTILINE))
    return {name: float(name in passed) for name in TESTS}


def run(*arguments: str) -> str:
    """Run a command of the kit."""
    result = CliRunner().invoke(autograder, arguments)
    if result.exit_code:
        raise SystemExit(result.output)
    return result.output


def main() -> None:
    """Compare the points of all hand-ins with pytest's verdicts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("assignment", type=Path)
    parser.add_argument("--slips", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        source = lay_out(options.assignment, root)
        print(run("release", "a1", "--course", folder))
        wanted: dict[str, dict[str, float]] = {"release": dict.fromkeys(TESTS, 0.0)}
        shutil.copytree(root / "release/a1", root / "submitted/release/a1")
        for name, files in hand_ins(source, options.slips):
            target = root / f"submitted/{name}/a1"
            shutil.copytree(source, target)
            for path, text in files.items():
                (target / path).write_text(text)
            wanted[name] = truth(target)
            shutil.rmtree(target / "tests")
        run("grade", "a1", "--course", folder)
        differences, by_person = [], 0
        for name, truths in wanted.items():
            result = json.loads((root / f"autograded/{name}/a1/result.json").read_text())
            for question in result["questions"]:
                test = question["id"].split("::test_")[1]
                by_person += question["needs_manual_grade"]
                if question["score"] != truths[test]:
                    differences.append((name, test, question["score"], truths[test], question["message"][:100]))
    count = len(wanted) * len(TESTS)
    wrong = sum(1 for truths in wanted.values() for right in truths.values() if not right)
    print(f"{len(wanted)} hand-ins, {count} questions, {wrong} of them wrong; {by_person} wait for a person")
    print(f"{len(differences)} differ from pytest")
    for difference in differences:
        print("  ", *difference)


if __name__ == "__main__":
    main()
