"""Plots in tests: a figure of the student's becomes one of the examiner's, made of numbers and texts alone."""

from __future__ import annotations

import copy
import math
import random
import sys

import matplotlib as mpl
import numpy as np
import pytest
from helpers.exams import composed_of, exam_of
from helpers.kernels import InProcessKernel

mpl.use("agg")
import matplotlib.pyplot as plt

from autograder.codec import decode, encode
from autograder.examiner.exam_run import ExamRun
from autograder.examiner.figures.reconstruction import Figures, uses_current_figure
from autograder.examiner.namespace import Answers
from autograder.examiner.remote.proxy import Remote
from autograder.execution.capture import ExtraCaptures
from autograder.execution.notebook_run import execute
from autograder.kernel import figures as probe
from autograder.records.checks import Outcome
from autograder.records.exam import Role
from autograder.records.limits import Limits
from autograder.syntax.names import needs, vocabulary


@pytest.fixture(autouse=True)
def no_open_figures():
    plt.close("all")
    yield
    plt.close("all")


def claim_of(value):
    packed = encode(probe.claim(value))
    return decode(packed.text, packed.buffers)


def rebuilt(value):
    return Figures().rebuilt(claim_of(value))


def outcome(answer, test, kernel=InProcessKernel, **answers):
    """What one test says of one answer."""
    exam = exam_of(
        (Role.FREE, "import matplotlib.pyplot as plt\nimport numpy as np"), (Role.ANSWER, answer), (Role.TEST, test)
    )
    known = vocabulary(exam)
    beyond = ExtraCaptures(figures=frozenset({2} if uses_current_figure(test) else ()))
    executed = execute(kernel, Remote, composed_of(exam, **answers), {2: needs(test, known)}, Limits(), beyond)
    plt.close("all")  # the examiner's pyplot is the kernel's here, and must know nothing of it
    answers_ = Answers(executed.remote, known.modules, lambda claim, weights: None)
    return ExamRun([(exam.cells[2], executed.captures.get(2))], known, answers_, None, 20.0).results()[0]


CURVES = """
fig, (ax, other) = plt.subplots(1, 2, figsize=(8, 3))
ax.plot([1, 2, 3], [0.9, 0.6, 0.5], 'r--o', label='training')
ax.plot([1, 2, 3], [1.0, 0.8, 0.7], label='validation')
ax.set(title='Loss', xlabel='epoch', ylabel='loss', xlim=(0, 4), yscale='log')
ax.legend()
ax.grid(True)
ax.axhline(0.55, color='gray')
other.bar(['a', 'b', 'c'], [3, 1, 2], color='green', label='counts')
other.text(0, 1, 'note')
fig.suptitle('A run')
"""

TESTS = [
    "assert ax.get_title() == 'Loss' and ax.get_xlabel() == 'epoch' and ax.get_ylabel() == 'loss'",
    "assert ax.get_xlim() == (0, 4) and ax.get_yscale() == 'log'",
    "np.testing.assert_allclose(ax.lines[0].get_xydata(), [[1, 0.9], [2, 0.6], [3, 0.5]])",
    "assert [t.get_text() for t in ax.get_legend().get_texts()] == ['training', 'validation']",
    "assert ax.lines[0].get_color() == (1, 0, 0, 1) and ax.lines[0].get_linestyle() == '--' and ax.lines[0].get_marker() == 'o'",
    "assert any(l.get_visible() for l in ax.get_xgridlines())",
    "assert len(ax.lines) == 3 and list(ax.lines[2].get_ydata()) == [0.55, 0.55]",
    "assert len(other.patches) == 3 and [p.get_height() for p in other.patches] == [3, 1, 2]",
    "assert [t.get_text() for t in other.get_xticklabels()] == ['a', 'b', 'c']",
    "assert len(other.containers) == 1 and len(other.containers[0]) == 3 and other.containers[0].get_label() == 'counts'",
    "assert other.texts[0].get_text() == 'note'",
    "assert len(fig.axes) == 2 and fig.axes[0] is ax and ax.figure is fig and fig.get_size_inches().tolist() == [8, 3]",
    "assert fig.get_suptitle() == 'A run'",
    "import matplotlib\nassert isinstance(fig, matplotlib.figure.Figure) and isinstance(ax, plt.Axes)",
]  # fmt: skip


@pytest.mark.parametrize("test", TESTS, ids=range(len(TESTS)))
def test_a_plot_under_a_name_answers_as_matplotlib_does(test: str) -> None:
    result = outcome(CURVES, test)
    assert result.outcome is Outcome.PASSED, result.detail


def test_an_empty_plot_earns_nothing() -> None:
    assert outcome("fig, (ax, other) = plt.subplots(1, 2)", "\n".join(TESTS)).fraction == 0


OTHERS = [
    ("ax = plt.gca()\nax.scatter([1, 2], [3, 4], c=['red', 'blue'], s=[10, 20])",
     "assert ax.collections[0].get_offsets().tolist() == [[1, 3], [2, 4]]\n"
     "assert ax.collections[0].get_facecolors()[1].tolist() == [0, 0, 1, 1] and ax.collections[0].get_sizes()[1] == 20"),
    ("fig, ax = plt.subplots()\nax.hist([1, 1, 2, 5], bins=4)", "assert [p.get_height() for p in ax.patches] == [2, 1, 0, 1]"),
    ("fig, ax = plt.subplots()\nax.imshow(np.eye(3), cmap='gray', vmin=0, vmax=2)",
     "assert ax.images[0].get_array().sum() == 3 and ax.images[0].get_cmap().name == 'gray' and ax.images[0].get_clim() == (0, 2)"),
    ("fig, ax = plt.subplots()\nax.fill_between([0, 1], [0, 0], [1, 2])\nax.errorbar([0, 1], [1, 2], yerr=0.1)",
     "assert len(ax.collections) == 2 and ax.collections[0].get_paths()[0].vertices[:, 1].max() == 2"),
    ("fig, ax = plt.subplots()\nax.pie([1, 3], labels=['a', 'b'])", "assert [p.theta2 - p.theta1 for p in ax.patches] == [90, 270]"),
    ("fig, ax = plt.subplots()\nax.annotate('here', (1, 2), (3, 4))", "assert ax.texts[0].xy == (1, 2) and ax.texts[0].get_text() == 'here'"),
    ("figures = [plt.figure(), plt.figure()]\nfigures[1].suptitle('b')", "assert [f.get_suptitle() for f in figures] == ['', 'b']"),
    ("fig, axs = plt.subplots(2, 2)\naxs[1, 0].set_title('low')", "assert axs[1, 0].get_title() == 'low' and axs.shape == (2, 2)"),
    ("def plot(values):\n    fig, ax = plt.subplots()\n    ax.plot(values)\n    return ax", "assert list(plot([1, 5]).lines[0].get_ydata()) == [1, 5]"),
    ("def plot(v):\n    fig, ax = plt.subplots()\n    ax.plot(v)\n    return fig, ax", "fig, ax = plot([1])\nassert fig.axes[0] is ax"),
    ("fig, ax = plt.subplots()\nax.plot(['mon', 'tue'], [1, 2])", "assert [t.get_text() for t in ax.get_xticklabels()] == ['mon', 'tue']"),
    ("import pandas as pd\nax = pd.DataFrame({'a': [1, 2], 'b': [3, 4]}).plot(title='T')",
     "assert ax.get_title() == 'T' and [t.get_text() for t in ax.get_legend().get_texts()] == ['a', 'b']"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "test"), OTHERS, ids=range(len(OTHERS)))
def test_so_do_points_bars_pictures_texts_and_what_functions_return(answer: str, test: str) -> None:
    result = outcome(answer, test)
    assert result.outcome is Outcome.PASSED, result.detail


def test_a_figure_is_captured_as_it_was_at_the_cell_and_lives_longer_than_the_kernel() -> None:
    exam = exam_of(
        (Role.FREE, "import matplotlib.pyplot as plt"),
        (Role.ANSWER, "fig, ax = plt.subplots()\nax.set_title('then')"),
        (Role.TEST, "assert ax.get_title() == 'then'"),
        (Role.FREE, "ax.set_title('later')\nraise Dies"),
    )
    known = vocabulary(exam)
    started = []

    def start():
        started.append(InProcessKernel())
        return started[-1]

    executed = execute(start, Remote, composed_of(exam), {2: needs(exam.cells[2].source, known)}, Limits())
    answers = Answers(executed.remote, known.modules, lambda claim, weights: None)
    (result,) = ExamRun([(exam.cells[2], executed.captures[2])], known, answers, None, 20.0).results()
    assert result.outcome is Outcome.PASSED, result.detail
    assert len(started) == 1, "nothing was pinned, so nothing is run again"


class Shows(InProcessKernel):
    """Closes its figures at the end of a cell, as a notebook does."""

    def run(self, source, seconds):
        result = super().run(source, seconds)
        from _kernel_agent.kernel import figures

        for number in plt.get_fignums():
            figures.note(plt.figure(number))
        plt.close("all")
        return result


@pytest.mark.parametrize("kernel", [InProcessKernel, Shows])
def test_the_current_figure_is_the_open_one_or_the_one_that_was_shown_last(kernel) -> None:
    sys.modules["_kernel_agent.kernel.figures"]._last_figure.clear()
    test = "ax = plt.gca()\nassert ax.get_title() == 'mine' and plt.gcf().axes == [ax] and plt.xlim() == (0, 7)"
    answer = "plt.plot([1, 2])\nplt.title('mine')\nplt.xlim(0, 7)"
    result = outcome(answer, test, kernel)
    assert result.outcome is Outcome.PASSED, result.detail
    plt.close("all")
    sys.modules["_kernel_agent.kernel.figures"]._last_figure.clear()
    assert outcome("pass", test, kernel).fraction == 0


@pytest.mark.parametrize("end", ["", "\n    plt.show()", "\n    plt.close()\n    plt.title('later'); plt.plot([3])"])
def test_what_a_function_draws_during_a_call_of_the_test_is_current(end) -> None:
    answer = (
        f"plt.title('cell'); plt.plot([1])\ndef draw(title):\n    plt.figure(); plt.plot([1, 2]); plt.title(title){end}"
    )
    wanted = "later" if "later" in end else "new"
    test = f"assert plt.gca().get_title() == 'cell'\ndraw('new')\nassert plt.gca().get_title() == '{wanted}'"
    result = outcome(answer, test)
    assert result.outcome is Outcome.PASSED, result.detail
    assert outcome("plt.title('cell'); plt.plot([1])\ndef draw(title): pass", test).fraction == 0


def honest():
    fig, ax = plt.subplots()
    ax.plot([1, 2], [3, 4], label="a")
    ax.bar([1], [2])
    ax.scatter([1], [2])
    ax.imshow(np.eye(2))
    ax.text(0, 0, "t")
    return claim_of(fig)


def broken(path, value):
    """An honest claim with one thing replaced."""
    found = honest()
    place = found
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return found


AXES = ("figure", "axes", 0)
LIES = [
    (("axes",), 5),
    (("axes",), True),
    (("figure", "size"), [1e9, 1e9]),
    (("figure", "size"), ["8", 3]),
    (("figure", "dpi"), math.nan),
    (("figure", "axes"), [{}]),
    (("figure", "axes"), "axes"),
    ((*AXES, "titles"), ["x" * 20_000, "", ""]),
    ((*AXES, "titles"), [b"bytes", "", ""]),
    ((*AXES, "place"), [10**9, 10**9, 0, 0]),
    ((*AXES, "axis", 0, "limits"), [0.0, math.inf]),
    ((*AXES, "axis", 0, "ticks"), [[0.0, 7]]),
    ((*AXES, "lines", 0, "x"), np.array([1.0, math.inf])),
    ((*AXES, "lines", 0, "x"), np.array(["a", "b"])),
    ((*AXES, "lines", 0, "x"), np.zeros(3)),
    ((*AXES, "lines", 0, "x"), [1.0, 2.0]),
    ((*AXES, "lines", 0, "color"), "red"),
    ((*AXES, "lines", 0, "color"), [2.0, 0.0, 0.0, 1.0]),
    ((*AXES, "lines", 0, "marker"), "no such marker"),
    ((*AXES, "lines", 0, "linestyle"), [1]),
    ((*AXES, "patches", 0, "numbers"), [1.0]),
    ((*AXES, "collections", 0, "face"), np.full((1, 4), 7.0)),
    ((*AXES, "collections", 0, "offsets"), np.zeros((2, 3))),
    ((*AXES, "images", 0, "values"), np.zeros((2, 2, 9))),
    ((*AXES, "texts", 0, "align"), ["nowhere", "top"]),
    ((*AXES, "bars", 0), ["a", [99]]),
    ((*AXES, "legend"), {"title": "", "texts": [None]}),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value"), LIES, ids=range(len(LIES)))
def test_a_claim_that_is_no_figure_is_none(path, value) -> None:
    assert Figures().rebuilt(honest()) is not None
    assert Figures().rebuilt(broken(path, value)) is None


POOL = [None, True, -1, 0, 7, 1e308, math.nan, "", "log", "x" * 99, [], [1.0], [0.0, 0.0], {}, b"b", np.zeros(0), np.zeros((2, 2)),
        np.array(["a"]), np.array([math.nan, math.inf]), "Rectangle", "axes", [-1.0, 1e300]]  # fmt: skip


def places(value, path=()):
    """The paths to all parts of a claim."""
    parts = value.items() if type(value) is dict else enumerate(value) if type(value) is list else ()
    for key, part in parts:
        yield (*path, key)
        yield from places(part, (*path, key))


@pytest.mark.filterwarnings("ignore")
def test_of_claims_with_parts_replaced_at_random_nothing_comes_but_figures_and_none() -> None:
    chance = random.Random(5)
    whole = honest()
    every = list(places(whole))
    figures = Figures()
    for _ in range(60):
        claim = copy.deepcopy(whole)
        *path, last = chance.choice(every)
        place = claim
        for key in path:
            place = place[key]
        place[last] = chance.choice(POOL)
        made = figures.rebuilt(claim)
        assert made is None or isinstance(made, (mpl.figure.Figure, mpl.axes.Axes))


@pytest.mark.parametrize(
    ("source", "asks"),
    [
        ("plt.gcf()", True),
        ("ax = matplotlib.pyplot.gca()", True),
        ("assert plt.xlim() == (0, 1)", True),
        ("from matplotlib.pyplot import gca\ngca()", True),
        ("np.sum(a, axis=0)\ntable.axis\nax.set_xlim(0, 1)", False),
        ("plt.subplots()", False),
    ],
)
def test_a_cell_that_asks_for_the_current_figure_is_known_by_its_syntax(source, asks) -> None:
    assert uses_current_figure(source) is asks


@pytest.mark.parametrize("claim", [None, 7, [], {}, {"axes": None, "figure": None}, {"axes": 0, "figure": {"size": 1}}])
def test_nor_is_anything_else(claim) -> None:
    assert Figures().rebuilt(claim) is None


def test_a_liar_is_remote_and_decides_nothing() -> None:
    answer = (
        "import matplotlib.figure, matplotlib.axes\n"
        "class Fake(matplotlib.axes.Axes):\n"
        "    def __init__(self): pass\n"
        "    def __eq__(self, other): return True\n"
        "    def get_title(self, loc=None): return self\n"
        "    def __getattr__(self, name): return self\n"
        "ax = Fake()"
    )
    assert outcome(answer, "assert ax.get_title() == 'Loss'").fraction == 0


def test_drawing_what_a_student_wrote_runs_no_tex_and_parses_no_formula() -> None:
    fig, ax = plt.subplots()
    ax.text(0, 0, r"$\undefined{$")
    made = rebuilt(fig)
    made.canvas.draw()
    assert made.axes[0].texts[0].get_text() == r"$\undefined{$"


def test_limits_of_what_is_described() -> None:
    fig, ax = plt.subplots()
    ax.plot(np.zeros(probe.MAX_NUMBERS + 1))
    assert probe.claim(fig)["figure"]["axes"][0]["skipped"] == ["Line2D: ValueError"]


# --- a test's own axes, drawn on by the student's code ------------------------------------------------


DRAWS = """
def draw(axes, x, y):
    axes.plot(x, y, 'k--', label='data')
    axes.set_title('All of it')
    axes.set_xlabel('x')
    axes.set_xticks([])
    return axes
def picture(axes, rows): axes.imshow(rows, cmap='gray')
def both(pair, x):
    pair[0].plot(x, x)
    pair[1].bar(x, x)
def with_extra(figure): figure.add_subplot().plot([1, 2], [3, 4]); figure.suptitle('Extra')
def nothing(axes): pass
def all_of(axes):
    for ax in axes.ravel(): ax.plot([1, 2])
    axes[-1, -1].plot([3, 4])
"""


@pytest.mark.parametrize(
    "test",
    [
        "fig, ax = plt.subplots()\ndraw(ax, [1, 2], [3, 5])\n(line,) = ax.lines\n"
        "assert list(line.get_ydata()) == [3, 5] and line.get_linestyle() == '--'\n"
        "assert ax.get_title() == 'All of it' and ax.get_xlabel() == 'x' and list(ax.get_xticks()) == []\n"
        "assert fig.axes == [ax] and ax.figure is fig",
        "fig, ax = plt.subplots()\ndraw(ax, [1, 2], [3, 5])\ndraw(ax, [1, 2], [4, 4])\nassert len(ax.lines) == 2",
        "fig, ax = plt.subplots()\ndraw(ax, [1, 2], [3, 5])\nassert plt.gca().get_title() == 'All of it'",
        "fig, ax = plt.subplots()\nrows = np.arange(6).reshape(2, 3)\npicture(axes=ax, rows=rows)\n"
        "(image,) = ax.images\nassert (np.asarray(image.get_array()) == rows).all() and image.cmap.name == 'gray'",
        "fig, pair = plt.subplots(1, 2)\nboth(list(pair), [1, 2])\nassert len(pair[0].lines) == 1 and len(pair[1].patches) == 2",
        "fig, pair = plt.subplots(1, 2)\nboth(pair, [1, 2])\nassert len(pair[0].lines) == 1 and len(pair[1].patches) == 2",
        "fig, grid = plt.subplots(2, 2)\nall_of(grid)\nall_of(grid)\n"
        "assert [len(ax.lines) for ax in grid.ravel()] == [2, 2, 2, 4]",
        "fig, grid = plt.subplots(2, 2)\nall_of(axes=grid[:, :1])\nassert [len(ax.lines) for ax in grid.flat] == [1, 0, 2, 0]",
        "fig = plt.figure()\nwith_extra(fig)\nassert len(fig.axes[0].lines) == 1 and fig.get_suptitle() == 'Extra'",
        "ax = plt.axes([0.1, 0.1, 0.5, 0.5])\ndraw(ax, [1], [2])\nassert len(ax.lines) == 1",
    ],
)
def test_the_students_code_draws_on_axes_of_the_test(test: str) -> None:
    assert outcome(DRAWS, test).outcome is Outcome.PASSED, outcome(DRAWS, test).detail


def test_axes_that_nothing_is_drawn_on_stay_empty() -> None:
    result = outcome(DRAWS, "fig, ax = plt.subplots()\nnothing(ax)\nassert ax.lines, 'empty'")
    assert result.outcome is Outcome.FAILED
    assert "empty" in result.detail


def test_axes_with_content_of_the_tests_are_not_given_away() -> None:
    """Their lines may be the expected ones."""
    result = outcome(DRAWS, "fig, ax = plt.subplots()\nax.plot([1], [42])\nnothing(ax)")
    assert "an Axes cannot be copied to another process" in result.detail
    assert "pass empty axes" in result.detail
