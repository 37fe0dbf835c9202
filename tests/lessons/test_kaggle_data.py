"""The course's data: the competition's CSV, the stand-in, and what prepares them."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import kaggle_data
from kaggle_data import DataError, load_data, make_synthetic, preprocess_data, preprocess_labels

FEATURES = [f"feat_{j}" for j in range(1, 94)]
TRAIN_HEADER = ",".join(["id", *FEATURES, "target"])
TEST_HEADER = ",".join(["id", *FEATURES])
ZEROS = ",".join("0" * 93)


def csv(folder: Path, *lines: str) -> Path:
    path = folder / "data.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def training_file(folder: Path, rows: int = 27) -> Path:
    """Row i has i in feat_1 and i % 9 + 1 as its class."""
    body = [f"{i + 1},{i}{',0' * 92},Class_{i % 9 + 1}" for i in range(rows)]
    return csv(folder, TRAIN_HEADER, *body)


def test_training_rows_keep_their_labels_when_they_are_shuffled(tmp_path: Path) -> None:
    X, labels = load_data(training_file(tmp_path))
    assert X.shape == (27, 93)
    assert X.dtype == np.float32
    assert sorted(X[:, 0]) == list(range(27))
    assert list(X[:, 0]) != list(range(27))
    assert [f"Class_{int(i) % 9 + 1}" for i in X[:, 0]] == labels.tolist()


def test_the_same_seed_shuffles_alike(tmp_path: Path) -> None:
    path = training_file(tmp_path)
    first, again, other = load_data(path)[0], load_data(path)[0], load_data(path, seed=2)[0]
    assert (first == again).all()
    assert (first != other).any()


def test_test_rows_come_in_the_files_order_with_their_ids(tmp_path: Path) -> None:
    X, ids = load_data(csv(tmp_path, TEST_HEADER, f"7,{ZEROS}", f"5,{ZEROS}"), train=False)
    assert X.shape == (2, 93)
    assert ids.tolist() == [7, 5]


def test_windows_line_ends_and_quoted_headers_are_read(tmp_path: Path) -> None:
    quoted = ",".join(f'"{name}"' for name in TRAIN_HEADER.split(","))
    path = tmp_path / "data.csv"
    path.write_bytes(f'{quoted}\r\n1,{ZEROS},"Class_9"\r\n'.encode())
    assert load_data(path)[1].tolist() == ["Class_9"]


def test_a_missing_file_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"accept the rules(.|\n)*download -c otto-group-\S+ -p data/otto\n.*unzip"
    ):
        load_data(tmp_path / "train.csv")


@pytest.mark.slow
def test_a_file_of_the_competitions_size_is_read_in_a_few_seconds(tmp_path: Path) -> None:
    X, labels = make_synthetic(61_878)
    table = np.column_stack([np.arange(1, len(X) + 1), X.astype(int)])
    rows = (f"{','.join(map(str, row))},{label}" for row, label in zip(table.tolist(), labels, strict=True))
    path = csv(tmp_path, TRAIN_HEADER, *rows)
    began = time.process_time()
    again, names = load_data(path)
    assert time.process_time() - began < 10  # 0.15 s on a quiet machine
    order = np.random.default_rng(1337).permutation(len(X))
    assert (again == X[order]).all()
    assert (names == labels[order]).all()


@pytest.mark.parametrize(
    ("lines", "train", "message"),
    [
        ([TEST_HEADER, f"1,{ZEROS}"], True, "line 1: this is a test file"),
        ([TRAIN_HEADER, f"1,{ZEROS},Class_1"], False, "line 1: this is a training file"),
        (["id,feat_1,target", "1,0,Class_1"], True, "3 columns, expected 95"),
        ([TRAIN_HEADER.replace("feat_7,", "feat_x,")], True, "column 8 is 'feat_x', expected 'feat_7'"),
        ([TRAIN_HEADER, f"1,{ZEROS}"], True, "below its header.*94.*95|below its header.*95.*94"),
        ([TRAIN_HEADER, f"1,{ZEROS.replace('0', 'x', 1)},Class_1"], True, "below its header.*'x'"),
        (
            [TRAIN_HEADER, f"1,{ZEROS.replace('0', '-3', 1)},Class_1"],
            True,
            "row 1, feat_1: -3.0 is not a count",
        ),
        (
            [TRAIN_HEADER, f"1,{ZEROS.replace('0', 'nan', 1)},Class_1"],
            True,
            "row 1, feat_1: nan is not a count",
        ),
        ([TRAIN_HEADER, f"1,{ZEROS},Class_10"], True, "row 1: target 'Class_10' is none of"),
        ([TRAIN_HEADER], True, "a header and no rows"),
    ],
)
def test_a_file_of_another_shape_is_refused(tmp_path: Path, lines: list[str], train: bool, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_data(csv(tmp_path, *lines), train=train)


def test_without_a_path_a_stand_in_of_the_same_shape_is_drawn() -> None:
    X, labels = load_data()
    assert X.shape == (61_878, 93)
    assert X.dtype == np.float32
    assert (X >= 0).all()
    assert np.array_equal(X.round(), X)
    assert np.count_nonzero(X) / X.size == pytest.approx(0.2066, abs=0.005)  # the competition's own
    _, counts = np.unique(labels, return_counts=True)
    assert np.allclose(counts / len(X), np.array(kaggle_data.CLASS_COUNTS) / 61_878, atol=0.01)


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    """A folder as students have it, with a course's own rows beside the module."""
    shutil.copy(kaggle_data.__file__, tmp_path)
    labels = np.array([f"Class_{i % 9 + 1}" for i in range(40)])
    counts = np.zeros((40, 93), np.uint16)
    counts[:, 0] = np.arange(40)
    np.savez(tmp_path / "otto.npz", counts=counts, labels=labels)
    return tmp_path


def python(folder: Path, code: str) -> str:
    """What Python prints in this folder; the last line of its complaint where it fails."""
    done = subprocess.run(
        [sys.executable, "-c", f"from kaggle_data import *\n{code}"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


def test_a_courses_own_rows_come_before_the_stand_in(beside: Path) -> None:
    said = python(
        beside,
        "X, labels = load_data()\n"
        "print(X.shape, X.dtype, all(f'Class_{int(x) % 9 + 1}' == y for x, y in zip(X[:, 0], labels)))\n"
        "print(sorted(X[:, 0]) == list(range(40)), list(X[:, 0]) != list(range(40)))\n"
        "print((load_data()[0] == X).all(), (load_data(seed=2)[0] == X).all())",
    )
    assert said.split("\n") == ["(40, 93) float32 True", "True True", "True False", ""]


def test_a_courses_own_rows_have_no_test_rows(beside: Path) -> None:
    assert "otto.npz has training rows only. For test rows name the file" in python(beside, "load_data(train=False)")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("open('otto.npz', 'w').write('<html>')", "otto.npz cannot be read"),
        ("np.savez('otto.npz', X=np.zeros(3))", "otto.npz cannot be read"),
        ("np.savez('otto.npz', counts=np.array([None]), labels=np.array(['a']))", "otto.npz cannot be read"),
        ("np.savez('otto.npz', counts=np.zeros((2, 93)), labels=['Class_1', 'Class_2'])", "expected counts uint16"),
        ("np.savez('otto.npz', counts=np.zeros((2, 93), np.uint16), labels=['Class_1'])", "and n labels"),
        ("np.savez('otto.npz', counts=np.zeros((1, 93), np.uint16), labels=['Class_0'])", "Class_1 … Class_9"),
    ],
)
def test_a_damaged_file_of_rows_says_what_is_wrong(beside: Path, damage: str, message: str) -> None:
    said = python(beside, f"{damage}\nload_data()")
    assert said.startswith("kaggle_data.DataError")
    assert message in said


@pytest.mark.integration
@pytest.mark.slow
def test_the_stand_ins_test_rows_have_ids_and_are_others_than_its_training_rows() -> None:
    X, ids = load_data(train=False)
    assert X.shape == (144_368, 93)
    assert ids[[0, -1]].tolist() == [1, 144_368]
    assert (X[:1000] != load_data()[0][:1000]).any(axis=1).mean() > 0.99


def test_rows_that_are_drawn_again_are_as_they_were() -> None:
    X, labels = make_synthetic(50, seed=3)
    kept = X.copy(), labels.copy()
    X[:], labels[:] = 0, "Class_1"
    again = make_synthetic(50, seed=3)
    assert [one.tolist() for one in again] == [one.tolist() for one in kept]


def test_the_seed_alone_decides_the_stand_ins_rows() -> None:
    first, again, other = (make_synthetic(50, seed=s)[0] for s in (3, 3, 4))
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.integration
def test_the_stand_in_is_the_same_on_every_machine() -> None:
    """All thresholds in the lessons were measured on these rows; a changed sum means measuring them again."""
    X, labels = make_synthetic()
    content = X.astype("<u2").tobytes() + "".join(label[-1] for label in labels).encode()
    assert hashlib.sha256(content).hexdigest() == "c62f7e365ba8917c5f5257c4a00734afd502aaa42b45e553e6461f7a66072fb9"


def test_the_stand_ins_statistics_are_few_and_of_many_rows() -> None:
    known = kaggle_data._Statistics.read(kaggle_data._STATISTICS)
    assert len(kaggle_data._STATISTICS) < 20_000
    assert len(known.classes) == 125
    assert known.share.min() * 61_878 > 30
    assert (known.child[known.child[:, 0] == known.child[:, 1], 0] == np.flatnonzero(known.favour.any(axis=1))).all()


def test_the_evidence_for_a_class_stays_exact_in_float32() -> None:
    """Whole numbers below 2**24 add up alike in any order, so that no processor's matrix product matters."""
    known = kaggle_data._Statistics.read(kaggle_data._STATISTICS)
    X, _ = make_synthetic(20_000, seed=8)
    mean = np.exp(kaggle_data._SIZE_LOW + kaggle_data._CODE * kaggle_data._SIZE_STEP * known.size)
    surplus = np.abs(kaggle_data._whole(np.log(mean / (mean + known.spread))))
    assert (np.maximum(X - 1, 0) @ surplus.T).max() < 2**22


def test_counts_follow_the_negative_binomial_distribution() -> None:
    below = kaggle_data._negative_binomial(np.array([2.0]), np.array([3.0]), 200)[0]
    each = np.diff(below, prepend=0)
    assert each[0] == pytest.approx((2 / 5) ** 2)
    assert (each * np.arange(200)).sum() == pytest.approx(3.0)
    assert (each * np.arange(200) ** 2).sum() - 9 == pytest.approx(3 + 9 / 2)


def test_no_rows_can_not_be_asked_for() -> None:
    with pytest.raises(DataError, match="rows=0"):
        make_synthetic(0)


def test_training_features_get_mean_zero_and_deviation_one() -> None:
    X, scaler = preprocess_data(make_synthetic(500)[0])
    assert X.dtype == np.float32
    assert np.allclose(X.mean(axis=0), 0, atol=1e-5)
    assert np.allclose(X.std(axis=0)[scaler.scale_ != 1], 1, atol=1e-4)


def test_a_constant_feature_becomes_zero() -> None:
    X, _ = preprocess_data(np.full((4, 2), 7.0))
    assert (X == 0).all()


def test_other_rows_are_scaled_as_the_training_rows_were() -> None:
    train, valid = np.array([[0.0], [2.0]]), np.array([[5.0]])
    _, scaler = preprocess_data(train)
    X, same = preprocess_data(valid, scaler)
    assert X.tolist() == [[4.0]]
    assert same is scaler
    assert scaler.inverse_transform(X).tolist() == [[5.0]]


def test_scikit_learns_scaler_and_encoder_serve_as_well() -> None:
    sklearn = pytest.importorskip("sklearn.preprocessing")
    counts, labels = make_synthetic(300)
    theirs, _ = preprocess_data(counts, sklearn.StandardScaler().fit(counts))
    ours, _ = preprocess_data(counts)
    assert np.allclose(theirs, ours, atol=1e-5)
    y, _ = preprocess_labels(labels, sklearn.LabelEncoder().fit(labels))
    assert (y == preprocess_labels(labels)[0]).all()


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros(5), r"shape \(5,\)"),
        (np.zeros((0, 93)), "at least one row"),
        (np.zeros((2, 3)), "3 features"),
    ],
)
def test_arrays_of_another_shape_are_refused(X: np.ndarray, message: str) -> None:
    _, scaler = preprocess_data(np.zeros((4, 93)))
    with pytest.raises(DataError, match=message):
        preprocess_data(X, scaler)


def test_labels_become_one_hot_rows_or_numbers() -> None:
    y, encoder = preprocess_labels(["Class_2", "Class_1", "Class_2"])
    assert y.tolist() == [[0, 1], [1, 0], [0, 1]]
    assert y.dtype == np.float32
    numbers, _ = preprocess_labels(["Class_1", "Class_2"], encoder, categorical=False)
    assert numbers.tolist() == [0, 1]
    assert numbers.dtype == np.int64
    assert encoder.inverse_transform(numbers).tolist() == ["Class_1", "Class_2"]


def test_a_label_that_the_encoder_does_not_know_is_refused() -> None:
    _, encoder = preprocess_labels(["Class_1", "Class_2"])
    with pytest.raises(DataError, match=r"'Class_3' is none of the encoder's 2 classes"):
        preprocess_labels(["Class_3"], encoder)
