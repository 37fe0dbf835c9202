"""Pages and tables for people: the student's feedback page, the instructor's class report, tables of grades.

This package renders and decides nothing. Each page is one file without scripts, fonts or images from elsewhere, and a
content security policy tells the browser so.
"""

from autograder.results.report.headings import headings
from autograder.results.report.html_table import COLUMNS, TEXT_COLUMNS, grades_csv, text_table, to_do
from autograder.results.report.overview import render_class_report
from autograder.results.report.page import feedback_name, prepare
from autograder.results.report.student_page import render_feedback

__all__ = [
    "COLUMNS",
    "TEXT_COLUMNS",
    "feedback_name",
    "grades_csv",
    "headings",
    "prepare",
    "render_class_report",
    "render_feedback",
    "text_table",
    "to_do",
]
