"""The feedback page and the class report, with kind and with hostile input."""

import base64
import io
import random
import re
import time
from dataclasses import replace
from datetime import timedelta, timezone
from itertools import pairwise

import nbformat
import pytest
from helpers.browser import in_browser, misfits
from helpers.pages import Page, inert
from helpers.rendered import render_into
from helpers.samples import (
    HIDDEN,
    PNG,
    a_class,
    assignment,
    checked,
    composed,
    course,
    exam,
    grade,
    question,
    run,
    stopped,
)
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell
from PIL import Image

from autograder.examination.shown_cells import annotated_notebook
from autograder.exchange import pieces
from autograder.exchange.images import Encoder
from autograder.exchange.rendering import markdown
from autograder.records.checks import Outcome
from autograder.records.dates import Dates
from autograder.records.grade import NotebookGrade
from autograder.records.waits import Waits
from autograder.results.report import feedback_name, plots, render_class_report, render_feedback


def feedback(tmp_path, one=None, node=None):
    one = one or grade()
    made = composed(exam())
    node = node or annotated_notebook(made, run(made), one.notebooks[0])
    render_into([node])
    return render_feedback(course(tmp_path), assignment(), one, {one.notebooks[0].notebook: node})


def report(tmp_path, grades, **more):
    return "".join(render_class_report(course(tmp_path), assignment(), grades, **more))


# --- what the student reads --------------------------------------------------------------------------


def test_feedback_says_what_was_checked_and_found(tmp_path):
    """Score, questions, checks with their messages, the due date and the penalty."""
    text = inert(feedback(tmp_path, grade(loss=0.63, parameters=200_000, hours=7))).text
    for said in (
        "A fully connected network",
        "Feedback for ada",
        "5.4 of 17",
        "Late penalty −0.6 of 6 points earned",
        "7 h late",
        "(handed in ",
        "% of the points for each day begun)",
        "200,000 parameters; at most 150,000 are allowed.",
        "holdout loss (partly) 50 %",
        "2 questions wait for a person, worth 5 points.",
        "as your notebook reported it",
    ):
        assert said in text


def test_a_persons_comments_and_points_are_shown_as_such(tmp_path):
    """Markdown is rendered, formulas are typeset, HTML is text, and the page says that a person gave the points."""
    one = grade(hours=7)
    book = one.notebooks[0]
    asked = replace(book.questions[0], by_hand=True, comment="**Why** $a_1 * b_1$? <script>alert(1)</script>")
    commented = {"model": "See $$x_i$$ in *cell 3*."}
    page = feedback(
        tmp_path, replace(one, notebooks=(replace(book, questions=(asked, *book.questions[1:]), comments=commented),))
    )
    assert "<strong>Why</strong>" in page
    assert '<math display="inline"><mrow><msub><mi>a</mi><mn>1</mn></msub><mo>*</mo>' in page
    assert '<math display="block">' in page
    assert "<em>cell 3</em>" in page
    text = inert(page).text
    assert "A person gave these points." in text
    assert "each day begun; points that a person gave do not count for it)" in text
    assert "Comment on your answer model" in text


def test_points_that_a_student_could_give_themselves_are_labelled_as_such(tmp_path):
    """On the feedback page and in the class report; no other question has the words."""
    book = grade().notebooks[0]
    marked = replace(book, questions=(replace(book.questions[0], in_kernel=True), *book.questions[1:]))
    one = replace(grade(), notebooks=(marked,))
    assert inert(feedback(tmp_path, one)).text.count("Measured in the student's process.") == 1
    assert inert(report(tmp_path, [one])).text.count("measured in the student's process") == 1
    assert "in the student's process" not in inert(feedback(tmp_path, grade())).text


def test_the_sandboxs_words_are_not_for_students(tmp_path):
    one = grade()
    page = feedback(
        tmp_path, replace(one, notebooks=(replace(one.notebooks[0], sandbox="bubblewrap, forked, cgroup v1"),))
    )
    assert "cgroup" not in page


def test_feedback_never_shows_what_is_the_examiners(tmp_path):
    """Neither a hidden test, nor a detail, nor evidence."""
    for one in a_class():
        assert "hidden-canary" not in feedback(tmp_path, one)
    assert HIDDEN not in feedback(tmp_path)


def test_cells_have_the_numbers_that_messages_use_and_backticks_are_code(tmp_path):
    failed = question("q", 0, 2, "raised KeyError in cell 2, line 1: `<b>x</b> & 1`.\nA lone ` is one.")
    one = grade()
    one = replace(one, notebooks=(replace(one.notebooks[0], questions=(failed,)),))
    node = new_notebook(cells=[new_markdown_cell("Text"), new_code_cell("x")])
    html = feedback(tmp_path, one, node)
    assert "cell 2, line 1: <code>&lt;b&gt;x&lt;/b&gt; &amp; 1</code>.\nA lone ` is one." in html
    assert '<p class="place">cell 2</p>' in html
    assert '<p class="place">cell 1</p>' not in html


STATUSES = [
    ("timed_out", "A cell ran longer than 20 s and was stopped."),
    ("out_of_memory", "The notebook used more than 2,048 MiB."),
    ("killed", "The kernel ended itself (exit status 0)."),
    ("cell_error", "A cell raised an error."),
    ("invalid", "network.ipynb is not a notebook: it is not JSON."),
    ("missing", "No notebook of this name was submitted."),
]


@pytest.mark.parametrize(("status", "sentence"), STATUSES)
def test_every_ending_is_told_in_words(tmp_path, status, sentence):
    """By the notebook's own message."""
    one = stopped("ada", status, sentence)
    assert sentence in Page(feedback(tmp_path, one)).text


def test_a_notebook_that_could_not_be_read_still_has_a_page(tmp_path):
    """Without a masked notebook the questions and the reason are there."""
    one = stopped("ada", "invalid", "It is not JSON.", 0)
    text = inert(render_feedback(course(tmp_path), assignment(), one, {})).text
    assert "It is not JSON." in text
    assert "Your notebook" not in text


def test_what_passes_twice_is_told_in_full_once(tmp_path):
    """A visible and a hidden check of one network name the same layers; what is wrong is told each time."""
    network = "as asked: Conv2D(filters=8, kernel_size=(3, 3)) → MaxPooling2D(2) → Flatten → Dense(units=10)"
    both = tuple(checked(name, 1.0, network) for name in ("layers", "hidden layers"))
    wrong = tuple(checked(name, 0.0, "layer 1: Dense with 128 units, expected 512") for name in ("first", "second"))
    (book,) = grade().notebooks
    first, second, *others = book.questions
    questions = (replace(first, checks=both), replace(second, checks=wrong), *others)
    text = inert(feedback(tmp_path, replace(grade(), notebooks=(replace(book, questions=questions),)))).text
    assert text.count("MaxPooling2D") == 1
    assert "hidden layers (passed) 100 % the same as above" in text
    assert text.count("expected 512") == 2


def test_why_every_question_waits_is_told_once(tmp_path):
    """Of a notebook of another assignment."""
    reason = Waits.STRANGE.sentence
    (book,) = grade().notebooks
    questions = tuple(replace(one, waits=Waits.STRANGE, message=reason, checks=()) for one in book.questions)
    text = inert(feedback(tmp_path, replace(grade(), notebooks=(replace(book, questions=questions),)))).text
    assert (text.count(reason), text.count("the same as above")) == (1, len(questions) - 1)


def test_several_notebooks_share_a_page(tmp_path):
    """Each has its heading, and the page is index.html."""
    (book,) = grade().notebooks
    one = replace(grade(), notebooks=(book, replace(book, notebook="second")))
    text = inert(render_feedback(course(tmp_path), assignment(), one, {})).text
    assert "second 11.23 / 17" in text
    assert (feedback_name(one), feedback_name(grade())) == ("index.html", "network.html")


def test_headings_do_not_skip_levels(tmp_path):
    """A screen reader finds h1, then h2, then h3."""
    levels = [int(n) for n in re.findall(r"<h(\d)", feedback(tmp_path))]
    assert levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))


def test_the_same_grade_makes_the_same_page(tmp_path):
    """No clock, no random ids."""
    assert feedback(tmp_path) == feedback(tmp_path)
    assert report(tmp_path, a_class()) == report(tmp_path, a_class())


# --- what the instructor reads -----------------------------------------------------------------------


def test_the_class_report_counts(tmp_path):
    """Headline numbers; who could not be graded is in no mean, and is never a 0."""
    grades = [grade("ada", 0.55), grade("emmy", 0.63), stopped("carl", "invalid", "no JSON", 0)]
    text = inert(report(tmp_path, grades, failures={"zoe": "no space left on device"})).text
    assert "4 submissions 2 graded 2 need a person 2 could not be read or run" in text
    assert "11 median score of 17 points 11 mean score" in text
    assert "zoe : no space left on device" in text


def test_the_class_report_names_what_a_person_must_look_at(tmp_path):
    """Broken tests first, with the examiner's detail; then what is graded by hand."""
    text = inert(report(tmp_path, a_class())).text
    assert text.index("NameError: name 'chek' is not defined") < text.index("why … for a person")


def test_a_question_that_waits_for_a_person_is_not_called_failed_meanwhile(tmp_path):
    """A test could not decide: neither student nor instructor reads that it was not passed, and no mean counts a 0."""
    book = grade(loss=0.63).notebooks[0]
    first = replace(book.questions[0], outcome=Outcome.FAILED, score=0.0, checks=())
    for waits in (True, False):
        question = replace(first, waits=Waits.UNDECIDED if waits else None)
        one = replace(grade(), notebooks=(replace(book, questions=(question,)),))
        for page in (feedback(tmp_path, one), report(tmp_path, [one])):
            assert ("1 for a person" in inert(page).text) is waits
            assert ("1 not passed" in inert(page).text) is not waits


def test_a_mean_is_over_the_submissions_that_are_decided(tmp_path):
    """One wrong notebook in a class must not take the mean of every question away."""
    book = grade(loss=0.63).notebooks[0]
    right = replace(book.questions[0], outcome=Outcome.PASSED, score=book.questions[0].max_score, checks=())
    waiting = replace(right, outcome=Outcome.FAILED, score=0.0, waits=Waits.STRANGE)
    grades = [replace(grade(), notebooks=(replace(book, questions=(one,)),)) for one in (right, right, waiting)]
    assert "100 % of 2" in inert(report(tmp_path, grades)).text


def test_a_notebook_of_which_everything_waits_is_one_entry(tmp_path):
    """Another assignment's notebook would stand under each question."""
    wrong = grade("mallory")
    book = wrong.notebooks[0]
    waiting = tuple(replace(one, waits=Waits.STRANGE) for one in book.questions)
    wrong = replace(wrong, notebooks=(replace(book, questions=waiting),))
    page = inert(report(tmp_path, [*a_class(), wrong])).text.partition("For a person to look at")[2]
    assert page.partition("Submissions")[0].split().count("mallory") == 1
    assert "All questions of the notebook" in page


def extended(one):
    """The same grade, of a student with another due date for a reason."""
    due = assignment().due + timedelta(days=3)
    return replace(one, dates=Dates(due, notes=("extended to another day: ill",)))


def test_an_extension_is_in_the_class_report_without_its_reason(tmp_path):
    page = inert(report(tmp_path, [extended(grade())])).text
    assert "due " in page.partition("Submissions")[2]
    assert "ill" not in page.partition("Submissions")[2].split()


def test_times_of_a_page_are_in_the_zone_of_the_due_date(tmp_path):
    due = assignment().due.astimezone(timezone(timedelta(hours=1)))
    page = inert(feedback(tmp_path, replace(grade(), dates=Dates(due)))).text
    assert "Due" in page
    assert "UTC+01:00" in page.partition("Submitted")[2].partition("Due")[0]


def test_an_empty_cell_has_no_empty_box(tmp_path):
    made = composed(exam())
    node = annotated_notebook(made, run(made), grade().notebooks[0])
    for cell in node.cells:
        cell.source = "" if cell.cell_type == "code" else cell.source
        cell.metadata.pop("nbgrader", None)
    assert '<pre class="source"' not in feedback(tmp_path, node=node)


@pytest.mark.integration
@in_browser
def test_nothing_of_the_pages_is_cut_on_any_screen(tmp_path):
    """Tables become cards on a telephone; what scrolls has a hint."""
    everybody = [extended(one) for one in a_class()]
    pages = {"report": report(tmp_path, everybody), "feedback": feedback(tmp_path, grade(hours=7))}
    assert misfits(pages) == []


PAPER = 700
"""Pixels between the margins of a sheet, where nothing scrolls."""


@in_browser
def test_no_table_is_cut_on_paper(tmp_path):
    """The styles of print are those of a window as wide as a sheet here."""
    everybody = [extended(one) for one in a_class()]
    pages = {"report": report(tmp_path, everybody), "feedback": feedback(tmp_path, grade(hours=7))}
    printed = {
        title: html.replace("@media print", "@media all").replace("overflow-x: auto", "overflow-x: visible")
        for title, html in pages.items()
    }
    assert misfits(printed, widths=[PAPER]) == []


def test_the_class_report_titles_questions_with_their_headings(tmp_path):
    """The id is at hand where the pointer rests; a question without a heading has its id."""
    titles = {("network", "layers"): "The right <b>size</b>", ("network", "why"): "In your words"}
    html = report(tmp_path, a_class(), titles=titles)
    inert(html)
    assert '<th scope="row"><span title="layers">The right &lt;b&gt;size&lt;/b&gt;</span>' in html
    assert '<h3><span title="why">In your words</span>' in html
    assert '<th scope="row"><code>holdout</code>' in html


def test_submissions_link_to_their_feedback(tmp_path):
    """Names are quoted as URLs; a name that is no folder has no link."""
    page = inert(report(tmp_path, [grade("a b%"), grade(".."), grade("x/y")]))
    assert set(page.links) == {"../feedback/a%20b%25/keras-fully-connected/network.html"}


def test_a_class_without_submissions_has_a_page(tmp_path):
    """It says where to put them."""
    assert "No submissions yet" in inert(report(tmp_path, [])).text


def test_a_large_class_is_rendered_in_a_moment(tmp_path):
    """Three hundred submissions take a second or so, and stay under a megabyte and a half."""
    began = time.process_time()
    html = report(tmp_path, a_class(300))
    assert time.process_time() - began < 5
    assert len(html) < 1_500_000


# --- plots -------------------------------------------------------------------------------------------


CURVES = [
    ({}, None),
    ({"loss": ()}, None),
    ({"loss": (float("nan"), float("inf"))}, None),
    ({"accuracy": (0.1, 0.2)}, None),
    ({"loss": (0.5,)}, "training loss 0.5 after epoch 1"),
    ({"loss": (2.0, 1.0), "val_loss": (2.0, float("nan"))}, "validation loss 2 after epoch 1"),
    ({"val_loss": (0.0, 0.0)}, "validation loss 0 after epoch 2"),
    ({"loss": (1e300, 1e-300)}, "training loss 1e-300 after epoch 2"),
    ({"loss": ("<b>", None, 3)}, "training loss 3 after epoch 3"),
    ({"loss": tuple(1 / (i + 1) for i in range(50_000))}, "after epoch 50000"),
]


@pytest.mark.parametrize(("history", "said"), CURVES, ids=range(len(CURVES)))
def test_a_learning_curve_takes_what_a_student_reports(history, said):
    """Only finite numbers are drawn; the size is bounded; where there is none, there is no plot."""
    svg = plots.learning_curve(history)
    if said is None:
        assert svg is None
    else:
        assert said in svg
        assert len(svg) < 80_000
        assert "nan" not in svg
        assert "inf" not in svg


def test_the_scatter_plot_pairs_loss_and_parameters(tmp_path):
    """From the same question, or from the same notebook; what is not finite is left out."""
    apart = grade("ada", 0.6, 50_000)
    both = NotebookGrade(
        "n", "completed", "", (question("q", 1, 1, "", checked("c", 1, "", loss=0.5, parameters=900)),)
    )
    wild = (question("q", 1, 1, "", checked("c", 1, "", loss=float("nan"), parameters=0)),)
    grades = [apart, replace(apart, student="emmy", notebooks=(both,))]
    grades.append(replace(apart, student="carl", notebooks=(replace(both, questions=wild),)))
    html = report(tmp_path, grades)
    assert "ada: loss 0.6, 50,000 parameters" in html
    assert "emmy: loss 0.5, 900 parameters" in html
    assert "carl: loss" not in html
    assert plots.scatter([]) is None


@pytest.mark.parametrize(
    ("low", "high"),
    [(0, 5e-324), (5e-324, 5e-324), (-1e308, 1e308), (1e12, 1e12), (1.0, 1.0 + 2e-16), (0, 0), (0, 1e23)],
)
def test_all_numbers_have_ticks(low, high):
    ticks = plots.ticks_of(low, high)
    assert ticks[0] <= low + 1e-12
    assert ticks[-1] >= high - 1e-12
    assert len(ticks) < 20


@pytest.mark.parametrize("high", [0, 1, 10**12, 1 << 62, 1 << 80])
def test_all_whole_numbers_have_ticks(high):
    assert plots.whole_ticks(0, high)[-1] >= high


def test_the_histogram_counts_the_ends():
    """0 is in the first bin, 100 in the last."""
    assert "0 to 10 %: 2, 90 to 100 %: 1" in plots.histogram([0, 0, 100])


# --- what a student may try --------------------------------------------------------------------------

ATTACKS = [
    "<script>alert(1)</script>",
    "</pre></code><img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><a xlink:href='javascript:alert(1)'>x</a></svg>",
    "\"><iframe src='data:text/html,<script>alert(1)</script>'></iframe>",
    "[click](javascript:alert(1)) ![x](https://evil.example/track.png) <https://x onclick=alert(1)>",
    "[a](data:text/html;base64,PHNjcmlwdD4=) [b](vbscript:x) [c](&#106;avascript:x) [d]( java\nscript:x)",
    "</style><style>body{display:none}</style><base href=//evil.example>",
    "{{ 7*7 }}{% raw %}${7*7}",
    "\x1b[2J\x1b]8;;javascript:alert(1)\x07x\x1b]8;;\x07 \u202e\u2066 \x00 \ud800",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<!-- --><?php ?><![CDATA[ x ]]>",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_hostile_words_are_only_words(tmp_path, attack):
    """As a name, a message, a check, a source, a note and every kind of output."""
    bad = question("holdout", 1, 4, attack, checked(attack, 0.5, attack, loss=0.5, parameters=5))
    waits = replace(bad, id=attack, outcome=Outcome.BROKEN, detail=attack, waits=Waits.BROKEN)
    book = NotebookGrade("network", "killed", attack, (bad, waits), sandbox=attack)
    one = replace(grade(attack), notebooks=(book,), versions={attack: attack})
    inert(feedback(tmp_path, one, hostile_notebook(attack)))
    inert(report(tmp_path, [one], failures={attack: attack}))


def hostile_notebook(attack):
    kinds = [
        "text/html",
        "image/svg+xml",
        "application/javascript",
        "text/markdown",
        "text/plain",
        "image/png",
        attack,
    ]
    outputs = [new_output("display_data", data={mime: attack}) for mime in kinds]
    outputs += [
        new_output("stream", text=attack),
        new_output("error", ename=attack, evalue=attack, traceback=[attack]),
        new_output("error", ename=attack, evalue=attack, traceback=[]),
    ]
    about = {
        "autograder": {"note": attack, "role": "answer", "run": attack},
        "nbgrader": {"grade_id": attack},
    }
    code = new_code_cell(attack, outputs=outputs, metadata=about)
    return new_notebook(cells=[code, new_markdown_cell(attack, metadata=about), new_raw_cell(attack)])


def test_markdown_of_students_is_rendered_without_html(tmp_path):
    """Emphasis, tables, lists and links work; images are named, not loaded; links tell nobody where from."""
    text = "**b** <b>x</b> [l](https://example.org) ![plot](https://x.example/x.png)"
    text += "\n\n|a|\n|-|\n|1|\n\n# Head"
    html = str(pieces.html(markdown(text), pieces.MARKDOWN))
    assert "<strong>b</strong> &lt;b&gt;x&lt;/b&gt;" in html
    assert 'href="https://example.org" rel="noopener noreferrer nofollow"' in html
    assert "[image: plot]" in html
    assert "<table>" in html
    assert "<h3>Head</h3>" in html


def test_only_pictures_that_the_kit_encoded_are_shown(tmp_path):
    """What lies in autograded/ may have been put there by others."""
    text = Encoder().encode("image/png", PNG)
    foreign = base64.b64encode(base64.b64decode(text) + b"<script>").decode()
    for picture, shown in ((text, True), (foreign, False)):
        cells = [new_code_cell("1", outputs=[new_output("display_data", data={"image/png": picture})])]
        html = feedback(tmp_path, node=NotebookNode(cells=cells))
        assert (f'src="data:image/png;base64,{picture}"' in html) is shown
        assert ("[an image that cannot be shown]" in html) is not shown


def test_a_page_stays_bounded(tmp_path):
    """Ten megabytes in every place make a page of a few, in a few seconds."""
    long = "x" * 10_000_000
    code = NotebookNode(new_code_cell("x"), source=long, outputs=[new_output("stream", text=long)] * 100)
    prose = NotebookNode(new_markdown_cell("x"), source=long)
    cells = [code, prose, *[new_code_cell("1")] * 1000]
    bad = question("holdout", 1, 4, long, *[checked(long, 0.5, long)] * 200)
    book = NotebookGrade("network", "killed", long, (bad,), sandbox=long)
    one = replace(grade(long), notebooks=(book,))
    began = time.process_time()
    html = feedback(tmp_path, one, NotebookNode(cells=cells))
    assert time.process_time() - began < 20
    assert len(html) < 5_000_000
    assert "more outputs left out" in html
    assert "more cells are left out" in html


def noise(width, height):
    """A PNG that does not get smaller."""
    raw = io.BytesIO()
    Image.frombytes("RGB", (width, height), random.Random(0).randbytes(3 * width * height)).save(raw, "PNG")
    return base64.b64encode(raw.getvalue()).decode()


def test_many_images_do_not_make_an_endless_page(tmp_path):
    """The page as a whole is bounded; what is left out is counted."""
    picture = Encoder().encode("image/png", noise(800, 830))
    cells = [new_code_cell("1", outputs=[new_output("display_data", data={"image/png": picture})])] * 20
    html = feedback(tmp_path, node=NotebookNode(cells=cells))
    assert len(html) < 13_000_000
    assert "more cells are left out" in html


def test_nested_markdown_does_not_explode():
    """Deep quotes, lists and brackets are bounded by the renderer."""
    began = time.process_time()
    for text in (">" * 20_000, "[" * 20_000, "- " * 10_000, "*a_ " * 9_000, "`" * 20_000 + "a", "|a" * 9_000):
        markdown(text)
    assert time.process_time() - began < 10


def test_nbformat_agrees_with_the_samples():
    """The hostile notebook is one that nbformat lets through, so the test means something."""
    nbformat.validate(hostile_notebook("<b>"))


def test_a_question_is_titled_with_the_heading_above_it(tmp_path):
    one = grade()
    made = composed(exam())
    node = annotated_notebook(made, run(made), one.notebooks[0])
    for cell in node.cells:
        if cell.cell_type == "markdown":
            cell.source = cell.source.replace("#", "")
    node.cells.insert(0, new_markdown_cell("# Part\n\n## The *right* <b>size</b>\n\n```\n# no heading\n```"))
    name = one.notebooks[0].questions[0].id
    assert f"The right &lt;b&gt;size&lt;/b&gt; <code>{name}</code></h3>" in feedback(tmp_path, one, node)
