"""Discovery documents and keys of the fake server (RFC 8414, OpenID Connect Discovery, RFC 7517)."""

from tests.fakes.messages import Answer
from tests.fakes.store import Store


def document(store: Store) -> Answer:
    """The metadata document, the same at both paths."""
    quirks, issuer = store.quirks, store.issuer
    grants = ["client_credentials", "authorization_code", "refresh_token"]
    methods = [f"client_secret_{name}" for name in ("basic", "post") if name in quirks.introspection_auth]
    members = {
        "issuer": store.token_issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "jwks_uri": f"{issuer}/jwks",
        "registration_endpoint": f"{issuer}/register",
        "scopes_supported": sorted(store.scopes),
        "response_types_supported": ["code"],
        "grant_types_supported": [*grants, "password"] if quirks.password_grant else grants,
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "code_challenge_methods_supported": ["S256"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }
    if quirks.introspection:
        members["introspection_endpoint"] = f"{issuer}/introspect"
        members["introspection_endpoint_auth_methods_supported"] = methods
    if quirks.revocation:
        members["revocation_endpoint"] = f"{issuer}/revoke"
        members["revocation_endpoint_auth_methods_supported"] = ["client_secret_basic", "client_secret_post"]
    return Answer.of({name: value for name, value in members.items() if name not in quirks.discovery_omits})


def jwks(store: Store) -> Answer:
    """The public keys that this server's tokens can be checked with."""
    store.signing_key()
    return Answer.of({"keys": [key.as_dict(private=False) for key in store.keys]})
