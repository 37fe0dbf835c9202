"""Placement of a submission's files: what the release asks for under its released name, one of several copies."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import PurePosixPath

from autograder._util.text import one_line
from autograder.records.dates import TIMESTAMP
from autograder.submissions.answer_copies import is_copy
from autograder.submissions.export_names import COPY_SUFFIX, SYSTEMS, is_notebook
from autograder.submissions.manifest import MANIFEST
from autograder.submissions.members import Member


def place_files(
    files: Mapping[str, Member], expected: tuple[str, ...], *, is_loose: bool, placed: Mapping[str, str] | None = None
) -> tuple[dict[str, str], list[str]]:
    """Decide where each file goes: target name → member's name; and write notes for a person.

    A notebook at the top that was renamed by a browser, a learning system or the student gets its name back if only one
    can be meant.

    Args:
        files: the files of the submission.
        expected: the paths of the assignment's notebooks, and of the files that these ask for.
        is_loose: whether the files lay in no folder of their own.
        placed: member's name → released path, where it is known already.
    """
    targets: dict[str, Member] = {}
    notes: list[str] = []
    notebooks = tuple(filter(is_notebook, expected))
    tops = top_notebooks(files)
    for name in sorted(files, key=lambda n: (n not in expected, n)):
        if name in (MANIFEST, TIMESTAMP):
            continue
        target = notebook_name(name, notebooks, alone=len(tops) == 1) if name in tops else name
        target = (placed or {}).get(files[name].name, target)
        first = targets.get(target)
        if first is not None and (target == name or target in files or _later(first, files[name])):
            notes.append(f"another copy, {one_line(name)}, was left out")
            continue
        if first is not None:
            notes.append(f"another copy, {one_line(first.name)}, was left out")
        elif target != name and not is_loose:
            notes.append(f"{one_line(name)} was taken for {target}")
        targets[target] = files[name]
    if tops and notebooks and not set(notebooks) & set(targets):
        notes.append(f"none of its notebooks is {' or '.join(notebooks)}")
    places = {name: answer_named(name, expected) for name in targets}
    for answer in sorted({*places.values()} - {"", *targets}):
        copies = sorted(name for name, place in places.items() if place == answer)
        notes += [f"{answer} may be any of {', '.join(map(one_line, copies))}"] if len(copies) > 1 else []
    return {target: member.name for target, member in targets.items()}, notes


def _later(member: Member, earlier: Member) -> bool:
    """Tell whether ``member`` is not the earlier upload. Canvas numbers uploads of one date; else dates tell."""
    stems = [PurePosixPath(m.name).stem for m in (member, earlier)]
    counts = [int(re.sub(r"\D", "", re.search(rf"{COPY_SUFFIX}$", stem)[0]) or 0) for stem in stems]  # type: ignore[index]
    if all(map(SYSTEMS["canvas"].pattern.fullmatch, stems)):
        return counts[0] >= counts[1]
    return (_age(member), counts[0]) >= (_age(earlier), counts[1])


def _age(member: Member) -> datetime:
    return member.modified or datetime.min.replace(tzinfo=UTC)


def notebook_name(name: str, expected: tuple[str, ...], *, alone: bool) -> str:
    """Return the released name of a notebook that was renamed on its way, if only one can be meant.

    Args:
        name: its name as it came.
        expected: the file names of the assignment's notebooks.
        alone: whether it is the only notebook of its submission.
    """
    if name in expected:
        return name
    stem = name[: -len(".ipynb")]
    # The longest first: “p1” is the end of “warm_p1” too.
    for candidate in sorted(expected, key=len, reverse=True):
        released_stem = re.escape(candidate.removesuffix(".ipynb"))
        if re.fullmatch(rf"(?:.*_)?{released_stem}{COPY_SUFFIX}", stem):
            return candidate
    return expected[0] if alone and len(expected) == 1 else stem + ".ipynb"


def renamed_answer(stem: str, suffix: str, expected: Iterable[str]) -> str:
    """Return the only file asked for with this last name, perhaps with a copy's number; else nothing."""
    paths = [PurePosixPath(path) for path in expected if path.endswith(suffix) and not is_notebook(path)]
    same = [path for path in paths if re.fullmatch(re.escape(path.stem) + COPY_SUFFIX, stem)]
    return str(same[0]) if len(same) == 1 else ""


def answer_modules(expected: Iterable[str]) -> list[str]:
    """Return the modules that students write in: each alone is a hand-in. A file with weights is none."""
    return [path for path in expected if path.endswith(".py")]


def answer_named(name: str, expected: Iterable[str]) -> str:
    """Return the answer file that a file is: by its path, or by its last name in another folder."""
    answers = answer_modules(expected)
    if name in answers:
        return name
    same = [path for path in answers if is_copy(name, path)]
    below = [path for path in same if name.endswith(f"/{path}")]
    is_package = PurePosixPath(name).name.casefold().startswith("__init__.")
    return next(iter(below or (same if len(same) == 1 and not is_package else [])), "")


def top_notebooks(names: Iterable[str]) -> list[str]:
    """Return the notebooks that lie in no folder."""
    return [name for name in names if is_notebook(name) and "/" not in name]


def common_folder(names: Collection[str]) -> str:
    """Return the folder that all files lie in, with ``/``; a repository or an archive often has one."""
    tops = {name.split("/")[0] for name in names}
    return f"{tops.pop()}/" if len(tops) == 1 and all("/" in name for name in names) else ""


def answer_root(names: Collection[str], expected: Iterable[str]) -> str | None:
    """Return the folder, with ``/``, in which files have the answer files' paths; None: none is an answer file.

    It is the top if a notebook lies there, or if some of the answers lie outside.
    """
    if top_notebooks(names):
        return ""
    answers = {name: path for name in names if (path := answer_named(name, expected))}
    exact = {name: path for name, path in answers.items() if _last(name) == _last(path)}
    answers = exact or answers
    roots = Counter(name.removesuffix(path) for name, path in answers.items() if f"/{name}".endswith(f"/{path}"))
    around_all = [root for root in roots if all(name.startswith(root) for name in answers)]
    return max(around_all, key=lambda root: (roots[root], -len(root)), default="") if answers else None


def _last(name: str) -> str:
    return PurePosixPath(name).name.casefold()
