"""What stands around the code fits it: workflows, the citation, the pages for contributors. `scripts/lint-files` checks
each file by itself."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from autograder import __version__

ROOT = Path(__file__).resolve().parents[2]
REPOSITORY = "https://github.com/nbexaminer/nbexaminer"
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


def load(path: Path) -> dict[str, Any]:
    loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def commands(workflow: dict[str, Any]) -> list[str]:
    steps = [step for job in workflow["jobs"].values() for step in job.get("steps", [])]
    return [step["run"] for step in steps if "run" in step]


@each_workflow
def test_workflows_call_targets_of_the_makefile(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.M))
    called = {word for command in commands(load(path)) for word in re.findall(r"^make ([a-z-]+)", command, re.M)}
    assert called <= targets


def test_continuous_integration_tests_every_supported_python() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    supported = [c.rpartition(" ")[2] for c in project["classifiers"] if re.search(r":: Python :: 3\.\d", c)]
    jobs = load(ROOT / ".github/workflows/ci.yml")["jobs"]
    assert jobs["test"]["strategy"]["matrix"]["python"] == supported


def test_every_night_all_long_tests_run() -> None:
    recipe = re.search(r"^test-all:.*\n((?:\t.+\n)+)", MAKEFILE, re.M)
    assert recipe is not None
    nightly = load(ROOT / ".github/workflows/nightly.yml")["jobs"]["long"]["strategy"]["matrix"]["target"]
    assert re.findall(r"\$\(MAKE\) (\S+)", recipe[1]) == nightly


@pytest.mark.parametrize(("name", "job"), [("ci.yml", "test"), ("nightly.yml", "long")])
def test_pages_are_looked_at_by_axe_in_the_public_workflow(name: str, job: str) -> None:
    steps = load(ROOT / ".github/workflows" / name)["jobs"][job]["steps"]
    texts = [step.get("run", "") for step in steps]
    fetched = next(number for number, text in enumerate(texts) if "AXE_CORE=" in text and "axe-core@" in text)
    assert fetched < next(number for number, text in enumerate(texts) if text.startswith((".ci/run", 'make "')))


def test_a_release_publishes_only_what_passed() -> None:
    jobs = load(ROOT / ".github/workflows/release.yml")["jobs"]
    assert jobs["publish"]["needs"] == "ci"
    assert jobs["publish"]["permissions"] == {"id-token": "write"}
    assert jobs["publish"]["environment"] == "pypi"


def test_the_citation_is_of_this_version() -> None:
    assert load(ROOT / "CITATION.cff")["version"] == __version__


def test_all_addresses_are_of_one_repository() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    texts = [*project["urls"].values()]
    names = ("CITATION.cff", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md", "mkdocs.yml")
    for path in [*(ROOT / ".github").rglob("*.*ml"), *(ROOT / name for name in names)]:
        texts += re.findall(r"\w+://\S+", path.read_text(encoding="utf-8"))
    assert len(texts) > len(project["urls"])
    assert [text for text in texts if not text.startswith(REPOSITORY)] == []


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md"])
def test_links_of_pages_for_contributors_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", (ROOT / name).read_text(encoding="utf-8")):
        assert (ROOT / target.partition("#")[0]).exists(), target


def test_contributors_are_told_of_targets_that_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\bmake ([a-z-]+)", text)) <= set(re.findall(r"^([a-z-]+):", MAKEFILE, re.M))
