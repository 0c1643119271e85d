"""Reading of environment variables, with errors that name the variable."""

import os
import secrets
from pathlib import Path

from django.utils.translation import get_language_info, to_language

from common.errors import ConfigurationError
from common.private_files import private_file

LAST_PORT = 65535


def env_int(name: str, default: int) -> int:
    """The integer in ``name``, or ``default``. Raises ``ConfigurationError`` naming the variable."""
    value = os.environ.get(name, "")
    if not value:
        return default
    try:
        return int(value)
    except ValueError as exc:
        raise ConfigurationError(f"{name} must be a whole number, not {value!r}") from exc


def env_port(name: str, default: int) -> int:
    """The TCP port in ``name``, or ``default``. Raises ``ConfigurationError`` naming the variable."""
    port = env_int(name, default)
    if not 1 <= port <= LAST_PORT:
        raise ConfigurationError(f"{name} must be a port from 1 to {LAST_PORT}, not {port}")
    return port


def env_bool(name: str, default: bool) -> bool:
    """True for 1/true/yes/on, False for 0/false/no/off, else ``ConfigurationError``."""
    value = os.environ.get(name, "").lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ConfigurationError(f"{name} must be true or false, not {value!r}")


def env_list(name: str, default: list[str]) -> list[str]:
    """Comma-separated values, blanks removed."""
    if name not in os.environ:
        return list(default)
    return [item.strip() for item in os.environ[name].split(",") if item.strip()]


def instance_secret(home: Path, name: str, filename: str) -> str:
    """The secret in the environment variable ``name``, else the one kept in ``home/filename`` (made on first use)."""
    from_environment = os.environ.get(name, "")
    return from_environment or private_file(home / filename, secrets.token_urlsafe(64)).strip()


def shipped_languages(folder: Path) -> list[tuple[str, str]]:
    """English, and each language with a compiled catalogue below ``folder``: its code, and what it calls itself."""
    found = sorted(to_language(catalogue.parts[-3]) for catalogue in folder.glob("*/LC_MESSAGES/django.mo"))
    return [("en", "English"), *((code, get_language_info(code)["name_local"]) for code in found if code != "en")]
