"""Everything `make` needs before Django exists: the virtual environment, the front-end files, the browser of the tests.

Runs with the machine's own python3 and nothing else: `python3 -I config/install.py demo|check|test|vendor`. A step is
skipped while its lock file is the one it was last done with. What a person can mend ends in one sentence, exit 1.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
VENDOR = ROOT / "static" / "vendor"
OLDEST = (3, 11)
SPACE = 1_500_000_000  # bytes: the packages, their wheels on the way in, and a young database
FONTS = {
    "fonts-noto-core": "NotoSans-Regular",
    "fonts-noto-mono": "NotoSansMono-Regular",
    "fonts-noto-color-emoji": "NotoColorEmoji",
}
BROWSER = "chromium-headless-shell"
MAIL_SERVER = "dovecot-imapd"
# What is installed for tests must not run as a service of this machine.
WITHOUT_SERVICES = """policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then trap 'rm -f $policy' EXIT; printf '#!/bin/sh\\nexit 101\\n' > $policy; chmod +x $policy; fi
"$@"
"""


class Trouble(Exception):
    """One sentence for the person who typed `make`."""


def install(purpose: str) -> None:
    """Makes this checkout ready for "demo", "check" or "test"; "vendor" is the front-end files alone."""
    if sys.version_info < OLDEST:
        raise Trouble(f"Python {sys.version.split()[0]} is too old, 3.11 is needed: make PYTHON=python3.12 …")
    os.chdir(ROOT)
    if purpose != "vendor":
        make_venv()
        install_packages("demo" if purpose == "demo" else "test")
    fill_vendor()
    if purpose == "test":
        install_browser()
        install_mail_server()


def make_venv() -> None:
    if run_quietly([PYTHON, "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"]) is None:
        return
    check_space()
    if importlib.util.find_spec("ensurepip") is None:  # Debian keeps it in a package of its own
        names = [f"python{sys.version_info.major}.{sys.version_info.minor}-venv", "python3-venv"]
        if not any(install_debian([name]) for name in names):
            raise Trouble("This python3 cannot make virtual environments: install the package python3-venv.")
    with step("Making .venv"):
        if words := run_quietly([sys.executable, "-m", "venv", "--clear", VENV]):
            raise Trouble(f"python3 could not make the folder .venv: {words}")


def install_packages(lock: str) -> None:
    requirements = [ROOT / "requirements" / "build.lock", ROOT / "requirements" / f"{lock}.lock"]
    stamp = VENV / f"installed-{lock}"
    if is_current(stamp, requirements):
        return
    check_space()
    with step(f"Installing the Python packages of requirements/{lock}.lock"):
        for file in requirements:
            pip_install(PYTHON, file)
    remember(stamp, requirements)


def pip_install(python: Path, requirements: Path) -> None:
    command: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--require-hashes", "--no-build-isolation"]
    command += ["--no-input", "--disable-pip-version-check", "--retries=3", "--root-user-action=ignore"]
    command += ["-r", requirements]
    if words := run_quietly(command):
        raise Trouble(f"pip could not install {requirements.name}; is the network there? It said: {words}")


def fill_vendor() -> None:
    """Copies the files that package.json names under "vendor" to static/vendor, and nothing else of those packages."""
    sources = [ROOT / "package.json", ROOT / "package-lock.json"]
    stamp = VENDOR / ".installed"
    if is_current(stamp, sources):
        return
    with step("Filling static/vendor"):
        fetch_node_packages()
        shutil.rmtree(VENDOR, ignore_errors=True)
        VENDOR.mkdir(parents=True)
        for name, source in json.loads(sources[0].read_text())["vendor"].items():
            script = (ROOT / "node_modules" / source).read_text()
            # Their source maps stay behind, and Django refuses to serve a file that names a missing one.
            (VENDOR / name).write_text(script.partition("//# sourceMappingURL=")[0])
    remember(stamp, sources)


def fetch_node_packages() -> None:
    """`npm ci` with the machine's Node, else with one from PyPI that is removed again."""
    install_them = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    if run_quietly(["npm", "--version"]) is None:
        words = run_quietly(install_them)
    else:
        node = ROOT / ".venv-node"
        try:
            run_quietly([sys.executable, "-m", "venv", "--clear", node])
            pip_install(node / "bin" / "python", ROOT / "requirements" / "node.lock")
            path = f"{node / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
            words = run_quietly([node / "bin" / "npm", *install_them[1:]], {"PATH": path})
        finally:
            shutil.rmtree(node, ignore_errors=True)
    if words:
        raise Trouble(f"npm could not fetch the front-end packages; is the network there? It said: {words}")


def install_browser() -> None:
    """Debian's Chromium and fonts where we may install packages, else the browser that Playwright downloads. The one
    without windows computes a third of what the other does."""
    fonts = [package for package, font in FONTS.items() if not has_font(font)]
    browser = [] if shutil.which(BROWSER) else [BROWSER]
    if not fonts and not browser:
        return
    with step("Installing Chromium and fonts for the browser tests"):
        if install_debian([*browser, *fonts]):
            return
        if fonts:
            print(f"  Pictures of the pages lack some letters and emoji without {' and '.join(fonts)}.", flush=True)
        if not browser or shutil.which("chromium"):
            return
        if words := run_quietly([PYTHON, "-m", "playwright", "install", "chromium"]):
            raise Trouble(f"The browser tests need Chromium: install the package {BROWSER}. Playwright said: {words}")


def has_font(name: str) -> bool:
    return run_quietly(["sh", "-c", 'fc-list | grep -q "$1"', "sh", name]) is None


def install_mail_server() -> None:
    """Debian's Dovecot, an IMAP server nobody here has written. Without it its tests say so and are left out."""
    if shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin"):
        return
    with step("Installing Dovecot for the mail tests"):
        if not install_debian([MAIL_SERVER]):
            print(f"  The tests in tests/peers leave Dovecot out: install the package {MAIL_SERVER}.", flush=True)


def install_debian(packages: Sequence[str]) -> bool:
    """Installs Debian packages as root or through sudo, waiting for another apt; False where that is not possible."""
    rights = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if not shutil.which("apt-get") or (rights and run_quietly([*rights, "true"]) is not None):
        return False
    quietly = [*rights, "sh", "-c", WITHOUT_SERVICES, "sh"]
    apt = [*quietly, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-o", "DPkg::Lock::Timeout=300"]
    for attempt in range(10):
        words = run_quietly([*apt, "update"])
        words = words or run_quietly([*apt, "install", "-y", "--no-install-recommends", *packages])
        if words is None:
            return True
        if "lock" not in words:
            break
        time.sleep(2 * attempt)
    print(f"  apt-get could not install {' '.join(packages)}: {words}", flush=True)
    return False


def run_quietly(command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> str | None:
    """Runs a command; None when it went well, else its last words."""
    try:
        done = subprocess.run(
            [str(word) for word in command],
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        return str(error)
    if done.returncode == 0:
        return None
    lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    return " / ".join(lines[-2:])[-400:] or f"exit code {done.returncode}"


def check_space() -> None:
    free = shutil.disk_usage(ROOT).free
    if free < SPACE:
        raise Trouble(f"The disk of {ROOT} has {free // 10**6} MB left; the first start needs {SPACE // 10**6} MB.")


def is_current(stamp: Path, sources: Sequence[Path]) -> bool:
    return stamp.exists() and stamp.read_text() == digest(sources)


def remember(stamp: Path, sources: Sequence[Path]) -> None:
    stamp.write_text(digest(sources))


def digest(sources: Sequence[Path]) -> str:
    return hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()


@contextmanager
def step(words: str) -> Iterator[None]:
    print(f"{words} …", flush=True)
    began = time.monotonic()
    yield
    print(f"  done in {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    try:
        install(sys.argv[1] if len(sys.argv) > 1 else "demo")
    except (Trouble, OSError) as trouble:
        sys.exit(f"make: {trouble}")
    except KeyboardInterrupt:
        sys.exit(130)
