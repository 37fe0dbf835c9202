"""The files in deploy/: certificates, dask's settings, Slurm's jobs, commands of pods, the worker's image. The manifests
have a schema, which `scripts/lint-files` compares."""

from __future__ import annotations

import copy
import importlib.util
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import dask
import pytest
import yaml
from distributed.security import Security

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
NAMES = ("scheduler", "worker", "client")


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)


# --- certificates ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "tls"
    assert run(DEPLOY / "certificates", folder).returncode == 0
    return folder


def test_each_role_has_a_certificate_of_the_authority_and_a_key_that_nobody_else_can_read(tls: Path) -> None:
    made = {"ca.pem", "ca-key.pem", *(f"{name}{end}" for name in NAMES for end in (".pem", "-key.pem"))}
    assert {path.name for path in tls.iterdir()} == made
    for name in NAMES:
        assert run("openssl", "verify", "-CAfile", tls / "ca.pem", tls / f"{name}.pem").returncode == 0
    assert {path.stat().st_mode & 0o777 for path in tls.glob("*-key.pem")} == {0o600}


def test_a_run_without_a_folder_asks_for_one() -> None:
    assert "name a folder" in run(DEPLOY / "certificates").stderr


def test_a_second_run_keeps_what_is_there_and_makes_what_is_missing(tls: Path) -> None:
    before = {path.name: path.read_bytes() for path in tls.iterdir()}
    for end in (".pem", "-key.pem"):
        (tls / f"worker{end}").unlink()
    assert run(DEPLOY / "certificates", tls).returncode == 0
    after = {path.name: path.read_bytes() for path in tls.iterdir()}
    assert {name for name in before if before[name] != after[name]} == {"worker.pem", "worker-key.pem"}
    assert run("openssl", "verify", "-CAfile", tls / "ca.pem", tls / "worker.pem").returncode == 0


# --- dask's settings -------------------------------------------------------------------------------------


def leaves(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{above}{key}.")
        else:
            yield above + key, value


def test_every_setting_is_one_of_dasks_and_tls_is_required() -> None:
    settings = yaml.safe_load((DEPLOY / "dask.yaml").read_text())
    for name, _ in leaves(settings):
        dask.config.get(name)  # KeyError: dask has no such setting
    with dask.config.set(dict(leaves(settings))):
        security = Security()
        assert security.require_encryption
        for name in NAMES:
            assert security.get_tls_config_for_role(name)["cert"] == f"/etc/autograder/tls/{name}.pem"
    for name in ("scheduler", "worker"):
        assert settings["distributed"][name]["http"]["routes"] == ["distributed.http.health"]
    assert settings["distributed"]["scheduler"]["allowed-failures"] == 0


# --- Slurm -----------------------------------------------------------------------------------------------


@pytest.fixture
def slurm() -> ModuleType:
    spec = importlib.util.spec_from_file_location("slurm_cluster", DEPLOY / "slurm/cluster.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_script_for_slurm_says_what_it_needs(slurm: ModuleType) -> None:
    options = slurm.arguments(["--tls", "/tls", "--jobs", "100"])
    assert (options.jobs, options.cores, options.walltime) == (100, 16, "04:00:00")
    with pytest.raises(SystemExit, match="at least half an hour"):
        slurm._minutes("00:20:00")
    role = slurm.security(Path("/tls")).get_tls_config_for_role("worker")
    assert [role[kind] for kind in ("ca_file", "cert", "key")] == [
        "/tls/ca.pem",
        "/tls/worker.pem",
        "/tls/worker-key.pem",
    ]


@pytest.fixture
def settings_go_back() -> Iterator[None]:
    before = copy.deepcopy(dask.config.config)
    yield
    dask.config.config.clear()
    dask.config.config.update(before)


@pytest.mark.usefixtures("settings_go_back")
def test_a_job_of_slurm_is_one_worker_with_tls(slurm: ModuleType, tls: Path, tmp_path: Path) -> None:
    pytest.importorskip("dask_jobqueue", reason="dask-jobqueue is not installed; it is not part of the environment")
    words = f"--tls {tls} --cores 16 --memory 32GiB --partition cpu --account course --port 0 --scratch /local"
    with slurm.make_cluster(slurm.arguments([*words.split(), "--logs", str(tmp_path)])) as cluster:
        script = cluster.job_script()
        assert cluster.scheduler_address.startswith("tls://")
    for line in ("-p cpu", "-A course", "-n 1", "--cpus-per-task=16", "--mem=32G", "-t 04:00:00", "--requeue"):
        assert f"#SBATCH {line}\n" in script
    command = script.splitlines()[-1]
    for part in ("distributed.cli.dask_worker tls://", "--nthreads 16", "--no-dashboard", "--lifetime 230m",
                 f"--tls-ca-file {tls}/ca.pem", f"--tls-cert {tls}/worker.pem", f"--tls-key {tls}/worker-key.pem",
                 "--local-directory /local"):  # fmt: skip
        assert part in command
    assert "--nworkers" not in command
    assert f"export DASK_CONFIG={DEPLOY}/dask.yaml" in script


# --- Kubernetes ------------------------------------------------------------------------------------------


CLUSTER = yaml.safe_load((DEPLOY / "kubernetes/cluster.yaml").read_text())


def test_commands_in_the_pods_are_dasks(tmp_path: Path) -> None:
    """With their options: dask's own command line reads them."""
    from distributed.cli.dask_scheduler import main as scheduler
    from distributed.cli.dask_worker import main as worker

    for name, command in (("scheduler", scheduler), ("worker", worker)):
        words = CLUSTER["spec"][name]["spec"]["containers"][0]["args"]
        assert words[:2] == ["dask", name]
        rest = [str(word).replace("$(DASK_WORKER_NAME)", "one") for word in words[2:]]
        rest = [str(tmp_path) if word == "/scratch" else word for word in rest]
        with command.make_context(name, [*rest, *(["tls://host:8786"] if name == "worker" else [])]):
            pass


# --- the image -------------------------------------------------------------------------------------------


def test_the_image_is_made_of_what_a_checkout_has() -> None:
    text = (DEPLOY / "Containerfile").read_text()
    for line in re.findall(r"^COPY (.+)$", text, re.M):
        for name in line.split()[:-1]:
            assert (ROOT / name).exists(), name
    assert "USER grader" in text
    assert "scripts/install" in text


# --- the door's web server -------------------------------------------------------------------------------


def test_the_web_server_and_the_doors_unit_meet_at_one_socket_that_a_group_may_enter() -> None:
    """Attack 74: a door that listens to other machines by itself is held up by forty slow senders."""
    unit, server = ((DEPLOY / "serve" / name).read_text() for name in ("door-web.service", "door.nginx.conf"))
    (socket,) = re.findall(r"--bind (unix:\S+)", unit)
    assert set(re.findall(r"proxy_pass http://([^;]+);", server)) == {socket}
    assert "RuntimeDirectoryMode=0750" in unit
    assert "Group=door" in unit
