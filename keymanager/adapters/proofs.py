"""On what each adapter was proven, what its administrator must set up, and what is known not to work: one entry each.

The page ``docs/reference/identity-providers.md`` is made of this, and a test holds it to the conformance classes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class ProvenOn(StrEnum):
    """How far an adapter is proven, the strongest first."""

    REAL = "real server"
    DESCRIBED = "fake held to the vendor's description"
    RECORDED = "fake held to recorded exchanges"
    FAKE = "fake written from its source and documents"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """``server``: which one, with its version where it was a real one. ``rights``: the least that must be set up there.

    ``limits``: what does not work, or was not verified.
    """

    on: ProvenOn
    server: str
    rights: str
    limits: str


# By the adapter's slug, and for a preset of ``rfc`` by "rfc/<preset>".
PROOFS: Final[Mapping[str, Proof]] = {
    "auth0": Proof(
        on=ProvenOn.DESCRIBED,
        server="Auth0 Management and Authentication API",
        rights="A machine-to-machine application, authorized for clients, their keys and grants, and resource servers.",
        limits="Never run on a real tenant. No introspection: a revoked access token lives until it expires.",
    ),
    "entra": Proof(
        on=ProvenOn.DESCRIBED,
        server="Microsoft Graph v1.0",
        rights="An application with Application.ReadWrite.OwnedBy, and three more permissions for giving scopes.",
        limits="Never run on a real directory. No introspection and no revocation.",
    ),
    "external": Proof(
        on=ProvenOn.REAL,
        server="oidc-provider 9.13.3",
        rights="Clients made by hand; a client that may introspect, unless tokens are checked by keys.",
        limits="Nothing is created, changed or removed there.",
    ),
    "forgerock": Proof(
        on=ProvenOn.REAL,
        server="OpenAM 16.0.5",
        rights="An account with the privilege RealmAdmin; or, for registration, a client (AM 7: with its scope).",
        limits="AM 7 and PingAM by a fake only. A client made again under its old id has its old tokens back.",
    ),
    "hydra": Proof(
        on=ProvenOn.FAKE,
        server="Ory Hydra 26",
        rights="The administration port, guarded by network or proxy; dynamic registration off; exact scopes.",
        limits="Never run on a real Hydra.",
    ),
    "keycloak": Proof(
        on=ProvenOn.REAL,
        server="Keycloak 26.7.3",
        rights="A client with a service account that has manage-clients, and view-events to see others' changes.",
        limits="Introspection sees a token only when an audience mapper names Archway's client; the adapter adds it.",
    ),
    "okta": Proof(
        on=ProvenOn.DESCRIBED,
        server="Okta management and OAuth API",
        rights="A custom authorization server, an API token for applications and authorization servers, a service app.",
        limits="Never run on a real organisation.",
    ),
    "pingfederate": Proof(
        on=ProvenOn.DESCRIBED,
        server="PingFederate administrative API",
        rights="An administrative user with the role Admin and no other; a client that validates access tokens.",
        limits="Never run on a real PingFederate; the client management service is not described by the vendor.",
    ),
    "resident": Proof(
        on=ProvenOn.REAL,
        server="the authorization server inside Archway",
        rights="Nothing.",
        limits="No token exchange.",
    ),
    "rfc": Proof(
        on=ProvenOn.REAL,
        server="the presets' servers below",
        rights="The right to register clients, and a client that may introspect.",
        limits="A lost answer to a registration leaves a client that only a person can find.",
    ),
    "rfc/oidc-provider": Proof(
        on=ProvenOn.REAL,
        server="oidc-provider 9.13.3",
        rights="An initial access token, a client that may introspect, every scope named beforehand.",
        limits="Scopes cannot be registered. JWT access tokens can be neither introspected nor revoked.",
    ),
    "rfc/glewlwyd": Proof(
        on=ProvenOn.REAL,
        server="Glewlwyd of Debian",
        rights="A client with the scope dcr; an administrator's API key for scopes.",
        limits="Every change of a client replaces its secret.",
    ),
    "rfc/mitreid": Proof(
        on=ProvenOn.REAL,
        server="MITREid Connect 1.3.4",
        rights="A client that may introspect, with no grant; a person with ROLE_ADMIN: there is no smaller right.",
        limits="Registration is open to all there. Secrets and scopes change without overlap; a search lists all.",
    ),
    "rfc/django-oauth-toolkit": Proof(
        on=ProvenOn.REAL,
        server="django-oauth-toolkit 3.4.1",
        rights="An initial access token, a client that may introspect.",
        limits="Whatever scope exists can be asked for by every client there; Archway checks it again.",
    ),
    "rfc/hydra-public": Proof(
        on=ProvenOn.FAKE,
        server="Ory Hydra 26, its public port",
        rights="Dynamic registration on, exact scopes; introspection let through by a proxy that knows our token.",
        limits="Never run on a real Hydra. Strangers may register too; no marker, no search, no new secrets.",
    ),
    "surfoauth": Proof(
        on=ProvenOn.RECORDED,
        server="SurfOAuth, 719 recorded exchanges",
        rights="A client below authorization-server-admin with read and write, which is no administrator.",
        limits="Whoever holds a token with write there can take over any client.",
    ),
    "wso2is": Proof(
        on=ProvenOn.DESCRIBED,
        server="WSO2 Identity Server 5 and 6, key manager operations",
        rights="The connector, a user who manages applications, unregistered scopes dropped.",
        limits="Never run on a real server. It limits no client to its scopes: Archway does.",
    ),
    "wso2is7": Proof(
        on=ProvenOn.DESCRIBED,
        server="WSO2 Identity Server 7",
        rights="An application authorised for registration, applications and API resources, or such a user.",
        limits="Never run on a real server.",
    ),
}
