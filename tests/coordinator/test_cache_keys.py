"""Keys of recordings: what a kernel can import is in them, and what it cannot is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.coordinator.cache_keys import packages


def install(prefix: Path, name: str) -> None:
    folder = prefix / "lib/python3.11/site-packages" / name
    folder.mkdir(parents=True)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    install(tmp_path / "base", "requests-2.0.dist-info")
    return tmp_path / "base"


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    install(tmp_path / "env", "numpy-2.4.6.dist-info")
    return tmp_path / "env"


@pytest.mark.parametrize("setting", ["include-system-site-packages = false", "Include-System-Site-Packages=FALSE"])
def test_what_is_installed_into_the_base_is_not_in_the_key_of_an_environment_that_cannot_import_it(
    base: Path, environment: Path, setting: str
) -> None:
    (environment / "pyvenv.cfg").write_text(f"home = /usr/bin\n{setting}\n")
    before = packages(str(environment), str(base))
    install(base, "idna-3.1.dist-info")
    assert packages(str(environment), str(base)) == before == ["numpy-2.4.6.dist-info"]


@pytest.mark.parametrize("settings", ["include-system-site-packages = true\n", "home = /usr/bin\n", None])
def test_it_is_in_the_key_where_it_can_be_imported_or_that_is_not_known(
    base: Path, environment: Path, settings: str | None
) -> None:
    if settings is not None:
        (environment / "pyvenv.cfg").write_text(settings)
    assert packages(str(environment), str(base)) == ["numpy-2.4.6.dist-info", "requests-2.0.dist-info"]


def test_a_python_that_is_no_environment_has_its_own_packages(base: Path) -> None:
    assert packages(str(base), str(base)) == ["requests-2.0.dist-info"]
