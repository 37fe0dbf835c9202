"""Disguises of copied answers: what people do to a copy so that it looks like their own."""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Callable

KINDS = (
    "as it stands", "renamed", "reordered", "split cells", "comments", "loops rewritten", "merged from two", "model only",
    "text only", "other numbers", "all of it",
)  # fmt: skip
_NAMES = [
    "foo",
    "val",
    "tmp",
    "arr",
    "data_",
    "item_",
    "num",
    "total_",
    "elem",
    "cur",
    "buf",
    "vec",
    "acc_",
    "left_",
    "right_",
    "aa",
    "bb",
    "cc",
    "dd",
    "ee",
    "first_",
    "second_",
    "third_",
    "q_",
    "w_",
    "my_x",
    "my_y",
    "answer_",
    "output_",
    "ergebnis",
    "wert",
    "liste",
    "zahl",
    "spalte",
    "zeile",
    "summe",
    "anzahl",
    "puffer",
    "ziel",
    "quelle",
]
_COMMENTS = ("# now the next step", "# as in the lecture", "# important", "# see above", "# works", "# check this")
_SYNONYMS = {
    "made": "turned", "smaller": "less", "network": "model", "more": "further", "best": "most", "chose": "took", "small": "little",
    "wide": "broad", "help": "work", "after": "behind", "used": "took", "deeper": "larger", "fell": "dropped", "rose": "climbed",
}  # fmt: skip

Answers = dict[str, list[str]]


def disguised(kind: str, source: Answers, second: Answers, own: Answers, rng: random.Random) -> Answers:
    """Make a copier's answers of a source's, a second source's and the copier's own."""
    match kind:
        case "as it stands":
            return _each(source, str)
        case "model only":
            return {**own, "model": [renamed(cell, rng) for cell in source["model"]]}
        case "text only":
            return {**own, "explain": [_paraphrased(cell, rng) for cell in source["explain"]]}
        case "merged from two":
            return {name: source[name] if n % 2 else second[name] for n, name in enumerate(source)}
        case "split cells":
            return {name: _split(cells) if name != "explain" else own[name] for name, cells in source.items()}
    change: Callable[[str], str] = {
        "renamed": lambda cell: renamed(cell, rng),
        "reordered": lambda cell: reordered(cell, rng),
        "comments": lambda cell: commented(cell, rng),
        "loops rewritten": lambda cell: rewritten(cell),
        "other numbers": lambda cell: _numbered(cell, rng),
        "all of it": lambda cell: commented(rewritten(reordered(renamed(cell, rng), rng)), rng),
    }[kind]
    return {**_each(source, change), "explain": own["explain"]}


def _each(answers: Answers, change: Callable[[str], str]) -> Answers:
    return {name: [change(cell) for cell in cells] if name != "explain" else cells for name, cells in answers.items()}


def renamed(source: str, rng: random.Random) -> str:
    """Give each name that the cell binds another one; the names of functions that are asked for stay."""
    tree = ast.parse(source)
    bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    bound |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    pool = [*_NAMES, *(f"{name}{n}" for n in range(2, 2 + len(bound) // len(_NAMES)) for name in _NAMES)]
    names = dict(zip(sorted(bound), rng.sample(pool, len(bound)), strict=True))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = names.get(node.id, node.id)
        elif isinstance(node, ast.arg):
            node.arg = names.get(node.arg, node.arg)
    return ast.unparse(tree)


class _Shuffled(ast.NodeTransformer):
    """Keyword arguments, operands and independent statements in another order."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        self.rng.shuffle(node.keywords)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Mult) or (isinstance(node.op, ast.Add) and isinstance(node.right, ast.Constant)):
            node.left, node.right = node.right, node.left
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        body = node.body
        for index in range(len(body) - 1):
            if _independent(body[index], body[index + 1]):
                body[index], body[index + 1] = body[index + 1], body[index]
        return node


def _independent(first: ast.stmt, second: ast.stmt) -> bool:
    if not (isinstance(first, ast.Assign) and isinstance(second, ast.Assign)):
        return False
    bound, used = (
        {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)} for statement in (first, second)
    )
    targets = {n.id for t in (*first.targets, *second.targets) for n in ast.walk(t) if isinstance(n, ast.Name)}
    return not targets & bound & used


def reordered(source: str, rng: random.Random) -> str:
    return ast.unparse(_Shuffled(rng).visit(ast.parse(source)))


def _split(cells: list[str]) -> list[str]:
    """Put each statement of a cell into a cell of its own."""
    return [ast.get_source_segment(cell, statement) or "" for cell in cells for statement in ast.parse(cell).body]


def commented(source: str, rng: random.Random) -> str:
    """Take comments and docstrings away, and put others between the lines."""
    lines = [line for line in source.splitlines() if not re.match(r'\s*(#|""")', line)]
    shown = []
    for number, line in enumerate(lines):
        indent = re.match(r"\s*", line)
        can_stand = number and not line.strip().startswith((")", "]"))
        if can_stand and rng.random() < 0.4:
            shown += [f"{indent[0] if indent else ''}{rng.choice(_COMMENTS)}"]
        shown.append(line)
    return "\n".join(shown)


class _Unrolled(ast.NodeTransformer):
    """`for` over a range as `while`, and a comprehension as a call of `list` on a generator."""

    def visit_For(self, node: ast.For) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        match node:
            case ast.For(ast.Name(name), ast.Call(ast.Name("range"), [stop])):
                step = ast.parse(f"{name} += 1").body
                condition = ast.parse(f"{name} < {ast.unparse(stop)}", mode="eval").body
                return [*ast.parse(f"{name} = 0").body, ast.While(condition, [*node.body, *step], [])]
            case ast.For(ast.Tuple([ast.Name(index), ast.Name(value)]), ast.Call(ast.Name("enumerate"), [sequence])):
                first = ast.parse(f"{value} = {ast.unparse(sequence)}[{index}]").body
                loop = ast.parse(f"for {index} in range(len({ast.unparse(sequence)})): pass").body[0]
                assert isinstance(loop, ast.For)
                loop.body = [*first, *node.body]
                return loop
        return node

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        self.generic_visit(node)
        return ast.Call(ast.Name("list", ast.Load()), [ast.GeneratorExp(node.elt, node.generators)], [])


def rewritten(source: str) -> str:
    return ast.unparse(ast.fix_missing_locations(_Unrolled().visit(ast.parse(source))))


def _numbered(source: str, rng: random.Random) -> str:
    """Change numbers that are a matter of taste, as those of a network are."""
    return re.sub(
        r"(?<=[(=])(\d{2,})\b(?!,\))", lambda match: str(int(match[1]) + rng.choice([-4, 2, 6, 12, 30])), source
    )


def _paraphrased(text: str, rng: random.Random) -> str:
    """Replace some words by others of the same meaning."""
    words = [_SYNONYMS.get(word, word) if rng.random() < 0.7 else word for word in text.split()]
    sentences = re.split(r"(?<=\.) ", " ".join(words))
    tail = sentences[1:]
    rng.shuffle(tail)
    return " ".join([sentences[0], *tail])
