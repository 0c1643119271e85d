"""One call for every capability, with values of no meaning: whoever does not declare it must refuse before sending."""

from typing import Any

from keymanager.adapters.contract import (
    Capability,
    ClientHandle,
    ClientMetadata,
    KeyManagerAdapter,
    Resource,
    ScopeSpec,
    TokenRequest,
)

C = Capability

_HANDLE = ClientHandle(client_id="c", registration_access_token="t", registration_client_uri="http://127.0.0.1:1/c")
_METADATA = ClientMetadata(client_name="c", marker="m")
_REQUEST = TokenRequest(client_id="c", parameters=(("token", "t"),))
_RESOURCE = Resource(identifier="urn:r", name="r")


def call(adapter: KeyManagerAdapter, capability: Capability) -> Any:
    """Call the operation of a capability."""
    operations: dict[Capability, Any] = {
        C.CREATE_CLIENT: lambda: adapter.create_client(_METADATA),
        C.READ_CLIENT: lambda: adapter.read_client(_HANDLE),
        C.UPDATE_CLIENT: lambda: adapter.update_client(_HANDLE, _METADATA),
        C.DELETE_CLIENT: lambda: adapter.delete_client(_HANDLE),
        C.SUSPEND_CLIENT: lambda: adapter.suspend_client(_HANDLE),
        C.VERIFY_CLIENT: lambda: adapter.verify_client(_HANDLE),
        C.ROTATE_SECRET: lambda: adapter.rotate_secret(_HANDLE, _METADATA),
        C.OVERLAPPING_SECRETS: lambda: adapter.drop_old_secret(_HANDLE),
        C.FIND_CLIENT: lambda: adapter.find_client("m"),
        C.LIST_CLIENTS: lambda: list(adapter.list_clients()),
        C.ISSUE_TOKEN: lambda: adapter.issue_token(_REQUEST),
        C.EXCHANGE_TOKEN: lambda: adapter.exchange_token(_REQUEST),
        C.INTROSPECT: lambda: adapter.introspect("t"),
        C.REVOKE_TOKEN: lambda: adapter.revoke_token(_REQUEST),
        C.REVOKE_ALL: lambda: adapter.revoke_all(_HANDLE),
        C.AUTHORIZATION_URL: lambda: adapter.authorization_url(""),
        C.METADATA: adapter.metadata,
        C.JWKS: adapter.jwks,
        C.RESOURCES: lambda: adapter.register_resource(_RESOURCE),
        C.SCOPES: lambda: adapter.register_scope(ScopeSpec(key="s")),
        C.USER_CLAIMS: lambda: adapter.user_claims("t"),
        C.CHANGES: lambda: adapter.changes_since(""),
    }
    return operations[capability]()
