"""What Microsoft's own SDK reads of a directory: run by ``msgraph_sdk.read`` in a Python that has only the SDK.

Standard input: {"graph", "token", "unique_name", "tag"}. Standard output: what was read, as JSON.
"""

import asyncio
import json
import sys
from importlib import import_module  # the SDK is not in the project's environment, so its types are unknown here
from typing import Any


async def _read(asked: dict[str, str]) -> dict[str, Any]:
    authentication = import_module("kiota_abstractions.authentication")
    location = import_module("kiota_abstractions.authentication.api_key_authentication_provider").KeyLocation.Header
    bearer = authentication.ApiKeyAuthenticationProvider(location, f"Bearer {asked['token']}", "Authorization")
    adapter = import_module("msgraph.graph_request_adapter").GraphRequestAdapter(bearer)
    # Read when the client is made.
    adapter.base_url = f"{asked['graph']}/v1.0"
    client = import_module("msgraph.graph_service_client").GraphServiceClient(request_adapter=adapter)
    errors = import_module("msgraph.generated.models.o_data_errors.o_data_error")
    try:
        found = await client.applications_with_unique_name(asked["unique_name"]).get()
    except errors.ODataError as refused:
        return {"missing": refused.error.code}
    principal = await client.service_principals_with_app_id(found.app_id).get()
    assignments = await client.service_principals.by_service_principal_id(principal.id).app_role_assignments.get()
    listed = await _tagged(client, asked["tag"])
    return {
        "id": found.id,
        "app_id": found.app_id,
        "display_name": found.display_name,
        "tags": found.tags,
        "disabled": bool(found.is_disabled),
        "secrets": [str(entry.key_id) for entry in found.password_credentials],
        "roles": [str(entry.app_role_id) for entry in assignments.value],
        "exposed": await _exposed_roles(client, assignments.value),
        "tagged": [entry.app_id for entry in listed.value],
    }


async def _tagged(client: Any, tag: str) -> Any:
    builder = import_module("msgraph.generated.applications.applications_request_builder").ApplicationsRequestBuilder
    query = builder.ApplicationsRequestBuilderGetQueryParameters(filter=f"tags/any(t:t eq '{tag}')", count=True)
    settings = import_module("kiota_abstractions.base_request_configuration").RequestConfiguration(
        query_parameters=query
    )
    settings.headers.add("ConsistencyLevel", "eventual")
    return await client.applications.get(request_configuration=settings)


async def _exposed_roles(client: Any, assignments: list[Any]) -> dict[str, str]:
    """Scope by app role id, of every API that the client was assigned to."""
    shown: dict[str, str] = {}
    for resource in {str(entry.resource_id) for entry in assignments}:
        principal = await client.service_principals.by_service_principal_id(resource).get()
        shown |= {str(role.id): role.value for role in principal.app_roles}
    return shown


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(_read(json.load(sys.stdin)))))
