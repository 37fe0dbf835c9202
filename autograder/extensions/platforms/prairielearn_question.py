"""A question for a PrairieLearn course, graded outside of it: info.json, question.html, and the tests' folder."""

from __future__ import annotations

import json
import uuid
from html import escape

from autograder.extensions.platforms.package import Files, Package
from autograder.extensions.platforms.package_settings import RUN, TIMEOUT
from autograder.extensions.platforms.platform_table import PRAIRIELEARN

MAX_SECONDS = 600
"""Seconds that the platform allows at most."""
RELEASE = "clientFilesQuestion"
"""Folder of a question with files for students."""
_HAND_IN = "<p>Download the notebook, work on it, and hand it in here, alone or with other files.</p>"
_HAND_IN_FILES = "<p>Download the files, write in them, and hand them in here, each by itself or all as one zip.</p>"


def question_files(package: Package, course_id: str, name: str, title: str, image: str, seconds: float) -> Files:
    """Make the files of a question's folder.

    Args:
        package: the package.
        course_id: the course; with the assignment's name, it gives the question its id.
        name: the assignment's name.
        title: the question's title.
        image: name of the image in a registry.
        seconds: limit on a submission.
    """
    info = {
        "uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{course_id}/{name}")),
        "title": title,
        "topic": "Notebooks",
        "type": "v3",
        "singleVariant": True,
        "gradingMethod": "External",
        "externalGradingOptions": {
            "image": image,
            "entrypoint": f"{PRAIRIELEARN.root}/{PRAIRIELEARN.source}/{RUN}",
            "timeout": round(seconds),
            "environment": {TIMEOUT: f"{seconds:.0f}"},
        },
    }
    tests = {f"{PRAIRIELEARN.source}/{file}": content for file, content in package.grading.items()}
    page = _page(package)
    return {"info.json": (f"{json.dumps(info, indent=2)}\n".encode(), 0o644), "question.html": (page, 0o644), **tests}


def _page(package: Package) -> bytes:
    """Write the question's page: a single notebook may have any name, several have their own.

    Where answers stand in files, no file is required: the platform's names have no folders, and a zip has them all.
    """
    notebooks, files = package.notebooks, (*package.notebooks, *package.answer_files)
    downloads = [f'<pl-file-download file-name="{escape(name)}"></pl-file-download>' for name in files]
    names = ", ".join(escape(name).replace(",", "\\,") for name in notebooks)
    accepted = 'file-patterns="*.ipynb" ' if len(notebooks) == 1 else f'file-names="{names}" '
    accepted = "" if package.answer_files else accepted
    lines = [
        "<pl-question-panel>",
        f"  {_HAND_IN_FILES if package.answer_files else _HAND_IN}",
        *(f"  <p>{download}</p>" for download in downloads),
        f'  <pl-file-upload {accepted}optional-file-patterns="*"></pl-file-upload>',
        "</pl-question-panel>",
        "<pl-submission-panel>",
        "  <pl-external-grader-results></pl-external-grader-results>",
        "  <pl-file-preview></pl-file-preview>",
        "</pl-submission-panel>",
    ]
    return "\n".join((*lines, "")).encode()
