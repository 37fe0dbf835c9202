"""For nbgrader's own commands (formgrade, export, generate_feedback) on this course's folders."""

c = get_config()  # noqa: F821

c.CourseDirectory.course_id = "deep-learning-basics"

# The first four are nbgrader's defaults. "hidden" keeps source/<assignment>/hidden/ out of whatever nbgrader
# copies, so that its generate_assignment cannot hand the holdout to students; "answers" and "calibration.json" are a
# calibration's; "result.json" keeps the examiner's details, which may quote hidden tests, out of the folders that its
# generate_feedback makes.
c.CourseDirectory.ignore = [
    ".ipynb_checkpoints",
    "*.pyc",
    "__pycache__",
    "feedback",
    "hidden",
    "answers",
    "calibration.json",
    "result.json",
]
