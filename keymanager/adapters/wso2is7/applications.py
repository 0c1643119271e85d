"""What the server's own API knows of a client: its application, its secrets, the scopes it may ask for."""

from dataclasses import replace
from typing import Any, Final

from common.errors import ArchwayError, KeyManagerProtocolError, KeyManagerUnavailable
from common.http import HttpResponse, address_only
from keymanager.adapters.contract import ClientHandle, ClientMetadata, RegisteredClient
from keymanager.adapters.rfc.answers import text_of, whole_number
from keymanager.adapters.wso2.management import ManagementApi, quoted
from keymanager.adapters.wso2is7.api_resources import ApiResource, ApiResources
from keymanager.adapters.wso2is7.config import Wso2Is7Config

_APPLICATIONS: Final = "/api/server/v1/applications"


class Applications:
    """``/api/server/v1/applications`` of one tenant."""

    def __init__(self, config: Wso2Is7Config, api: ManagementApi, resources: ApiResources) -> None:
        self._config = config
        self._api = api
        self._resources = resources

    # state

    def enable(self, handle: ClientHandle, *, enabled: bool) -> None:
        """Switch the application on or off."""
        path = f"{_APPLICATIONS}/{quoted(self._id(handle))}"
        self._api.send("PATCH", path, {"applicationEnabled": enabled}, repeatable=True, doing="the change")

    # secrets

    def new_secret(self, handle: ClientHandle) -> RegisteredClient:
        """Instead of the old one, or beside it."""
        if self._config.secret_rotation != "overlap":
            return self.regenerated(handle)
        path = f"{self._path(handle)}/inbound-protocols/oidc/secrets"
        response = self._api.send("POST", path, {}, doing="a new secret")
        return _with_secret(handle, response, secret="secretValue", ends="expiresAt")

    def regenerated(self, handle: ClientHandle) -> RegisteredClient:
        """A new secret instead of the old ones, which also ends every token of the client."""
        path = f"{self._path(handle)}/inbound-protocols/oidc/regenerate-secret"
        response = self._api.send("POST", path, doing="a new secret")
        return _with_secret(handle, response, secret="clientSecret", ends="clientSecretExpiresAt")

    def drop_old_secrets(self, handle: ClientHandle) -> None:
        """Delete every secret but the handle's own and the newest, which the server keeps."""
        path = f"{self._path(handle)}/inbound-protocols/oidc/secrets"
        listed = self._api.send("GET", path, doing="to list the secrets").json_object().get("list")
        for entry in listed if isinstance(listed, list) else []:
            secret_id = text_of(entry, "secretId")
            is_own = secret_id == handle.secret_id or text_of(entry, "secretValue") == handle.client_secret
            if entry.get("latest") or is_own:
                continue
            target = f"{path}/{quoted(secret_id)}"
            self._api.send("DELETE", target, repeatable=True, accepted=(404,), doing="to end the old secret")

    # scopes

    def with_scopes(self, registered: RegisteredClient, metadata: ClientMetadata) -> RegisteredClient:
        """Authorise what is asked; a failure must not lose the client, so ``scope`` is then named among the ignored."""
        others = tuple(name for name in registered.ignored if name != "scope")
        lacking = tuple(sorted((*others, "scope")))
        try:
            handle = replace(registered.handle, remote_id=self._id(registered.handle))
            granted = self._apply(handle, metadata)
        except ArchwayError:
            return replace(registered, ignored=lacking)
        observed = {**registered.observed, "scope": " ".join(sorted(granted))}
        ignored = others if granted == metadata.scopes else lacking
        return replace(registered, handle=handle, observed=observed, ignored=ignored)

    def with_observed(self, registered: RegisteredClient) -> RegisteredClient:
        """The client with the scopes of our APIs that it is authorised for."""
        present = self._authorised(registered.handle)
        ours = {name for name in present if self._resources.is_ours(name)}
        granted = {key for name in ours for key in _scopes_of(present[name])}
        return replace(registered, observed={**registered.observed, "scope": " ".join(sorted(granted))})

    def _apply(self, handle: ClientHandle, metadata: ClientMetadata) -> frozenset[str]:
        """Authorise, change and take away until it is what is asked; what could be granted.

        ``metadata.resources`` name the APIs that the client may call; without any, its scopes alone decide.
        """
        present = self._authorised(handle)
        granted: set[str] = set()
        for resource in self._resources.ours():
            is_open = self._resources.shared or not metadata.resources or resource.identifier in metadata.resources
            wanted = metadata.scopes & resource.scopes.keys() if is_open else frozenset[str]()
            granted |= wanted
            self._set(handle, resource, frozenset(wanted), present.get(resource.identifier))
        return frozenset(granted)

    def _set(
        self, handle: ClientHandle, resource: ApiResource, wanted: frozenset[str], present: dict[str, Any] | None
    ) -> None:
        path, doing = f"{self._path(handle)}/authorized-apis", "the client's scopes"
        if present is None and wanted:
            body = {"id": resource.id, "policyIdentifier": self._config.policy, "scopes": sorted(wanted)}
            self._api.send("POST", path, body, repeatable=True, doing=doing)
        elif present is not None and not wanted:
            self._api.send("DELETE", f"{path}/{quoted(resource.id)}", repeatable=True, accepted=(404,), doing=doing)
        elif present is not None and _scopes_of(present) != wanted:
            has = _scopes_of(present)
            change = {"addedScopes": sorted(wanted - has), "removedScopes": sorted(has - wanted)}
            self._api.send("PATCH", f"{path}/{quoted(resource.id)}", change, repeatable=True, doing=doing)

    def _authorised(self, handle: ClientHandle) -> dict[str, dict[str, Any]]:
        """By the API resource's identifier."""
        path = f"{self._path(handle)}/authorized-apis"
        listed = self._api.send("GET", path, doing="to show the client's scopes").json_list()
        return {text_of(entry, "identifier"): entry for entry in listed if isinstance(entry, dict)}

    def _path(self, handle: ClientHandle) -> str:
        return f"{_APPLICATIONS}/{quoted(self._id(handle))}"

    def _id(self, handle: ClientHandle) -> str:
        """The application's id, looked up where it is not known yet. Callers know that the client is there."""
        if handle.remote_id:
            return handle.remote_id
        wanted = quoted(f"clientId eq {handle.client_id}")
        response = self._api.send("GET", f"{_APPLICATIONS}?filter={wanted}&attributes=clientId")
        for entry in response.json_object().get("applications") or []:
            if entry.get("clientId") == handle.client_id and text_of(entry, "id"):
                return text_of(entry, "id")
        raise KeyManagerUnavailable(f"The application of {handle.client_id} is not listed yet", retry_after=1.0)


def _with_secret(handle: ClientHandle, response: HttpResponse, *, secret: str, ends: str) -> RegisteredClient:
    """What an answer says of the new secret, by the names of its members."""
    body = response.json_object()
    value = text_of(body, secret)
    if not value:
        raise KeyManagerProtocolError(f"{address_only(response.url)} made a secret without showing it")
    return RegisteredClient(
        handle=replace(handle, client_secret=value, secret_id=text_of(body, "secretId")),
        client_secret_expires_at=whole_number(body, ends) or 0,
    )


def _scopes_of(authorised: dict[str, Any]) -> frozenset[str]:
    return frozenset(text_of(scope, "name") for scope in authorised.get("authorizedScopes") or [])
