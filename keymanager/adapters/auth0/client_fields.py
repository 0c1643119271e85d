"""Members of a client that only Auth0 has."""

from dataclasses import dataclass

from keymanager.adapters.config import knob


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth0ClientFields:
    """What an application may say beside RFC 7591."""

    app_type: str = knob("Application type", choices=("regular_web", "native", "spa", "non_interactive"))
    description: str = knob("Description")
    logo_uri: str = knob("Logo", kind="url")
    initiate_login_uri: str = knob("Address that begins a login", kind="url")
    allowed_logout_urls: tuple[str, ...] = knob("Addresses after logout", ())
