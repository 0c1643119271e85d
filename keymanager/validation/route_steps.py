"""The steps that look at the request alone: which operation is called, and is there a bearer token."""

import re

from common.paths import gateway_path
from keymanager.validation.codes import Code
from keymanager.validation.facts import OperationFacts
from keymanager.validation.services import StepServices
from keymanager.validation.step import Call, VerdictEntry, failed, passed, skipped
from subscriptions.states import ApiState

_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")


class RouteStep:
    """Which API version and operation is called. What is not published (any more) does not exist."""

    name = "route"

    def __init__(self, services: StepServices) -> None:
        self._passed = passed(self.name)

    def check(self, call: Call, /) -> VerdictEntry:
        """Finds ``call.route`` and ``call.operation``."""
        path = gateway_path(call.path)
        if path is None:
            return failed(self.name, Code.BAD_PATH, "The path is malformed, or could be read in more than one way.")
        found = call.facts.find_route(path)
        if found is None:
            return failed(self.name, Code.API_NOT_FOUND, "No published API has this context and version.")
        route, rest = found
        call.route = route
        if route.state is ApiState.BLOCKED:
            return failed(self.name, Code.API_BLOCKED, f"{route.name} {route.version} is blocked by its publisher.")
        operation = route.matcher.find(call.method, rest)
        if isinstance(operation, OperationFacts):
            call.operation = operation
            call.open = not operation.needs_token
            return self._passed
        if not operation:
            return failed(
                self.name, Code.OPERATION_NOT_FOUND, f"{route.name} {route.version} has no operation at this path."
            )
        allow = ", ".join(sorted(operation))
        return failed(
            self.name,
            Code.METHOD_NOT_ALLOWED,
            f"This path of {route.name} {route.version} knows {allow}.",
            headers=(("allow", allow),),
        )


class CredentialPresentStep:
    """One bearer token in the Authorization header (RFC 6750 section 2.1); a token in the query is never looked at."""

    name = "credential"

    def __init__(self, services: StepServices) -> None:
        self._passed = passed(self.name)
        self._open = skipped(self.name, "The operation needs no token.")

    def check(self, call: Call, /) -> VerdictEntry:
        """Finds ``call.token``."""
        if call.open:
            return self._open
        credentials = call.credentials
        if not credentials:
            return failed(self.name, Code.TOKEN_MISSING, "The request carries no Authorization header.")
        if len(credentials) > 1:
            return failed(
                self.name, Code.SEVERAL_CREDENTIALS, "The request carries more than one Authorization header."
            )
        scheme, _, token = credentials[0].partition(" ")
        if scheme.lower() != "bearer":
            return failed(self.name, Code.TOKEN_MISSING, "The Authorization header is not of the scheme Bearer.")
        token = token.strip(" ")
        if not _TOKEN.fullmatch(token):
            return failed(
                self.name, Code.CREDENTIALS_MALFORMED, "What follows Bearer is not one token (RFC 6750 section 2.1)."
            )
        call.token = token
        return self._passed
