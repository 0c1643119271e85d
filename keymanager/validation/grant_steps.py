"""The steps that judge our own state: application, subscription, plan, scopes; and the backend JWT at the end."""

from collections.abc import Awaitable, Mapping

from common.gateway_contract import BACKEND_JWT_HEADER, PRODUCTION, SANDBOX
from keymanager.adapters.contract import TokenFacts
from keymanager.validation.codes import Code
from keymanager.validation.facts import OperationFacts
from keymanager.validation.services import StepServices
from keymanager.validation.step import Call, VerdictEntry, failed, passed, skipped
from keymanager.validation.users import names_user
from subscriptions.states import Environment, SubscriptionState

_NO_TOKEN = "The operation needs no token."


def _not_found(what: str) -> LookupError:
    """An earlier step should have found it: refused as a broken validation, never passed over."""
    return LookupError(f"no earlier step found the {what}")


class ApplicationStep:
    """The token's client belongs to an application that is not being removed; its kind of key has an upstream."""

    name = "application"

    def __init__(self, services: StepServices) -> None:
        self._passed = passed(self.name)
        self._open = skipped(self.name, _NO_TOKEN)

    def check(self, call: Call, /) -> VerdictEntry:
        """Finds ``call.credential``, ``call.application`` and ``call.environment``."""
        route, key_manager, token = call.route, call.key_manager, call.token_facts
        if route is None:
            raise _not_found("API")
        if call.open:
            call.environment = PRODUCTION if route.has_production else SANDBOX
            return self._open
        if key_manager is None or token is None:
            raise _not_found("token")
        if not token.client_id:
            return failed(self.name, Code.CLIENT_UNKNOWN, "The token names no client.")
        credential = call.facts.credential(key_manager.id, token.client_id)
        application = call.facts.application(credential.application_id) if credential is not None else None
        if credential is None or application is None:
            return failed(
                self.name, Code.CLIENT_UNKNOWN, f"No application here has this client at {key_manager.slug} (any more)."
            )
        call.credential, call.application = credential, application
        if not application.active:
            return failed(self.name, Code.APPLICATION_REMOVED, "The application is being removed.")
        if credential.environment is Environment.SANDBOX:
            call.environment = SANDBOX
            if not route.has_sandbox:
                return failed(self.name, Code.NO_SANDBOX, "This is a sandbox key and the API has no sandbox.")
        elif not route.has_production:
            return failed(self.name, Code.NO_PRODUCTION, "This is a production key and the API has a sandbox only.")
        return self._passed


class SubscriptionStep:
    """The application is subscribed, and the subscription allows this kind of key."""

    name = "subscription"

    def __init__(self, services: StepServices) -> None:
        self._passed = passed(self.name)
        self._open = skipped(self.name, _NO_TOKEN)

    def check(self, call: Call, /) -> VerdictEntry:
        """Finds ``call.subscription`` and ``call.plan``."""
        route, application = call.route, call.application
        if call.open:
            return self._open
        if route is None or application is None:
            raise _not_found("application")
        subscription = call.facts.subscription(application.id, route.id)
        if subscription is None:
            return failed(
                self.name,
                Code.NOT_SUBSCRIBED,
                f"{application.name} is not subscribed to {route.name} {route.version}.",
            )
        call.subscription = subscription
        call.plan = call.facts.plan(subscription.plan_id)
        state = subscription.state
        if state is SubscriptionState.UNBLOCKED:
            return self._passed
        if state is SubscriptionState.PRODUCTION_BLOCKED:
            if call.environment == SANDBOX:
                return self._passed
            return failed(
                self.name,
                Code.SUBSCRIPTION_PRODUCTION_BLOCKED,
                "The publisher has blocked the subscription for production keys.",
            )
        if state is SubscriptionState.BLOCKED:
            return failed(self.name, Code.SUBSCRIPTION_BLOCKED, "The publisher has blocked the subscription.")
        return failed(self.name, Code.SUBSCRIPTION_INACTIVE, f"The subscription is {state.value.replace('_', ' ')}.")


class PlanLimitStep:
    """The subscription is within its plan. A refused call is not counted."""

    name = "plan"

    def __init__(self, services: StepServices) -> None:
        self._limits = services.limits
        self._clock = services.clock
        self._passed = passed(self.name)
        self._open = skipped(self.name, "Nothing is counted.")

    def check(self, call: Call, /) -> VerdictEntry:
        """Reads ``call.plan``."""
        subscription, plan = call.subscription, call.plan
        if call.open:
            return self._open
        if subscription is None or plan is None:
            raise _not_found("plan")
        if not plan.per_seconds:
            return self._passed
        wait = self._limits.take(subscription.id, plan, self._clock.now())
        if not wait:
            return self._passed
        return failed(
            self.name,
            Code.PLAN_LIMIT_REACHED,
            f"The plan {plan.slug} allows {plan.requests} calls in {plan.per_seconds} seconds.",
            retry_after=wait,
        )


class ScopesStep:
    """The token carries at least one of the operation's scopes, where it names any (RFC 6750 section 3.1)."""

    name = "scopes"

    def __init__(self, services: StepServices) -> None:
        self._passed = passed(self.name)
        self._open = skipped(self.name, _NO_TOKEN)
        self._any = skipped(self.name, "The operation needs no scope.")

    def check(self, call: Call, /) -> VerdictEntry:
        """Reads ``call.token_facts``, ``call.user`` and ``call.operation``."""
        operation, token = call.operation, call.token_facts
        if call.open:
            return self._open
        if operation is None or token is None:
            raise _not_found("token")
        if not operation.scopes:
            return self._any
        if not operation.scopes.isdisjoint(token.scopes):
            bound = call.route.scope_roles if call.route is not None else None
            return self._by_roles(call, token, operation, bound) if bound else self._passed
        wanted = " or ".join(sorted(operation.scopes))
        return failed(
            self.name, Code.INSUFFICIENT_SCOPE, f"The operation needs the scope {wanted}.", scopes=operation.scopes
        )

    def _by_roles(
        self, call: Call, token: TokenFacts, operation: OperationFacts, bound: Mapping[str, frozenset[str]]
    ) -> VerdictEntry:
        """A user carries a bound scope only with one of its roles; a machine is its client, and has no roles."""
        carried = operation.scopes & token.scopes
        user = call.user
        if user is None and (call.key_manager is None or not names_user(token)):
            return self._passed
        roles = user.roles if user is not None else frozenset[str]()
        if any(key not in bound or not bound[key].isdisjoint(roles) for key in carried):
            return self._passed
        needed = "; ".join(f"{key} needs {' or '.join(sorted(bound[key]))}" for key in sorted(carried))
        who = user.username if user is not None and user.username else "the token's user"
        return failed(self.name, Code.ROLE_MISSING, f"{who} has none of the roles: {needed}.", scopes=operation.scopes)


class BackendJwtStep:
    """Adds ``X-JWT-Assertion`` where the API asks for it."""

    name = "backend_jwt"

    def __init__(self, services: StepServices) -> None:
        self._source = services.backend_jwts
        self._passed = passed(self.name)
        self._off = skipped(self.name, "The API does not ask for it.")

    def check(self, call: Call, /) -> VerdictEntry | Awaitable[VerdictEntry]:
        """Adds the header to the answer."""
        if call.open or call.route is None or not call.route.backend_jwt:
            return self._off
        text = self._source.jwt_for(call)
        if isinstance(text, str):
            return self._add(call, text)
        return self._later(call, text)

    async def _later(self, call: Call, signing: Awaitable[str]) -> VerdictEntry:
        return self._add(call, await signing)

    def _add(self, call: Call, text: str) -> VerdictEntry:
        if text:
            call.add_answer_header(BACKEND_JWT_HEADER, text)
        return self._passed
