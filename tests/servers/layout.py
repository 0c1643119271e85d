"""Where the parts that Debian's package manager cannot give are installed, and what is raised when they cannot be."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = Path(os.environ.get("ARCHWAY_SERVERS", str(ROOT / ".servers")))
NODE_FOLDER = INSTALLED / "node"
NODE_MODULES = NODE_FOLDER / "node_modules"
NODE_PACKAGE = Path(__file__).resolve().parent / "oidc_provider"
KEYCLOAK_VERSION = "26.7.3"
KEYCLOAK_FOLDER = INSTALLED / f"keycloak-{KEYCLOAK_VERSION}"


class CannotInstall(RuntimeError):
    """The message says what is missing and what to do."""
