"""Scopes, access policies and rules of the fake's authorization server."""

from collections.abc import Iterable
from typing import Any

from tests.fakes.messages import Answer, Received
from tests.fakes.okta_server.errors import invalid, missing, refuse
from tests.fakes.okta_server.state import State, stamp
from tests.fakes.vendor_server import random_id


def add_scope(state: State, name: str, **members: Any) -> dict[str, Any]:
    """Keep a scope."""
    entry = {"id": f"scp{random_id(17)}", "default": False, "system": False, "consent": "IMPLICIT", **members}
    state.scopes[entry["id"]] = {**entry, "name": name}
    return state.scopes[entry["id"]]


def create_scope(state: State, request: Received) -> Answer:
    """POST: 201; a taken name is refused."""
    body = _object(request)
    name = body.get("name")
    if not isinstance(name, str) or not name or any(entry["name"] == name for entry in state.scopes.values()):
        raise invalid("name", "name: 'name' must be unique and not blank")
    return Answer.of(add_scope(state, **body), status=201)


def read_scope(state: State, _: Received, scope_id: str) -> Answer:
    """GET."""
    return Answer.of(_of(state.scopes, scope_id, "OAuth2Scope"))


def replace_scope(state: State, request: Received, scope_id: str) -> Answer:
    """PUT: everything that is not sent goes."""
    old, body = _of(state.scopes, scope_id, "OAuth2Scope"), _object(request)
    state.scopes[scope_id] = {**body, "id": scope_id, "system": old["system"], "name": old["name"]}
    return Answer.of(state.scopes[scope_id])


def delete_scope(state: State, _: Received, scope_id: str) -> Answer:
    """DELETE: Okta's own scopes stay."""
    if _of(state.scopes, scope_id, "OAuth2Scope")["system"]:
        raise refuse(403, "E0000006")
    del state.scopes[scope_id]
    return Answer(status=204)


def list_policies(state: State, _: Received) -> Answer:
    """GET: all, in order of priority."""
    return Answer.of(sorted(state.policies.values(), key=lambda policy: policy["priority"]))


def create_policy(state: State, request: Received) -> Answer:
    """POST: 201."""
    body = _object(request)
    if body.get("type") != "OAUTH_AUTHORIZATION_POLICY" or not body.get("name") or not body.get("description"):
        raise invalid("policy", "type, name and description are required")
    return Answer.of(add_policy(state, **body), status=201)


def add_policy(state: State, **members: Any) -> dict[str, Any]:
    """Keep a policy."""
    policy_id = f"00p{random_id(17)}"
    now = stamp(state.clock())
    state.policies[policy_id] = {**members, "id": policy_id, "system": False, "created": now, "lastUpdated": now}
    state.rules[policy_id] = {}
    return state.policies[policy_id]


def delete_policy(state: State, _: Received, policy_id: str) -> Answer:
    """DELETE: with its rules."""
    _of(state.policies, policy_id, "Policy")
    del state.policies[policy_id], state.rules[policy_id]
    return Answer(status=204)


def list_rules(state: State, _: Received, policy_id: str) -> Answer:
    """GET."""
    _of(state.policies, policy_id, "Policy")
    return Answer.of(list(state.rules[policy_id].values()))


def create_rule(state: State, request: Received, policy_id: str) -> Answer:
    """POST: 201."""
    _of(state.policies, policy_id, "Policy")
    return Answer.of(add_rule(state, policy_id, _rule(state, request)), status=201)


def add_rule(state: State, policy_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """Keep a rule."""
    rule = {**body, "id": f"0pr{random_id(17)}"}
    state.rules[policy_id][rule["id"]] = rule
    return rule


def replace_rule(state: State, request: Received, policy_id: str, rule_id: str) -> Answer:
    """PUT."""
    _of(state.policies, policy_id, "Policy")
    _of(state.rules[policy_id], rule_id, "PolicyRule")
    state.rules[policy_id][rule_id] = {**_rule(state, request), "id": rule_id}
    return Answer.of(state.rules[policy_id][rule_id])


def allows(state: State, client_id: str, grant: str, scopes: Iterable[str]) -> bool:
    """Whether a rule of a policy of this client lets it have every one of the scopes with this grant."""
    for policy in state.policies.values():
        clients = policy.get("conditions", {}).get("clients", {}).get("include", [])
        if policy.get("status") != "ACTIVE" or not {client_id, "ALL_CLIENTS"}.intersection(clients):
            continue
        for rule in state.rules[policy["id"]].values():
            conditions = rule["conditions"]
            allowed = conditions["scopes"]["include"]
            if grant in conditions["grantTypes"]["include"] and ("*" in allowed or set(scopes) <= set(allowed)):
                return True
    return False


def _rule(state: State, request: Received) -> dict[str, Any]:
    body = _object(request)
    conditions = body.get("conditions")
    if body.get("type") != "RESOURCE_ACCESS" or not isinstance(conditions, dict) or not body.get("actions"):
        raise invalid("rule", "type, conditions and actions are required")
    known = {entry["name"] for entry in state.scopes.values()} | {"*"}
    unknown = set(conditions["scopes"]["include"]) - known
    if unknown or not conditions["grantTypes"]["include"] or not conditions["people"]["groups"]["include"]:
        raise invalid("conditions", f"scopes: Invalid values {sorted(unknown)}")
    return body


def _object(request: Received) -> dict[str, Any]:
    if not isinstance(request.json, dict):
        raise refuse(400, "E0000003")
    return request.json


def _of(entries: dict[str, dict[str, Any]], name: str, kind: str) -> dict[str, Any]:
    if name not in entries:
        raise missing(name, kind)
    return entries[name]
