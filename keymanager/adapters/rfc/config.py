"""The knobs of the ``rfc`` adapter: every way in which running identity providers were seen to differ."""

from dataclasses import dataclass

from keymanager.adapters.config import knob
from keymanager.adapters.token_rules import TokenRules


@dataclass(frozen=True, slots=True, kw_only=True)
class RfcConfig(TokenRules):
    """Quirks are configuration. The defaults are what the RFCs say."""

    issuer: str = knob("Issuer", kind="url", help="Discovery is looked for below it, and its documents must name it.")
    discovery_url: str = knob("Discovery URL", kind="url", help="Where it is not at a well-known place of the issuer.")
    token_endpoint: str = knob("Token endpoint", kind="url", help="Replaces what discovery says.")
    authorization_endpoint: str = knob("Authorization endpoint", kind="url")
    registration_endpoint: str = knob("Registration endpoint", kind="url")
    introspection_endpoint: str = knob("Introspection endpoint", kind="url")
    revocation_endpoint: str = knob("Revocation endpoint", kind="url")
    userinfo_endpoint: str = knob("User information endpoint", kind="url")
    tokeninfo_endpoint: str = knob(
        "Token information endpoint",
        kind="url",
        help="For token_validation tokeninfo: tells the bearer about the token.",
    )
    jwks_uri: str = knob("JWKS URL", kind="url")

    registration: str = knob(
        "Client registration",
        "managed",
        choices=("managed", "create_only", "none"),
        help="RFC 7591 with RFC 7592, RFC 7591 alone, or clients made by hand.",
    )
    initial_access_token_mode: str = knob(
        "Right to register",
        "none",
        choices=("none", "fixed", "client_credentials"),
        help="Open registration, a fixed token, or a token fetched with the client credentials grant.",
    )
    initial_access_token: str = knob("Initial access token", secret=True)
    registration_client_id: str = knob("Client that may register: id")
    registration_client_secret: str = knob("Client that may register: secret", secret=True)
    registration_scope: str = knob("Scope that allows registering", kind="scope")
    empty_redirect_uris: bool = knob("Machine clients need no redirect URI", True)
    placeholder_scope: str = knob(
        "Scope of a client that may have none",
        kind="scope",
        help="For servers that give a client without scopes their default ones.",
    )
    placeholder_redirect_uri: str = knob("Redirect URI sent when one is demanded", kind="url")
    keeps_unknown_metadata: bool = knob("Keeps unknown client metadata", False)
    marker_name: str = knob("Metadata member for our marker", "archway_marker")
    read_returns_secret: bool = knob("Reading a client returns its secret", False)
    update_secret: str = knob("Secret after an update", "same", choices=("same", "new"))
    rotates_registration_token: bool = knob("An update replaces the registration access token", False)
    grant_types: tuple[str, ...] = knob(
        "Grant types on offer", ("client_credentials", "authorization_code", "refresh_token")
    )

    token_auth: str = knob("How our own clients authenticate for a token", "basic", choices=("basic", "post"))
    basic_encoding: str = knob(
        "Basic credentials are",
        "form",
        choices=("form", "raw"),
        help="Form-encoded before Base64 (RFC 6749 2.3.1), or raw where the server does not decode them.",
    )
    introspection_auth: str = knob("Introspection: authentication", "basic", choices=("basic", "post", "bearer"))
    introspection_client_id: str = knob("Introspection: client id")
    introspection_client_secret: str = knob("Introspection: client secret", secret=True)
    introspection_token: str = knob(
        "Introspection: bearer token", secret=True, help="Empty: fetched with the client credentials grant."
    )
    introspection_scope: str = knob("Introspection: scope of the fetched token", kind="scope")
    revocation: bool = knob("Tokens can be revoked", True)
    revocation_auth: str = knob(
        "Revocation: authentication",
        "registered",
        choices=("registered", "basic", "post"),
        help="As the client is registered, or always this way.",
    )

    jwt_introspection: bool = knob("JWT access tokens can be introspected", True)
    absent_scope: str = knob(
        "A token answer without scope means",
        "as_asked",
        choices=("as_asked", "none"),
        help="As asked (RFC 6749 5.1), or no scope at all.",
    )
    refuses_endless_tokens: bool = knob(
        "A token that never expires is refused",
        False,
        help="For servers whose introspection calls registration access tokens active.",
    )
    refused_scopes: tuple[str, ...] = knob(
        "Scopes of tokens that are no access tokens",
        (),
        help="A token with one of them is refused: some servers call registration access tokens active.",
    )
    resource_style: str = knob("Resource indicators", "none", choices=("none", "url", "urn", "any"))
    max_resources: int = knob("Most resource indicators in one request", 1, help="0: no limit.")
    userinfo: bool = knob("Has a user information endpoint", False)

    scopes_api: str = knob("Scopes are registered by", "none", choices=("none", "glewlwyd", "mitreid"))
    resources_api: str = knob("Resources are registered by", "none", choices=("none", "mitreid"))
    clients_api: str = knob("Clients are found and get new secrets by", "none", choices=("none", "mitreid"))
    admin_url: str = knob("Administration URL", kind="url")
    admin_api_key: str = knob("Administration: API key", secret=True, help="Or a user name and a password.")
    admin_user: str = knob("Administration: user")
    admin_password: str = knob("Administration: password", secret=True)

    def check(self) -> dict[str, list[str]]:
        """Errors that concern more than one field, by field."""
        needed: list[tuple[str, bool]] = [
            ("issuer", not (self.discovery_url or self.token_endpoint)),
            ("initial_access_token", self.initial_access_token_mode == "fixed"),
            ("registration_client_id", self.initial_access_token_mode == "client_credentials"),
            ("placeholder_redirect_uri", not self.empty_redirect_uris and self.registration != "none"),
            ("marker_name", self.keeps_unknown_metadata),
            ("introspection_client_id", self._needs_introspection_client()),
            ("tokeninfo_endpoint", self.token_validation == "tokeninfo"),
            ("admin_url", self.scopes_api == "glewlwyd" or self._administers_mitreid),
            ("admin_api_key", self.scopes_api == "glewlwyd" and not (self.admin_user and self.admin_password)),
            ("admin_user", self._administers_mitreid),
            ("admin_password", self._administers_mitreid),
        ]
        errors = {name: ["This is required here."] for name, wanted in needed if wanted and not getattr(self, name)}
        if not self.grant_types:
            errors["grant_types"] = ["At least one is needed."]
        return errors

    @property
    def introspects(self) -> bool:
        """True when tokens are (also) checked by calling the introspection endpoint."""
        if self.token_validation == "auto":
            return self._may_introspect()
        return self.token_validation == "introspection" or self.jwt_introspection

    @property
    def _administers_mitreid(self) -> bool:
        return "mitreid" in (self.scopes_api, self.resources_api, self.clients_api)

    def _may_introspect(self) -> bool:
        """Whether we have a right of our own at the introspection endpoint."""
        return bool(self.introspection_client_id or (self.introspection_auth == "bearer" and self.introspection_token))

    def _needs_introspection_client(self) -> bool:
        return self.token_validation != "tokeninfo" and self.introspects and not self._may_introspect()
