"""``autograder review``: serves the page for grading by hand."""

from __future__ import annotations

import secrets
from pathlib import Path

import click

from autograder.cli.output import course_option, examples, open_course
from autograder.cli.requirements import InstructorCommand


@click.command(
    cls=InstructorCommand,
    short_help="Grade by hand: one question across all students.",
    epilog=examples("""
autograder review keras-fully-connected
autograder review keras-fully-connected --anonymous
autograder review keras-fully-connected --port 8899     # for a tunnel: ssh -L 8899:127.0.0.1:8899 host
"""),
)
@click.argument("assignment")
@course_option
@click.option("--anonymous", is_flag=True, help="Hide names, and show the answers in an order that tells nothing.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on this machine (default: any free one).")
def review(assignment: str, course_folder: Path, anonymous: bool, port: int) -> None:
    """Serve a page on this machine that shows one question of ASSIGNMENT across all students.

    Points and comments land in the gradebook as formgrader's do. Several people may use the page at once: nobody's
    points are written over unseen. Ctrl-C ends it.
    """
    course, wanted = open_course(course_folder, assignment)
    from autograder.extensions.review.page_server import ReviewServer
    from autograder.extensions.review.site import open_site

    site = open_site(course, wanted, anonymous=anonymous, salt=secrets.token_hex(8))
    site.require_answers()
    with ReviewServer(site, port) as server:
        click.echo(server.address)
        click.echo("Whoever has this address can give points. Ctrl-C ends it.", err=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo(
                f"\n{site.entered} entries. Bring them to the pages: autograder feedback {wanted.name}; "
                f"autograder report {wanted.name}; autograder export",
                err=True,
            )
