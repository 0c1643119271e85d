"""Quirks of identity providers that were run and observed, as partial configurations of the ``rfc`` adapter."""

import re
from collections.abc import Mapping
from typing import Any, Final

from common.errors import InputError
from keymanager.adapters.contract import Recognised, ServerMetadata
from keymanager.adapters.well_known import path_of

PRESETS: Final[Mapping[str, Mapping[str, Any]]] = {
    "oidc-provider": {
        "initial_access_token_mode": "fixed",
        "read_returns_secret": True,
        "rotates_registration_token": True,
        "introspection_auth": "basic",
        "jwt_introspection": False,
        "absent_scope": "none",
        "resource_style": "any",
        "max_resources": 1,
    },
    "glewlwyd": {
        "initial_access_token_mode": "client_credentials",
        "registration_scope": "dcr",
        "empty_redirect_uris": False,
        "placeholder_redirect_uri": "https://localhost/no-redirect",
        "keeps_unknown_metadata": True,
        "update_secret": "new",
        "basic_encoding": "raw",
        "introspection_auth": "basic",
        "resource_style": "url",
        "max_resources": 1,
        "scopes_api": "glewlwyd",
    },
    "mitreid": {
        "keeps_unknown_metadata": True,
        "marker_name": "software_id",
        "read_returns_secret": True,
        "placeholder_scope": "archway:none",
        "basic_encoding": "raw",
        "introspection_auth": "basic",
        "token_validation": "introspection",
        "absent_scope": "none",
        "refuses_endless_tokens": True,
        "scopes_api": "mitreid",
        "resources_api": "mitreid",
        "clients_api": "mitreid",
    },
    "django-oauth-toolkit": {
        "initial_access_token_mode": "fixed",
        "rotates_registration_token": True,
        "introspection_auth": "basic",
        "refused_scopes": ("oauth2_provider:registration",),
        "resource_style": "url",
        "max_resources": 0,
    },
    "hydra-public": {
        "rotates_registration_token": True,
        "introspection_auth": "bearer",
        "token_validation": "introspection",
        "absent_scope": "none",
    },
}

# Paths of the addresses for registration and tokens.
_PATHS: Final = {
    "oidc-provider": (re.compile(r".*/reg"), re.compile(r".*/token")),
    "glewlwyd": (re.compile(r".*/api/[^/]+/register"), re.compile(r".*/api/[^/]+/token")),
}


def recognised_preset(found: ServerMetadata) -> Recognised | None:
    """The preset whose server says this of itself, by its paths."""
    for preset, (registration, token) in _PATHS.items():
        if registration.fullmatch(path_of(found.registration_endpoint)) and token.fullmatch(
            path_of(found.token_endpoint)
        ):
            return Recognised(reason=f"Its addresses are those of {preset}.", preset=preset)
    return None


def with_preset(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """``values`` over the preset ``name``. Raises ``InputError`` for an unknown preset."""
    if name not in PRESETS:
        raise InputError.of("preset", f"there is no preset {name!r}; there are {', '.join(PRESETS)}")
    return {**PRESETS[name], **values}
