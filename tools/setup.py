"""Sets up all that physad needs in .venv, in stages; a stage that ended well is not done again until its inputs change.

    python3 tools/setup.py [--learning] [--dev]

Only the standard library is used: nothing is installed yet. Nothing outside the checkout changes but system packages;
pip's cache, ROS's logs and matplotlib's fonts lie in .cache, not in the home directory.
"""

import argparse
import ctypes.util
import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import threading
import time
import venv
from collections.abc import Callable, Iterable
from pathlib import Path

OLDEST, NEWEST = (3, 11), (3, 14)
# here, and without a future import above, so that an older Python too gets this far
if not OLDEST <= sys.version_info[:2] <= NEWEST:
    sys.exit("set-up: Python {}.{} is not supported, 3.{} to 3.{} are; name one, e.g. make PYTHON=python3.11".format(
        *sys.version_info[:2], OLDEST[1], NEWEST[1]))

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMPS = VENV / "stamps"
BUILD = ROOT / ".build"  # of the interfaces
CACHE = ROOT / ".cache"  # pip's, and what .venv's programs keep

#: what the system must have: a command or a library, and the Debian package that brings it
COMMANDS = {"cmake": "cmake", "g++": "g++", "make": "make"}
LIBRARIES = {"EGL": "libegl1", "GL": "libgl1"}
#: likewise what only tests need: a browser, which opens the benchmark's page
BROWSER = {"chromium": "chromium", "chromedriver": "chromium-driver"}

TURN_S, SHOW_S, LOG_S = 0.05, 0.5, 15.0  # looking whether a command has ended; showing how far it is, in a terminal and in a log


class SetupError(Exception):
    """Something a person must see to."""


def run(*command: object, **environment: str) -> None:
    """Run a command and show how far it is; on failure show all that it printed."""
    words: list[str] = [str(word) for word in command]
    said: list[str] = []
    process = subprocess.Popen(
        words, cwd=ROOT, env={**os.environ, **environment}, text=True, errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    hearing = threading.Thread(target=lambda: said.extend(process.stdout or ()), daemon=True)  # line by line, as they come
    hearing.start()
    try:
        follow(process, said)
        hearing.join()
    except BaseException:  # Ctrl-C above all
        process.kill()
        raise
    if process.returncode:
        raise SetupError(f"{' '.join(words)}\n{''.join(said)}\nfailed with status {process.returncode}")


def follow(process: subprocess.Popen[str], said: list[str]) -> None:
    """Wait for a process; show what it said last, in one line that is kept up to date, or a line now and then where that is no terminal."""
    began, told, terminal = time.monotonic(), time.monotonic(), sys.stdout.isatty()
    while process.poll() is None:
        time.sleep(TURN_S)
        now = time.monotonic()
        if now - told < (SHOW_S if terminal else LOG_S):
            continue
        told, last = now, next((line.strip() for line in reversed(said) if line.strip()), "")
        line = f"  {now - began:.0f} s: {last}"[: shutil.get_terminal_size().columns - 1]
        print(f"\r\033[K{line}" if terminal else line, end="" if terminal else "\n", flush=True)
    if terminal:
        print("\r\033[K", end="", flush=True)


def system_packages(dev: bool) -> None:
    """Compiler, build tools and the software GL that renders without a screen; for tests a browser too."""
    missing = [package for command, package in COMMANDS.items() if not shutil.which(command)]
    missing += [package for library, package in LIBRARIES.items() if not ctypes.util.find_library(library)]
    # Debian ships Python in parts; other builds of Python have these
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if not importlib.util.find_spec("ensurepip"):
        missing.append(f"{python}-venv")
    if not (Path(sysconfig.get_paths()["include"]) / "Python.h").exists():
        missing.append(f"{python}-dev")
    browser = [package for command, package in BROWSER.items() if dev and not shutil.which(command)]
    if not missing and not browser:
        return
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if not may_install(sudo):
        if missing:
            wanted = " ".join(missing)
            raise SetupError(f"these system packages (Debian's names) are missing: {wanted}\n"
                             f"install them and run this again:  sudo apt-get install {wanted}")
        print(f"  no {' '.join(browser)} here: the tests that open the benchmark's page in a browser will be skipped")
        return
    print(f"  installing {' '.join(missing + browser)}")
    run(*sudo, "apt-get", "update")
    run(*sudo, "apt-get", "install", "-y", "--no-install-recommends", *missing, *browser, DEBIAN_FRONTEND="noninteractive")


def may_install(sudo: list[str]) -> bool:
    """Whether system packages can be installed without asking anybody."""
    if not shutil.which("apt-get"):
        return False
    return not sudo or (bool(shutil.which("sudo")) and not subprocess.run([*sudo, "true"], capture_output=True).returncode)


def virtual_environment() -> None:
    """A fresh .venv of the Python that runs this."""
    shutil.rmtree(BUILD, ignore_errors=True)  # it remembers the Python and the place it was configured for
    venv.create(VENV, with_pip=True, clear=True, symlinks=True)


def pip(*arguments: object) -> None:
    cache = os.environ.get("PIP_CACHE_DIR", str(CACHE / "pip"))
    run(PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", *arguments, PIP_CACHE_DIR=cache)


def packages() -> None:
    """ROS 2 Kilted and the libraries, at the pinned versions."""
    for info in site_packages().glob("*.dist-info"):
        if not (info / "RECORD").exists():  # pip writes it last: this one was interrupted, and pip would not notice
            shutil.rmtree(info)
    pip("-c", "constraints.txt", "-r", "requirements.txt")
    pip("--no-deps", "--require-hashes", "-r", "requirements-ros.txt")
    mend_exports()


def learning() -> None:
    """What learnt detectors and the benchmark need."""
    pip("-c", "constraints.txt", "-r", "requirements-learning.txt")


def development() -> None:
    """What checks and tests need."""
    pip("-c", "constraints.txt", "-r", "requirements-dev.txt")


def mend_exports() -> None:
    """The wheels' exported CMake files name the Python of the machine that built them; name this one."""
    include = sysconfig.get_paths()["include"]
    asked = "import numpy; print(numpy.get_include())"
    numpy_include = subprocess.run([PYTHON, "-c", asked], text=True, capture_output=True, check=True).stdout.strip()
    for file in (VENV / "share").rglob("*.cmake"):
        before = file.read_text(errors="surrogateescape")
        after = re.sub(r'[^;"\s]*/opt/python/[^;"\s]*/include/python[\d.]+', include, before)
        after = re.sub(r'[^;"\s]*site-packages/numpy/_?core/include', numpy_include, after)
        if after != before:
            file.write_text(after, errors="surrogateescape")


def interfaces() -> None:
    """physad_msgs, and of control_msgs (no wheel) what is used, built by colcon with the real rosidl straight into .venv."""
    unfinished = BUILD / "unfinished"
    if unfinished.exists():
        shutil.rmtree(BUILD)  # a killed compiler leaves half a file behind, which make takes for a whole one
    BUILD.mkdir(exist_ok=True)
    unfinished.touch()
    run(
        VENV / "bin" / "colcon", "--log-base", BUILD / "log", "build", "--merge-install",
        "--build-base", BUILD, "--install-base", VENV, "--paths", "physad_msgs", "vendor/control_msgs", "--event-handlers", "console_direct+",
        "--cmake-args", f"-DPython3_EXECUTABLE={PYTHON}", "-DBUILD_TESTING=OFF", "-DCMAKE_BUILD_TYPE=Release",
        "--no-warn-unused-cli",
        PATH=f"{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}",
        CMAKE_PREFIX_PATH=str(VENV), AMENT_PREFIX_PATH=str(VENV), VIRTUAL_ENV=str(VENV),
    )
    unfinished.unlink()


def physad() -> None:
    """The package itself, editable, and its entry in the ament index."""
    pip("--no-deps", "--no-build-isolation", "-e", ".")
    marker = VENV / "share" / "ament_index" / "resource_index" / "packages" / "physad"
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.touch()
    shutil.copy(ROOT / "tools" / "physad_environment.py", site_packages())
    # before the wheels' own .pth: they are read in the order of their names
    (site_packages() / "physad_environment.pth").write_text("import physad_environment; physad_environment.apply()\n")
    share = VENV / "share" / "physad"
    if not share.is_symlink():
        share.symlink_to(ROOT)


def site_packages() -> Path:
    return next((VENV / "lib").glob("python*/site-packages"))


def digest(inputs: Iterable[Path]) -> str:
    """Of the contents of files and folders, the Python's version and the place, which many installed files name."""
    files: list[Path] = []
    for path in inputs:
        files += sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    sum_ = hashlib.sha256(f"{sys.version_info[:2]} {ROOT}".encode())
    for file in files:
        sum_.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return sum_.hexdigest()


def stage(name: str, action: Callable[[], None], *inputs: str) -> None:
    """Do a stage unless its stamp says that it ended well with the same inputs."""
    stamp, wanted = STAMPS / name, digest(ROOT / i for i in inputs)
    if PYTHON.exists() and stamp.exists() and stamp.read_text() == wanted:
        return
    began = time.monotonic()
    print(f"set-up: {name} ({(action.__doc__ or '').splitlines()[0].rstrip('.')}) …", flush=True)
    stamp.unlink(missing_ok=True)
    action()
    STAMPS.mkdir(parents=True, exist_ok=True)
    stamp.write_text(wanted)
    print(f"set-up: {name} done in {time.monotonic() - began:.0f} s", flush=True)


def forget_other_ros() -> None:
    """Nothing of a ROS that is sourced, nor of another Python's packages, gets into what is built here."""
    from physad_environment import without_other_ros

    after = without_other_ros([str(VENV)], os.environ)
    for name in ("PYTHONPATH", "AMENT_PREFIX_PATH", "RMW_IMPLEMENTATION", "_ROS_WHEELS_BOOTSTRAP_COMPLETE"):
        after.pop(name, None)
    os.environ.clear()
    os.environ.update(after)


def set_up(learns: bool, dev: bool) -> None:
    """All stages in order."""
    forget_other_ros()
    system_packages(dev)
    stage("environment", virtual_environment)
    stage("packages", packages, "tools/setup.py", "requirements-ros.txt", "requirements.txt", "constraints.txt")
    if learns or dev:
        stage("learning", learning, "requirements-learning.txt", "constraints.txt")
    if dev:
        stage("development", development, "requirements-dev.txt", "constraints.txt")
    stage("interfaces", interfaces, "tools/setup.py", "requirements-ros.txt", "constraints.txt", "physad_msgs", "vendor")
    stage("physad", physad, "tools/setup.py", "tools/physad_environment.py", "setup.py", "setup.cfg", "package.xml")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--learning", action="store_true", help="also what learnt detectors and the benchmark need")
    parser.add_argument("--dev", action="store_true", help="also that, and what checks and tests need")
    wanted = parser.parse_args()
    try:
        with open(__file__) as this:
            fcntl.flock(this, fcntl.LOCK_EX)  # two set-ups at once would get in each other's way
            set_up(wanted.learning, wanted.dev)
    except SetupError as error:
        print(f"set-up: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("set-up: interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
