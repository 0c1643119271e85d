"""What a fake WSO2 Identity Server 7 remembers, and its two shapes of errors."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.messages import Answer, Refused
from tests.fakes.vendor_server import random_id


@dataclass(slots=True, kw_only=True)
class Secret:
    """One client secret."""

    id: str
    value: str
    created_at: int


@dataclass(slots=True, kw_only=True)
class App:
    """One application with its OAuth client. ``authorised``: API resource id to scopes."""

    id: str
    name: str
    client_id: str
    owner: str = "portal"
    enabled: bool = True
    members: dict[str, Any] = field(default_factory=dict)
    secrets: list[Secret] = field(default_factory=list)
    authorised: dict[str, set[str]] = field(default_factory=dict)

    @property
    def secret(self) -> str:
        """The newest."""
        return self.secrets[-1].value


@dataclass(slots=True, kw_only=True)
class ApiResource:
    """One API resource. ``scopes``: by name."""

    id: str
    identifier: str
    name: str
    scopes: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class State:
    """``multiple_secrets``: the server has them on. ``hashes_secrets``: it shows a secret only when it is made.

    ``shows_oldest``: of several secrets a read shows the oldest. ``page``: the most entries in one answer.
    """

    clock: Callable[[], float]
    multiple_secrets: bool = True
    hashes_secrets: bool = False
    shows_oldest: bool = False
    page: int = 100
    apps: dict[str, App] = field(default_factory=dict)
    resources: dict[str, ApiResource] = field(default_factory=dict)
    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add_app(self, name: str, client_id: str, **members: Any) -> App:
        """Keep a new application."""
        app = App(id=str(uuid.uuid4()), name=name, client_id=client_id, members=members)
        self.apps[app.id] = app
        self.new_secret(app)
        return app

    def new_secret(self, app: App) -> Secret:
        """A newer one beside the others."""
        secret = Secret(id=str(uuid.uuid4()), value=random_id(28), created_at=int(self.clock()))
        app.secrets.append(secret)
        return secret

    def client(self, client_id: str) -> App | None:
        """By client id."""
        return next((app for app in self.apps.values() if app.client_id == client_id), None)

    def add_resource(self, identifier: str, name: str, scopes: list[dict[str, str]]) -> ApiResource:
        """Keep a new API resource."""
        resource = ApiResource(id=str(uuid.uuid4()), identifier=identifier, name=name)
        self.resources[resource.id] = resource
        self.add_scopes(resource, scopes)
        return resource

    def add_scopes(self, resource: ApiResource, scopes: list[dict[str, str]]) -> None:
        """Names are unique in a tenant."""
        taken = {name for other in self.resources.values() for name in other.scopes}
        if any(scope["name"] in taken for scope in scopes):
            raise refuse(409, "API-RESOURCE-60009", "Scope already exists.")
        for scope in scopes:
            entry = {"id": str(uuid.uuid4()), "displayName": scope["name"], "description": "", **scope}
            resource.scopes[scope["name"]] = entry

    def live(self, value: str) -> dict[str, Any] | None:
        """A token that is good now."""
        token = self.tokens.get(value)
        return token if token is not None and token["exp"] > self.clock() else None

    def end_tokens(self, app: App) -> None:
        """All tokens of a client."""
        self.tokens = {value: token for value, token in self.tokens.items() if token["client_id"] != app.client_id}


def refuse(status: int, code: str, description: str) -> Refused:
    """A refusal of the server's own API."""
    body = {"code": code, "message": "Refused.", "description": description, "traceId": str(uuid.uuid4())}
    return Refused(Answer.of(body, status=status))
