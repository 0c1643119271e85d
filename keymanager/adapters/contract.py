"""The contract between Archway and an identity provider.

An adapter speaks one identity provider's dialect. It receives typed values with the RFCs' names, makes
HTTP calls through the ``HttpClient`` that it is given, and returns typed values or raises one of
``common.errors``. It imports no Django, keeps no state between calls beyond short-lived access tokens of its
own, and never retries: the registration engine does.

Errors every operation may raise: ``KeyManagerRejected`` (it said no), ``KeyManagerUnavailable`` (nothing was
done), ``NotFinished`` (accepted, and not yet in force), ``KeyManagerProtocolError`` (an answer that is not the
protocol), ``OutcomeUnknown`` (sent, no usable answer), ``NotSupported`` (the capability is not declared).
"""

from abc import ABC
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Final, Protocol

from common.errors import NotSupported
from common.http import HttpClient
from keymanager.adapters.claims import USUAL_CLIENT_ID_CLAIMS, USUAL_SCOPE_CLAIMS, client_id_in, scopes_in
from keymanager.adapters.well_known import discovery_urls


class Capability(StrEnum):
    """What an identity provider can do through its adapter. Forms, REST schema and docs derive from it."""

    CREATE_CLIENT = "create_client"
    READ_CLIENT = "read_client"
    UPDATE_CLIENT = "update_client"
    DELETE_CLIENT = "delete_client"
    SUSPEND_CLIENT = "suspend_client"
    VERIFY_CLIENT = "verify_client"
    ROTATE_SECRET = "rotate_secret"
    OVERLAPPING_SECRETS = "overlapping_secrets"
    FIND_CLIENT = "find_client"
    LIST_CLIENTS = "list_clients"
    ISSUE_TOKEN = "issue_token"
    EXCHANGE_TOKEN = "exchange_token"
    INTROSPECT = "introspect"
    REVOKE_TOKEN = "revoke_token"
    REVOKE_ALL = "revoke_all"
    AUTHORIZATION_URL = "authorization_url"
    METADATA = "metadata"
    JWKS = "jwks"
    RESOURCES = "resources"
    SCOPES = "scopes"
    USER_CLAIMS = "user_claims"
    CHANGES = "changes"


# RFC 8693 section 2.1.
TOKEN_EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"

# What an identity provider may keep on each client (``KeyManagerAdapter.kept_on_clients``).
SCOPES: Final = "scopes"
RESOURCES: Final = "resources"


class Clock(Protocol):
    """Where an adapter reads the time from, so that tests can move it."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientMetadata:
    """What a client must be at the identity provider (RFC 7591 section 2).

    ``marker`` is our own mark (the credential's id): it is written where the identity provider keeps
    unknown metadata, so that a client whose creation was never answered can be found again. ``resources``: the
    ``Resource.identifier`` of each API that the client may call, for identity providers that keep that relation.
    """

    client_name: str
    marker: str
    grant_types: tuple[str, ...] = ("client_credentials",)
    response_types: tuple[str, ...] = ()
    redirect_uris: tuple[str, ...] = ()
    token_endpoint_auth_method: str = "client_secret_basic"
    scopes: frozenset[str] = frozenset()
    resources: frozenset[str] = frozenset()
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientHandle:
    """What we must remember to manage one client (RFC 7592): persisted with every answer's success.

    ``remote_id``: the identity provider's management id where it differs from ``client_id``. ``secret_id``: its id of
    the current secret, where secrets have ids: an older one in overlap is every other.
    """

    client_id: str
    remote_id: str = ""
    client_secret: str = field(default="", repr=False)
    registration_access_token: str = field(default="", repr=False)
    registration_client_uri: str = ""
    secret_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredClient:
    """An answer to create, read, update or rotate.

    ``handle``: everything to store; fields the answer did not carry keep the value that was sent in.
    ``observed``: the metadata as the identity provider says it is now, without secrets.
    ``ignored``: names of the asked metadata that it dropped or changed.
    ``client_secret_expires_at``: epoch seconds, 0 means never (RFC 7591 section 3.2.1).
    ``old_secret_expires_at``: of an answer to rotate, when the replaced secret ends by itself, 0 means never.
    """

    handle: ClientHandle
    observed: Mapping[str, Any] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    client_secret_expires_at: int = 0
    old_secret_expires_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What could be proved of a client that was made elsewhere; ``None`` means it could not be checked."""

    exists: bool | None
    secret_works: bool | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """A token request to be passed on (RFC 6749 section 3.2).

    ``parameters`` are the form parameters as received, without client authentication.
    """

    client_id: str
    client_secret: str = field(default="", repr=False)
    token_endpoint_auth_method: str = "client_secret_basic"
    parameters: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenAnswer:
    """The identity provider's own answer, success or OAuth error, to be passed through unchanged.

    ``status``: HTTP status. ``body``: the JSON object. ``www_authenticate``: its challenge, or "".
    ``scopes``: what was granted (RFC 6749 section 5.1; absent means as asked unless the server is known to
    mean "none"). ``expires_in``: seconds, ``None`` when it did not say.
    """

    status: int
    body: Mapping[str, Any] = field(repr=False)
    www_authenticate: str = ""
    scopes: frozenset[str] = frozenset()
    expires_in: int | None = None

    @property
    def ok(self) -> bool:
        """True when a token was issued."""
        return self.status == 200 and bool(self.body.get("access_token"))


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFacts:
    """What is known of an active access token, from introspection (RFC 7662) or its claims (RFC 9068).

    Times are epoch seconds. ``client_id`` is "" when the token names no client. ``token_use``: "access" unless the
    token proved to be something else.
    """

    client_id: str
    scopes: frozenset[str]
    exp: int | None = None
    iat: int | None = None
    nbf: int | None = None
    iss: str = ""
    sub: str = ""
    username: str = ""
    aud: tuple[str, ...] = ()
    jti: str = ""
    token_use: str = "access"
    claims: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inactive:
    """The token is not (or no longer) good. ``reason`` is for people, without the token."""

    reason: str


Introspection = TokenFacts | Inactive


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerMetadata:
    """RFC 8414 / OpenID Connect Discovery, as far as we use it. Absent endpoints are ""."""

    issuer: str
    token_endpoint: str = ""
    authorization_endpoint: str = ""
    registration_endpoint: str = ""
    introspection_endpoint: str = ""
    revocation_endpoint: str = ""
    userinfo_endpoint: str = ""
    jwks_uri: str = ""
    grant_types_supported: tuple[str, ...] = ()
    scopes_supported: tuple[str, ...] = ()
    token_endpoint_auth_methods_supported: tuple[str, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """An adapter knows a server by what that says of itself. ``reason``: by what, for people; ``preset``: which one."""

    reason: str
    preset: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One API version as the identity provider should know it.

    ``identifier``: stable audience or resource indicator (RFC 8707). ``name``: for people.
    """

    identifier: str
    name: str
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeSpec:
    """One scope to register at the identity provider."""

    key: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteResource:
    """A resource as it is at the identity provider; ``remote_id`` is its own id."""

    remote_id: str
    identifier: str
    scopes: frozenset[str] = frozenset()


class StepState(StrEnum):
    """Outcome of one step of a connection check."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialNote:
    """What to remember of a throw-away client while a check runs, so that a later check can remove what one left.

    ``marker``: its marker, known before it is made. ``handle``: from when it was made. ``gone``: nothing is left.
    """

    marker: str
    handle: ClientHandle | None = None
    gone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckStep:
    """One named step of ``check()``; ``reason``: why it failed or was skipped; ``milliseconds``: how long it took.

    ``trial``: where the throw-away client of the check stands after this step; it is never shown.
    """

    name: str
    state: StepState
    reason: str = ""
    milliseconds: int = 0
    trial: TrialNote | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigField:
    """Metadata of one configuration field: drives the admin form, the REST schema and the docs."""

    label: str
    help: str = ""
    secret: bool = False
    required: bool = False
    choices: tuple[str, ...] = ()
    kind: str = "text"


class KeyManagerAdapter(ABC):
    """One identity provider's dialect. Operations whose capability is not declared raise ``NotSupported``."""

    slug: ClassVar[str]
    label: ClassVar[str]

    # A frozen dataclass whose fields carry ``metadata={"field": ConfigField(...)}`` (``keymanager.adapters.config``).
    Config: ClassVar[type[Any]]

    # The same for members of a client that only this identity provider has (``ClientMetadata.extra``), if any.
    ClientFields: ClassVar[type[Any] | None] = None

    # Why introspection may call a token inactive that it has just issued, and what to do about it there.
    introspection_hint: str = ""

    def __init__(self, config: Any, http: HttpClient, clock: Clock) -> None:
        self.config = config
        self.http = http
        self.clock = clock

    # before there is a configuration
    @classmethod
    def discovery_places(cls, url: str) -> tuple[str, ...]:
        """Where a server at ``url`` can describe itself, the best first; () for servers that never do."""
        return discovery_urls(url)

    @classmethod
    def recognise(cls, found: ServerMetadata) -> Recognised | None:
        """Whether the server that says this of itself is this adapter's; ``None`` when nothing tells it."""
        return None

    @classmethod
    def settings_from(cls, found: ServerMetadata) -> Mapping[str, Any]:
        """The settings of ``Config`` that follow from what a server says of itself, for a person to look at."""
        return {"issuer": found.issuer} if "issuer" in cls.Config.__dataclass_fields__ else {}

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What this configured identity provider can do (configuration may take capabilities away)."""
        raise NotImplementedError

    @property
    def kept_on_clients(self) -> frozenset[str]:
        """Which of ``SCOPES`` and ``RESOURCES`` are kept on each client, and so follow its application's subscriptions.

        Each change of a subscription becomes an ``update_client``: empty where an update would do harm.
        """
        return frozenset({SCOPES}) if Capability.UPDATE_CLIENT in self.capabilities else frozenset()

    @property
    def knows_opaque_tokens(self) -> bool:
        """Whether ``introspect`` asks the identity provider, so that it can tell about a token that says nothing."""
        return Capability.INTROSPECT in self.capabilities

    def require(self, capability: Capability) -> None:
        """Raise ``NotSupported`` when ``capability`` is not declared."""
        if capability not in self.capabilities:
            raise NotSupported(f"{self.label} cannot do this: {capability.value.replace('_', ' ')}")

    def require_possible(self, metadata: ClientMetadata) -> None:
        """Raise ``InputError`` naming the field for what this identity provider could never register. No call is made.

        It is asked before the wish is saved, so that a person hears of it at once.
        """
        return

    # clients (RFC 7591, RFC 7592)
    def create_client(self, metadata: ClientMetadata) -> RegisteredClient:
        """Register a client. The answer's handle has its id and, unless it is public, its secret."""
        raise self._unsupported(Capability.CREATE_CLIENT)

    def read_client(self, handle: ClientHandle) -> RegisteredClient | None:
        """Read a client; ``None`` when it does not exist (any more)."""
        raise self._unsupported(Capability.READ_CLIENT)

    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """Make the client what ``metadata`` says (full replacement where the protocol has only that)."""
        raise self._unsupported(Capability.UPDATE_CLIENT)

    def delete_client(self, handle: ClientHandle) -> None:
        """Delete a client. One that is already gone is success."""
        raise self._unsupported(Capability.DELETE_CLIENT)

    def suspend_client(self, handle: ClientHandle) -> None:
        """Stop the client from getting tokens without deleting it."""
        raise self._unsupported(Capability.SUSPEND_CLIENT)

    def resume_client(self, handle: ClientHandle) -> None:
        """Undo ``suspend_client``."""
        raise self._unsupported(Capability.SUSPEND_CLIENT)

    def verify_client(self, handle: ClientHandle) -> Verification:
        """Say what can be proved of a client that was made elsewhere."""
        raise self._unsupported(Capability.VERIFY_CLIENT)

    def rotate_secret(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """Give the client a new secret; the answer's handle carries it."""
        raise self._unsupported(Capability.ROTATE_SECRET)

    def drop_old_secret(self, handle: ClientHandle) -> None:
        """End the overlap of two secrets."""
        raise self._unsupported(Capability.OVERLAPPING_SECRETS)

    def find_client(self, marker: str) -> RegisteredClient | None:
        """Find a client by our marker; ``None`` when there is none."""
        raise self._unsupported(Capability.FIND_CLIENT)

    def list_clients(self) -> Iterator[RegisteredClient]:
        """All clients that we are allowed to see."""
        raise self._unsupported(Capability.LIST_CLIENTS)

    # tokens (RFC 6749, 7009, 7662, 8693)
    def issue_token(self, request: TokenRequest) -> TokenAnswer:
        """Pass a token request on. An OAuth error is an answer, not an exception."""
        raise self._unsupported(Capability.ISSUE_TOKEN)

    def exchange_token(self, request: TokenRequest) -> TokenAnswer:
        """RFC 8693 token exchange."""
        raise self._unsupported(Capability.EXCHANGE_TOKEN)

    def introspect(self, token: str) -> Introspection:
        """Ask whether an access token is active (RFC 7662), as ourselves, never as an application's client."""
        raise self._unsupported(Capability.INTROSPECT)

    def revoke_token(self, request: TokenRequest) -> TokenAnswer:
        """Pass a revocation on (RFC 7009); ``parameters`` hold ``token`` and ``token_type_hint``."""
        raise self._unsupported(Capability.REVOKE_TOKEN)

    def revoke_all(self, handle: ClientHandle) -> ClientHandle | None:
        """Revoke every token of a client; the new handle where that replaced its secret, else ``None``."""
        raise self._unsupported(Capability.REVOKE_ALL)

    def authorization_url(self, query: str) -> str:
        """The identity provider's authorization endpoint with ``query`` (already encoded) attached."""
        raise self._unsupported(Capability.AUTHORIZATION_URL)

    # keys and identity
    def metadata(self) -> ServerMetadata:
        """Discovery, with the configuration's overrides applied."""
        raise self._unsupported(Capability.METADATA)

    def jwks(self) -> Mapping[str, Any]:
        """The JSON Web Key Set (RFC 7517) with which access tokens are signed."""
        raise self._unsupported(Capability.JWKS)

    def client_id_of(self, claims: Mapping[str, Any]) -> str:
        """The client's id from a token's claims or an introspection answer; "" when it names none."""
        return client_id_in(claims, USUAL_CLIENT_ID_CLAIMS)

    def scopes_of(self, claims: Mapping[str, Any]) -> frozenset[str]:
        """The scopes from a token's claims or an introspection answer, string or list."""
        return scopes_in(claims, USUAL_SCOPE_CLAIMS)

    # resources and scopes
    def register_resource(self, resource: Resource) -> RemoteResource:
        """Make the API known; safe to repeat."""
        raise self._unsupported(Capability.RESOURCES)

    def read_resource(self, remote_id: str) -> RemoteResource | None:
        """Read a resource; ``None`` when it does not exist."""
        raise self._unsupported(Capability.RESOURCES)

    def update_resource(self, remote_id: str, resource: Resource) -> RemoteResource:
        """Make the resource what ``resource`` says."""
        raise self._unsupported(Capability.RESOURCES)

    def delete_resource(self, remote_id: str) -> None:
        """Delete a resource. One that is already gone is success."""
        raise self._unsupported(Capability.RESOURCES)

    def register_scope(self, scope: ScopeSpec) -> None:
        """Make a scope exist with this description; safe to repeat."""
        raise self._unsupported(Capability.SCOPES)

    def delete_scope(self, key: str) -> None:
        """Delete a scope. One that is already gone is success."""
        raise self._unsupported(Capability.SCOPES)

    def list_scopes(self) -> frozenset[str]:
        """Keys of all scopes that the identity provider knows."""
        raise self._unsupported(Capability.SCOPES)

    # users, drift, health
    def user_claims(self, token: str) -> Mapping[str, Any]:
        """Claims of the user behind a token."""
        raise self._unsupported(Capability.USER_CLAIMS)

    def changes_since(self, cursor: str) -> tuple[tuple[str, ...], str]:
        """Client ids that changed since ``cursor``, and the next cursor."""
        raise self._unsupported(Capability.CHANGES)

    def check_client(self) -> ClientHandle | None:
        """A client of our own in the configuration that may get tokens, for the connection check; else ``None``."""
        return None

    def check(self) -> Iterator[CheckStep]:
        """Try the connection step by step; each step is yielded when it is done. Raises nothing."""
        raise NotImplementedError

    def _unsupported(self, capability: Capability) -> NotSupported:
        return NotSupported(f"{self.label} cannot do this: {capability.value.replace('_', ' ')}")
