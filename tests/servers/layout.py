"""Where the parts that no Debian package gives are installed, and the error when they cannot be."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = Path(os.environ.get("ARCHWAY_SERVERS", str(ROOT / ".servers")))
NODE_FOLDER = INSTALLED / "node"
NODE_MODULES = NODE_FOLDER / "node_modules"
NODE_PACKAGE = Path(__file__).resolve().parent / "oidc_provider"


class CannotInstall(RuntimeError):
    """The message says what is missing and what to do."""
