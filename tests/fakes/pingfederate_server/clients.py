"""The clients of the fake PingFederate: documents in the words of its administrative API, and their secrets."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.fakes.messages import Answer, Refused
from tests.fakes.store import FakeClient, Store

Document = dict[str, Any]
GRANTS = {
    "CLIENT_CREDENTIALS": "client_credentials",
    "AUTHORIZATION_CODE": "authorization_code",
    "REFRESH_TOKEN": "refresh_token",
    "RESOURCE_OWNER_CREDENTIALS": "password",
    "DEVICE_CODE": "urn:ietf:params:oauth:grant-type:device_code",
    "TOKEN_EXCHANGE": "urn:ietf:params:oauth:grant-type:token-exchange",
    "IMPLICIT": "implicit",
    "EXTENSION": "urn:ietf:params:oauth:grant-type:jwt-bearer",
    "ACCESS_TOKEN_VALIDATION": "urn:pingidentity.com:oauth2:grant_type:validate_bearer",
    "CIBA": "urn:openid:params:grant-type:ciba",
}


@dataclass(kw_only=True)
class Clients:
    """Every client by id. ``server_retention``: minutes, for clients that do not say themselves how long."""

    store: Store
    clock: Callable[[], float]
    server_retention: int = 60
    documents: dict[str, Document] = field(default_factory=dict)
    plain: dict[str, str] = field(default_factory=dict)  # by encrypted secret
    scopes: dict[str, dict[str, str]] = field(default_factory=lambda: {"common": {}, "exclusive": {}})

    def check(self, client: Document) -> None:
        """Raises 422 for values that cannot be."""
        complaints = [(name, "This field is required.") for name in ("clientId", "name") if not client.get(name)]
        if not client.get("grantTypes"):
            complaints.append(("grantTypes", "At least one grant type is required."))
        if "AUTHORIZATION_CODE" in client.get("grantTypes", []) and not client.get("redirectUris"):
            complaints.append(("redirectUris", "A redirect URI is required for this grant type."))
        for member, kind in (("restrictedScopes", "common"), ("exclusiveScopes", "exclusive")):
            unknown = set(client.get(member, [])) - set(self.scopes[kind])
            complaints += [(member, f"The scope '{name}' is not defined.") for name in sorted(unknown)]
        if complaints:
            raise invalid(*complaints)

    def put(self, client: Document, auth: Document, before: Document | None) -> Document:
        """Keeps a client with what ``auth`` says of its secrets."""
        kept = dict(before["clientAuth"]) if before else {}
        client = {**client, "clientAuth": self._secrets(client, auth, kept), "modificationDate": self.moment()}
        client["creationDate"] = before["creationDate"] if before else client["modificationDate"]
        self.documents[client["clientId"]] = client
        self.sync()
        return client

    def change_secret(self, client: Document, body: Document) -> Document:
        """The members of a client's secret after a change of it alone."""
        auth = {"type": "SECRET", **body}
        if "secret" in body:
            auth.setdefault("secondarySecrets", client["clientAuth"].get("secondarySecrets", []))
        return dict(self.put(client, auth, client)["clientAuth"])

    def remove(self, client_id: str) -> None:
        """Forgets a client."""
        del self.documents[client_id]
        self.sync()

    def sync(self) -> None:
        """Lets the runtime know: who may come with which secret, for which scopes. Secrets end when it is time."""
        for client in self.documents.values():
            auth = client["clientAuth"]
            old = auth.get("secondarySecrets", [])
            auth["secondarySecrets"] = [s for s in old if seconds_of(s["expiryTime"]) > self.clock()]
        gone = [name for name, c in self.store.clients.items() if not c.static and name not in self.documents]
        for name in gone:
            self.store.remove_client(self.store.clients[name])
        for name, client in self.documents.items():
            self.store.add_client(self._as_runtime(name, client))

    def moment(self, seconds: float = 0.0) -> str:
        """A moment as the administrative API writes it."""
        return datetime.fromtimestamp(self.clock() + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def _secrets(self, client: Document, auth: Document, kept: Document) -> Document:
        if auth.get("type") != "SECRET":
            return {"type": auth.get("type", "NONE")}
        # What a write does not repeat of the retained secrets is gone.
        known = {entry["encryptedSecret"] for entry in kept.get("secondarySecrets", [])}
        retained = [e for e in auth.get("secondarySecrets", []) if e.get("encryptedSecret") in known]
        current = kept.get("encryptedSecret", "")
        if "secret" in auth:
            minutes = self._retention(client)
            if current and minutes:
                retained = [{"encryptedSecret": current, "expiryTime": self.moment(minutes * 60)}, *retained]
            current = f"OBF:JWE:{secrets.token_urlsafe(24)}"
            self.plain[current] = auth["secret"]
        elif not current or auth.get("encryptedSecret") != current:
            raise invalid(("clientAuth.secret", "A client secret is required."))
        return {"type": "SECRET", "encryptedSecret": current, "secondarySecrets": retained}

    def _retention(self, client: Document) -> int:
        if client.get("clientSecretRetentionPeriodType") == "OVERRIDE_SERVER_DEFAULT":
            return int(client.get("clientSecretRetentionPeriod", 0))
        return self.server_retention

    def _as_runtime(self, name: str, client: Document) -> FakeClient:
        auth = client["clientAuth"]
        common = client.get("restrictedScopes", []) if client.get("restrictScopes") else list(self.scopes["common"])
        has_secret = auth["type"] == "SECRET"
        return FakeClient(
            client_id=name,
            client_secret=self.plain[auth["encryptedSecret"]] if has_secret else "",
            older_secrets=tuple(self.plain[entry["encryptedSecret"]] for entry in auth.get("secondarySecrets", [])),
            enabled=client.get("enabled", True),
            scopes=[*common, *client.get("exclusiveScopes", [])],
            metadata={
                "client_name": client["name"],
                "grant_types": [GRANTS[grant] for grant in client["grantTypes"]],
                "redirect_uris": client.get("redirectUris", []),
                "token_endpoint_auth_method": "client_secret_basic" if has_secret else "none",
            },
        )


def seconds_of(moment: str) -> float:
    """Epoch seconds of a moment."""
    return datetime.fromisoformat(moment).timestamp()


def invalid(*complaints: tuple[str, str]) -> Refused:
    """422 in the administrative API's words."""
    errors = [{"errorId": "invalid_value", "fieldPath": path, "message": message} for path, message in complaints]
    message = "Validation error(s) occurred. Please review the error(s) and address accordingly."
    body = {"resultId": "validation_error", "message": message, "validationErrors": errors}
    return Refused(Answer.of(body, status=422))


def missing(what: str) -> Refused:
    """404 in the administrative API's words."""
    return Refused(Answer.of({"resultId": "resource_not_found", "message": f"{what} does not exist."}, status=404))
