"""What `make` does before Django exists, and what it says when it cannot."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from config import install
from config.install import Trouble

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout without anything installed, and no right to install Debian packages."""
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.setattr(install, "ROOT", tmp_path)
    monkeypatch.setattr(install, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(install, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    monkeypatch.setattr(install, "VENDOR", tmp_path / "static" / "vendor")
    monkeypatch.setattr(install, "install_debian", lambda packages: False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would have been run; everything goes well."""
    seen: list[str] = []
    monkeypatch.setattr(
        install, "run_quietly", lambda command, environment=None: seen.append(" ".join(map(str, command)))
    )
    return seen


def test_it_runs_with_the_standard_library_alone() -> None:
    script = f"import sys; sys.path.insert(0, {str(ROOT / 'config')!r}); import install"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True)
    assert done.stderr == ""


def test_an_old_python_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "OLDEST", (4, 0))
    with pytest.raises(Trouble, match=r"^Python 3\.\S+ is too old"):
        install.install("demo")


def test_a_python_without_venv_is_named(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        Trouble, match=r"^This python3 cannot make virtual environments: install the package python3-venv\.$"
    ):
        install.make_venv()


def test_a_full_disk_is_named(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install.shutil, "disk_usage", lambda path: SimpleNamespace(free=5_000_000))
    with pytest.raises(Trouble, match=r"^The disk of .* has 5 MB left; the first start needs 1500 MB\.$"):
        install.make_venv()


def test_packages_that_cannot_be_fetched_are_named(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (checkout / ".venv").mkdir()
    monkeypatch.setattr(install, "run_quietly", lambda command, environment=None: "connection refused")
    with pytest.raises(
        Trouble, match=r"^pip could not install build\.lock; is the network there\? .*connection refused$"
    ):
        install.install_packages("demo")
    assert not (checkout / ".venv" / "installed-demo").exists()


def test_front_end_packages_that_cannot_be_fetched_are_named(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], environment: object = None) -> str | None:
        return "connection refused" if command[1] == "ci" else None

    monkeypatch.setattr(install, "run_quietly", run)
    with pytest.raises(Trouble, match=r"^npm could not fetch the front-end packages; is the network there\?"):
        install.fill_vendor()
    assert not (checkout / "static" / "vendor").exists()


def test_packages_are_installed_with_hashes_and_only_when_their_lock_changed(
    checkout: Path, commands: list[str]
) -> None:
    (checkout / ".venv").mkdir()
    install.install_packages("demo")
    assert [command.rpartition("/")[2] for command in commands] == ["build.lock", "demo.lock"]
    assert all("--require-hashes" in command for command in commands)
    install.install_packages("demo")
    assert len(commands) == 2
    with (checkout / "requirements" / "demo.lock").open("a") as lock:
        lock.write("# changed\n")
    install.install_packages("demo")
    assert len(commands) == 4


def test_only_the_named_front_end_files_are_served_and_old_ones_leave(checkout: Path, commands: list[str]) -> None:
    wanted = json.loads((checkout / "package.json").read_text())["vendor"]
    for source in wanted.values():
        file = checkout / "node_modules" / source
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("export {};\n//# sourceMappingURL=gone.map")
    install.VENDOR.mkdir(parents=True)
    (install.VENDOR / "old.js").write_text("")
    install.fill_vendor()
    assert {file.name for file in install.VENDOR.glob("[!.]*")} == set(wanted)
    assert all("sourceMappingURL" not in (install.VENDOR / name).read_text() for name in wanted)


def test_a_lock_file_names_no_registry() -> None:
    for file in [*(ROOT / "requirements").glob("*.lock"), ROOT / "package-lock.json"]:
        assert "://" not in file.read_text(), file
