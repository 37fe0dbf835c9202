"""Courses and the grades in them: for exports, statistics and sections of reports."""

from autograder.course.configuration import load_course
from autograder.records.course import Assignment, Course
from autograder.records.grade import Grade, NotebookGrade, QuestionGrade
from autograder.results.publication import grades
from autograder.results.report.sections import ReportedClass, ReportedNotebook

__all__ = [
    "Assignment",
    "Course",
    "Grade",
    "NotebookGrade",
    "QuestionGrade",
    "ReportedClass",
    "ReportedNotebook",
    "grades",
    "load_course",
]
