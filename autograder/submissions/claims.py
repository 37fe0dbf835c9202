"""Places below .autograder/ where collecting keeps earlier attempts, and whom packages name as a team."""

from __future__ import annotations

import json
from pathlib import Path

from autograder.records.course import Course


def superseded_folder(course: Course, assignment: str, student: str) -> Path:
    """Return the folder with a student's earlier attempts."""
    return course.state / "superseded" / assignment / student


def claims_file(course: Course, assignment: str) -> Path:
    """Return the file with the teams that packages name: student → the others."""
    return course.state / "teams" / f"{assignment}.json"


def read_claims(course: Course, assignment: str) -> dict[str, list[str]]:
    """Read the teams that packages name."""
    try:
        content = json.loads(claims_file(course, assignment).read_bytes())
        return {str(student): [str(other) for other in others] for student, others in content.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
