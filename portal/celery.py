"""The Celery application: registrations run here, outside any request."""

import os
from pathlib import Path

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("archway")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(related_name="jobs")


@app.on_after_configure.connect
def make_queue_folders(sender: Celery, **_: object) -> None:
    """The file broker does not create its folders."""
    options = sender.conf.broker_transport_options or {}
    for name in ("data_folder_in", "control_folder"):
        if name in options:
            Path(options[name]).mkdir(parents=True, exist_ok=True)
