"""The ``forgerock`` adapter: the RFCs for tokens, AM's administration REST API or its registration for clients."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from common.http import HttpClient
from keymanager.adapters.contract import (
    Capability,
    CheckStep,
    ClientHandle,
    ClientMetadata,
    Clock,
    Introspection,
    RegisteredClient,
    StepState,
    TokenAnswer,
    TokenRequest,
    Verification,
)
from keymanager.adapters.forgerock.api import AdminApi
from keymanager.adapters.forgerock.clients import AdminClients
from keymanager.adapters.forgerock.config import ForgeRockConfig, knobs
from keymanager.adapters.forgerock.documents import GroupedShape
from keymanager.adapters.forgerock.registration import DynamicClients
from keymanager.adapters.forgerock.tokens import TokenInfo, client_of_audience, only_access, own_only, without_token
from keymanager.adapters.rfc.adapter import RfcAdapter
from keymanager.adapters.rfc.check import common_steps, timed
from keymanager.adapters.trial_client import MAKE, TrialClient

C = Capability
_WHY_INACTIVE = {
    "introspection": (
        "This server lets a client introspect its own tokens only: an AM 7 client sees all with the scope "
        "am-introspect-all-tokens; at OpenAM set token_validation to tokeninfo, or to jwt with stateless tokens."
    ),
    "jwt": "Its access tokens are not JWTs signed with a published key: set token_validation to tokeninfo.",
    "tokeninfo": "Is the address of tokeninfo below the issuer that of this realm?",
}


class ForgeRockAdapter(RfcAdapter):
    """One realm of a ForgeRock AM, PingAM or OpenAM."""

    slug = "forgerock"
    label = "ForgeRock AM, PingAM, OpenAM"
    Config: ClassVar[type[Any]] = ForgeRockConfig

    def __init__(self, config: ForgeRockConfig, http: HttpClient, clock: Clock) -> None:
        super().__init__(knobs(config), http, clock)
        self.config = config
        self._settings = config
        self.introspection_hint = _WHY_INACTIVE[config.token_validation]
        self._token_info = TokenInfo(config, http, clock)
        self._by_admin = AdminClients(config, AdminApi(config, http, clock))
        self._managed: AdminClients | DynamicClients = self._by_admin
        if config.management != "admin":
            self._managed = DynamicClients(config, http, clock, self._discovery)

    @property
    def capabilities(self) -> frozenset[Capability]:
        """By registration nothing can be found or given a new secret; at OpenAM nothing changed or removed either."""
        held = super().capabilities | {C.CREATE_CLIENT, C.READ_CLIENT}
        if self._settings.management != "dcr_create":
            held |= {C.UPDATE_CLIENT, C.DELETE_CLIENT}
        if self._settings.management == "admin":
            held |= {C.ROTATE_SECRET, C.SUSPEND_CLIENT, C.FIND_CLIENT, C.LIST_CLIENTS}
        return held

    def create_client(self, metadata: ClientMetadata) -> RegisteredClient:
        """By the administration REST API it is safe to repeat: the id is made of the marker."""
        return self._managed.create(metadata)

    def read_client(self, handle: ClientHandle) -> RegisteredClient | None:
        """``KeyManagerRejected`` (``registration_access_token_lost``) when the client lives on without us."""
        return self._managed.read(handle)

    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """``KeyManagerRejected`` with ``client_gone`` when there is none."""
        self.require(C.UPDATE_CLIENT)
        return self._managed.update(handle, metadata)

    def delete_client(self, handle: ClientHandle) -> None:
        """Its tokens are refused at once, and would be good again if a client of the same id was made."""
        self.require(C.DELETE_CLIENT)
        self._managed.delete(handle)

    def suspend_client(self, handle: ClientHandle) -> None:
        """No new tokens, and those it has are refused."""
        self.require(C.SUSPEND_CLIENT)
        self._by_admin.set_active(handle, active=False)

    def resume_client(self, handle: ClientHandle) -> None:
        """Tokens of before the suspension are good again too, until they expire."""
        self.require(C.SUSPEND_CLIENT)
        self._by_admin.set_active(handle, active=True)

    def rotate_secret(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        """A secret of ours; tokens that were issued before stay good."""
        self.require(C.ROTATE_SECRET)
        return self._by_admin.rotate(handle)

    def find_client(self, marker: str) -> RegisteredClient | None:
        """One read, by the id that the marker gives."""
        self.require(C.FIND_CLIENT)
        return self._by_admin.find(marker)

    def list_clients(self) -> Iterator[RegisteredClient]:
        """Every client of the realm, ours or not."""
        self.require(C.LIST_CLIENTS)
        return self._by_admin.all()

    def verify_client(self, handle: ClientHandle) -> Verification:
        """Its secret by revoking a made-up token, and its existence where we administer."""
        proved = super().verify_client(ClientHandle(client_id=handle.client_id, client_secret=handle.client_secret))
        if proved.exists or self._settings.management != "admin":
            return proved
        if self._by_admin.read(handle) is None:
            return Verification(exists=False, secret_works=False if handle.client_secret else None)
        notes = () if handle.client_secret else proved.notes
        return Verification(exists=True, secret_works=proved.secret_works, notes=notes)

    def introspect(self, token: str) -> Introspection:
        """As configured: AM's own ``tokeninfo``, RFC 7662, or the published keys."""
        if self._settings.token_validation == "tokeninfo":
            return self._token_info.look_up(token)
        if self._settings.token_validation == "jwt":
            return only_access(self._keys.check(token))
        return own_only(self._tokens.introspect(token))

    def client_id_of(self, claims: Mapping[str, Any]) -> str:
        """``client_id``, else ``azp``, else the one audience."""
        return super().client_id_of(claims) or client_of_audience(claims)

    def revoke_token(self, request: TokenRequest) -> TokenAnswer:
        """Another client's token is refused and stays good."""
        return without_token(super().revoke_token(request), request)

    def check(self) -> Iterator[CheckStep]:
        """Discovery, keys, token check, who may register, then the whole life of a throw-away client."""
        self._discovery.forget()
        steps = common_steps(self)
        first = next(steps)
        yield first
        yield from steps
        if first.state is StepState.FAILED:
            yield CheckStep(name=MAKE, state=StepState.SKIPPED, reason="Discovery failed.")
            return
        yield timed("management", self._check_management)
        yield timed("registration by others", self._check_registration)
        if self._settings.management == "dcr_create":
            reason = "No client is made: this server could not remove it again (management is dcr_create)."
            yield CheckStep(name=MAKE, state=StepState.SKIPPED, reason=reason)
            return
        scope = self._trial_scope()
        yield from TrialClient(self, scope=scope, unscoped=True, change=True, rotation=True).steps()

    def check_client(self) -> None:
        """A client may see its own tokens where it sees no others, so they prove nothing: the trial client's do."""

    def _trial_scope(self) -> str:
        """The administration gives a client any scope; registration only one that the provider lists."""
        if self._settings.management == "admin":
            return "archway.check"
        return next((scope for scope in self.metadata().scopes_supported if scope != "openid"), "")

    def _check_management(self) -> str:
        if self._settings.management != "admin":
            return "By dynamic registration. Lost answers leave clients that nobody can find again."
        grouped = isinstance(self._by_admin.shape(), GroupedShape)
        return f"By the administration REST API, in the words of {'AM 6 and later' if grouped else 'OpenAM'}."

    def _check_registration(self) -> str:
        if not self.metadata().registration_endpoint:
            return "No registration endpoint is named."
        return "OpenAM lets whoever holds any access token register clients: keep its scopes few, or do not publish it."
