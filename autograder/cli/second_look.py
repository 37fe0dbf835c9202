"""``autograder second-look``: requests of students about their grades, and the answers."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from autograder.cli.output import course_option, examples, open_course
from autograder.cli.requirements import InstructorCommand
from autograder.errors import UsageError


@click.command(
    "second-look",
    cls=InstructorCommand,
    short_help="Keep students' requests about their grades, and the answers.",
    epilog=examples("""
autograder second-look                                          # what waits for an answer
autograder second-look ada overfitting --question explain --ask "My second sentence names it."
autograder second-look ada overfitting --question explain --answer "You are right: one more point."
autograder second-look ada overfitting --answer - < answer.md
"""),
)
@click.argument("student", required=False)
@click.argument("assignment", required=False)
@course_option
@click.option("--question", default="", metavar="ID", help="The question; without it, the whole submission.")
@click.option("--ask", metavar="TEXT", help="Note what the student asks, in Markdown; - reads standard input.")
@click.option("--answer", metavar="TEXT", help="Answer the open request, in Markdown; - reads standard input.")
def second_look(
    student: str | None,
    assignment: str | None,
    course_folder: Path,
    question: str,
    ask: str | None,
    answer: str | None,
) -> None:
    """Note what a student asks about a grade, or the answer; both stand on the student's page.

    Without arguments, list what waits for an answer. The requests are files of the course,
    second-look/<student>/<assignment>.yaml. Points themselves are given with `autograder review` or formgrader.
    """
    from autograder._util.text import one_line
    from autograder.course.configuration import load_course
    from autograder.results import publication
    from autograder.results import second_look as requests

    if student is None:
        for student_id, name, request in requests.open_requests(load_course(course_folder.resolve())):
            about = f", {request.question}" if request.question else ""
            click.echo(
                f"{one_line(student_id, 60)}, {one_line(name, 60)}{one_line(about, 60)}: "
                f"{one_line(request.request, 200)}"
            )
        return
    if assignment is None or (ask is None) == (answer is None):
        raise UsageError("name the student, the assignment, and what was asked (--ask) or the answer (--answer)")
    course, wanted = open_course(course_folder, assignment)
    (grade,) = publication.grades(course, wanted.name, [student])
    question_ids = {one.id for book in grade.notebooks for one in book.questions}
    if question and question not in question_ids:
        raise UsageError(f"{wanted.name} has no question {question!r} (questions: {', '.join(sorted(question_ids))})")
    text = (ask or answer or "").strip()
    text = sys.stdin.read().strip() if text == "-" else text
    if not text:
        raise UsageError("the text is empty")
    if ask is not None:
        click.echo(requests.ask(course, student, wanted.name, question, text))
    else:
        click.echo(requests.answer(course, student, wanted.name, question, text))
        click.echo(f"Bring it to the page: autograder feedback {wanted.name} --student {student}", err=True)
