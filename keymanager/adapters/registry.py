"""Which adapters there are. One more costs one line here."""

from typing import Final

from common.errors import InputError
from keymanager.adapters.auth0 import Auth0Adapter
from keymanager.adapters.contract import KeyManagerAdapter
from keymanager.adapters.entra import EntraAdapter
from keymanager.adapters.external import ExternalAdapter
from keymanager.adapters.forgerock import ForgeRockAdapter
from keymanager.adapters.hydra import HydraAdapter
from keymanager.adapters.keycloak import KeycloakAdapter
from keymanager.adapters.okta import OktaAdapter
from keymanager.adapters.pingfederate import PingFederateAdapter
from keymanager.adapters.resident import ResidentAdapter
from keymanager.adapters.rfc import RfcAdapter
from keymanager.adapters.surfoauth import SurfOAuthAdapter
from keymanager.adapters.wso2is import Wso2IsAdapter
from keymanager.adapters.wso2is7 import Wso2Is7Adapter

ADAPTERS: Final[dict[str, type[KeyManagerAdapter]]] = {
    EntraAdapter.slug: EntraAdapter,
    PingFederateAdapter.slug: PingFederateAdapter,
    Auth0Adapter.slug: Auth0Adapter,
    OktaAdapter.slug: OktaAdapter,
    ExternalAdapter.slug: ExternalAdapter,
    ForgeRockAdapter.slug: ForgeRockAdapter,
    HydraAdapter.slug: HydraAdapter,
    KeycloakAdapter.slug: KeycloakAdapter,
    ResidentAdapter.slug: ResidentAdapter,
    RfcAdapter.slug: RfcAdapter,
    SurfOAuthAdapter.slug: SurfOAuthAdapter,
    Wso2IsAdapter.slug: Wso2IsAdapter,
    Wso2Is7Adapter.slug: Wso2Is7Adapter,
}


def adapter_class(slug: str) -> type[KeyManagerAdapter]:
    """The adapter of this slug. Raises ``InputError`` naming ``adapter``."""
    if slug not in ADAPTERS:
        raise InputError.of("adapter", f"there is no adapter {slug!r}; there are {', '.join(sorted(ADAPTERS))}")
    return ADAPTERS[slug]
