"""Classes that lie, made from a seed: any base, any of Python's and numpy's special methods, any answer."""

from __future__ import annotations

import random

BASES = [
    "object",
    "int",
    "float",
    "str",
    "list",
    "dict",
    "tuple",
    "complex",
    "bytes",
    "set",
    "np.ndarray",
    "Exception",
    "type",
]
_NAMES = """
eq ne lt le gt ge bool len hash iter next contains getitem getattr getattribute call add radd sub rsub mul rmul truediv rtruediv
neg abs float int index complex round array array_wrap array_ufunc array_function array_priority instancecheck subclasscheck repr
str format enter exit dir sizeof reduce reduce_ex getstate copy deepcopy class_getitem mro_entries set_name init_subclass length_hint
array_interface array_struct dlpack matmul pow divmod and or xor invert trunc floor ceil fspath missing reversed await aiter
"""
METHODS = _NAMES.split()
ANSWERS = [
    "True", "False", "0", "1", "2", "5", "1.0", "self", "None", "other", "NotImplemented", "[0, 1, 4, 9, 16]", "(2,)", "'x' * 1000",
    "np.array([3.0, 1.0])", "np.ones(2, bool)", "iter([0, 1, 4, 9, 16])", "lambda *a, **k: True", "int", "{}", "float('nan')",
    "type('T', (int,), {})(2)", "(_ for _ in ()).throw(ValueError)", "(_ for _ in ()).throw(AssertionError)",
    "(_ for _ in ()).throw(SystemExit)", "(_ for _ in ()).throw(StopIteration)",
]  # fmt: skip
META = """
class M(type):
    def __eq__(self, other): return True
    def __hash__(self): return 0
    def __instancecheck__(self, other): return True
    def __call__(self, *others, **named): return self
    def __len__(self): return 5
"""
MADE = ["C.__new__(C)", "C()", "C", "np.zeros(2).view(C)", "C(2)", "C([0, 1, 4, 9, 15])"]
# A list with the right numbers would be a right answer, whatever else its class does.


def answers(seed: int) -> dict[str, str]:
    """Wrong answers of the numbers course, all of them objects of one class that lies."""
    chance = random.Random(seed)
    methods = chance.sample(METHODS, chance.randrange(3, 20))
    usual = {"eq": "True", "call": "self"} if chance.random() < 0.7 else {}
    said = {name: chance.choice(ANSWERS) for name in methods} | usual
    body = [f"    def __{name}__(self, *others, **named):\n        other = others[0] if others else self\n"
            f"        return {answer}" for name, answer in said.items()]  # fmt: skip
    values = [
        f"    {name} = {chance.choice(ANSWERS[:7])}"
        for name in ("shape", "dtype", "ndim", "__class__", "__dict__")
        if chance.random() < 0.2
    ]
    base, meta = chance.choice(BASES), chance.random() < 0.15
    head = f"import numpy as np\nself = other = None\n{META if meta else ''}"
    definition = f"class C({base}{', metaclass=M' if meta and base == 'object' else ''}):\n" + "\n".join(
        [*values, *body]
    )
    tries = "\n".join(
        f"try: made.append({source})\nexcept BaseException: pass" for source in chance.sample(MADE, len(MADE))
    )
    return {
        "mean": f"{head}\n{definition}\nmade = []\n{tries}\nmade = made or [C]\nmean = made[0]",
        "squares": "squares = made[-1]",
        "line": f"line = made[{chance.randrange(3)} % len(made)]",
        "rescale": "def rescale(values):\n    return made[0]",
    }
