"""A course on disk as frozen records: course.yaml or an nbgrader course, people, dates. It only reads."""
