"""The issuer identifier and the addresses below it (RFC 8414 section 2)."""

from urllib.parse import urlsplit

from django.conf import settings

MOUNT = "resident"


def issuer() -> str:
    """The issuer identifier, without a trailing slash."""
    return f"{settings.ARCHWAY_PUBLIC_URL.rstrip('/')}/{MOUNT}"


def endpoint(path: str) -> str:
    """The absolute URL of an endpoint, e.g. ``endpoint("token")``."""
    return f"{issuer()}/{path}"


def metadata_path() -> str:
    """Where RFC 8414 section 3 puts the metadata of an issuer that has a path: between host and path."""
    return f"/.well-known/oauth-authorization-server{urlsplit(issuer()).path}"
