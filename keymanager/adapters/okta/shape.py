"""What our client metadata (RFC 7591 section 2) are in Okta's words, the same for both interfaces."""

from collections.abc import Mapping
from typing import Any, Final

from common.errors import InputError
from keymanager.adapters.contract import ClientMetadata
from keymanager.adapters.okta.config import GRANT_TYPES

SECRET_METHODS: Final = frozenset({"client_secret_basic", "client_secret_post", "client_secret_jwt"})
MARKER: Final = "archway_marker"
_MARK_LENGTH = 8
# Members that both interfaces know under the same name.
_EXTRA = frozenset(
    {
        *("application_type", "client_uri", "initiate_login_uri", "logo_uri"),
        *("policy_uri", "post_logout_redirect_uris", "tos_uri"),
    }
)


def client_members(metadata: ClientMetadata) -> dict[str, Any]:
    """The members that Okta and RFC 7591 name alike. Raises ``InputError`` for a grant that is not on offer."""
    unknown = [name for name in metadata.grant_types if name not in GRANT_TYPES]
    if unknown:
        raise InputError.of("grant_types", f"the key manager does not offer {', '.join(unknown)}")
    kind = _application_type(metadata)
    return {
        **{name: value for name, value in metadata.extra.items() if name in _EXTRA},
        "application_type": kind,
        "grant_types": list(metadata.grant_types),
        "response_types": ["token"] if kind == "service" else list(metadata.response_types or ("code",)),
        "redirect_uris": list(metadata.redirect_uris),
    }


def _application_type(metadata: ClientMetadata) -> str:
    """It can never be changed: ``service`` has client_credentials alone, the others need authorization_code."""
    chosen = metadata.extra.get("application_type")
    if isinstance(chosen, str) and chosen:
        return chosen
    if set(metadata.grant_types) == {"client_credentials"}:
        return "service"
    return "native" if metadata.token_endpoint_auth_method == "none" else "web"


def shown_name(metadata: ClientMetadata) -> str:
    """The name with the head of the marker: Okta refuses a second active client of the same name."""
    return f"{metadata.client_name}{_suffix(metadata.marker)}"


def plain_name(shown: str, marker: str) -> str:
    """The name without it, as it was asked for."""
    return shown.removesuffix(_suffix(marker)) if marker else shown


def _suffix(marker: str) -> str:
    return f" [{marker[:_MARK_LENGTH]}]"


def not_kept(asked: Mapping[str, Any], observed: Mapping[str, Any], extra: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of what was asked and is not there; lists have no order, and an empty one may be left out."""
    lost = {name for name, value in asked.items() if not _same(value, observed.get(name))}
    return tuple(sorted(lost | (extra.keys() - _EXTRA)))


def _same(asked: Any, got: Any) -> bool:
    if isinstance(asked, list):
        return sorted(map(str, asked)) == sorted(map(str, got)) if isinstance(got, list) else not asked and not got
    return bool(asked == got)
