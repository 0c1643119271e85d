"""Adapters of vendors that are wrong on purpose: about secrets with ids, the APIs of a client, the end of tokens."""

from dataclasses import replace

from common.errors import OutcomeUnknown
from common.http import HttpClient, HttpLimits, HttpRequest, HttpResponse
from keymanager.adapters.auth0 import Auth0Adapter
from keymanager.adapters.contract import ClientHandle, ClientMetadata, RegisteredClient
from keymanager.adapters.entra import EntraAdapter
from keymanager.adapters.hydra import HydraAdapter
from keymanager.adapters.okta import OktaAdapter
from keymanager.adapters.pingfederate import PingFederateAdapter
from keymanager.adapters.surfoauth import SurfOAuthAdapter
from keymanager.adapters.wso2is import Wso2IsAdapter
from keymanager.adapters.wso2is7 import Wso2Is7Adapter


class EverythingIsRepeatable(HttpClient):
    """What an adapter has whose calls all say ``repeatable=True``: a lost answer is then no unknown outcome."""

    def __init__(self, inner: HttpClient) -> None:
        super().__init__(transport=inner._transport)

    def send(self, request: HttpRequest, *, limits: HttpLimits | None = None) -> HttpResponse:
        return super().send(replace(request, repeatable=True), limits=limits)


class ForgetsTheSecretsId(OktaAdapter):
    def rotate_secret(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        made = super().rotate_secret(handle, metadata)
        return replace(made, handle=replace(made.handle, secret_id=""))


class KeepsTheOldSecretsId(EntraAdapter):
    def rotate_secret(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        made = super().rotate_secret(handle, metadata)
        return replace(made, handle=replace(made.handle, secret_id=handle.secret_id))


class EndsTheOldSecretAtOnce(OktaAdapter):
    def rotate_secret(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        made = super().rotate_secret(handle, metadata)
        self.drop_old_secret(made.handle)
        return made


class OnlySaysThatTheOldSecretEnded(PingFederateAdapter):
    def drop_old_secret(self, handle: ClientHandle) -> None:
        """Nothing is done."""


class SaysThatALostSecretCanBeAskedForAgain(Wso2Is7Adapter):
    def rotate_secret(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        self._api._http = EverythingIsRepeatable(self._api._http)
        return super().rotate_secret(handle, metadata)


class MakesAnotherSecretForALostOne(OktaAdapter):
    def rotate_secret(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        try:
            return super().rotate_secret(handle, metadata)
        except OutcomeUnknown:
            super().rotate_secret(handle, metadata)
            raise


class TakesTheOlderSecretForTheOld(OktaAdapter):
    def drop_old_secret(self, handle: ClientHandle) -> None:
        app = f"/api/v1/apps/{handle.remote_id}/credentials/secrets"
        oldest = self._api.send("GET", app).json_list()[0]
        super().drop_old_secret(replace(handle, client_secret="", secret_id=str(oldest["id"])))


class ReplacesASecretDuringTheOverlap(HydraAdapter):
    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        present = self._managed._document(handle.client_id) or {}
        body = {**present, "client_secret": handle.client_secret}
        self._api.send("PUT", f"/clients/{handle.client_id}", body, doing="x")
        return super().update_client(handle, metadata)


class GrantsEveryApiThatHasTheScope(Auth0Adapter):
    def create_client(self, metadata: ClientMetadata) -> RegisteredClient:
        return super().create_client(replace(metadata, resources=frozenset()))


class AssignsEveryApiThatHasTheScope(EntraAdapter):
    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        return super().update_client(handle, replace(metadata, resources=frozenset()))


class OnlyAddsApis(Wso2Is7Adapter):
    before: frozenset[str] = frozenset()

    def create_client(self, metadata: ClientMetadata) -> RegisteredClient:
        self.before = metadata.resources
        return super().create_client(metadata)

    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        return super().update_client(handle, replace(metadata, resources=metadata.resources | self.before))


class LosesTheSecretThatRevokingMade(Wso2Is7Adapter):
    def revoke_all(self, handle: ClientHandle) -> ClientHandle:
        super().revoke_all(handle)
        return handle


class SaysThatTheSecretStayed(Wso2IsAdapter):
    def revoke_all(self, handle: ClientHandle) -> ClientHandle:
        super().revoke_all(handle)
        return replace(handle, client_secret="")


class OnlyRotatesToRevoke(SurfOAuthAdapter):
    def revoke_all(self, handle: ClientHandle) -> ClientHandle:
        metadata = ClientMetadata(client_name="Museum shop", marker=handle.client_id)
        return self.rotate_secret(handle, metadata).handle


class LeavesTheTokens(HydraAdapter):
    def revoke_all(self, handle: ClientHandle) -> None:
        """Nothing is done."""
