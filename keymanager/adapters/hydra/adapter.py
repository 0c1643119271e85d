"""The ``hydra`` adapter: the RFCs on the public port for tokens, the administration port for everything else."""

from collections.abc import Iterator
from typing import Any, ClassVar

from common.errors import KeyManagerRejected
from common.http import HttpClient
from keymanager.adapters.contract import (
    Capability,
    CheckStep,
    ClientHandle,
    ClientMetadata,
    Clock,
    Inactive,
    Introspection,
    Recognised,
    RegisteredClient,
    ServerMetadata,
    StepState,
    TokenAnswer,
    TokenRequest,
)
from keymanager.adapters.hydra.api import HydraApi
from keymanager.adapters.hydra.clients import HydraClients
from keymanager.adapters.hydra.config import HydraConfig, knobs
from keymanager.adapters.hydra.tokens import (
    HydraRights,
    not_revoked,
    only_access,
    query_with_audiences,
    with_audiences,
    with_use,
)
from keymanager.adapters.managed_clients import ManagedClientsAdapter
from keymanager.adapters.rfc.check import common_steps, timed
from keymanager.adapters.rfc.tokens import Tokens
from keymanager.adapters.trial_client import TrialClient
from keymanager.adapters.well_known import path_of

C = Capability


class HydraAdapter(ManagedClientsAdapter):
    """One Hydra, public and administration port."""

    slug = "hydra"
    label = "Ory Hydra"
    introspection_hint = (
        "Tokens are checked by keys only if the set hydra.jwt.access-token is published and access tokens are JWTs."
    )
    Config: ClassVar[type[Any]] = HydraConfig
    _managed: HydraClients

    def __init__(self, config: HydraConfig, http: HttpClient, clock: Clock) -> None:
        rfc = knobs(config)
        super().__init__(rfc, http, clock)
        self.config = config
        self._settings = config
        self._api = HydraApi(config, http)
        self._own = HydraRights(rfc, http, clock, self._discovery, self._api)
        self._tokens = Tokens(rfc, http, self._discovery, self._own, self._facts)
        self._managed = HydraClients(config, self._api)

    @classmethod
    def recognise(cls, found: ServerMetadata) -> Recognised | None:
        """By its draft of a credentials endpoint, or by its paths."""
        if "credentials_endpoint_draft_00" in found.raw:
            return Recognised(reason="It names a credentials_endpoint_draft_00.")
        paths = (path_of(found.authorization_endpoint), path_of(found.token_endpoint))
        if all(path.endswith(end) for path, end in zip(paths, ("/oauth2/auth", "/oauth2/token"), strict=True)):
            return Recognised(reason="Its addresses end with /oauth2/auth and /oauth2/token.")
        return None

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Hydra knows no list of scopes or resources: both are texts on each client."""
        held = super().capabilities | {C.LIST_CLIENTS, C.REVOKE_ALL}
        return held | {C.OVERLAPPING_SECRETS} if self._settings.secret_rotation == "overlap" else held

    def rotate_secret(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """``KeyManagerRejected`` with ``no_second_secret`` where overlap is configured and this Hydra has none."""
        return self._managed.rotate(handle)

    def drop_old_secret(self, handle: ClientHandle) -> None:
        """Old secrets never expire by themselves."""
        self.require(C.OVERLAPPING_SECRETS)
        self._managed.drop_old_secret(handle)

    def list_clients(self) -> Iterator[RegisteredClient]:
        """Every client, ours or not."""
        return self._managed.all()

    def issue_token(self, request: TokenRequest) -> TokenAnswer:
        """Resource indicators (RFC 8707) become Hydra's ``audience``; a URN is ``invalid_target``."""
        asked = with_audiences(request)
        return asked if isinstance(asked, TokenAnswer) else super().issue_token(asked)

    def authorization_url(self, query: str) -> str:
        """As for tokens: ``audience`` for ``resource``."""
        return super().authorization_url(query_with_audiences(query))

    @property
    def knows_opaque_tokens(self) -> bool:
        """The administration port asks nobody who they are."""
        return self._settings.token_validation != "jwt"

    def introspect(self, token: str) -> Introspection:
        """On the administration port; with ``jwt`` by Hydra's published keys."""
        if self._settings.token_validation == "jwt":
            return only_access(self._keys.check(token))
        return with_use(self._tokens.introspect(token))

    def revoke_token(self, request: TokenRequest) -> TokenAnswer:
        """Hydra says 200 to a token of another client and leaves it: so the token is looked up afterwards."""
        given = super().revoke_token(request)
        token = dict(request.parameters).get("token", "")
        if given.status != 200 or not token:
            return given
        return given if isinstance(self._tokens.introspect(token), Inactive) else not_revoked()

    def revoke_all(self, handle: ClientHandle) -> None:
        """Every access token. ``KeyManagerRejected`` (``refresh_tokens_remain``) where the client can have others."""
        self._managed.delete_access_tokens(handle.client_id)
        found = self._managed.read(handle)
        if found is not None and "refresh_token" in (found.observed.get("grant_types") or ()):
            raise KeyManagerRejected(
                f"The access tokens of {handle.client_id} were revoked; Hydra revokes refresh tokens of a client only "
                "when the client is removed",
                remote_code="refresh_tokens_remain",
            )

    def check(self) -> Iterator[CheckStep]:
        """Discovery, keys, introspection, registration by strangers, then the whole life of a throw-away client."""
        self._discovery.forget()
        steps = common_steps(self)
        first = next(steps)
        yield first
        yield from steps
        if first.state is not StepState.FAILED:
            yield timed("registration by strangers", self._check_registration)
        yield from TrialClient(self, scope="archway.check", rotation=True).steps()

    def _check_registration(self) -> str:
        if self.metadata().registration_endpoint:
            return (
                "Dynamic registration is on: whoever reaches the public port can have a client with any scope, "
                "audience and token lifetime. Switch it off."
            )
        return "No registration endpoint is named."
