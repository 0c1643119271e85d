"""What every release of WSO2 Identity Server is to an adapter: how it is known, and what its secrets can do."""

from collections.abc import Mapping
from typing import Any, ClassVar

from keymanager.adapters.contract import (
    Capability,
    ClientMetadata,
    KeyManagerAdapter,
    Recognised,
    RegisteredClient,
    ServerMetadata,
)
from keymanager.adapters.well_known import path_of
from keymanager.adapters.wso2.config import ISSUER_PATH, Wso2Config

C = Capability


class Wso2Server(KeyManagerAdapter):
    """``untold``: what of the release its addresses do not tell."""

    untold: ClassVar[str]
    _settings: Wso2Config

    @classmethod
    def discovery_places(cls, url: str) -> tuple[str, ...]:
        """Its issuer is the token endpoint; people give the server's address too."""
        return (*super().discovery_places(url), f"{url.rstrip('/')}/oauth2/token/.well-known/openid-configuration")

    @classmethod
    def recognise(cls, found: ServerMetadata) -> Recognised | None:
        """By its paths."""
        ours = path_of(found.issuer).endswith(ISSUER_PATH) or "/api/identity/oauth2/" in found.registration_endpoint
        if ours and path_of(found.token_endpoint).endswith(ISSUER_PATH):
            return Recognised(reason=f"Its addresses are those of WSO2 Identity Server ({cls.untold} cannot be told).")
        return None

    @classmethod
    def settings_from(cls, found: ServerMetadata) -> Mapping[str, Any]:
        """The server's address, which need not be the issuer's, is that of its token endpoint."""
        return {"issuer": found.issuer, "base_url": found.token_endpoint.removesuffix(ISSUER_PATH)}

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Two secrets where they are on; the end of all tokens comes with a new secret."""
        overlap = {C.OVERLAPPING_SECRETS} if self._settings.secret_rotation == "overlap" else set()
        # Whoever checks with the keys alone never sees that a token has ended.
        ending = {C.REVOKE_ALL} if self._settings.token_validation != "jwt" else set()
        return super().capabilities | overlap | ending

    def create_client(self, metadata: ClientMetadata) -> RegisteredClient:
        """A repeat takes over what an earlier attempt has left."""
        made = self._made(metadata)
        if made.handle.client_secret or metadata.token_endpoint_auth_method == "none":
            return made
        # One that was taken over, at a server that keeps only hashes of secrets.
        return self.rotate_secret(made.handle, metadata)

    def _made(self, metadata: ClientMetadata) -> RegisteredClient:
        """The client as registration leaves it, which need not have a secret that we know."""
        return super().create_client(metadata)
