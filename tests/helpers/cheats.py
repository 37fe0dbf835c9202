"""What students of the tiny course's class try."""

from __future__ import annotations

from typing import Any

import nbformat

from helpers.pipeline import (
    POINTS,
)

NOTHING = dict.fromkeys(POINTS, 0.0)
WRONG = {
    "mean": "def mean(values):\n    return 0",
    "squares": "squares = [0, 0, 0, 0, 0]",
    "line": "line = np.zeros(2)",
    "rescale": "def rescale(values):\n    return 0",
}
EQUAL = """
class Equal:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 0
    def __call__(self, *args, **kwargs): return self
    def __array__(self, *args, **kwargs): return np.array([3.0, 1.0])
    def __len__(self): return 5
    def __bool__(self): return True
    def __getattr__(self, name): return self
    shape = (2,)
class EqualFloat(float, Equal): __eq__, __hash__, __ne__ = Equal.__eq__, Equal.__hash__, Equal.__ne__
class EqualList(list, Equal): __eq__, __hash__, __ne__ = Equal.__eq__, Equal.__hash__, Equal.__ne__
class EqualArray(np.ndarray):
    def __eq__(self, other): return np.ones(self.shape, bool)
    def __array_ufunc__(self, *args, **kwargs): return np.zeros(2)
    def __array_function__(self, *args, **kwargs): return np.ones(2, bool)
"""
TRANSFORMER = """
import ast
class Drop(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.copy_location(ast.Pass(), node)
    def visit_Expr(self, node): return ast.copy_location(ast.Pass(), node)
get_ipython().ast_transformers.append(Drop())
get_ipython().input_transformers_cleanup.append(lambda lines: [l for l in lines if 'assert' not in l])
"""
PROBE = """
import gc, sys
for o in gc.get_objects():
    if type(o).__name__ == 'Server':
        o.value = lambda value: ('value', b'true', [])
        o.call = lambda *a, **k: (True, {})
        o.operate = lambda *a, **k: True
for m in list(sys.modules.values()):
    if getattr(m, '__name__', '') == '_kernel_agent.codec': m.encode = lambda *a, **k: m.Packed(b'true', [])
"""
SNOOP = r"""
import os, re, gc, sys, glob
pattern = re.compile(b'can' + rb'ary-[a-z]+-[0-9a-f]{16}')
found, looked = set(), 0
def look(where, data):
    global looked
    looked += 1
    for hit in pattern.findall(data): found.add((where, hit.decode()))
skipped = ('/usr', '/proc', '/sys', '/lib', '/lib64', '/bin', '/sbin', sys.prefix, sys.base_prefix)
for parent, folders, names in os.walk('/'):
    folders[:] = [f for f in folders if not os.path.join(parent, f).startswith(skipped)]
    for name in names:
        path = os.path.join(parent, name)
        look('name', path.encode('utf8', 'surrogateescape'))
        try:
            if os.path.isfile(path) and os.path.getsize(path) < 4_000_000: look(path, open(path, 'rb').read())
        except OSError: pass
    if looked > 20_000: break
for path in glob.glob('/proc/[0-9]*/*') + glob.glob('/proc/[0-9]*/fd/*') + glob.glob('/proc/*'):
    if path.split('/')[-1] in ('environ', 'cmdline', 'maps', 'mountinfo', 'mounts', 'comm', 'status', 'keys'):
        try: look(path, open(path, 'rb').read(2_000_000))
        except OSError: pass
    try: look(path, os.readlink(path).encode())
    except OSError: pass
def memory():
    with open('/proc/self/maps') as maps, open('/proc/self/mem', 'rb') as mem:
        for line in maps:
            area, mode = line.split()[:2]
            low, high = (int(x, 16) for x in area.split('-'))
            if 'rw' in mode and high - low < 1 << 26:
                try: mem.seek(low); look('memory', mem.read(high - low))
                except (OSError, ValueError, OverflowError): pass
memory()
frame = sys._getframe()
while frame: look('frame', repr((list(frame.f_globals), frame.f_locals))[:500_000].encode(errors='replace')); frame = frame.f_back
look('history', repr((In, Out)).encode(errors='replace'))
for o in gc.get_objects():
    if type(o) in (dict, list, tuple) and len(o) < 1000:
        for v in (o.values() if type(o) is dict else o):
            if type(v) is str: look('gc', v.encode(errors='replace'))
            elif type(v) is bytes: look('gc', v)
for upward in ('..', '../..', '../source', 'hidden', '/source', '../../gradebook.db', 'gradebook.db'):
    try: print('reach', upward, os.listdir(upward) if os.path.isdir(upward) else open(upward, 'rb').read(99))
    except OSError as error: pass
print('looked at', looked > 200, 'found', found, sorted(os.environ), os.listdir('.'))
"""


def rename_and_raise(notebook: Any) -> None:
    """Points of 100, other ids, other kinds of cells, tests that say what they are worth."""
    for number, cell in enumerate(notebook.cells):
        meta = cell.metadata.get("nbgrader")
        if meta and meta.get("grade") and not meta.get("solution"):
            meta["points"] = 100
            meta["grade_id"] += "-mine" if number % 2 else ""
            cell.source = "100"


def retype(notebook: Any) -> None:
    """Tests become answers, answers become tests, code becomes text."""
    for cell in notebook.cells:
        meta = cell.metadata.get("nbgrader")
        if meta:
            meta["grade"], meta["solution"] = meta["solution"], meta["grade"]
            if meta["grade_id"].startswith("test-"):
                cell.cell_type = "markdown"
                cell.pop("outputs", None), cell.pop("execution_count", None)


def delete_tests(notebook: Any) -> None:
    notebook.cells = [c for c in notebook.cells if not c.metadata.get("nbgrader", {}).get("grade")]


def duplicate_all(notebook: Any) -> None:
    notebook.cells = [copy for cell in notebook.cells for copy in (cell, nbformat.from_dict(dict(cell)))]
    for cell in notebook.cells:
        cell.pop("id", None)
