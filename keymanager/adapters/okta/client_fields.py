"""Members of a client that only Okta has."""

from dataclasses import dataclass

from keymanager.adapters.config import knob


@dataclass(frozen=True, slots=True, kw_only=True)
class OktaClientFields:
    """What an application may say beside RFC 7591."""

    application_type: str = knob(
        "Application type",
        choices=("web", "native", "browser", "service"),
        help="Empty: from the grants. It can never be changed.",
    )
    client_uri: str = knob("Home page", kind="url")
    logo_uri: str = knob("Logo", kind="url")
    policy_uri: str = knob("Privacy policy", kind="url")
    tos_uri: str = knob("Terms of service", kind="url")
    initiate_login_uri: str = knob("Address that begins a login", kind="url")
    post_logout_redirect_uris: tuple[str, ...] = knob("Addresses after logout", ())
