"""Graph v1.0 of the fake directory: applications and their passwords, service principals, assignments, consents."""

import copy
import re
import urllib.parse
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.fakes.entra_server.directory import Directory, Object, bad, not_found, refused
from tests.fakes.entra_server.permission_rules import check_permissions
from tests.fakes.messages import Answer, Received, Refused

_WRITABLE = {
    "displayName", "description", "tags", "notes", "signInAudience", "isFallbackPublicClient", "isDisabled", "web",
    "spa", "publicClient", "api", "appRoles", "identifierUris", "requiredResourceAccess", "serviceManagementReference",
}  # fmt: skip
_PRINCIPAL = {"appId", "tags", "accountEnabled", "appRoleAssignmentRequired", "displayName", "notes"}
_TAG_FILTER = re.compile(r"tags/any\(t:t eq '([^']*)'\)")
_CONSENT_FILTER = re.compile(r"clientId eq '([^']*)' and consentType eq 'AllPrincipals'")


class Graph:
    """Answers calls below ``/v1.0``. ``base``: its address. ``caller``: our administrative application's client id."""

    def __init__(self, directory: Directory, base: str, caller: str) -> None:
        self._directory = directory
        self._base = base
        self._caller = caller

    def route(self, method: str, path: str) -> tuple[str, Callable[[Received], Answer]]:
        """The name of the operation and what does it. ``path`` starts behind ``/v1.0`` and is not quoted."""
        for pattern, methods in self._routes():
            match = re.fullmatch(pattern, path)
            if match and method in methods:
                name, run = methods[method]
                return name, partial(_run, run, match.groups())
        return "unknown", lambda _: _raise(bad(f"Resource not found for the segment '{path}'.", "BadRequest"))

    def _routes(self) -> tuple[tuple[str, dict[str, tuple[str, Callable[..., Answer]]]], ...]:
        one = r"([0-9a-f-]{36})"
        application = {
            "GET": ("read", self._read),
            "PATCH": ("update", self._update),
            "DELETE": ("delete", self._delete),
        }
        keyed = r"\((uniqueName|appId)='((?:[^']|'')*)'\)"
        return (
            (r"/applications", {"GET": ("list", self._list_applications), "POST": ("create", self._create)}),
            (rf"/applications/{one}", application),
            (
                rf"/applications{keyed}",
                {
                    "GET": ("find", self._read_keyed),
                    "PATCH": ("upsert", self._upsert),
                    "DELETE": ("delete", self._delete_keyed),
                },
            ),
            (rf"/applications/{one}/addPassword", {"POST": ("add_password", self._add_password)}),
            (rf"/applications/{one}/removePassword", {"POST": ("remove_password", self._remove_password)}),
            (r"/servicePrincipals", {"GET": ("list_principals", self._list_principals)}),
            (
                r"/servicePrincipals\(appId='([^']*)'\)",
                {"GET": ("read_principal", self._read_principal), "PATCH": ("principal", self._upsert_principal)},
            ),
            (rf"/servicePrincipals/{one}", {"GET": ("read_principal", self._read_principal_by_id)}),
            (
                rf"/servicePrincipals/{one}/appRoleAssignedTo",
                {"GET": ("assignments", self._assigned_to), "POST": ("assign", self._assign)},
            ),
            (rf"/servicePrincipals/{one}/appRoleAssignments", {"GET": ("assignments", self._assigned)}),
            (rf"/servicePrincipals/{one}/appRoleAssignedTo/([\w-]+)", {"DELETE": ("unassign", self._unassign)}),
            (r"/oauth2PermissionGrants", {"GET": ("consents", self._consents), "POST": ("consent", self._consent)}),
            (
                r"/oauth2PermissionGrants/([\w-]+)",
                {"PATCH": ("consent", self._change_consent), "DELETE": ("unconsent", self._end_consent)},
            ),
        )

    # applications

    def _list_applications(self, request: Received) -> Answer:
        return self._listed(request, list(self._directory.applications.values()))

    def _create(self, request: Received) -> Answer:
        return Answer.of(self._made(_object(request), None), status=201)

    def _read(self, _: Received, object_id: str) -> Answer:
        return Answer.of(self._application(object_id))

    def _read_keyed(self, _: Received, name: str, value: str) -> Answer:
        return Answer.of(self._keyed(name, value))

    def _update(self, request: Received, object_id: str) -> Answer:
        return self._written(self._application(object_id), _object(request))

    def _upsert(self, request: Received, name: str, value: str) -> Answer:
        try:
            found = self._keyed(name, value)
        except Refused:
            if request.headers.get("prefer", "") != "create-if-missing" or name != "uniqueName":
                raise
            return Answer.of(self._made(_object(request), value.replace("''", "'")), status=201)
        return self._written(found, _object(request))

    def _delete(self, _: Received, object_id: str) -> Answer:
        self._directory.remove_application(self._application(object_id))
        return Answer(status=204)

    def _delete_keyed(self, _: Received, name: str, value: str) -> Answer:
        self._directory.remove_application(self._keyed(name, value))
        return Answer(status=204)

    def _add_password(self, request: Received, object_id: str) -> Answer:
        application = self._application(object_id)
        body = _object(request)
        wanted = body.get("passwordCredential") or {}
        if set(body) - {"passwordCredential"} or set(wanted) - {"displayName", "endDateTime", "startDateTime"}:
            raise bad("A password takes displayName, startDateTime and endDateTime.")
        return Answer.of(self._directory.add_password(application, wanted))

    def _remove_password(self, request: Received, object_id: str) -> Answer:
        application = self._application(object_id)
        key_id = _object(request).get("keyId")
        left = [entry for entry in application["passwordCredentials"] if entry["keyId"] != key_id]
        if len(left) == len(application["passwordCredentials"]):
            raise bad(f"No password credential found with keyId {key_id}.")
        application["passwordCredentials"] = left
        return Answer(status=204)

    def _application(self, object_id: str) -> Object:
        found = self._directory.applications.get(object_id)
        if found is None or self._directory.still_hidden("replication_lag", object_id):
            raise not_found(object_id)
        return found

    def _keyed(self, name: str, value: str) -> Object:
        wanted = value.replace("''", "'")
        for application in self._directory.applications.values():
            if application[name] == wanted:
                return application
        raise not_found(wanted)

    def _made(self, body: Object, unique_name: str | None) -> Object:
        if not body.get("displayName"):
            raise bad("A value is required for property 'displayName' of resource 'Application'.")
        empty: Object = {"appRoles": [], "api": {"oauth2PermissionScopes": []}, "identifierUris": []}
        self._check(empty, {**empty, **body}, body)
        return self._directory.new_application(copy.deepcopy(body), unique_name, self._caller)

    def _written(self, application: Object, body: Object) -> Answer:
        # A complex property replaces the old one, with its defaults for what is left out.
        api = (
            {"requestedAccessTokenVersion": None, "oauth2PermissionScopes": [], **body["api"]} if "api" in body else {}
        )
        after = {**application, **copy.deepcopy(body), **({"api": api} if api else {})}
        self._check(application, after, body)
        application.update(after)
        return Answer(status=204)

    def _check(self, before: Object, after: Object, body: Object) -> None:
        unknown = set(body) - _WRITABLE
        if unknown:
            raise bad(f"Invalid property '{min(unknown)}'.")
        if len(after.get("displayName") or "") > 256:
            raise bad("Invalid value specified for property 'displayName'.")
        check_permissions(before, after)
        for uri in after["identifierUris"]:
            if not uri.startswith(f"api://{self._directory.tenant}/"):
                raise bad(
                    "Values of identifierUris must use a verified domain or its subdomain.", "HostNotOnVerifiedDomain"
                )
            others = [a for a in self._directory.applications.values() if a["id"] != after.get("id")]
            if any(uri in other["identifierUris"] for other in others):
                raise bad("Another object with the same value for property identifierUris already exists.")

    # service principals, assignments, consents

    def _list_principals(self, request: Received) -> Answer:
        found = [self._directory.shown_principal(principal) for principal in self._directory.principals.values()]
        return self._listed(request, found)

    def _read_principal(self, _: Received, app_id: str) -> Answer:
        found = self._directory.by_app_id(self._directory.principals, app_id)
        if found is None:
            raise not_found(app_id)
        return Answer.of(self._directory.shown_principal(found))

    def _read_principal_by_id(self, _: Received, principal_id: str) -> Answer:
        return Answer.of(self._directory.shown_principal(self._principal(principal_id)))

    def _upsert_principal(self, request: Received, app_id: str) -> Answer:
        body = _object(request)
        if set(body) - _PRINCIPAL:
            raise bad(f"Invalid property '{min(set(body) - _PRINCIPAL)}'.")
        found = self._directory.by_app_id(self._directory.principals, app_id)
        if found is not None:
            found.update(body)
            return Answer(status=204)
        if request.headers.get("prefer", "") != "create-if-missing":
            raise not_found(app_id)
        application = self._directory.by_app_id(self._directory.applications, app_id)
        if application is None:
            raise bad(f"The appId '{app_id}' of the service principal does not reference a valid application object.")
        made = self._directory.new_principal(application, body)
        return Answer.of(self._directory.shown_principal(made), status=201)

    def _principal(self, principal_id: str) -> Object:
        found = self._directory.principals.get(principal_id)
        if found is None or self._directory.still_hidden("replication_lag", principal_id):
            raise not_found(principal_id)
        return found

    def _assigned_to(self, request: Received, principal_id: str) -> Answer:
        self._principal(principal_id)
        found = [a for a in self._directory.assignments.values() if a["resourceId"] == principal_id]
        return self._page(request, found)

    def _assigned(self, request: Received, principal_id: str) -> Answer:
        self._principal(principal_id)
        found = [a for a in self._directory.assignments.values() if a["principalId"] == principal_id]
        return self._page(request, found)

    def _assign(self, request: Received, resource_id: str) -> Answer:
        self._may_assign()
        resource = self._directory.shown_principal(self._principal(resource_id))
        body = _object(request)
        if set(body) != {"principalId", "resourceId", "appRoleId"} or body["resourceId"] != resource_id:
            raise bad("An assignment needs principalId, resourceId and appRoleId.")
        if body["principalId"] not in self._directory.principals:
            raise bad("Not a valid reference update.")
        if self._directory.still_hidden("assignment_lag", body["principalId"]):
            raise bad("Not a valid reference update.")
        role = next((role for role in resource["appRoles"] if role["id"] == body["appRoleId"]), None)
        if role is None or "Application" not in role["allowedMemberTypes"]:
            raise bad(f"Permission being assigned was not found on application '{resource['appId']}'.")
        if any(all(entry[name] == body[name] for name in body) for entry in self._directory.assignments.values()):
            raise bad("Permission being assigned already exists on the object.")
        made = {"id": uuid.uuid4().hex, "principalType": "ServicePrincipal", "createdDateTime": self._directory.now()}
        self._directory.assignments[made["id"]] = {**made, **body}
        return Answer.of({**made, **body}, status=201)

    def _unassign(self, _: Received, resource_id: str, assignment_id: str) -> Answer:
        self._may_assign()
        found = self._directory.assignments.get(assignment_id)
        if found is None or found["resourceId"] != resource_id:
            raise not_found(assignment_id)
        del self._directory.assignments[assignment_id]
        return Answer(status=204)

    def _consents(self, request: Received) -> Answer:
        match = _CONSENT_FILTER.fullmatch(request.parameters.get("$filter", ""))
        if match is None:
            raise bad("Unsupported filter.", "Request_UnsupportedQuery")
        return self._page(request, [c for c in self._directory.consents.values() if c["clientId"] == match[1]])

    def _consent(self, request: Received) -> Answer:
        self._may_assign()
        body = _object(request)
        if set(body) != {"clientId", "consentType", "resourceId", "scope"} or body["consentType"] != "AllPrincipals":
            raise bad("A consent needs clientId, consentType, resourceId and scope.")
        self._principal(body["clientId"])
        self._principal(body["resourceId"])
        same = ("clientId", "resourceId")
        if any(all(entry[name] == body[name] for name in same) for entry in self._directory.consents.values()):
            raise refused(409, "Request_MultipleObjectsWithSameKeyValue", "Permission entry already exists.")
        made = {"id": uuid.uuid4().hex, **body}
        self._directory.consents[made["id"]] = made
        return Answer.of(made, status=201)

    def _change_consent(self, request: Received, consent_id: str) -> Answer:
        self._may_assign()
        if consent_id not in self._directory.consents:
            raise not_found(consent_id)
        self._directory.consents[consent_id].update(_object(request))
        return Answer(status=204)

    def _end_consent(self, _: Received, consent_id: str) -> Answer:
        self._may_assign()
        if self._directory.consents.pop(consent_id, None) is None:
            raise not_found(consent_id)
        return Answer(status=204)

    def _may_assign(self) -> None:
        if not self._directory.switches.may_assign:
            raise refused(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")

    # lists

    def _listed(self, request: Received, objects: list[Object]) -> Answer:
        asked = request.parameters.get("$filter")
        if asked is None:
            return self._page(request, objects)
        match = _TAG_FILTER.fullmatch(asked)
        advanced = request.headers.get("consistencylevel") == "eventual" and request.parameters.get("$count") == "true"
        if match is None or not advanced:
            raise bad("Unsupported Query.", "Request_UnsupportedQuery")
        hidden = self._directory.still_hidden
        found = [entry for entry in objects if match[1] in entry["tags"] and not hidden("index_lag", entry["id"])]
        return self._page(request, found)

    def _page(self, request: Received, objects: list[Object]) -> Answer:
        parameters = request.parameters
        start = int(parameters.pop("$skiptoken", "0"))
        size = int(parameters.get("$top", self._directory.switches.page_size))
        body: dict[str, Any] = {"value": objects[start : start + size]}
        if start + size < len(objects) and "$top" not in parameters:
            query = urllib.parse.urlencode({**parameters, "$skiptoken": str(start + size)})
            body["@odata.nextLink"] = f"{self._base}{request.path.removeprefix('/v1.0')}?{query}"
        return Answer.of(body)


def _object(request: Received) -> Object:
    if not isinstance(request.json, dict):
        raise bad("Unable to read JSON request payload.", "BadRequest")
    return request.json


def _run(run: Callable[..., Answer], values: tuple[str, ...], request: Received) -> Answer:
    return run(request, *values)


def _raise(error: Exception) -> Answer:
    raise error
