# Part of a Hub's configuration: its users hand in at a door (docs/how-to/jupyterhub.md), here of the course dl101.
# Tried with JupyterHub 6.1.1, configurable-http-proxy 5.3.0, nbgrader 0.9.6, and JupyterLab 4.6.6.
c = get_config()  # noqa: F821, JupyterHub defines it

# The name is `hub_service` in course.yaml. The door is no process of the Hub's, and needs no token of its own.
c.JupyterHub.services = [{"name": "door"}]
ACCESS = "access:services!service=door"
c.JupyterHub.load_roles = [
    {"name": "user", "scopes": ["self", ACCESS]},
    # The token of a user's server may do no more than the server's role says.
    {"name": "server", "scopes": ["users:activity!user", "access:servers!server", ACCESS]},
]
# Staff of the course. Students are those of people.csv.
c.JupyterHub.load_groups = {"formgrade-dl101": {"users": ["meier"]}}
