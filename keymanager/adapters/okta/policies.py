"""Scopes of an authorization server, and one access policy per client that limits it to its scopes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from common.errors import ArchwayError, KeyManagerProtocolError, KeyManagerRejected
from common.http import address_only
from keymanager.adapters.contract import ClientMetadata, RegisteredClient, ScopeSpec
from keymanager.adapters.okta.api import OktaApi, quoted
from keymanager.adapters.okta.config import OktaConfig
from keymanager.adapters.rfc.answers import text_of

_RULE = "archway"
# Rules name the grants that start something; refreshing follows from the grant before it.
_RULE_GRANTS = frozenset({"client_credentials", "authorization_code"})
_USER_SCOPES = ("openid", "profile", "email", "offline_access")


class Policies:
    """``/api/v1/authorizationServers/{id}``."""

    def __init__(self, config: OktaConfig, api: OktaApi) -> None:
        self._api = api
        self._base = f"/api/v1/authorizationServers/{quoted(config.authorization_server_id)}"

    # scopes

    def register_scope(self, scope: ScopeSpec) -> None:
        """Make it exist with this description."""
        body: dict[str, Any] = {"name": scope.key, "consent": "IMPLICIT", "metadataPublish": "ALL_CLIENTS"}
        if scope.description:
            body["description"] = scope.description
        present = self._scope(scope.key)
        if present is None:
            try:
                self._api.found(
                    self._api.send("POST", f"{self._base}/scopes", body, repeatable=True, doing="the scope")
                )
            except KeyManagerRejected:
                # Somebody else may have been faster; then it is there now.
                if self._scope(scope.key) is None:
                    raise
        elif text_of(present, "description") != scope.description:
            path = f"{self._base}/scopes/{quoted(text_of(present, 'id'))}"
            self._api.found(self._api.send("PUT", path, body, repeatable=True, doing="the scope"))

    def delete_scope(self, key: str) -> None:
        """One that is gone is success."""
        present = self._scope(key)
        if present is not None:
            path = f"{self._base}/scopes/{quoted(text_of(present, 'id'))}"
            self._api.send("DELETE", path, repeatable=True, doing="the removal of the scope")

    def scope_keys(self) -> frozenset[str]:
        """Every scope, Okta's own too."""
        return frozenset(text_of(entry, "name") for entry in self._api.pages(f"{self._base}/scopes"))

    def _scope(self, key: str) -> dict[str, Any] | None:
        return next((entry for entry in self._api.pages(f"{self._base}/scopes") if entry.get("name") == key), None)

    # what a client may ask for

    def with_scopes(self, registered: RegisteredClient, metadata: ClientMetadata) -> RegisteredClient:
        """Limit the client; a failure must not lose it, so ``scope`` is then named among what was ignored."""
        others = tuple(name for name in registered.ignored if name != "scope")
        try:
            self._limit(registered.handle.client_id, metadata)
        except ArchwayError:
            return replace(registered, ignored=tuple(sorted((*others, "scope"))))
        observed = {**registered.observed, "scope": " ".join(sorted(metadata.scopes))}
        return replace(registered, ignored=others, observed=observed)

    def with_observed(self, registered: RegisteredClient) -> RegisteredClient:
        """The client with the scopes that its policy allows now."""
        policy = self._policy(registered.handle.client_id)
        rules = [] if policy is None else self._rules(policy)
        allowed = {key for rule in rules for key in _included(rule, "scopes") if key not in _USER_SCOPES}
        return replace(registered, observed={**registered.observed, "scope": " ".join(sorted(allowed))})

    def remove(self, client_id: str) -> None:
        """The client's policy goes with it."""
        policy = self._policy(client_id)
        if policy is not None:
            path = f"{self._base}/policies/{quoted(text_of(policy, 'id'))}"
            self._api.send("DELETE", path, repeatable=True, doing="the removal of the access policy")

    def check(self) -> str:
        """Raise ``KeyManagerProtocolError`` when a policy for all clients makes ours pointless."""
        for policy in self._list():
            if "ALL_CLIENTS" in _included(policy, "clients") and policy.get("status") == "ACTIVE":
                raise KeyManagerProtocolError(
                    f"The access policy {text_of(policy, 'name')!r} is for all clients: it can give a client scopes "
                    "that it was not given here. Deactivate it, or name its clients."
                )
        return "No policy is for all clients."

    def _limit(self, client_id: str, metadata: ClientMetadata) -> None:
        if not metadata.scopes:
            self.remove(client_id)
            return
        policy = self._policy(client_id) or self._made_policy(client_id)
        path = f"{self._base}/policies/{quoted(text_of(policy, 'id'))}/rules"
        wanted = _rule(metadata)
        rules = self._rules(policy)
        if not rules:
            self._api.found(self._api.send("POST", path, wanted, repeatable=True, doing="the client's scopes"))
        elif any(_included(rules[0], name) != _included(wanted, name) for name in ("scopes", "grantTypes")):
            rule_path = f"{path}/{quoted(text_of(rules[0], 'id'))}"
            self._api.found(self._api.send("PUT", rule_path, wanted, repeatable=True, doing="the client's scopes"))

    def _made_policy(self, client_id: str) -> dict[str, Any]:
        body = {
            "type": "OAUTH_AUTHORIZATION_POLICY",
            "status": "ACTIVE",
            "name": _policy_name(client_id),
            "description": "The scopes of one client, kept by Archway",
            "priority": 1,
            "conditions": {"clients": {"include": [client_id]}},
        }
        # Repeated, it is found by its name first.
        sent = self._api.send("POST", f"{self._base}/policies", body, repeatable=True, doing="the client's policy")
        response = self._api.found(sent)
        made = response.json_object()
        if not text_of(made, "id"):
            raise KeyManagerProtocolError(f"{address_only(response.url)} made a policy without id")
        return made

    def _policy(self, client_id: str) -> dict[str, Any] | None:
        return next((policy for policy in self._list() if policy.get("name") == _policy_name(client_id)), None)

    def _list(self) -> list[dict[str, Any]]:
        response = self._api.found(self._api.send("GET", f"{self._base}/policies", doing="the access policies"))
        return [entry for entry in response.json_list() if isinstance(entry, dict)]

    def _rules(self, policy: Mapping[str, Any]) -> list[dict[str, Any]]:
        path = f"{self._base}/policies/{quoted(text_of(policy, 'id'))}/rules"
        response = self._api.send("GET", path, doing="the access policy")
        entries = [] if response.status == 404 else response.json_list()
        return [entry for entry in entries if isinstance(entry, dict)]


def _rule(metadata: ClientMetadata) -> dict[str, Any]:
    users = _USER_SCOPES if "authorization_code" in metadata.grant_types else ()
    return {
        "type": "RESOURCE_ACCESS",
        "name": _RULE,
        "status": "ACTIVE",
        "priority": 1,
        "conditions": {
            "people": {"groups": {"include": ["EVERYONE"]}},
            "grantTypes": {"include": sorted(_RULE_GRANTS.intersection(metadata.grant_types))},
            "scopes": {"include": sorted(metadata.scopes.union(users))},
        },
        "actions": {"token": {"accessTokenLifetimeMinutes": 60}},
    }


def _included(entry: Mapping[str, Any], name: str) -> list[str]:
    """The sorted ``conditions.<name>.include`` of a policy or a rule."""
    value: Any = entry.get("conditions")
    for step in (name, "include"):
        value = value.get(step) if isinstance(value, dict) else None
    return sorted(map(str, value)) if isinstance(value, list) else []


def _policy_name(client_id: str) -> str:
    return f"Archway client {client_id}"
