"""One Django project in one file: settings, addresses, first rows, server. Run as a process of its own.

``python project.py PORT FOLDER``: serves django-oauth-toolkit under ``/o`` of the loopback port, with its SQLite
database in the folder. Everything secret in here is for tests only.
"""

import hmac
import socketserver
import sys
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import django
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest
from django.urls import URLPattern, URLResolver, include, path

INITIAL_ACCESS_TOKEN = "initial-access-token"
GATEWAY = ("gateway", "gateway-secret")
SCOPES = ("openid", "introspection", "read", "write", "museum:read", "museum:write", "books:read", "books:order")

urlpatterns: list[URLPattern | URLResolver] = []


class FixedToken:
    """Who may register: whoever knows the fixed initial access token."""

    def has_permission(self, request: HttpRequest) -> bool:
        """By the Authorization header."""
        given = request.headers.get("Authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {INITIAL_ACCESS_TOKEN}".encode())


class ThreadingServer(socketserver.ThreadingMixIn, WSGIServer):
    """One thread for each connection."""

    daemon_threads = True


class QuietHandler(WSGIRequestHandler):
    """Logs no request."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's word
        return


def configure(port: int, folder: Path) -> None:
    """The settings of the toolkit's own documentation, with registration on."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    settings.configure(
        DEBUG=False,
        SECRET_KEY="for-tests-only",
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF=__name__,
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": folder / "toolkit.sqlite3",
                "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE"},
            }
        },
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "oauth2_provider",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        LOGGING={
            "version": 1,
            "handlers": {"console": {"class": "logging.StreamHandler"}},
            "loggers": {"django.request": {"handlers": ["console"], "level": "ERROR"}},
        },
        # The default costs half a second of CPU for each client that authenticates.
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        OAUTH2_PROVIDER={
            "SCOPES": {name: name for name in SCOPES},
            "OIDC_ENABLED": True,
            "OIDC_RSA_PRIVATE_KEY": pem,
            "OIDC_ISS_ENDPOINT": f"http://127.0.0.1:{port}/o",
            "ACCESS_TOKEN_EXPIRE_SECONDS": 600,
            "DCR_ENABLED": True,
            "DCR_REGISTRATION_PERMISSION_CLASSES": (f"{__name__}.FixedToken",),
        },
    )


def set_up() -> None:
    """Tables, and the client that may introspect."""
    call_command("migrate", verbosity=0)
    from oauth2_provider.models import get_application_model

    client_id, client_secret = GATEWAY
    get_application_model().objects.get_or_create(
        client_id=client_id,
        defaults={
            "name": "Gateway",
            "client_secret": client_secret,
            "client_type": "confidential",
            "authorization_grant_type": "client-credentials",
        },
    )


def main(port: int, folder: Path) -> None:
    """Serve until the process is ended."""
    configure(port, folder)
    django.setup()
    set_up()
    urlpatterns.append(path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")))
    make_server("127.0.0.1", port, get_wsgi_application(), ThreadingServer, QuietHandler).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
