"""A client in Keycloak's own form: written with every flag said, read back with the RFCs' names."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from common.errors import InputError
from common.redact import is_secret_name
from common.scopes import format_scope
from keymanager.adapters.contract import TOKEN_EXCHANGE, ClientHandle, ClientMetadata, RegisteredClient
from keymanager.adapters.keycloak.config import KeycloakConfig
from keymanager.adapters.rfc.answers import text_of, texts_of, whole_number

MARKER: Final = "archway.marker"
_SECRET_ENDS = "client.secret.expiration.time"
_OLD_SECRET_ENDS = "client.secret.rotated.expiration.time"
_OLD_SECRET = "client.secret.rotated"
_EXCHANGE = "standard.token.exchange.enabled"
_REFRESH = "use.refresh.tokens"
# What a token always carries: its subject, its client's id, and nothing of roles.
BASE_SCOPES: Final = ("basic", "service_account")
# It asks for an ID token (OpenID Connect Core section 3.1.2.1); Keycloak has no client scope of this name.
OPENID: Final = "openid"
_NAME_LIMIT = 255
_METHODS = ("client_secret_basic", "client_secret_post", "none")
_FLAGS: Final = {
    "client_credentials": "serviceAccountsEnabled",
    "authorization_code": "standardFlowEnabled",
    "password": "directAccessGrantsEnabled",
    "implicit": "implicitFlowEnabled",
}


def client_body(config: KeycloakConfig, metadata: ClientMetadata) -> dict[str, Any]:
    """Every member that is ours. Raises ``InputError``: the server accepts what harms, or fails with 500."""
    _check(config, metadata)
    grants = metadata.grant_types
    public = metadata.token_endpoint_auth_method == "none"
    return {
        "clientId": client_id_of(config, metadata.marker),
        "name": metadata.client_name,
        "protocol": "openid-connect",
        "clientAuthenticatorType": "client-secret",
        "publicClient": public,
        "bearerOnly": False,
        "consentRequired": False,
        "frontchannelLogout": False,
        # Else every token carries every role of its user.
        "fullScopeAllowed": False,
        **{flag: grant in grants for grant, flag in _FLAGS.items()},
        "redirectUris": list(metadata.redirect_uris),
        "attributes": {
            MARKER: metadata.marker,
            _EXCHANGE: str(TOKEN_EXCHANGE in grants).lower(),
            _REFRESH: str("refresh_token" in grants).lower(),
            "client_credentials.use_refresh_token": "false",
            "oauth2.device.authorization.grant.enabled": "false",
            "oidc.ciba.grant.enabled": "false",
        },
    }


def client_id_of(config: KeycloakConfig, marker: str) -> str:
    """The client id of a credential: chosen by us, so a creation can be repeated."""
    return f"{config.client_id_prefix}{marker}"


def is_ours(document: Mapping[str, Any], marker: str) -> bool:
    """Whether the client carries our marker."""
    return _attributes(document).get(MARKER) == marker


def holds_old_secret(document: Mapping[str, Any]) -> bool:
    """Whether a replaced secret still works."""
    return bool(_attributes(document).get(_OLD_SECRET))


def registered(
    document: Mapping[str, Any], handle: ClientHandle, hidden: frozenset[str], asked: ClientMetadata | None = None
) -> RegisteredClient:
    """A client as it is. ``hidden``: client scopes that are no scopes of an API. ``asked``: to say what was dropped."""
    seen = observed(document, hidden)
    return RegisteredClient(
        handle=handle,
        observed=seen,
        ignored=_not_kept(seen, asked, document) if asked else (),
        client_secret_expires_at=whole_number(_attributes(document), _SECRET_ENDS) or 0,
        old_secret_expires_at=whole_number(_attributes(document), _OLD_SECRET_ENDS) or 0,
    )


def observed(document: Mapping[str, Any], hidden: frozenset[str]) -> dict[str, Any]:
    """The metadata in RFC 7591's names, and without secrets: Keycloak keeps the replaced one among the attributes."""
    attributes = _attributes(document)
    grants = [grant for grant, flag in _FLAGS.items() if document.get(flag) is True]
    if attributes.get(_EXCHANGE) == "true":
        grants.append(TOKEN_EXCHANGE)
    if attributes.get(_REFRESH) == "true":
        grants.append("refresh_token")
    method = "none" if document.get("publicClient") is True else "client_secret_basic"
    return {
        "client_id": text_of(document, "clientId"),
        "client_name": text_of(document, "name"),
        "enabled": document.get("enabled") is True,
        "grant_types": sorted(grants),
        "redirect_uris": list(texts_of(document, "redirectUris")),
        "token_endpoint_auth_method": method,
        "scope": format_scope(set(texts_of(document, "optionalClientScopes")) - hidden),
        "default_client_scopes": sorted(texts_of(document, "defaultClientScopes")),
        "attributes": {
            name: value
            for name, value in attributes.items()
            if not is_secret_name(name) and not name.startswith("client.secret")
        },
    }


def _not_kept(seen: Mapping[str, Any], asked: ClientMetadata, document: Mapping[str, Any]) -> tuple[str, ...]:
    method = asked.token_endpoint_auth_method
    scopes = asked.scopes - {OPENID}
    kept = {
        "client_name": seen["client_name"] == asked.client_name,
        # Whoever switched it off there may have had a reason, so a change leaves that as it is.
        "enabled": seen["enabled"],
        "grant_types": set(seen["grant_types"]) >= set(asked.grant_types),
        "redirect_uris": set(seen["redirect_uris"]) == set(asked.redirect_uris),
        # Those for people are not shown, and a client with the code grant has them unasked.
        "scope": scopes <= set(texts_of(document, "optionalClientScopes")) and set(seen["scope"].split()) <= scopes,
        "token_endpoint_auth_method": (seen["token_endpoint_auth_method"] == "none") == (method == "none"),
        **dict.fromkeys(asked.extra, False),
    }
    return tuple(sorted(name for name, same in kept.items() if not same))


def _check(config: KeycloakConfig, metadata: ClientMetadata) -> None:
    unknown = [name for name in metadata.grant_types if name not in config.grant_types]
    if unknown:
        raise InputError.of("grant_types", f"the key manager does not offer {', '.join(unknown)}")
    if metadata.token_endpoint_auth_method not in _METHODS:
        raise InputError.of("token_endpoint_auth_method", f"this must be one of {', '.join(_METHODS)}")
    check_names(metadata)


def without_openid(metadata: ClientMetadata) -> ClientMetadata:
    """The same for dynamic registration, which refuses the whole client for a scope that is no client scope."""
    return replace(metadata, scopes=metadata.scopes - {OPENID})


def check_names(metadata: ClientMetadata) -> None:
    """Raise ``InputError`` for what Keycloak fails at (500) or takes although it is dangerous."""
    if len(metadata.client_name) > _NAME_LIMIT:
        raise InputError.of("client_name", f"Keycloak takes at most {_NAME_LIMIT} characters")
    wrong = [uri for uri in metadata.redirect_uris if "*" in uri or "#" in uri]
    if wrong:
        raise InputError.of("redirect_uris", "Keycloak takes * for a pattern: neither * nor a fragment is allowed")


def _attributes(document: Mapping[str, Any]) -> Mapping[str, Any]:
    attributes = document.get("attributes")
    return attributes if isinstance(attributes, dict) else {}
