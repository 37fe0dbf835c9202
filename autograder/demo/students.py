"""Table of the demo's students, each named after what the submission does.

It covers what a grader meets. Every entry gives the answers (by grade_id; all others stay as
released), other changes to the notebook, and the right score. The scores are out of 20, of
which 4 wait for a person; so full marks are 16 here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from autograder.demo import edits
from autograder.demo.answers import (
    CAREFUL,
    COUNT,
    COUNT_BY_TABLE,
    EVERYTHING,
    FIRST_TRY,
    FUNCTIONAL,
    PATCHES,
    WORKED,
    relu,
)

ASSIGNMENT = "keras-fully-connected"


@dataclass(frozen=True, slots=True)
class DemoStudent:
    """One made-up submission and the grade that it must get."""

    name: str
    does: str
    """Sentence for people about the submission."""
    low: float
    high: float
    """``low`` to ``high`` is the right score in points: without points given by hand, after the late penalty."""
    answers: Mapping[str, str] = field(default_factory=dict)
    """Cell source by grade_id."""
    text: str = ""
    """The written answer."""
    edit: Callable[[Any], None] | None = None
    """Function that changes the finished notebook (a NotebookNode) in place."""
    damage: Callable[[str], str] | None = None
    """Function that changes the file's text."""
    late: timedelta | None = None
    """Time after the due date; None: in time."""
    named: str = ""
    """Named answer of the lesson, in its folder answers/, beside ``answers``: a notebook, or a folder with modules."""


def _answers(model: str, count: str = COUNT) -> dict[str, str]:
    return {"count-parameters": count, "build-model": model}


STUDENTS: tuple[DemoStudent, ...] = (
    # Honest work, better and worse.
    DemoStudent("full-marks", "200 and 100 units with relu.", 16, 16, _answers(relu(200, 100)), CAREFUL),
    DemoStudent("good-two-layers", "100 and 100 units with relu.", 16, 16, _answers(relu(100, 100)), FIRST_TRY),
    DemoStudent(
        "functional-api",
        "A functional model, its activations in layers of their own.",
        16,
        16,
        _answers(FUNCTIONAL),
        CAREFUL,
    ),
    DemoStudent(
        "wide-but-shallow",
        "One hidden layer of 400: a good loss, but not the layers that are asked.",
        14,
        14,
        _answers(relu(400)),
        FIRST_TRY,
    ),
    DemoStudent(
        "small-network",
        "Two layers of 12: all rules kept, a loss with room for more.",
        8.5,
        15.5,
        _answers(relu(12, 12)),
    ),
    DemoStudent("linear", "The worked network once more, without an activation.", 6, 7.6, _answers(WORKED)),
    DemoStudent("unchanged", "Handed in as it was released.", 0, 0),
    # Honest mistakes.
    DemoStudent(
        "too-many-parameters",
        "512, 256 and 128 units: four times the budget.",
        6,
        14,
        _answers(relu(512, 256, 128)),
        FIRST_TRY,
    ),
    DemoStudent(
        "loss-above-threshold",
        "A learning rate so small that ten epochs teach nothing.",
        8,
        8,
        _answers(relu(100, 100, optimizer="keras.optimizers.Adam(1e-5)")),
    ),
    DemoStudent(
        "wrong-output-layer",
        "Nine sigmoids at the end instead of a softmax.",
        5.5,
        5.5,
        _answers(relu(100, 100).replace('"softmax"', '"sigmoid"')),
    ),
    DemoStudent(
        "crash-in-a-cell",
        "The first question is right; the network's cell has a typing error.",
        3,
        3,
        _answers(relu(100, 100).replace("keras.Sequential", "keras.Sequental")),
    ),
    DemoStudent(
        "endless-loop",
        "The first question is right; the network's cell never ends.",
        3,
        3,
        _answers("best = 1.0\nwhile best > 0.1:\n    best = max(best, 0.5)\n"),
    ),
    DemoStudent(
        "late-submission",
        "Full marks, two days late: a tenth is lost for each.",
        12.8,
        12.8,
        _answers(relu(200, 100)),
        CAREFUL,
        late=timedelta(hours=30),
    ),
    # Notebooks that came out of shape.
    DemoStudent(
        "cells-deleted",
        "All cells that are not answers were deleted, tests included.",
        16,
        16,
        _answers(relu(200, 100)),
        edit=edits.keep_only_answers,
    ),
    DemoStudent(
        "cells-duplicated",
        "Answers and tests were copied, metadata and all.",
        16,
        16,
        _answers(relu(200, 100)),
        edit=edits.duplicate_graded,
    ),
    DemoStudent(
        "not-a-notebook",
        "The upload broke off in the middle of the file.",
        0,
        0,
        _answers(relu(200, 100)),
        damage=edits.truncate,
    ),
    # Cheating: only the honest part gets points.
    DemoStudent(
        "patches-evaluate",
        "Patches evaluate, predict and count_params; behind it is the worked network.",
        6,
        7.6,
        _answers(PATCHES),
    ),
    DemoStudent(
        "equal-to-everything",
        "Objects that claim to be equal to whatever they are compared with.",
        0,
        0,
        _answers(EVERYTHING.format(name="model"), EVERYTHING.format(name="count_parameters")),
    ),
    DemoStudent(
        "hard-coded-answers",
        "The two visible examples in a table, and a good network.",
        13,
        13,
        _answers(relu(100, 100), COUNT_BY_TABLE),
    ),
    DemoStudent(
        "edits-the-tests",
        "Empties the tests, gives itself 100 points for each, and does no work.",
        0,
        0,
        edit=edits.rewrite_tests,
    ),
)

CHOSEN = {"choose-network": "SIZES = [93, 100, 9]\nRATE = 0.02\nMOMENTUM = 0.9\n"}
OF_BACKPROPAGATION = (
    DemoStudent("full-marks", "Other layers in another style, and another network.", 16, 16, named="good-otherwise"),
    DemoStudent("open-gate", "A ReLU that passes every slope on.", 10, 12, CHOSEN, named="open-gate"),
    DemoStudent("no-mean", "A slope of the loss that is not divided by the rows.", 7, 7.5, CHOSEN, named="no-mean"),
    DemoStudent("module-left-out", "A good choice, but layers.py was not handed in.", 0, 0, CHOSEN),
    DemoStudent("unchanged", "Handed in as it was released.", 0, 0),
)
IN_PYTORCH = (
    DemoStudent("full-marks", "A class of one's own, with dropout.", 16, 16, named="good-with-dropout"),
    DemoStudent("no-zero-grad", "A step that never clears the gradients.", 8, 9, named="no-zero-grad"),
    DemoStudent("linear", "Three linear layers, and no activation.", 10, 11.4, named="no-activation"),
    DemoStudent("small-network", "Two layers of 12: a loss with room for more.", 11.5, 14, named="too-narrow"),
    DemoStudent("unchanged", "Handed in as it was released.", 0, 0),
)
OF_SMALL_GPT = (
    DemoStudent("full-marks", "Attention of PyTorch's own, and eight heads.", 16, 16, named="good-pytorch-layers"),
    DemoStudent("no-mask", "Attention that sees the future.", 4, 4, named="no-mask"),
    DemoStudent("no-attention", "Each position sees its own character alone.", 11, 13, named="no-attention"),
    DemoStudent("small-network", "One block of 12 units.", 11, 12.5, named="one-narrow-block"),
    DemoStudent("unchanged", "Handed in as it was released.", 0, 0),
)
CLASSES: Mapping[str, tuple[DemoStudent, ...]] = {
    ASSIGNMENT: STUDENTS,
    "backpropagation": OF_BACKPROPAGATION,
    "pytorch-fully-connected": IN_PYTORCH,
    "small-gpt": OF_SMALL_GPT,
}
"""The class of each lesson that has one."""
LIBRARIES: Mapping[str, tuple[str, str]] = {
    ASSIGNMENT: ("keras", "keras"),
    "backpropagation": ("matplotlib", "keras"),
    "pytorch-fully-connected": ("torch", "pytorch"),
    "small-gpt": ("torch", "pytorch"),
}
"""Lesson → the library that its notebooks import, and the extra that installs it."""
