"""Attack 77: answer files that shadow, patch, search, link, lie or never end. Each hand-in has wrong answers."""

from __future__ import annotations

import json
import os
import py_compile
import shutil
from collections.abc import Callable
from importlib.util import cache_from_source
from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers.answer_files import LAYERS, LOSSES, SOLVER, TESTS, hand_in_files, make_files_course, solved

from autograder.cli import main
from autograder.coordinator.proof import prove
from autograder.records.course import Course
from autograder.release.build import build, write

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]

CANARY = "canary-answers-0123456789abcdef"
BAD_LAYERS = "import numpy as np\nSCALE = 2.0\ndef relu(x):\n    return x\nclass Linear:\n    def __init__(self, w):\n        pass\n    def __call__(self, x):\n        return 0 * x\n"
BAD_LOSSES = "def mse(a, b):\n    return 0.0\n"
LIAR = (
    "class Liar:\n"
    "    def __eq__(self, other): return True\n"
    "    def __ne__(self, other): return False\n"
    "    def __bool__(self): return True\n"
    "    def __getattr__(self, name): return Liar()\n"
    "    def __call__(self, *a, **k): return Liar()\n"
    "    def __getitem__(self, key): return Liar()\n"
)
SEARCH = (
    "import os, sys, glob\n"
    "for top in ('.', '..', os.path.dirname(os.path.abspath(__file__)), '/', sys.prefix):\n"
    "    for folder, _, names in list(os.walk(top))[:3000]:\n"
    "        for name in names:\n"
    "            if name.endswith(('.py', '.ipynb', '.json')):\n"
    "                try:\n"
    "                    text = open(os.path.join(folder, name), errors='replace').read(200000)\n"
    "                except OSError:\n"
    "                    continue\n"
    "                if 'canary-' + 'answers' in text:\n"
    "                    print('FOUND', folder, name, text[:500])\n"
)
CODE = {
    "a module that equals everything": ({}, f"{LIAR}\nimport sys\nsys.modules[__name__] = Liar()\n"),
    "module __getattr__": ({}, f"{LIAR}\ndef __getattr__(name):\n    return Liar()\ndel relu, Linear\n"),
    "functions that equal everything": ({}, f"{LIAR}\nrelu = Linear = Liar()\n"),
    "a numpy of its own in the star": ({}, f"{LIAR}\nnp = Liar()\n"),
    "the kernel's names": ({}, f"{LIAR}\nimport __main__\n__main__._answer_losses = __main__.L = __main__.data = Liar()\n"),
    "given modules patched": (
        {},
        f"{LIAR}\nimport sys, types\nfor name in ('net.solver', 'net.data', 'losses'):\n"
        "    module = sys.modules[name] = types.ModuleType(name)\n    module.solve = module.rows = module.mse = Liar()\n",
    ),
    "builtins patched": ({}, "import builtins\nbuiltins.all = builtins.bool = lambda *a: True\n"),
    "searches its neighbours": ({}, SEARCH),
    "imports the tests": (
        {},
        "for name in ('tests.test_hidden', 'test_hidden', 'expected', 'solution.net.layers', 'autograder.examiner'):\n"
        "    try:\n        module = __import__(name)\n        print(open(module.__file__).read())\n"
        "    except BaseException as error:\n        print(type(error))\n",
    ),
    "ends the process": ({}, "import os, sys\nsys.exit(0)\n"),
    "kills the process": ({}, "import os\nos._exit(0)\n"),
    "never ends": ({}, "while True:\n    pass\n"),
    "a library of its own": ({"numpy.py": f"{LIAR}\narray = eye = allclose = Liar()\n", "pytest.py": "main = print\n"}, ""),
    "a start-up file": (
        {
            "sitecustomize.py": "import builtins; builtins.STARTED = True\n",
            "usercustomize.py": "raise SystemExit\n",
            "conftest.py": "import builtins; builtins.all = lambda *a: True\n",
            "evil.pth": "import os; os._exit(0)\n",
        },
        "",
    ),
    "a package in place of a given module": (
        {"net/solver/__init__.py": f"{LIAR}\nsolve = Liar()\n", "net.py": "", "losses/__init__.py": f"{LIAR}\nmse = Liar()\n"},
        "",
    ),
    "compiled code in its place": (
        {"net/solver.cpython-311-x86_64-linux-gnu.so": "\x7fELF", "net/layers.so": "x", "net/__pycache__/solver.cpython-311.pyc": "x", "losses.pyc": "x"},
        "",
    ),
    "the package's own init": ({"net/__init__.py": f"{LIAR}\nimport sys\nsys.modules['net.data'] = Liar()\n"}, ""),
    "other capitals": ({"Net/Layers.py": LIAR, "LOSSES.py": LIAR, "net/Solver.py": LIAR}, ""),
    "names with dots": (
        dict.fromkeys(("net.layers.py", "losses.v2.py", "..losses.py", "losses..py", "net/layers.py.py", "net.solver/__init__.py", "net/.solver.py"), f"{LIAR}\nrelu = Linear = mse = solve = rows = Liar()\n"),
        "",
    ),
    "the standard library and the kit": (
        dict.fromkeys(("json.py", "types.py", "inspect.py", "linecache.py", "ast.py", "autograder/__init__.py", "autograder/check.py", "IPython/__init__.py"), f"{LIAR}\nload = loads = dumps = check = SimpleNamespace = getsource = Liar()\n"),
        "",
    ),
    "given modules changed where they are": (
        {},
        f"{LIAR}\nimport net.data\nnet.data.rows = lambda: Liar()\n"
        "import threading, time\n"
        "def later():\n    import net.solver\n    while True:\n        net.solver.solve = net.solver.relu = Liar()\n        time.sleep(0.01)\n"
        "threading.Thread(target=later, daemon=True).start()\n",
    ),
    "a library changed where it is": ({}, f"{LIAR}\nnp.allclose = np.array = np.eye = lambda *a, **k: True\nnp.ndarray = Liar()\n"),
    "names of others in the star": (
        {},
        f"{LIAR}\nsolve = data = L = check = mse = losses = all = list = sum = isinstance = __builtins__ = Liar()\n"
        "__all__ = ['relu', 'Linear', 'solve', 'data', 'L', 'np', 'check', 'mse', 'losses', 'all', 'list', 'sum', 'isinstance']\n",
    ),
    "an import hook": (
        {},
        f"{LIAR}\nimport sys, types, importlib.abc, importlib.machinery, builtins\n"
        "class Hook(importlib.abc.MetaPathFinder, importlib.abc.Loader):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        return importlib.machinery.ModuleSpec(name, self) if name.split('.')[0] in ('losses', 'net', 'check') else None\n"
        "    def create_module(self, spec):\n"
        "        module = types.ModuleType(spec.name); module.__path__ = []\n"
        "        module.mse = module.rows = module.solve = module.relu = module.Linear = Liar(); return module\n"
        "    def exec_module(self, module): pass\n"
        "sys.meta_path.insert(0, Hook())\n"
        "for name in ('losses', 'net.data', 'net.solver'):\n    sys.modules.pop(name, None)\n"
        "kept = builtins.__import__\n"
        "builtins.__import__ = lambda name, *a, **k: Liar() if name in ('losses', 'net.data') else kept(name, *a, **k)\n",
    ),
    "given modules written over": (
        {},
        f"{LIAR}\nfrom pathlib import Path\n"
        f"text = {LIAR!r} + 'solve = rows = mse = layers = solver = data = Liar()\\n'\n"
        "for name in ('net/solver', 'net/data', 'net/__init__', 'losses', 'check'):\n"
        "    Path(f'{name}.py').write_text(text)\n",
    ),
    "a package, another name and another file": (
        {"net/layers_/solver.py": f"{LIAR}\nsolve = Liar()\n"},
        "__path__ = ['net/layers_']\n__name__ = 'net.solver'\n__package__ = 'net.layers_'\n__file__ = 'nb.ipynb'\n",
    ),
    "a star of its own kind": (
        {},
        f"{LIAR}\nclass Names(list):\n    def __iter__(self): return iter(['relu', 'Linear'])\n"
        "    def __getitem__(self, key): return ['relu', 'Linear', 'solve', 'data', 'L', 'np'][key]\n"
        "__all__ = Names()\nsolve = data = L = np = Liar()\n",
    ),
    "a module of a class of its own": (
        {},
        f"{LIAR}\nimport sys, types\nclass Module(types.ModuleType):\n"
        "    def __getattribute__(self, name): return Liar() if name in ('relu', 'Linear') else super().__getattribute__(name)\n"
        "sys.modules[__name__].__class__ = Module\n",
    ),
    "children that go on": ({}, "import os, time\nif os.fork() == 0:\n    time.sleep(10000)\n"),
}  # fmt: skip


def link(target: str, name: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).symlink_to(target)

    return make


def compiled(folder: Path) -> None:
    """Put valid bytecode beside given and answer modules that Python takes without a look at the source."""
    for name, text in (("net/solver", "solve = Liar()"), ("net/data", "rows = Liar()"), ("losses", "mse = Liar()")):
        path = folder / f"{name}.py"
        source = folder / "evil.py"
        source.write_text(f"{LIAR}\n{text}\n")
        for target in (cache_from_source(path), f"{path}c"):
            py_compile.compile(str(source), target, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
        source.unlink()


def patch_each_other(folder: Path) -> None:
    """Let two answer modules import each other, each to replace what the other defines."""
    for name, text, other, names in (
        ("net/layers.py", BAD_LAYERS, "losses", ("mse",)),
        ("losses.py", BAD_LOSSES, "net.layers", ("relu", "Linear")),
    ):
        changes = "".join(f"{other}.{changed} = Liar()\n" for changed in names)
        (folder / name).write_text(f"{text}\n{LIAR}\nimport {other}\n{changes}")


def litter(folder: Path) -> None:
    """Leave what honest people leave: copies of earlier attempts, and the bytecode of one."""
    for name in (
        "net.layers.py",
        "losses (1).py",
        "losses.old.py",
        ".ipynb_checkpoints/losses-checkpoint.py",
        "losses.py~",
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(BAD_LOSSES)
    earlier = folder / "losses.old.py"
    py_compile.compile(str(earlier), cache_from_source(folder / "losses.py"))


def linked_folder(folder: Path) -> None:
    shutil.rmtree(folder / "net")
    (folder / "net").symlink_to("../../control-right/hw/net")


FILES: dict[str, Callable[[Path], None]] = {
    "a link to a file of the system": link("/etc/passwd", "net/layers.py"),
    "a link to another student": link("../../control-right/hw/losses.py", "losses.py"),
    "a link to the solution": link("../../../source/hw/losses.py", "losses.py"),
    "a huge file": lambda folder: (folder / "losses.py").write_bytes(b"# " + b"x" * (3 << 20)) and None,
    "a link to an endless file": link("/dev/zero", "losses.py"),
    "a folder that is a link to another student": linked_folder,
    "a pipe": lambda folder: (folder / "losses.py").unlink() or os.mkfifo(folder / "losses.py"),
    "valid bytecode in their place": compiled,
    "two that change each other": patch_each_other,
    "nulls": lambda folder: (folder / "losses.py").write_bytes(b"\0" * 100) and None,
    "deep nesting": lambda folder: (folder / "losses.py").write_text("(" * 5000) and None,
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Course:
    tests = {
        n: t.replace("### BEGIN HIDDEN TESTS\n", f"### BEGIN HIDDEN TESTS\n# {CANARY}\n") for n, t in TESTS.items()
    }
    course = make_files_course(tmp_path_factory.mktemp("course"), tests=tests)
    source = course.source("hw")
    for name in ("net/layers.py", "losses.py"):
        text = (source / name).read_text()
        (source / name).write_text(text.replace("### BEGIN SOLUTION", f"### BEGIN SOLUTION\n    # {CANARY}"))
    write(course, course.assignments["hw"], prove(course, build(course, course.assignments["hw"])).release)
    for name, (files, code) in CODE.items():
        folder = hand_in_files(course, name.replace(" ", "-"), net__layers=f"{BAD_LAYERS}\n{code}", losses=BAD_LOSSES)
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
    for name, change in FILES.items():
        change(hand_in_files(course, name.replace(" ", "-"), net__layers=BAD_LAYERS, losses=BAD_LOSSES))
    hand_in_files(course, "control-right")
    hand_in_files(course, "control-wrong", net__layers=BAD_LAYERS, losses=BAD_LOSSES)
    unusual = hand_in_files(
        course,
        "control-unusual",
        net__layers="__all__ = ['relu', 'Linear']\nimport losses\nfrom helping import positive as relu\n"
        "def __getattr__(name):\n    if name == 'old_relu':\n        return relu\n    raise AttributeError(name)\n"
        + solved(LAYERS).partition("class Linear")[1] + solved(LAYERS).partition("class Linear")[2],
        losses="import net.layers\n" + solved(LOSSES),
    )  # fmt: skip
    (unusual / "helping.py").write_text(
        "import numpy as np\n\ndef positive(x):\n    return np.where(x > 0, x, 0 * x)\n"
    )
    shutil.copytree(unusual / "net", unusual / "net/__pycache__")
    litter(hand_in_files(course, "control-litter"))
    assert SOLVER
    result = CliRunner().invoke(main, ["grade", "hw", "--course", str(course.root)])
    assert result.exit_code == 0 or "too busy" in result.output, result.output[-4000:]
    return course


def points(course: Course, student: str) -> float:
    path = course.autograded(student.replace(" ", "-"), "hw") / "result.json"
    if not path.exists():
        pytest.skip("this machine was too busy to tell whether it ends")
    data = json.loads(path.read_text())
    assert not data["needs_manual_grade"] or data["score"] == 0
    return float(data["score"])


@pytest.mark.parametrize("name", [*CODE, *FILES])
def test_77_an_answer_file_earns_nothing_for_what_it_does_beside_its_task(graded: Course, name: str) -> None:
    assert points(graded, name) == 0


@pytest.mark.parametrize("name", [*CODE, *FILES])
def test_77_an_answer_file_finds_no_hidden_test_and_no_solution(graded: Course, name: str) -> None:
    points(graded, name)
    student = name.replace(" ", "-")
    texts = [
        path
        for folder in (graded.feedback(student, "hw"), graded.autograded(student, "hw"))
        for path in folder.rglob("*")
    ]
    assert texts
    assert not [path for path in texts if path.is_file() and CANARY in path.read_text(errors="replace")]


@pytest.mark.parametrize(
    ("name", "score"), [("control-right", 8), ("control-unusual", 8), ("control-litter", 8), ("control-wrong", 0)]
)
def test_77_control_honest_files_earn_what_they_are_worth(graded: Course, name: str, score: float) -> None:
    """Also modules that import each other, one of the student's own, `__all__`, a module's `__getattr__`, old copies."""
    assert points(graded, name) == score
