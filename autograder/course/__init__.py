"""Reader of a course on disk: course.yaml or an nbgrader course, people, dates. It writes nothing."""
