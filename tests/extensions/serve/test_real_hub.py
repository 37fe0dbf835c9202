"""JupyterHub itself beside a door, with the configuration of deploy/; ``make test-hub`` makes its environment.

Its API alone is needed: there is no proxy and no server of a user. HUB_PYTHON names a Python with JupyterHub 6.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.cache import cache
from helpers.doors import NOTEBOOK, Door
from helpers.hubs import plugin, served

from autograder.extensions.serve.models import Job

PYTHON = os.environ.get("HUB_PYTHON", "")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.integration,
    pytest.mark.skipif(not PYTHON, reason="HUB_PYTHON names no Python with JupyterHub 6"),
]
PORT = 18_917
API = f"http://127.0.0.1:{PORT}/hub/api"
CONFIG = Path(__file__).parents[3] / "deploy/jupyterhub/jupyterhub_config.py"
ALONE = f"""
from jupyterhub.proxy import Proxy

class NoProxy(Proxy):
    async def add_route(self, routespec, target, data): pass
    async def delete_route(self, routespec): pass
    async def get_all_routes(self): return {{}}

load_subconfig({str(CONFIG)!r})
c = get_config()
c.JupyterHub.proxy_class = NoProxy
c.Proxy.should_start = False
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.Authenticator.allowed_users = {{"ada", "bob", "meier"}}
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{PORT}/hub/"
c.JupyterHub.api_tokens = {{name * 8: name for name in ("ada", "bob", "meier")}}
"""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[str]:
    """A running Hub; yields the address of its API."""
    (tmp_path / "config.py").write_text(ALONE)
    line = [PYTHON, "-m", "jupyterhub", "-f", "config.py", "--db", "sqlite:///hub.sqlite"]
    with (tmp_path / "hub.log").open("w") as log:
        process = subprocess.Popen(line, cwd=tmp_path, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 120
        while not _answers():
            is_alive = process.poll() is None and time.monotonic() < deadline
            assert is_alive, (tmp_path / "hub.log").read_text()
            time.sleep(0.5)
        yield API
    finally:
        process.terminate()
        process.wait(30)


def _answers() -> bool:
    try:
        return requests.get(API, timeout=5).ok
    except requests.RequestException:
        return False


def token(person: str, **limits: Any) -> str:
    """A new token of a person, for less than they may do."""
    headers = {"Authorization": f"token {person * 8}"}
    answer = requests.post(f"{API}/users/{person}/tokens", headers=headers, json=limits, timeout=30)
    answer.raise_for_status()
    return str(answer.json()["token"])


def test_the_hubs_own_answers_say_who_may_do_what(
    hub: str, door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.clear()
    text = (door.root / "course.yaml").read_text().replace("course: tiny", "course: dl101")
    (door.root / "course.yaml").write_text(text.replace("staff: [meier]", f"hub: {hub}"))
    (door.course.release("hw")).mkdir(parents=True)
    (door.course.release("hw") / "nb.ipynb").write_bytes(NOTEBOOK)
    with served() as address:
        status = {}
        tokens = {
            "a server's": token("ada", roles=["server"]),
            "narrow": token("ada", scopes=["users:activity!user=ada"]),
            "unknown": "0" * 32,
            "staff's": token("meier", roles=["server"]),
        }
        for kind, value in tokens.items():
            headers = {"Authorization": f"token {value}"}
            paths = ("/exchange/", "/staff/")
            status[kind] = [requests.get(address + path, headers=headers, timeout=30).status_code for path in paths]
        assert status == {"a server's": [200, 403], "narrow": [401] * 2, "unknown": [401] * 2, "staff's": [200, 200]}
        monkeypatch.setenv("JUPYTERHUB_API_TOKEN", tokens["a server's"])
        for kind in ("FetchAssignment", "Submit"):
            plugin(kind, address, tmp_path / "home", course="dl101").start()
    assert Job.objects.get().student == "ada"
