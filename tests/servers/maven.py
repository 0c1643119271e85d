"""Programs that come from Maven Central: fetched once at a pinned version, compared with a pinned digest."""

import hashlib
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.servers.layout import INSTALLED, CannotInstall

_FOLDER = INSTALLED / "maven"


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One file at Maven Central. ``sha256``: of the file, in hexadecimal."""

    group: str
    name: str
    version: str
    sha256: str
    packaging: str = "jar"

    @property
    def file_name(self) -> str:
        """As the repository names it."""
        return f"{self.name}-{self.version}.{self.packaging}"

    @property
    def coordinates(self) -> str:
        """As Maven writes them."""
        return f"{self.group}:{self.name}:{self.version}:{self.packaging}"


def fetch(artifact: Artifact) -> Path:
    """The file, from the folder of installed servers or else by Maven. Raises ``CannotInstall``."""
    kept = _FOLDER / artifact.file_name
    if kept.exists() and _digest(kept) == artifact.sha256:
        return kept
    program = shutil.which("mvn")
    if program is None:
        raise CannotInstall("Maven is not installed (apt-get install maven)")
    _FOLDER.mkdir(parents=True, exist_ok=True)
    _run(program, "dependency:get", f"-Dartifact={artifact.coordinates}", "-Dtransitive=false")
    copy = (f"-Dartifact={artifact.coordinates}", f"-DoutputDirectory={_FOLDER}", "-Dmdep.useBaseVersion=true")
    _run(program, "dependency:copy", *copy)
    if _digest(kept) != artifact.sha256:
        kept.unlink()
        raise CannotInstall(f"{artifact.coordinates} is not the file that was expected (SHA-256 differs)")
    return kept


def _run(program: str, goal: str, *options: str) -> None:
    done = subprocess.run([program, "-q", "-ntp", "-B", goal, *options], check=False, stdout=sys.stderr)
    if done.returncode:
        raise CannotInstall(f"`mvn {goal} {options[0]}` failed")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
