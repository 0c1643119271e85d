"""WSGI entry point of the web process."""

import gc
import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
application = get_wsgi_application()

# Every view is loaded now and lives as long as the process. The collector is told to leave all that alone: walking
# through it again and again stopped every request for a tenth of a second.
import_module(settings.ROOT_URLCONF)
gc.collect()
gc.freeze()
