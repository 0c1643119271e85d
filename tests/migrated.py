"""A migrated SQLite database, made once per test run: migrating takes seconds, copying a file does not."""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def migrated_database(folder: Path) -> Path:
    """The database file in ``folder``; of several test processes that share the folder, one makes it."""
    made = folder / "migrated.sqlite3"
    with (folder / "migrated.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            with tempfile.TemporaryDirectory(dir=folder) as home:
                environment = {
                    **os.environ,
                    "ARCHWAY_HOME": home,
                    "ARCHWAY_DATABASE_URL": f"sqlite:///{home}/new.sqlite3",
                    "DJANGO_SETTINGS_MODULE": "portal.settings",
                }
                command = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0", "--skip-checks"]
                subprocess.run(command, cwd=ROOT, env=environment, check=True)
                shutil.move(f"{home}/new.sqlite3", made)
    return made
