# In the servers of students and staff, as /etc/jupyter/nbgrader_config.py: the exchange is the course's door.
from autograder.extensions.serve.nbgrader_exchange import use_doors

c = get_config()  # noqa: F821, nbgrader defines it
use_doors(c, dl101="http://door:8000")
# With several courses: use_doors(c, dl101="http://door:8000", ml202="http://door-ml:8000"), and a folder for each:
# c.Exchange.path_includes_course = True
# With one: its name, so that nobody types it.
c.CourseDirectory.course_id = "dl101"
