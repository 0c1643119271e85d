"""The whole path by REST, through the real gateway, with key managers that are not ours.

The walk, written once, with the fakes; ``test_whole_path_on_real_servers`` has the rest.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from portal.runner.sample_api import SAMPLE_SCOPES
from tests.conformance.test_entra import values_for as entra_values
from tests.conformance.test_okta import okta_values
from tests.e2e.installed import Installation
from tests.fakes.entra_server import EntraServer
from tests.fakes.okta_server import OktaServer
from tests.fakes.surfoauth.server import SurfOAuthServer

pytestmark = pytest.mark.timeout(300)

Config = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """``running``: the server, giving the configuration of its adapter. ``scopes``: those of the walk's client.

    Where a token always carries all that its client was given (Entra), the client is given less, so that the wrong
    scope can be shown.
    """

    adapter: str
    running: Callable[[], AbstractContextManager[Config]]
    scopes: tuple[str, ...] = SAMPLE_SCOPES


@contextmanager
def surfoauth() -> Iterator[Config]:
    with SurfOAuthServer() as server:
        server.add_admin_client("portal", "secret-of-the-portal")
        yield {
            "base_url": server.base_url,
            "admin_client_id": "portal",
            "admin_client_secret": "secret-of-the-portal",
        }


@contextmanager
def okta() -> Iterator[Config]:
    with OktaServer(scopes=()) as server:
        yield okta_values(server)
        assert server.undescribed == []


@contextmanager
def entra() -> Iterator[Config]:
    with EntraServer() as server:
        yield entra_values(server)
        assert server.undescribed == []


KEY_MANAGERS = {
    "surfoauth": Case(adapter="surfoauth", running=surfoauth),
    "okta": Case(adapter="okta", running=okta),
    "entra": Case(adapter="entra", running=entra, scopes=("books:read",)),
}


def walk_with(
    installation: Installation,
    *,
    name: str,
    adapter: str,
    config: Config,
    scopes: tuple[str, ...] = SAMPLE_SCOPES,
    rotates: bool = True,
) -> None:
    """Add the key manager, walk from publishing an API to deleting its client, turn it off."""
    slug = f"path-{name}"
    row = {"slug": slug, "name": name, "adapter": adapter, "config": config}
    installation.admin.post("/key-managers/", row, 201)
    walk = installation.walk(suffix=f"-{name}", key_manager=slug)
    walk.scopes, walk.rotates = scopes, rotates
    try:
        walk.run()
    finally:
        installation.admin.patch(f"/key-managers/{slug}/", {"enabled": False}, 200)
    installation.secrets += walk.secrets


@pytest.mark.parametrize("name", KEY_MANAGERS)
def test_the_whole_path_is_walked_with_this_key_manager(installation: Installation, name: str) -> None:
    case = KEY_MANAGERS[name]
    with case.running() as config:
        walk_with(installation, name=name, adapter=case.adapter, config=config, scopes=case.scopes)
