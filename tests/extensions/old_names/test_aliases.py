"""The alias package ``theano`` over PyTensor: old notebooks run as they stand, and a real Theano comes first."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from helpers.theano_notebook import NOTEBOOK

import autograder
from autograder.execution.own_kernel import sandboxed_kernel
from autograder.records.limits import Limits
from autograder.sandbox import default_sandbox

FOLDER = Path(autograder.__file__).parent / "extensions/old_names/aliases"
QUICK = """\
import pytensor
from pytensor.compile.mode import Mode
pytensor.config.mode = Mode(linker="py", optimizer="merge")
"""

pytestmark = pytest.mark.filterwarnings("ignore")


def run(source: str, *, quick: bool = True) -> subprocess.CompletedProcess[str]:
    """Run ``source`` in a process of its own, as a notebook at home would: one line first."""
    pytest.importorskip("pytensor")
    first = "import autograder.aliases\n" + (QUICK if quick else "")
    return subprocess.run([sys.executable, "-c", first + source], capture_output=True, text=True, timeout=120)


def printed(source: str) -> str:
    done = run(source)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.integration
def test_a_logistic_regression_of_theanos_time_runs_unmodified() -> None:
    assert float(printed(NOTEBOOK).split()[-1]) > 0.85


def test_the_parts_that_pytensor_has_are_pytensors_own() -> None:
    printed("""
import theano, theano.tensor as T, pytensor, pytensor.tensor
import theano.printing, theano.gradient, theano.tensor.slinalg, theano.gof
from theano import shared, function
from theano.ifelse import ifelse
from theano.tensor import *
assert theano.function is pytensor.function and theano.shared is pytensor.shared
assert theano.printing is pytensor.printing and theano.config is pytensor.config
assert T.dmatrix is pytensor.tensor.dmatrix and dmatrix is T.dmatrix and T.grad is pytensor.grad
assert theano.gof is pytensor.graph and ifelse is pytensor.ifelse and theano.ifelse.ifelse is ifelse
assert theano.config.floatX == "float64"
assert "exp" in theano.pp(T.exp(T.dscalar("z"))).lower()
assert pytensor.printing.__spec__.name == "pytensor.printing"
""")


@pytest.mark.integration
def test_what_pytensor_left_out_of_nnet_is_made_up_for() -> None:
    printed("""
import numpy as np, theano, theano.tensor as T
a, t = T.dmatrix("a"), T.ivector("t")
nn = T.nnet
rows = np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])
soft = np.exp(rows) / np.exp(rows).sum(axis=1, keepdims=True)
outputs = [nn.softmax(a), nn.logsoftmax(a), nn.categorical_crossentropy(nn.softmax(a), t),
           nn.categorical_crossentropy(nn.softmax(a), nn.softmax(a)), nn.softmax(a[0]), nn.relu(-a), nn.relu(-a, 0.5),
           nn.sigmoid(a), nn.softplus(a), nn.hard_sigmoid(a), nn.elu(-a), nn.softsign(-a),
           nn.binary_crossentropy(nn.sigmoid(a), 1), nn.sigmoid_binary_crossentropy(a, 0)]
found = theano.function([a, t], outputs)(rows, [0, 1])
wanted = [soft, np.log(soft), -np.log(soft[[0, 1], [0, 1]]), -(soft * np.log(soft)).sum(axis=1), soft[:1], 0 * rows,
          -rows / 2, 1 / (1 + np.exp(-rows)), np.log1p(np.exp(rows)), np.clip(0.2 * rows + 0.5, 0, 1), np.expm1(-rows),
          -rows / (1 + rows), np.log1p(np.exp(-rows)), np.log1p(np.exp(rows))]
for f, e in zip(found, wanted):
    np.testing.assert_allclose(f, e, atol=1e-12)
    assert f.shape == e.shape
""")


@pytest.mark.integration
def test_random_streams_draw_anew_at_each_call_and_scan_gives_updates() -> None:
    printed("""
import warnings; warnings.simplefilter("error")
import numpy as np, theano, theano.tensor as T
from theano.tensor.shared_randomstreams import RandomStreams
from theano.sandbox.rng_mrg import MRG_RandomStreams
for kind in (RandomStreams, MRG_RandomStreams, T.shared_randomstreams.RandomStreams):
    stream = kind(seed=7)
    f = theano.function([], [stream.uniform((500,)), stream.normal((500,), avg=5.0), stream.binomial((500,), p=0.25)])
    first, second = f(), f()
    assert not np.allclose(first[0], second[0])
    assert abs(first[0].mean() - 0.5) < 0.1 and abs(first[1].mean() - 5) < 0.3 and abs(first[2].mean() - 0.25) < 0.1
k, v = T.iscalar(), T.dvector()
powers, updates = theano.scan(lambda before, v: before * v, outputs_info=T.ones_like(v), non_sequences=v, n_steps=k)
assert list(theano.function([v, k], powers[-1], updates=updates)([1.0, 2.0, 3.0], 3)) == [1, 8, 27]
""")


MISSING = {
    "import theano.gpuarray": "PyTensor has nothing like theano.gpuarray",
    "import theano; theano.wonder": "neither this alias nor PyTensor has theano.wonder",
    "import theano.tensor as T; T.wonder": "neither this alias nor PyTensor has theano.tensor.wonder",
    "import theano.tensor as T; T.nnet.conv2d": "PyTensor has nothing like theano.tensor.nnet.conv2d",
}


@pytest.mark.integration
def test_what_is_missing_is_said() -> None:
    said = printed(f"""
for source in {[*MISSING]!r}:
    try:
        exec(source)
    except (ImportError, AttributeError, NotImplementedError) as error:
        print(error)
    else:
        print("nothing is missing")
""").splitlines()
    assert [expected in line for expected, line in zip(MISSING.values(), said, strict=True)] == [True] * 4, said


@pytest.mark.integration
def test_where_pytensor_is_missing_its_name_is_said() -> None:
    done = run("import sys; sys.modules['pytensor'] = None; import theano", quick=False)
    assert done.returncode == 1
    assert "Its successor PyTensor can stand in for it: pip install pytensor" in done.stderr.strip().splitlines()[-1]


def test_a_real_theano_comes_first(tmp_path: Path) -> None:
    """The aliases are the last folder of the path, and asking for them imports nothing."""
    (tmp_path / "theano.py").write_text("__version__ = '1.0.5'")
    source = f"""
import sys
sys.path.append({str(tmp_path)!r})
import autograder.aliases
assert sys.path[-1] == {str(FOLDER)!r} and sys.path.count(sys.path[-1]) == 1
assert "pytensor" not in sys.modules
import theano
assert theano.__version__ == "1.0.5"
"""
    subprocess.run([sys.executable, "-c", source], check=True, timeout=60)


@pytest.mark.sandbox
def test_a_notebook_with_import_theano_runs_in_the_kits_kernel() -> None:
    pytest.importorskip("pytensor")
    kernel = sandboxed_kernel(default_sandbox(), {}, Limits(memory_mib=1024, disk_mib=64))
    try:
        ran = kernel.run(QUICK + NOTEBOOK, 60)
        assert ran.status == "ok", ran.error
        assert float(ran.outputs[0]["text"].split()[-1]) > 0.85
        where = kernel.run(
            "import sys\nprint(sys.path[0] == '', sys.path[-1], theano.__file__.startswith(sys.path[-1]))", 10
        )
        assert where.outputs[0]["text"] == "True /opt/kernel/aliases True\n"
    finally:
        kernel.close()


def test_a_notebook_that_imports_nose_finds_its_assertions() -> None:
    source = "from nose.tools import *\nimport nose\nassert_equal(1, 1)\neq_(1, 1)\nassert_not_almost_equals(1, 2)\n"
    first = "import autograder.aliases\n"
    done = subprocess.run([sys.executable, "-c", first + source], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
