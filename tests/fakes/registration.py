"""Client registration and its management at the fake server (RFC 7591, RFC 7592)."""

import hmac
import secrets
from typing import Any

from tests.fakes.messages import Answer, Received, Refused
from tests.fakes.store import FakeClient, Store

REGISTRATION_SCOPE = "dcr"
KNOWN_METADATA = frozenset(
    {
        *("redirect_uris", "token_endpoint_auth_method", "grant_types", "response_types", "client_name", "client_uri"),
        *("logo_uri", "scope", "contacts", "tos_uri", "policy_uri", "jwks_uri", "jwks", "software_id"),
        *("software_version", "application_type", "software_statement"),
    }
)
KNOWN_GRANTS = frozenset({"client_credentials", "authorization_code", "refresh_token", "password", "implicit"})
SERVER_OWNED = frozenset(
    {"registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"}
)


def register(store: Store, request: Received, initial_token: str) -> Answer:
    """POST to the registration endpoint: 201 (or 200) with everything that the client must keep."""
    try:
        _check_initial_token(store, request, initial_token)
        asked = _asked(request)
        metadata, scopes = _accepted(store, asked)
    except Refused as exc:
        if store.quirks.html_registration_errors:
            raise Refused(Answer.page(exc.answer.status, "Error")) from exc
        raise
    wants_secret = "token_endpoint_auth_method" in asked or not store.quirks.secret_needs_auth_method
    public = metadata.get("token_endpoint_auth_method") == "none"
    client = store.add_client(
        FakeClient(
            client_id=secrets.token_hex(8),
            client_secret=store.new_secret() if wants_secret and not public else "",
            metadata=metadata,
            scopes=scopes,
            registration_access_token=secrets.token_urlsafe(24) if store.quirks.management else "",
            issued_at=int(store.clock()),
        )
    )
    return Answer.of(_shown(store, client, asked=asked), status=store.quirks.register_status)


def read(store: Store, request: Received, client_id: str) -> Answer:
    """GET of a registration URI."""
    client = _managed(store, request, client_id)
    if not store.quirks.odd_read:
        return Answer.of(_shown(store, client, secret=store.quirks.secret_in_read))
    grants = dict.fromkeys(["authorization_code", *client.grant_types])
    return Answer.of(
        {
            "client_id": client.client_id,
            "client_secret": client.client_secret,
            "client_name": client.metadata.get("client_name", ""),
            "redirect_uris": client.metadata.get("redirect_uris", []),
            "token_endpoint_auth_method": [client.auth_method],
            "response_types": client.metadata.get("response_types", []),
            "grant_types": list(grants),
        }
    )


def update(store: Store, request: Received, client_id: str) -> Answer:
    """PUT to a registration URI: a full replacement of the metadata."""
    client = _managed(store, request, client_id)
    asked = _asked(request)
    if asked.get("client_id") != client.client_id:
        raise Refused(_metadata_error("client_id is missing or not this client's"))
    if store.quirks.update_refuses_echo and (owned := SERVER_OWNED & set(asked)):
        raise Refused(_metadata_error(f"request MUST NOT include {', '.join(sorted(owned))}"))
    if "client_secret" in asked and asked["client_secret"] != client.client_secret:
        raise Refused(_metadata_error("client_secret is not this client's"))
    metadata, scopes = _accepted(store, asked)
    client.metadata, client.scopes = metadata, scopes
    if store.quirks.new_secret_on_update:
        client.client_secret = store.new_secret()
    if store.quirks.rotate_registration_access_token:
        client.registration_access_token = secrets.token_urlsafe(24)
    shown = _shown(store, client, asked=asked, secret=store.quirks.secret_in_update)
    if store.quirks.update_answers_metadata_only:
        shown = {name: value for name, value in shown.items() if name not in SERVER_OWNED}
    return Answer.of(shown)


def delete(store: Store, request: Received, client_id: str) -> Answer:
    """DELETE of a registration URI."""
    store.remove_client(_managed(store, request, client_id))
    return Answer(status=store.quirks.delete_status)


def _check_initial_token(store: Store, request: Received, initial_token: str) -> None:
    match store.quirks.initial_token:
        case "none":
            return
        case "fixed":
            if hmac.compare_digest(request.bearer.encode(), initial_token.encode()):
                return
            raise Refused(Answer.error(401, "invalid_token", challenge='Bearer error="invalid_token"'))
        case "client_credentials":
            token = store.live(request.bearer, "access")
            if token is None or REGISTRATION_SCOPE not in token.scopes:
                raise Refused(Answer(status=401))


def _asked(request: Received) -> dict[str, Any]:
    body = request.json
    if not isinstance(body, dict):
        raise Refused(_metadata_error("the body must be a JSON object"))
    return body


def _accepted(store: Store, asked: dict[str, Any]) -> tuple[dict[str, Any], list[str] | None]:
    """The metadata that this server keeps, and the scopes that the client may be granted."""
    quirks = store.quirks
    redirect_uris = asked.get("redirect_uris")
    if quirks.redirect_uris == "for_code" and "code" in asked.get("response_types", ["code"]) and not redirect_uris:
        raise Refused(_metadata_error("redirect_uris must contain members", error="invalid_redirect_uri"))
    if quirks.redirect_uris in ("present", "non_empty") and redirect_uris is None:
        raise Refused(_metadata_error("redirect_uris is mandatory", error="invalid_redirect_uri"))
    if quirks.redirect_uris == "non_empty" and not redirect_uris:
        raise Refused(_metadata_error("redirect_uris must not be empty", error="invalid_redirect_uri"))
    grants = asked.get("grant_types", ["authorization_code"])
    if unknown := set(grants) - KNOWN_GRANTS:
        raise Refused(_metadata_error(f"unknown grant_types: {', '.join(sorted(unknown))}"))
    if quirks.redirect_uris == "optional" and "authorization_code" in grants and not redirect_uris:
        raise Refused(_metadata_error("authorization_code needs redirect_uris", error="invalid_redirect_uri"))
    if not isinstance(asked.get("token_endpoint_auth_method", ""), str):
        raise Refused(_metadata_error("token_endpoint_auth_method must be a string"))
    keeps_all = quirks.unknown_metadata == "kept"
    kept = {
        name: value
        for name, value in asked.items()
        if name in KNOWN_METADATA or name in quirks.kept_extra_metadata or (keeps_all and not _is_ours(name))
    }
    defaults: dict[str, Any] = {"grant_types": ["authorization_code"], "response_types": ["code"], "redirect_uris": []}
    if not quirks.secret_needs_auth_method:
        defaults["token_endpoint_auth_method"] = "client_secret_basic"
    kept = {**defaults, **kept}
    if quirks.response_types_become is not None:
        kept["response_types"] = list(quirks.response_types_become)
    return _with_scopes(store, kept)


def _with_scopes(store: Store, kept: dict[str, Any]) -> tuple[dict[str, Any], list[str] | None]:
    policy = store.quirks.registration_scope
    if policy == "fixed":
        return kept, list(store.new_client_scopes)
    if policy == "ignored":
        kept.pop("scope", None)
        return kept, None
    if "scope" not in kept:
        return kept, None
    scopes = str(kept["scope"]).split()
    unknown = [scope for scope in scopes if scope not in store.scopes]
    if unknown and policy == "unknown_refused":
        raise Refused(_metadata_error("scope must only contain supported scope values"))
    if policy == "unknown_dropped":
        scopes = [scope for scope in scopes if scope not in unknown]
        kept["scope"] = " ".join(scopes)
    return kept, scopes


def _is_ours(name: str) -> bool:
    return name in SERVER_OWNED or name in ("client_id", "client_secret")


def _managed(store: Store, request: Received, client_id: str) -> FakeClient:
    """The client at a registration URI when the registration access token is its own (RFC 7592 section 2)."""
    if not store.quirks.management:
        raise Refused(Answer.error(404, "not_found"))
    client = store.clients.get(client_id)
    shown = request.bearer
    if client and not client.static and shown and hmac.compare_digest(client.registration_access_token, shown):
        return client
    if store.quirks.foreign_token_destroys_it:
        for other in store.clients.values():
            if shown and other.registration_access_token == shown:
                other.registration_access_token = secrets.token_urlsafe(24)
    if store.quirks.management_refusal == "401_empty":
        raise Refused(Answer(status=401))
    raise Refused(Answer.error(401, "invalid_token", challenge='Bearer error="invalid_token"'))


def _shown(
    store: Store, client: FakeClient, *, asked: dict[str, Any] | None = None, secret: bool = True
) -> dict[str, Any]:
    shown = dict(client.metadata)
    if asked is not None and store.quirks.unknown_metadata == "echoed":
        shown = {**{name: value for name, value in asked.items() if not _is_ours(name)}, **shown}
    shown.update({"client_id": client.client_id, "client_id_issued_at": client.issued_at})
    if secret and client.client_secret:
        expires = client.issued_at + store.quirks.secret_seconds if store.quirks.secret_seconds else 0
        shown.update({"client_secret": client.client_secret, "client_secret_expires_at": expires})
    if client.registration_access_token:
        shown["registration_access_token"] = client.registration_access_token
        shown["registration_client_uri"] = f"{store.issuer}/register/{client.client_id}"
    return shown


def _metadata_error(description: str, *, error: str = "invalid_client_metadata") -> Answer:
    return Answer.error(400, error, description)
