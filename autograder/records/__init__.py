"""Records that travel through the kit: all frozen, all plain data. A module for each subject, and no name here.

course.yaml ──▶ course: Course, Assignment; limits: Limits; policies: LatePolicy…; dates: Extension, Dates
source      ──▶ exam: Exam (ExamCell): only the examiner sees it
submission  ──▶ composition: Composed; run: Run, what happened when the student's cells ran
examination ──▶ checks: CheckResult ──▶ grade: QuestionGrade ──▶ NotebookGrade ──▶ Grade
"""
