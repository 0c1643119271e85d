"""Settings of the test run: a home of its own, SQLite unless ARCHWAY_DATABASE_URL names another database."""

import os
import tempfile

os.environ.setdefault("ARCHWAY_HOME", tempfile.mkdtemp(prefix="archway-tests-"))
os.environ.setdefault("ARCHWAY_ALLOWED_NETWORKS", "127.0.0.0/8,::1/128")
os.environ.setdefault("ARCHWAY_LOG_LEVEL", "WARNING")

from portal.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *PASSWORD_HASHERS]  # noqa: F405
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405
CELERY_TASK_ALWAYS_EAGER = False

STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # noqa: F405 - WhiteNoise warns of a missing one
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":  # noqa: F405
    # A file, so that the threads of a live server and of a worker have connections of their own.
    DATABASES["default"]["TEST"] = {"NAME": str(ARCHWAY_HOME / "tests.sqlite3")}  # noqa: F405
