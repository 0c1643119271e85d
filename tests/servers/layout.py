"""Where the parts that the package manager of Debian cannot give are installed."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = Path(os.environ.get("ARCHWAY_SERVERS", str(ROOT / ".servers")))
NODE_FOLDER = INSTALLED / "node"
NODE_MODULES = NODE_FOLDER / "node_modules"
NODE_PACKAGE = Path(__file__).resolve().parent / "oidc_provider"
