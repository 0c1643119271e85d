"""The same walk with each identity provider that can be run here: the real server, as its guide says to set it up."""

import pytest

from portal.runner.sample_api import SAMPLE_SCOPES
from tests.conformance.test_forgerock_on_openam import values as openam_values
from tests.conformance.test_mitreid import values_for as mitreid_values
from tests.e2e.installed import Installation
from tests.e2e.test_whole_path import walk_with
from tests.integration.keycloak_kit import config_of
from tests.servers import django_oauth_toolkit, glewlwyd, oidc_provider
from tests.servers.keycloak import new_realm
from tests.servers.mitreid import MitreidServer
from tests.servers.openam import OpenAmServer

pytestmark = [pytest.mark.servers, pytest.mark.timeout(300)]


def test_with_keycloak(installation: Installation, keycloak_url: str) -> None:
    walk_with(installation, name="keycloak", adapter="keycloak", config=config_of(new_realm(keycloak_url)))


def test_with_openam(installation: Installation, openam_server: OpenAmServer) -> None:
    walk_with(installation, name="openam", adapter="forgerock", config=openam_values(openam_server))


def test_with_mitreid_connect(installation: Installation, mitreid_server: MitreidServer) -> None:
    config = {"preset": "mitreid", **mitreid_values(mitreid_server)}
    walk_with(installation, name="mitreid", adapter="rfc", config=config)


def test_with_glewlwyd(installation: Installation) -> None:
    with glewlwyd.start() as server:
        options = server.options
        config = {
            "preset": "glewlwyd",
            "issuer": server.issuer,
            "registration_client_id": options.dcr_client_id,
            "registration_client_secret": options.dcr_client_secret,
            "introspection_client_id": options.gateway_client_id,
            "introspection_client_secret": options.gateway_client_secret,
            "admin_url": server.admin_url,
            "admin_api_key": server.admin_api_key,
        }
        walk_with(installation, name="glewlwyd", adapter="rfc", config=config)


def test_with_oidc_provider(installation: Installation) -> None:
    """Its scopes are one fixed list, and it gives no second secret to a client."""
    with oidc_provider.start(options=oidc_provider.OidcProviderOptions(scopes=SAMPLE_SCOPES)) as server:
        options = server.options
        config = {
            "preset": "oidc-provider",
            "issuer": server.issuer,
            "initial_access_token": options.initial_access_token,
            "introspection_client_id": options.gateway_client_id,
            "introspection_client_secret": options.gateway_client_secret,
            "keeps_unknown_metadata": True,
        }
        walk_with(installation, name="oidc-provider", adapter="rfc", config=config, rotates=False)


def test_with_django_oauth_toolkit(installation: Installation) -> None:
    """As above."""
    with django_oauth_toolkit.start() as server:
        config = {
            "preset": "django-oauth-toolkit",
            "issuer": server.issuer,
            "initial_access_token": server.initial_access_token,
            "introspection_client_id": server.gateway_client_id,
            "introspection_client_secret": server.gateway_client_secret,
        }
        walk_with(installation, name="toolkit", adapter="rfc", config=config, rotates=False)
