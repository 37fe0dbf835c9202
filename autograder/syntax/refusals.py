"""Calls that a test cell cannot make outside the kernel, or must not make with a student's objects."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

NO_MAGICS = "tests are examined outside of the kernel, where magics do not exist"
PLAIN_PYTHON = "write it in plain Python"


@dataclass(frozen=True)
class Refusal:
    """A family of calls."""

    calls: re.Pattern[str]
    """Matches the whole dotted name of the called function, with imports resolved."""
    reason: str
    instead: str
    unless: Callable[[ast.Call], bool] = lambda call: False
    """Whether a call of this family is allowed after all."""
    warning: bool = False
    """Whether the call may be intended, so that it only gets a warning."""
    unpickles: bool = False
    """Whether a file of the instructor's, which was released or is hidden, may be given to the call."""


def _has_keyword(name: str, value: object) -> Callable[[ast.Call], bool]:
    """Return a function that tells whether a call has the keyword with this literal."""

    def said(call: ast.Call) -> bool:
        values = [k.value for k in call.keywords if k.arg == name]
        return any(isinstance(v, ast.Constant) and v.value is value for v in values)

    return said


def _lets_pickles_out(call: ast.Call) -> bool:
    return not any(k.arg == "allow_pickle" for k in call.keywords) or _has_keyword("allow_pickle", False)(call)


HOME = re.compile(r"(?:/home/|/Users/|/root/|/content/|/kaggle/|~/|[A-Za-z]:[\\/])\S*")
"""Text that is a path on a student's machine."""

_URL = re.compile(r"(?:https?|ftp|s3|gs)://.*", re.DOTALL)
_EXISTING = ("/usr/", "/lib", "/bin/", "/sbin/", "/etc/", "/proc/", "/sys/", "/dev/", "/tmp/")
"""Folders that also exist inside the examiner's sandbox."""


def _first_text(call: ast.Call) -> str:
    first = call.args[0] if call.args else None
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""


def _names_no_url(call: ast.Call) -> bool:
    return not _URL.fullmatch(_first_text(call))


def _stays_inside(call: ast.Call) -> bool:
    """Return whether the call opens no literal path outside the working folder.

    A path in a home folder has a message of its own.
    """
    text = _first_text(call)
    path = posixpath.normpath(text)
    if not path.startswith("/"):
        return path != ".." and not path.startswith("../")
    return path.startswith(_EXISTING) or HOME.fullmatch(text) is not None


_NO_NETWORK = "a test has no network"
_BRING_DATA = "put the file under hidden/, or add it to the release"
_RUNS_BESIDE = "would run the student's code beside the hidden tests, where it could read them and give itself points"
_PLAIN_FILE = "let students save JSON, CSV or .npz, or look at the object itself by its name"

CALLS = (
    Refusal(
        re.compile(
            r"(?:_?c?pickle|cPickle|dill|cloudpickle|marshal)\.(?:loads?|Unpickler)|joblib\.load|pandas\.read_pickle"
            r"|shelve\.open|yaml\.unsafe_load(?:_all)?|jsonpickle\.decode"
        ),
        f"unpickling {_RUNS_BESIDE}",
        _PLAIN_FILE,
        unpickles=True,
    ),
    Refusal(
        re.compile(r"numpy\.load"),
        f"allow_pickle {_RUNS_BESIDE}",
        "leave allow_pickle out, and let students save arrays of numbers",
        _lets_pickles_out,
        unpickles=True,
    ),
    Refusal(
        re.compile(r"torch\.load"),
        f"torch.load {_RUNS_BESIDE}",
        "pass weights_only=True, or look at the model by its name",
        _has_keyword("weights_only", True),
        unpickles=True,
    ),
    Refusal(
        re.compile(r"(?:tensorflow\.)?keras(?:\.\w+)*\.load_model|tensorflow\.(?:\w+\.)*saved_model\.load"),
        f"a saved model {_RUNS_BESIDE}",
        "look at the student's model by its name: it is rebuilt from its layers and weights",
    ),
    Refusal(
        re.compile(r"subprocess\.\w+|os\.(?:system|popen|exec\w+|spawn\w+|posix_spawnp?|fork)|runpy\.\w+|pty\.spawn"),
        "a program that a test starts runs beside the hidden tests, and may run files of the student's there",
        "call the student's function by its name: it runs in the kernel",
    ),
    Refusal(
        re.compile(
            r"(?:_?thread|threading|multiprocessing|concurrent)(?:\.\w+)*\.\w*(?:Thread|Timer|Process|Pool|Executor)"
        ),
        "another thread or process cannot ask the kernel",
        "call the student's function here, one call after the other",
    ),
    Refusal(
        re.compile(r"doctest\.\w+"),
        "examples in a student's docstring would run beside the hidden tests, where they could give themselves points",
        "call the student's function with what the example says",
    ),
    Refusal(
        re.compile(r"pathlib\.(?:\w+\.)?home|os\.path\.expanduser"),
        "the home folder of a test is not the student's",
        "name files from the notebook's own folder: open('results.csv')",
    ),
    Refusal(
        re.compile(r"importlib\.util\.spec_from_file_location|importlib\.machinery\.\w+Loader"),
        f"a module that is loaded from a file {_RUNS_BESIDE}",
        "let the notebook import it, and call its functions by their names",
    ),
    Refusal(
        re.compile(
            r"(?:requests|httpx)\.(?:get|post|put|head|request)|urllib\.request\.url(?:open|retrieve)"
            r"|(?:tensorflow\.)?keras\.(?:datasets\.\w+\.load_data|utils\.get_file)|sklearn\.datasets\.fetch_\w+"
            r"|seaborn\.load_dataset|tensorflow_datasets\.load"
        ),
        _NO_NETWORK,
        _BRING_DATA,
        warning=True,
    ),
    Refusal(re.compile(r"pandas\.read_\w+"), _NO_NETWORK, _BRING_DATA, _names_no_url, warning=True),
    Refusal(
        re.compile(
            r"(?:io\.)?open|pandas\.read_\w+|numpy\.(?:load|loadtxt|genfromtxt|fromfile)|os\.(?:listdir|scandir|walk)"
            r"|sqlite3\.connect|h5py\.File|PIL\.Image\.open|matplotlib\.(?:\w+\.)*imread"
        ),
        "this path leads out of the working folder, and your machine's files do not exist where the test runs",
        _BRING_DATA,
        _stays_inside,
        warning=True,
    ),
)

IPYTHON = re.compile(r"In|Out|_{1,3}|_i{1,3}|_i?\d+|_[iod]h|get_ipython|display")
"""Names that only an IPython kernel has."""


def aliases(trees: Iterable[ast.AST]) -> dict[str, str]:
    """Return what the names of imports stand for: ``pd`` → ``pandas``, ``load`` → ``pickle.load``."""
    targets: dict[str, str] = {}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                targets |= {
                    a.asname or a.name.split(".")[0]: a.name if a.asname else a.name.split(".")[0] for a in node.names
                }
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                targets |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    return targets


def dotted(node: ast.AST, imports: Mapping[str, str]) -> str:
    """Return ``pandas.read_csv`` for ``pd.read_csv``; empty for anything but a plain name."""
    if isinstance(node, ast.Name):
        return imports.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        before = dotted(node.value, imports)
        return f"{before}.{node.attr}" if before else ""
    return ""


def refused_call(call: ast.Call, imports: Mapping[str, str]) -> Refusal | None:
    """Return the family that a call belongs to, if it is refused."""
    name = dotted(call.func, imports)
    return next((r for r in CALLS if r.calls.fullmatch(name) and not r.unless(call)), None)


@dataclass(frozen=True)
class Evaluator:
    """Functions of a library that turn a text into code."""

    calls: re.Pattern[str]
    """Matches the dotted name of the called function; for a method of an object of the test only ``.query``."""
    library: str
    instead: str


EVALUATORS = (
    Evaluator(
        re.compile(r"(?:pandas|.*)?\.(?:query|eval)"),
        "pandas",
        "write the condition itself, df[df.a > limit], or a constant text: df.query('a > @limit')",
    ),
    Evaluator(
        re.compile(r"sympy\.(?:(?:\w+\.)*(?:sympify|parse_expr)|S)"),
        "sympy",
        "write the expression with symbols, or a constant text",
    ),
    Evaluator(
        re.compile(r"jinja2\.(?:\w+\.)*(?:Template|from_string)|.*\.from_string"),
        "jinja2",
        "write the template into the test, and pass the student's values to it",
    ),
    Evaluator(
        re.compile(r"patsy\.(?:\w+\.)*dmatri(?:x|ces)|statsmodels\.formula\.api\.\w+|.*\.from_formula"),
        "patsy",
        "write the formula into the test",
    ),
    Evaluator(re.compile(r"numexpr\.evaluate"), "numexpr", "write the expression into the test"),
)
"""A test may call these only with a text that is a constant of the test: any other text may be the student's."""
_STATEMENTS = "write the statements themselves; ast.literal_eval reads data"
MARK = (
    "mark the test with the tag 'examine-kernel': it then runs in the student's process, and its points are labelled so"
)
"""What to do with a test that needs the student's process."""
IN_KERNEL = f"if the text is the answer, {MARK}"
"""The way out for a test of the students' own templates, formulas or expressions."""


def instead_of(modules: Iterable[str]) -> str:
    """Return what to write instead of a text that one of these modules compiles."""
    libraries = {name.partition(".")[0] for name in modules}
    return next((e.instead for e in EVALUATORS if e.library in libraries), _STATEMENTS)


def find_evaluator(call: ast.Call, imports: Mapping[str, str]) -> Evaluator | None:
    """Return the evaluator to which a call passes a text that is not a constant."""
    name = dotted(call.func, imports) or f".{getattr(call.func, 'attr', '')}"
    text = next((k.value for k in call.keywords if k.arg in ("expr", "source", "formula")), None)
    text = call.args[0] if call.args else text
    if text is None or isinstance(text, ast.Constant | ast.List | ast.Tuple | ast.Dict) or len(call.args) > 2:
        return None
    return next((e for e in EVALUATORS if e.calls.fullmatch(name)), None)
