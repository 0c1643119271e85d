"""The ``external`` adapter: a server where people make clients by hand. Archway uses them and changes nothing there."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from common.http import HttpClient
from keymanager.adapters.config import knob
from keymanager.adapters.contract import CheckStep, Clock, StepState
from keymanager.adapters.rfc.adapter import RfcAdapter
from keymanager.adapters.rfc.check import common_steps, timed
from keymanager.adapters.rfc.config import RfcConfig
from keymanager.adapters.token_rules import TokenRules
from keymanager.adapters.trial_client import TrialClient


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalConfig(TokenRules):
    """Where its tokens come from and how they are checked. Each endpoint that is given wins over discovery."""

    issuer: str = knob("Issuer", kind="url", required=True, help="As its tokens and its discovery document name it.")
    discovery_url: str = knob("Discovery URL", kind="url", help="Where it is not at a well-known place of the issuer.")
    token_endpoint: str = knob("Token endpoint", kind="url", help="Replaces what discovery says.")
    authorization_endpoint: str = knob("Authorization endpoint", kind="url")
    introspection_endpoint: str = knob("Introspection endpoint", kind="url")
    revocation_endpoint: str = knob("Revocation endpoint", kind="url")
    userinfo_endpoint: str = knob("User information endpoint", kind="url")
    tokeninfo_endpoint: str = knob("Token information endpoint", kind="url", help="For token_validation tokeninfo.")
    jwks_uri: str = knob("JWKS URL", kind="url")
    grant_types: tuple[str, ...] = knob(
        "Grant types on offer", ("client_credentials", "authorization_code", "refresh_token")
    )
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
    absent_scope: str = knob(
        "A token answer without scope means",
        "as_asked",
        choices=("as_asked", "none"),
        help="As asked (RFC 6749 5.1), or no scope at all.",
    )
    resource_style: str = knob("Resource indicators", "none", choices=("none", "url", "urn", "any"))
    max_resources: int = knob("Most resource indicators in one request", 1, help="0: no limit.")
    userinfo: bool = knob("Has a user information endpoint", False)

    def check(self) -> dict[str, list[str]]:
        """Errors that concern more than one field, by field."""
        return knobs(self).check()


def knobs(config: ExternalConfig) -> RfcConfig:
    """The same for the ``rfc`` adapter, with no right to register anything."""
    return RfcConfig(
        issuer=config.issuer,
        discovery_url=config.discovery_url,
        token_endpoint=config.token_endpoint,
        authorization_endpoint=config.authorization_endpoint,
        introspection_endpoint=config.introspection_endpoint,
        revocation_endpoint=config.revocation_endpoint,
        userinfo_endpoint=config.userinfo_endpoint,
        tokeninfo_endpoint=config.tokeninfo_endpoint,
        jwks_uri=config.jwks_uri,
        registration="none",
        grant_types=config.grant_types,
        basic_encoding=config.basic_encoding,
        introspection_auth=config.introspection_auth,
        introspection_client_id=config.introspection_client_id,
        introspection_client_secret=config.introspection_client_secret,
        introspection_token=config.introspection_token,
        introspection_scope=config.introspection_scope,
        revocation=config.revocation,
        token_validation=config.token_validation,
        jwt_introspection=config.token_validation != "jwt",
        client_id_claims=config.client_id_claims,
        scope_claims=config.scope_claims,
        absent_scope=config.absent_scope,
        resource_style=config.resource_style,
        max_resources=config.max_resources,
        userinfo=config.userinfo,
    )


class ExternalAdapter(RfcAdapter):
    """Tokens by the RFCs, of clients that Archway was told of. It has no operation that changes a client."""

    slug = "external"
    label = "Server with clients made by hand"
    Config: ClassVar[type[Any]] = ExternalConfig

    def __init__(self, config: ExternalConfig, http: HttpClient, clock: Clock) -> None:
        super().__init__(knobs(config), http, clock)
        self.config = config

    def check(self) -> Iterator[CheckStep]:
        """Discovery, keys, introspection: what tokens need. No client is made."""
        self._discovery.forget()
        steps = common_steps(self)
        first = next(steps)
        yield first
        yield from steps
        if first.state is not StepState.FAILED:
            yield timed("grant types", self._check_grants)
        yield from TrialClient(self).steps()

    def _check_grants(self) -> str:
        named = set(self.metadata().grant_types_supported)
        if not named:
            return "It does not say which it has."
        missing = [grant for grant in self.knobs.grant_types if grant not in named]
        return f"On offer, but not named by the server: {', '.join(missing)}." if missing else ""
