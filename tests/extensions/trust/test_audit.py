"""The audit of an assignment: which wrong answers its tests catch, and which right ones they spare."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from helpers.audits import Silent, observed_release
from helpers.kernels import InProcessKernel
from helpers.tiny import SOLUTION, TEST, YAML, Here, cell, notebook, tiny_course, tiny_release

from autograder.errors import CourseError, UsageError
from autograder.extensions.trust.audit import audit, unobserved
from autograder.extensions.trust.audit_command import _kept_on_interrupt
from autograder.extensions.trust.audit_grading import may_be_endless, packed
from autograder.extensions.trust.audit_records import Audit, MutantVerdict, diff, to_json
from autograder.extensions.trust.audit_runs import MIN_CELL_SECONDS, AuditOptions, AuditRuns, remove_old
from autograder.extensions.trust.mutants import cheats, mutants
from autograder.extensions.trust.mutants.feeds import Feeds, feeds, used_later
from autograder.extensions.trust.mutants.result_forms import AS_FLOATS, OPERATORS, OTHER_DIGITS, OTHER_ORDER
from autograder.records.course import Course

pytestmark = pytest.mark.integration


def audited(folder: Path, test: str = TEST, solution: str = SOLUTION, **options: object) -> Audit:
    course = tiny_course(folder, solution=solution, test=test)
    chosen = {"families": ("code",), **options}
    given = AuditOptions(execute=Here(), start=InProcessKernel, workers=1, **chosen)  # type: ignore[arg-type]
    return audit(course, observed_release(course), given, Silent())


def test_a_strong_test_catches_every_slip(tmp_path: Path) -> None:
    found = audited(tmp_path)
    assert found.wrong == found.caught > 3
    (question,) = found.questions
    assert (question.id, question.survived) == ("test-double", 0)


def test_a_test_of_the_type_alone_catches_few(tmp_path: Path) -> None:
    found = audited(tmp_path, test="assert isinstance(double(1), int)")
    survivors = found.of(MutantVerdict.SURVIVED)
    assert {one.mutant.operator for one in survivors} >= {"+ for *", "a number one too large"}
    assert found.share is not None
    assert found.share < 0.5


def test_a_survivor_is_shown_with_an_input_that_would_catch_it(tmp_path: Path) -> None:
    found = audited(tmp_path, test="assert double(2) == 4")
    (one,) = [r for r in found.of(MutantVerdict.SURVIVED) if r.mutant.operator == "+ for *"]
    assert one.mutant.feeds.direct == ("test-double",)
    assert one.reason.startswith("`double(")
    assert "check.function(double, cases=[((" in one.advice


SAME = "def double(x):\n    ### BEGIN SOLUTION\n    if x > 0:\n        return 2 * x\n    return x + x\n    ### END SOLUTION"


def test_an_answer_that_behaves_as_the_solution_does_counts_nowhere(tmp_path: Path) -> None:
    found = audited(tmp_path, solution=SAME)
    boundary = [r for r in found.results if r.mutant.operator == ">= for >"]
    assert [r.verdict for r in boundary] == [MutantVerdict.EQUIVALENT]
    assert boundary[0].reason.startswith("equal for ")


EXAMPLE = "assert double(21) == 42"
WEAK = [
    ("assert callable(double)", "It looks at nothing: an answer of `None` keeps all points."),
    ("assert isinstance(double(21), int)", "It looks at the type alone"),
    (EXAMPLE, "It tries one example only: a function that always returns this one result keeps all points."),
    (
        "assert double(1) == 2\nassert double(21) == 42",
        "It tries only the examples that students see: a table of them keeps all points.",
    ),
    ("assert double(21) is not None", "It looks at the type alone"),
]


@pytest.mark.parametrize(("test", "words"), WEAK)
def test_a_weak_test_is_called_weak_in_words(tmp_path: Path, test: str, words: str) -> None:
    (question,) = audited(tmp_path, test=test, families=("code", "cheat")).questions
    assert words in " ".join(question.remarks)


ARRAY = "import numpy as np\n### BEGIN SOLUTION\nsquares = np.arange(5.0) ** 2\n### END SOLUTION"


def test_a_test_of_the_shape_alone_is_called_so(tmp_path: Path) -> None:
    found = audited(tmp_path, solution=ARRAY, test="assert squares.shape == (5,)", families=("code", "cheat"))
    (question,) = found.questions
    assert "It looks at the shape alone: zeros of the right type and shape keep all points." in question.remarks
    assert question.remarks[-1].startswith("Weak: ")


def test_a_strong_test_is_not_called_weak(tmp_path: Path) -> None:
    (question,) = audited(tmp_path, families=("code", "cheat", "honest")).questions
    assert question.remarks == ()


def test_an_object_that_equals_everything_is_caught_by_a_strong_test(tmp_path: Path) -> None:
    found = audited(tmp_path, families=("cheat",))
    assert cheats.EQUALS_ALL in {r.mutant.operator for r in found.of(MutantVerdict.CAUGHT)}


def test_an_honest_rewrite_that_loses_points_is_shown(tmp_path: Path) -> None:
    picky = TEST + "\nassert type(double(1.0)).__module__ == 'builtins'\nassert double.__code__.co_varnames == ('x',)"
    found = audited(tmp_path, test=picky, families=("honest",))
    lost = [r.mutant.operator for r in found.of(MutantVerdict.LOST)]
    assert {"a result with a name", "floats with another last digit"} <= set(lost)
    assert found.questions[0].lost == len(lost)


def test_a_floor_of_the_course_is_held(tmp_path: Path) -> None:
    yaml = YAML + "    audit: {caught: 0.9}\n"
    course = tiny_course(tmp_path, test="assert isinstance(double(1), int)", yaml=yaml)
    given = AuditOptions(families=("code",), execute=Here(), start=InProcessKernel, workers=1)
    assert audit(course, observed_release(course), given, Silent()).is_below_floor
    assert not audited(tmp_path / "other").is_below_floor


RIGHT = "assert isinstance(double(1), int)"


def test_a_change_that_the_task_allows_must_keep_all_points(tmp_path: Path) -> None:
    yaml = YAML + "    audit: {caught: 0.1, right: {double: [+ for *, a number one too large]}}\n"
    given = AuditOptions(families=("code",), execute=Here(), start=InProcessKernel, workers=1)
    spared, lost = (
        audit(course, observed_release(course), given, Silent())
        for course in (tiny_course(tmp_path / "1", test=RIGHT, yaml=yaml), tiny_course(tmp_path / "2", yaml=yaml))
    )
    named = {"+ for *", "a number one too large"}
    assert {one.mutant.operator for one in spared.of(MutantVerdict.SPARED)} == named
    assert {one.mutant.operator for one in lost.of(MutantVerdict.LOST)} == named
    assert not named & {
        one.mutant.operator for one in (*spared.of(MutantVerdict.SURVIVED), *lost.of(MutantVerdict.CAUGHT))
    }
    assert lost.is_below_floor


def test_a_change_that_the_task_allows_in_one_place_is_named_with_its_line(tmp_path: Path) -> None:
    solution = "### BEGIN SOLUTION\nfirst = 1\nsecond = 2\n### END SOLUTION"
    exams = tiny_release(tiny_course(tmp_path, solution=solution, test="assert first and second")).exams
    made = mutants(exams, ("code",), (), 0, {"double": ["a number one too large: second"]})
    larger = {one.after.split("\n")[2]: one.is_allowed for one in made if one.operator == "a number one too large"}
    assert larger == {"second = 2": False, "second = 3": True}


def test_a_change_that_nothing_makes_is_named(tmp_path: Path) -> None:
    yaml = YAML + "    audit: {right: {double: [a number one to large]}}\n"
    course = tiny_course(tmp_path, yaml=yaml)
    found = audit(
        course, tiny_release(course), AuditOptions(execute=Here(), start=InProcessKernel, workers=1), Silent()
    )
    assert (
        "'right' in 'audit' of course.yaml: nothing makes 'a number one to large' of 'double'; "
        "did you mean 'a number one too large'?"
    ) in found.notes


def test_an_assignment_without_tests_is_refused(tmp_path: Path) -> None:
    course = tiny_course(tmp_path)
    source = course.source("hw") / "nb.ipynb"
    source.write_text(source.read_text().replace('"points": 2', '"points": 0'))
    with pytest.raises(CourseError, match="hw: no test cell has points, so there is nothing to audit"):
        audit(course, tiny_release(course), AuditOptions(execute=Here()), Silent())


def test_a_solution_that_loses_points_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=r"the solution of hw loses points:\n  - nb, test-double: 0 of 2 points"):
        audited(tmp_path, solution=SOLUTION.replace("2 * x", "3 * x"))


def test_a_question_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="hw has no question 'test-duoble' with tests; did you mean 'test-double'"):
        audited(tmp_path, questions=("test-duoble",))


def test_a_budget_that_is_too_small_is_said(tmp_path: Path) -> None:
    found = audited(tmp_path, minutes=1e-6)
    assert found.results == ()
    assert found.nothing_tried
    assert "minutes are too few: the solution alone takes" in found.notes[0]


def test_an_audit_goes_on_where_it_was(tmp_path: Path) -> None:
    first = audited(tmp_path)
    here = Here()
    course = tiny_course(tmp_path)
    again = audit(course, observed_release(course), AuditOptions(families=("code",), workers=1, execute=here), Silent())
    assert here.started == []
    assert to_json(again)["results"] == to_json(first)["results"]


def two_questions(folder: Path) -> Course:
    """A course with two functions, each with a test of its own, and a third that needs both."""
    course = tiny_course(folder)
    (course.source("hw") / "nb.ipynb").write_text(
        notebook(
            cell("### BEGIN SOLUTION\ndef half(x): return x / 2\n### END SOLUTION", "half", solution=True),
            cell("assert half(8) == 4", "test-half", grade=True, locked=True, points=2),
            cell("### BEGIN SOLUTION\ndef more(x): return x + 3\n### END SOLUTION", "more", solution=True),
            cell("assert more(8) == 11", "test-more", grade=True, locked=True, points=2),
            cell("### BEGIN SOLUTION\ndef both(x): return more(half(x))\n### END SOLUTION", "both", solution=True),
            cell("assert both(8) == 7", "test-both", grade=True, locked=True, points=2),
        )
    )
    return course


def test_an_answer_feeds_the_questions_that_name_it_and_those_that_it_reaches(tmp_path: Path) -> None:
    (exam,) = tiny_release(two_questions(tmp_path)).exams
    assert feeds(exam, 0) == Feeds(direct=("test-half",), every=("test-half", "test-both"))
    assert feeds(exam, 4) == Feeds(direct=("test-both",), every=("test-both",))


def test_a_test_that_reads_a_file_and_no_name_is_the_question_of_the_answer_before_it(tmp_path: Path) -> None:
    course = two_questions(tmp_path)
    text = json.loads((course.source("hw") / "nb.ipynb").read_text())
    saved = '### BEGIN SOLUTION\ntotal = half(8)\nopen("log.txt", "w").write(str(total))\n### END SOLUTION'
    read = 'assert open("log.txt").read() == "4.0"'
    added = [
        cell(saved, "save", solution=True),
        cell(read, "test-log", grade=True, locked=True, points=2),
        cell("### BEGIN SOLUTION\nrest = total - 1\n### END SOLUTION", "rest", solution=True),
        cell("assert rest == 3", "test-rest", grade=True, locked=True, points=2),
    ]
    text["cells"] += json.loads(notebook(*added))["cells"]
    (course.source("hw") / "nb.ipynb").write_text(json.dumps(text))
    (exam,) = tiny_release(course).exams
    assert feeds(exam, 6) == Feeds(direct=("test-log",), every=("test-log", "test-rest"))
    assert feeds(exam, 4) == Feeds(direct=("test-both",), every=("test-both",))
    assert feeds(exam, 0).every == ("test-half", "test-both", "test-rest")


def test_answers_that_reach_one_question_are_never_in_one_notebook(tmp_path: Path) -> None:
    made = mutants(tiny_release(two_questions(tmp_path)).exams, ("code",), (), 0)
    packs = packed(made)
    assert sum(map(len, packs)) == len(made)
    cells = [{one.cell for one in pack} for pack in packs]
    assert all(len(names) == 1 for names in cells)


def test_answers_of_independent_questions_share_a_notebook(tmp_path: Path) -> None:
    course = two_questions(tmp_path)
    text = json.loads((course.source("hw") / "nb.ipynb").read_text())
    text["cells"] = text["cells"][:4]
    (course.source("hw") / "nb.ipynb").write_text(json.dumps(text))
    here = Here()
    given = AuditOptions(families=("code",), execute=here, start=InProcessKernel, workers=1)
    found = audit(course, observed_release(course), given, Silent())
    assert found.wrong == found.caught > len(here.started) - 1
    assert {q.id: q.survived for q in found.questions} == {"test-half": 0, "test-more": 0}


def test_one_question_can_be_audited_alone(tmp_path: Path) -> None:
    course = two_questions(tmp_path)
    given = AuditOptions(families=("code",), questions=("test-more",), execute=Here(), start=InProcessKernel, workers=1)
    found = audit(course, observed_release(course), given, Silent())
    assert [q.id for q in found.questions] == ["test-more"]
    assert {r.mutant.cell for r in found.results} == {"more"}


def test_a_seed_decides_the_order_alone(tmp_path: Path) -> None:
    exams = tiny_release(tiny_course(tmp_path)).exams
    orders = [[one.id for one in mutants(exams, ("code", "honest", "cheat"), (), seed)] for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == sorted(orders[2])


TRAINED = """\
import numpy as np
from autograder import check
### BEGIN SOLUTION
def train(rate):
    return abs(rate - 0.5) + 0.5 + 0.01 * np.random.rand()


loss = train(0.5)
### END SOLUTION"""
MEASURED = "check.report('holdout', 1.0, 'measured', evidence={'loss': float(loss)})"


def test_a_survivor_that_learned_less_is_told_by_repeated_trainings(tmp_path: Path) -> None:
    """The threshold is met by everything, so nothing loses points."""
    found = audited(tmp_path, solution=TRAINED, test=MEASURED)
    results = {"\n".join(diff(r.mutant, 0)): r for r in found.results}
    (worse,) = [r for change, r in results.items() if "+loss = train(1.5)" in change]
    assert (worse.verdict, worse.is_decided) == (MutantVerdict.SURVIVED, True)
    assert worse.reason.startswith("loss 1.50")
    assert " instead of 0.50" in worse.reason
    (alike,) = [r for change, r in results.items() if "return abs(0.5 - rate)" in change]  # equal but for chance
    assert alike.verdict is MutantVerdict.EQUIVALENT


CERTAIN = """\
import numpy as np
from autograder import check
### BEGIN SOLUTION
def train(rate):
    return 0.4 - 0.001 * abs(rate - 1)


skill = train(1)
### END SOLUTION"""


def test_without_chance_a_difference_of_a_hundredth_is_none(tmp_path: Path) -> None:
    """What a test states beside a threshold is compared, in the direction that the test says."""
    stated = "{'skill': float(skill), 'threshold': -99.0, 'higher_is_better': True}"
    test = f"check.report('holdout', 1.0, 'measured', evidence={stated})"
    found = audited(tmp_path, solution=CERTAIN, test=test)
    results = {"\n".join(diff(r.mutant, 0)): r for r in found.results}
    (near,) = [r for change, r in results.items() if "+skill = train(2)" in change]
    assert near.verdict is MutantVerdict.EQUIVALENT
    assert near.reason == "as good as the solution: skill 0.399 instead of 0.4 over 2 trainings"
    decided = {r.reason for r in found.of(MutantVerdict.SURVIVED) if r.is_decided}
    assert any(reason.startswith("skill -0.") for reason in decided), decided
    assert not any(reason.startswith("skill 1.") for reason in decided)


def test_a_number_of_parameters_says_nothing_of_what_was_learned(tmp_path: Path) -> None:
    """A smaller network may be as good, so that its size makes nothing equivalent and nothing worse."""
    stated = "{'parameters': int(100 * skill), 'threshold': 900, 'higher_is_better': False}"
    test = f"check.report('size', 1.0, 'measured', evidence={stated})"
    found = audited(tmp_path, solution=CERTAIN, test=test)
    assert found.wrong
    assert not any("parameters" in one.reason for one in found.results)


def test_a_cheat_replaces_all_names_or_none(tmp_path: Path) -> None:
    """A text cannot be made zero: then the number beside it stays right, too, and the cheat counts nowhere."""
    solution = "### BEGIN SOLUTION\nnumber = 3\nsome = [bytes(1), range(3)]\n### END SOLUTION"
    test = "assert number == 3\nassert len(some) == 2"
    found = audited(tmp_path, solution=solution, test=test, families=("cheat",))
    zeros = [one for one in found.results if one.mutant.operator == cheats.SAME_SHAPE]
    assert all("number, some = _zeros(number), _zeros(some)" in one.mutant.after for one in zeros)
    assert zeros


def test_a_cheat_that_raises_after_the_right_answer_counts_nowhere(tmp_path: Path) -> None:
    """Nothing was put in its place: the notebook still has the right object."""
    solution = """\
### BEGIN SOLUTION
class Half:
    shape = dtype = property(lambda self: 1)
    def __call__(self, x): return x / 2
half = Half()
### END SOLUTION"""
    found = audited(tmp_path, solution=solution, test="assert half(4) == 2", families=("cheat",))
    withdrawn = {one.mutant.operator for one in found.of(MutantVerdict.WITHDRAWN)}
    assert cheats.SAME_SHAPE in withdrawn
    assert found.count(MutantVerdict.SURVIVED) == 0


def test_a_stop_says_that_nothing_is_lost() -> None:
    with pytest.raises(KeyboardInterrupt) as stopped, _kept_on_interrupt():
        raise KeyboardInterrupt
    assert stopped.value.__notes__ == ["Answers that were graded are kept: the same command goes on from there."]


def test_runs_that_no_audit_uses_are_removed(tmp_path: Path) -> None:
    for name in ("old", "runs", "new"):
        (tmp_path / name).mkdir()
    for name in ("old", "runs"):
        os.utime(tmp_path / name, (0, 0))
    remove_old(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "runs"]


LATE = "### BEGIN SOLUTION\ndef double(x):\n    return 2 * x\n\n\nshown = str(double(4))[0]\n### END SOLUTION"


def test_an_answer_that_raises_after_what_its_test_needs_counts_nowhere(tmp_path: Path) -> None:
    found = audited(tmp_path, solution=LATE)
    (late,) = [r for r in found.results if "\n".join(diff(r.mutant, 0)).endswith("+shown = str(double(4))[1]")]
    assert late.verdict is MutantVerdict.EQUIVALENT
    assert late.reason.endswith("; its cell raises IndexError after that")


def test_an_answer_that_raises_because_it_is_wrong_survives_a_weak_test(tmp_path: Path) -> None:
    solution = LATE.replace("str(double(4))[0]", "double(4) % 7")
    found = audited(tmp_path, solution=solution, test="assert callable(double)")
    (wrong,) = [r for r in found.results if r.mutant.operator == "`return` without the value"]
    assert wrong.verdict is MutantVerdict.SURVIVED
    assert wrong.reason == "its cell raises an error, and no question loses points by it"


TOTAL = "def total(x):\n    ### BEGIN SOLUTION\n    return sum(x)\n    ### END SOLUTION"


@pytest.mark.parametrize("test", ["==", "-"])
def test_a_test_of_equal_floats_is_shown_to_cost_right_answers(tmp_path: Path, test: str) -> None:
    """0.1 + 0.2 + 0.3 is not 0.3 + 0.2 + 0.1: whoever adds from the other end would lose points, also if it is shown."""
    wanted = "0.1 + 0.2 + 0.3"
    equal = f"assert total([0.1, 0.2, 0.3]) == {wanted}"
    close = f"assert abs(total([0.1, 0.2, 0.3]) - ({wanted})) < 1e-9"
    found = audited(tmp_path, equal if test == "==" else close, TOTAL, families=["honest"])
    names = {result.mutant.operator for result in found.of(MutantVerdict.LOST)}
    assert names == ({OTHER_DIGITS} if test == "==" else set())


PLACES = [
    ("assert [10, 20, 30][places([3, 0, 5])[1]] == 30", "withdrawn"),
    ("assert places([3, 0]).dtype.kind == 'i'", "lost"),
]


@pytest.mark.parametrize(("test", "verdict"), PLACES)
def test_floats_for_whole_numbers_are_wrong_where_a_test_uses_them_as_places(
    tmp_path: Path, test: str, verdict: str
) -> None:
    solution = "import numpy as np\n### BEGIN SOLUTION\ndef places(a):\n    return np.nonzero(a)[0]\n### END SOLUTION"
    hidden = f"### BEGIN HIDDEN TESTS\n{test}\n### END HIDDEN TESTS"
    found = audited(tmp_path, hidden, solution, families=("honest",))
    assert [one.verdict.value for one in found.results if one.mutant.operator == AS_FLOATS] == [verdict]


ODD = "### BEGIN SOLUTION\ndef odd(n):\n    return [k for k in range(n) if k % 2]\n### END SOLUTION"


def test_an_order_that_the_task_leaves_open_is_asked_about_and_not_claimed(tmp_path: Path) -> None:
    """Only who wrote the task knows; `wrong` or `right` in course.yaml answers the question for good."""
    test = "### BEGIN HIDDEN TESTS\nassert list(odd(6)) == [1, 3, 5]\n### END HIDDEN TESTS"
    for number, key in enumerate(("", "wrong", "right")):
        line = f"    audit: {{{key}: {{double: [another order of what is different]}}}}\n" if key else ""
        course = tiny_course(tmp_path / str(number), solution=ODD, test=test, yaml=YAML + line)
        given = AuditOptions(families=("honest",), execute=Here(), start=InProcessKernel, workers=1)
        found = audit(course, observed_release(course), given, Silent())
        (one,) = [one for one in found.results if one.mutant.operator == OTHER_ORDER]
        assert one.verdict.value == {"": "asked", "wrong": "caught", "right": "lost"}[key]
        assert key or one.reason.startswith("Does your task fix the order")


def test_what_is_caught_only_because_a_name_is_missing_counts_nowhere(tmp_path: Path) -> None:
    """A statement that is left out leaves its name unbound: a test that only calls the function catches it, too."""
    solution = "def double(x):\n    ### BEGIN SOLUTION\n    y = 2 * x\n    return y\n    ### END SOLUTION"
    found = audited(tmp_path, "called = double(3)", solution, families=["code"])
    missing = found.of(MutantVerdict.MISSING)
    assert "a statement left out" in [result.mutant.operator for result in missing]
    assert found.caught == 0
    assert "caught only because" in missing[0].reason
    assert to_json(found)["missing"] == len(missing)


def test_answers_that_may_loop_for_ever_come_last(tmp_path: Path) -> None:
    source = (
        "def double(x):\n    ### BEGIN SOLUTION\n    y = x + 0\n    n = 0\n    while n < 1:\n        y = y + x\n"
        "        n = n + 1\n    return y\n    ### END SOLUTION"
    )
    made = mutants(tiny_release(tiny_course(tmp_path, solution=source)).exams, ["code", "honest"], (), 0)
    last = {one.after for one in made if may_be_endless(one)}
    assert any("n = n - 1" in after for after in last)
    assert not any("y = x - 0" in after for after in last)
    assert not any(may_be_endless(one) for one in made if one.is_honest)


def test_a_mutant_has_ten_times_the_time_of_the_solution(tmp_path: Path) -> None:
    release = tiny_release(tiny_course(tmp_path))
    runs = AuditRuns(tiny_course(tmp_path), release, AuditOptions())
    for seconds, cpu, allowed, processor in ((0.01, 0.0, MIN_CELL_SECONDS, 3), (1.5, 3.0, 15, 30), (100, 100, 20, 120)):
        runs.release = release
        runs._limit(seconds, cpu)
        limits = runs.release.assignment.limits
        assert (limits.cell_seconds, limits.most_cpu_seconds) == (allowed, processor)
    assert runs.release.assignment.limits.notebook_seconds == 60  # the course's own limits hold as well


PAIR = "import numpy as np\n### BEGIN SOLUTION\ndef pair(x):\n    return [x, 2 * x]\n### END SOLUTION"
TUPLE = "a tuple for a list"


def test_a_result_in_another_form_is_right_where_the_task_leaves_it_open(tmp_path: Path) -> None:
    test = "### BEGIN HIDDEN TESTS\nassert pair(2) == [2, 4]\n### END HIDDEN TESTS"
    found = audited(tmp_path, test, PAIR, families=("honest",))
    assert {TUPLE, "an array for a list"} <= {one.mutant.operator for one in found.of(MutantVerdict.LOST)}


def test_without_a_run_of_the_solution_no_form_is_tried_and_the_audit_says_so(tmp_path: Path) -> None:
    course = tiny_course(tmp_path, solution=PAIR, test="assert pair(2) == [2, 4]")
    given = AuditOptions(families=("honest",), execute=Here(), start=InProcessKernel, workers=1)
    found = audit(course, tiny_release(course), given, Silent())
    assert not OPERATORS & {one.mutant.operator for one in found.results}
    assert (
        "the solution was not seen running, so the types of its results are not known: no result was tried in another "
        "form, and of models, tables and numbers there are no cheats"
    ) in found.notes


def test_tests_in_the_students_kernel_show_no_types_and_the_audit_says_so(tmp_path: Path) -> None:
    yaml = YAML + "    examine: {kernel: [test-double]}\n"
    course = tiny_course(tmp_path, solution=PAIR, test="assert pair(2) == [2, 4]", yaml=yaml)
    release = observed_release(course)
    (note,) = unobserved(release)
    assert note == (
        "test-double runs in the student's kernel, where no types of results are observed: none was tried in another "
        "form"
    )
    (exam,) = release.exams
    index = next(index for index, cell in enumerate(exam.cells) if cell.grade_id == "double")
    assert used_later(exam, index) == ("pair",)


def test_a_visible_test_shows_which_form_is_wanted(tmp_path: Path) -> None:
    found = audited(tmp_path, "assert pair(2) == [2, 4]", PAIR, families=("honest",))
    assert found.count(MutantVerdict.LOST) == 0
    (shown,) = [one for one in found.of(MutantVerdict.WITHDRAWN) if one.mutant.operator == TUPLE]
    assert shown.reason == "a visible test shows students that another form is wanted"


def test_a_rewrite_that_the_task_forbids_is_named_in_one_line_and_must_lose_points(tmp_path: Path) -> None:
    yaml = YAML + f"    audit: {{wrong: {{double: [{TUPLE}]}}}}\n"
    test = "### BEGIN HIDDEN TESTS\nassert list(pair(2)) == [2, 4]\n### END HIDDEN TESTS"
    course = tiny_course(tmp_path, solution=PAIR, test=test, yaml=yaml)
    given = AuditOptions(families=("honest",), execute=Here(), start=InProcessKernel, workers=1)
    found = audit(course, observed_release(course), given, Silent())
    assert [one.mutant.operator for one in found.of(MutantVerdict.SURVIVED)] == [TUPLE]
    assert found.wrong == 1


def test_a_name_that_students_are_not_told_may_be_another_one(tmp_path: Path) -> None:
    solution = "### BEGIN SOLUTION\ndef twice(x): return 2 * x\ndef double(x): return twice(x)\n### END SOLUTION"
    test = "assert double(1) == 2\n### BEGIN HIDDEN TESTS\nassert twice(3) == 6\n### END HIDDEN TESTS"
    found = audited(tmp_path, test, solution, families=("honest",))
    (lost,) = found.of(MutantVerdict.LOST)
    assert lost.mutant.operator == "other names"
    assert "def my_twice(x)" in lost.mutant.after


IDLE = [
    ("assert double(1) == 2 or True", "Line 1 of its test can fail nobody: True is always true."),
    ("if double(1) != 2:\n    pass", "Line 1 of its test can fail nobody: the `if` does nothing."),
    ("assert double(2) == 4", "It tries one example only."),
]


@pytest.mark.parametrize(("test", "words"), IDLE)
def test_a_line_that_can_fail_nobody_is_named(tmp_path: Path, test: str, words: str) -> None:
    hidden = f"### BEGIN HIDDEN TESTS\n{test}\n### END HIDDEN TESTS"
    (question,) = audited(tmp_path, hidden).questions
    remarks = [remark.replace("Line 2", "Line 1") for remark in question.remarks]
    assert words in remarks


def test_a_wide_tolerance_is_called_so(tmp_path: Path) -> None:
    solution = "def double(x):\n    ### BEGIN SOLUTION\n    return 2.0 * x\n    ### END SOLUTION"
    test = "### BEGIN HIDDEN TESTS\nassert abs(double(21) - 42) < 3\n### END HIDDEN TESTS"
    (question,) = audited(tmp_path, test, solution, families=("cheat",)).questions
    assert question.remarks[0] == "Its tolerance is wide: results that are 5 % too large keep all points."


def test_a_number_that_the_test_believes_is_called_so(tmp_path: Path) -> None:
    solution = "### BEGIN SOLUTION\nshare = 9 / 10\n### END SOLUTION"
    test = "### BEGIN HIDDEN TESTS\nassert share > 0.8\n### END HIDDEN TESTS"
    (question,) = audited(tmp_path, test, solution, families=("cheat",)).questions
    assert question.remarks[0].startswith("It believes a number that the answer states")


def test_a_question_that_catches_nothing_itself_is_called_so(tmp_path: Path) -> None:
    course = two_questions(tmp_path)
    path = course.source("hw") / "nb.ipynb"
    path.write_text(path.read_text().replace("assert half(8) == 4", "assert callable(half)"))
    given = AuditOptions(families=("code",), execute=Here(), start=InProcessKernel, workers=1)
    (half, *_) = audit(course, observed_release(course), given, Silent()).questions
    assert half.caught == 0
    assert half.remarks == (f"It catches nothing itself: other questions caught all {half.by_others} wrong answers.",)


def test_questions_without_a_hidden_test_are_named(tmp_path: Path) -> None:
    course = two_questions(tmp_path)
    path = course.source("hw") / "nb.ipynb"
    hidden = "### BEGIN HIDDEN TESTS\\nassert half(8) == 4\\n### END HIDDEN TESTS"
    path.write_text(path.read_text().replace("assert half(8) == 4", hidden))
    given = AuditOptions(families=("code",), execute=Here(), start=InProcessKernel, workers=1)
    notes = audit(course, observed_release(course), given, Silent()).notes
    assert "no part of test-more, test-both is hidden: students can write answers for these cases alone" in notes
