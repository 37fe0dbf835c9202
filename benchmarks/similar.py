"""Counts the copies that `autograder similar` lists among the first twenty of classes of forty.

Six classes of each of three assignments have four or five natural forms of each answer, two who follow the lecture
everywhere, three who asked one assistant, and ten who copied, from eleven works (tests/helpers/similar_forms.py).

A folder that is named has other people's answers to one assignment, as <person>/<file>.py: forty of them are a class,
of whom ten copy from others. People whose lines are mostly another one's are left out, since their truth is not known.
"""

from __future__ import annotations

import argparse
import ast
import itertools
import random
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from helpers.samples import cell
from helpers.similar_class import Answers, CopiedClass
from helpers.similar_forms import ASSIGNMENTS, KINDS, class_of_forms, honest_answers, with_copies

from autograder.extensions.insight.likeness import AlikePair, compared_class
from autograder.extensions.insight.student_work import StudentWork, WrittenCell
from autograder.records.exam import Exam, Role

SEEDS = range(1, 7)
CLASS = 40
SIZES = (10, 20, 40, 70, 100)
MOST_EQUAL = 0.4
"""Share of a person's own lines that another one may have."""


def works(answers: dict[str, Answers]) -> list[StudentWork]:
    return [
        StudentWork((name,), tuple(WrittenCell(q, "code", source) for q, each in own.items() for source in each))
        for name, own in answers.items()
    ]


def people(folder: Path) -> tuple[dict[str, Answers], Exam]:
    """Read the functions and classes that most people wrote; lines that six in ten have are taken to be given."""
    found: dict[str, Answers] = {}
    for person in sorted(folder.iterdir()):
        answers: Answers = {}
        try:
            for path in sorted(person.glob("*.py")):
                text = path.read_text("utf-8", "replace").replace("\r\n", "\n").expandtabs(4)
                for node in ast.parse(text).body:
                    if isinstance(node, ast.FunctionDef | ast.ClassDef):
                        answers.setdefault(f"{path.name}: {node.name}", []).append(
                            ast.get_source_segment(text, node) or ""
                        )
        except SyntaxError:
            continue
        found[person.name] = answers
    usual = {name for name, n in Counter(q for each in found.values() for q in each).items() if n > 0.6 * len(found)}
    found = {p: {q: each[q] for q in each if q in usual} for p, each in found.items() if usual and usual <= each.keys()}
    lines = {person: set(_lines(answers)) for person, answers in found.items()}
    given = {line for line, n in Counter(x for each in lines.values() for x in each).items() if n > 0.6 * len(found)}
    kept: list[str] = []
    for person in found:
        own = lines[person] - given
        if own and all(len(own & lines[other]) < MOST_EQUAL * len(own) for other in kept):
            kept.append(person)
    exam = Exam("hw", "nb", (replace(cell(Role.FREE, None, "\n".join(sorted(given))), released=""),))
    return {person: found[person] for person in kept}, exam


def _lines(answers: Answers) -> Iterator[str]:
    return (line.strip() for each in answers.values() for source in each for line in source.split("\n"))


def classes(folders: list[Path]) -> Iterator[tuple[str, CopiedClass, list[Exam]]]:
    for name, forms in ASSIGNMENTS.items():
        for seed in SEEDS:
            yield name, class_of_forms(forms, seed), [Exam("hw", "nb", ())]
    for folder in folders:
        answers, exam = people(folder)
        for seed in SEEDS:
            drawn = random.Random(seed).sample(sorted(answers), min(CLASS, len(answers)))
            sources, copiers = ({name: answers[name] for name in each} for each in (drawn[:-10], drawn[-10:]))
            yield folder.name, with_copies(sources, copiers, seed), [exam]


def is_twin(pair: AlikePair) -> bool:
    """Tell whether all lines are equal, as after a disguise of loops where there is none."""
    return pair.evidence.identical


def places_of_one_copy() -> Iterator[tuple[int, int]]:
    """Yield size and place: of the only copy, as it stands, in classes of other sizes."""
    for size, forms, seed in itertools.product(SIZES, ASSIGNMENTS.values(), SEEDS):
        answers = {f"s{n:03}": honest_answers(forms, random.Random(f"{seed}/{n}")) for n in range(size - 1)}
        pairs = compared_class([Exam("hw", "nb", ())], works({**answers, "copier": answers["s000"]}), 20).pairs
        ends = [{pair.first, pair.second} for pair in pairs]
        yield size, ends.index({0, size - 1}) + 1 if {0, size - 1} in ends else 0


def main(folders: list[Path]) -> None:
    warnings.simplefilter("ignore")
    found, planted, places = Counter[tuple[str, str]](), Counter[tuple[str, str]](), list[int]()
    for name, made, exams in classes(folders):
        compared = compared_class(exams, works(dict(made.answers)), 20)
        listed = [frozenset(compared.works[n].label for n in (pair.first, pair.second)) for pair in compared.pairs]
        for pair, kind in made.planted.items():
            planted[name, kind] += 1
            found[name, kind] += pair in listed
            if kind == "as it stands":
                pairs = zip(listed, compared.pairs, strict=True)
                own = [shown for shown, each in pairs if shown == pair or not (shown in made.planted and is_twin(each))]
                places.append(own.index(pair) + 1 if pair in own else 0)
    print("| assignment |", " | ".join(KINDS), "| all |")
    for name in dict.fromkeys(name for name, _ in planted):
        cells = [f"{found[name, kind]}/{planted[name, kind]}" for kind in KINDS]
        sums = (sum(n for (which, _), n in counts.items() if which == name) for counts in (found, planted))
        print(f"| {name} |", " | ".join(cells), "|", "/".join(map(str, sums)), "|")
    print("place of the copy as it stands:", Counter(places))
    for size, group in itertools.groupby(places_of_one_copy(), key=lambda each: each[0]):
        print(f"place of the only copy in classes of {size}:", Counter(place for _, place in group))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    main(parser.parse_args().folders)
