"""What the fake directory remembers, and Graph's way of saying no."""

import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.fakes.messages import Answer, Refused

Object = dict[str, Any]
TWO_YEARS = 2 * 365 * 86400


@dataclass(kw_only=True)
class Switches:
    """Faults that last until a test takes them back. Counts are used up call by call, anew for each new object.

    ``replication_lag``: calls by id that do not see a new object. ``assignment_lag``: refused first assignments of a
    new service principal. ``secret_lag``: token requests with a new secret that are refused. ``index_lag``: listings
    that do not show a new object. ``may_assign``: our application has the right to give app roles and consents.
    """

    replication_lag: int = 0
    assignment_lag: int = 0
    secret_lag: int = 0
    index_lag: int = 0
    page_size: int = 100
    may_assign: bool = True


@dataclass(kw_only=True)
class Directory:
    """Applications, service principals, assignments and consents of one tenant, by id."""

    tenant: str
    clock: Callable[[], float]
    switches: Switches = field(default_factory=Switches)
    applications: dict[str, Object] = field(default_factory=dict)
    principals: dict[str, Object] = field(default_factory=dict)
    assignments: dict[str, Object] = field(default_factory=dict)
    consents: dict[str, Object] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)  # by keyId
    recycle_bin: list[Object] = field(default_factory=list)
    waiting: dict[tuple[str, str], int] = field(default_factory=dict)

    def born(self, identity: str) -> str:
        """Starts the lags of a new object."""
        for kind in ("replication_lag", "assignment_lag", "secret_lag", "index_lag"):
            self.waiting[kind, identity] = getattr(self.switches, kind)
        return identity

    def still_hidden(self, kind: str, identity: str) -> bool:
        """Uses up one call of a lag."""
        left = self.waiting.get((kind, identity), 0)
        self.waiting[kind, identity] = max(0, left - 1)
        return left > 0

    def now(self, seconds: float = 0.0) -> str:
        """A moment as Graph writes it, with seven digits of a second."""
        moment = datetime.fromtimestamp(self.clock() + seconds, UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%f0Z")

    def by_app_id(self, collection: dict[str, Object], app_id: str) -> Object | None:
        """The application or service principal of a client id."""
        return next((found for found in collection.values() if found["appId"] == app_id), None)

    def new_application(self, body: Object, unique_name: str | None, created_by: str) -> Object:
        """An application with the defaults of a new one."""
        made: Object = {
            "id": self.born(str(uuid.uuid4())),
            "appId": str(uuid.uuid4()),
            "uniqueName": unique_name,
            "createdByAppId": created_by,
            "createdDateTime": self.now(),
            "isDisabled": None,
            "isFallbackPublicClient": None,
            "signInAudience": "AzureADMyOrg",
            "identifierUris": [],
            "tags": [],
            "notes": None,
            "appRoles": [],
            "api": {"requestedAccessTokenVersion": None, "oauth2PermissionScopes": []},
            "web": {"redirectUris": []},
            "publicClient": {"redirectUris": []},
            "spa": {"redirectUris": []},
            "passwordCredentials": [],
            **body,
        }
        made["api"] = {"requestedAccessTokenVersion": None, "oauth2PermissionScopes": [], **made["api"]}
        self.applications[made["id"]] = made
        return made

    def new_principal(self, application: Object, body: Object) -> Object:
        """The service principal of an application."""
        made: Object = {"id": self.born(str(uuid.uuid4())), "appId": application["appId"], "accountEnabled": True}
        made |= {"servicePrincipalType": "Application", "tags": [], **body}
        self.principals[made["id"]] = made
        return made

    def shown_principal(self, principal: Object) -> Object:
        """A service principal with what it takes from its application."""
        application = self.by_app_id(self.applications, principal["appId"]) or {}
        return {
            **principal,
            "displayName": application.get("displayName"),
            "appRoles": application.get("appRoles", []),
            "oauth2PermissionScopes": application.get("api", {}).get("oauth2PermissionScopes", []),
            "servicePrincipalNames": [principal["appId"], *application.get("identifierUris", [])],
        }

    def remove_application(self, application: Object) -> None:
        """Into the recycle bin; its service principal and what hangs on that goes with it."""
        self.recycle_bin.append(self.applications.pop(application["id"]))
        principal = self.by_app_id(self.principals, application["appId"])
        if principal is None:
            return
        del self.principals[principal["id"]]
        for collection, names in ((self.assignments, ("principalId", "resourceId")), (self.consents, ("clientId",))):
            gone = [key for key, entry in collection.items() if principal["id"] in [entry[name] for name in names]]
            for key in gone:
                del collection[key]

    def add_password(self, application: Object, wanted: Object) -> Object:
        """A secret in Entra's style, whose text is shown this once."""
        text = f"{secrets.token_hex(2)[:3]}8Q~{secrets.token_urlsafe(24)}.x"
        entry: Object = {
            "keyId": self.born(str(uuid.uuid4())),
            "displayName": wanted.get("displayName"),
            "hint": text[:3],
            "startDateTime": self.now(),
            "endDateTime": wanted.get("endDateTime") or self.now(TWO_YEARS),
        }
        application["passwordCredentials"].append(entry)
        self.secrets[entry["keyId"]] = text
        return {**entry, "secretText": text}


def refused(status: int, code: str, message: str) -> Refused:
    """Graph's error."""
    inner = {"date": "2026-01-01T00:00:00", "request-id": str(uuid.uuid4()), "client-request-id": str(uuid.uuid4())}
    return Refused(Answer.of({"error": {"code": code, "message": message, "innerError": inner}}, status=status))


def bad(message: str, code: str = "Request_BadRequest") -> Refused:
    """400."""
    return refused(400, code, message)


def not_found(name: str) -> Refused:
    """404, as for something that never was."""
    words = f"Resource '{name}' does not exist or one of its queried reference-property objects are not present."
    return refused(404, "Request_ResourceNotFound", words)
