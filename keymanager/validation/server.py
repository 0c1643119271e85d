"""The application object that granian serves: sets Django up, then makes the validator's runtime."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django.setup()

from keymanager.validation.app import ValidatorApp  # noqa: E402 - models need the app registry
from keymanager.validation.runtime import Runtime  # noqa: E402 - as above

app = ValidatorApp(Runtime())
