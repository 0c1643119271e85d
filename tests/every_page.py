"""Every page of the portal in one table: who may open it, who may send its form, and on which row.

The test of rights (``tests/integration/test_page_rights.py``) and the test of the weight of every page
(``tests/integration/test_page_budgets.py``) are generated from the URL configuration and from this table; an address
without an entry fails the first of them.

A new page costs one line in ``PAGES``, under the name of its URL::

    "api-plans": page(MAKER, PUB, pk="version"),

The first audience is for GET, the second for POST; ``None`` (or nothing) means that the method is not offered. Each
keyword names a part of the address and the row that fills it, one of those that ``seed`` returns. ``body`` is what a
POST has to carry to reach the row at all (a kind of row stands for its key), ``fragment=True`` says that GET answers a
file or a part of a page. A row of a new kind is one more line in ``seed``.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from accounts.models import ApiToken, Role
from accounts.teams import create_team
from keymanager.models import KeyManagerCheck, RefusedCall, Registration
from subscriptions.models import ApiDocument, Operation, Scope
from tests.integration.rest_kit import World

# The first part of an address that programs ask, not people: ``tests/integration/test_rest_rights.py`` and
# ``test_program_rights.py`` have their tables.
FOR_PROGRAMS: Final = {
    "api", "resident", ".well-known", "healthz", "readyz",
    "token", "revoke", "introspect", "tokeninfo", "authorize", "register",
}  # fmt: skip
BUT_A_PAGE: Final = {"console"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Who gets an answer other than sign-in, 403 or 404.

    ``roles``: one of these is needed, administrators always may. ``of_team``: only members of the team of the row that
    the address names. ``administrators``: administrators of no team too. ``nobody_here``: 404 for everybody who is
    tried, because the row belongs to one person or a setting has to turn the page on.
    """

    signed_in: bool = True
    roles: frozenset[Role] = frozenset()
    of_team: bool = True
    administrators: bool = False
    nobody_here: bool = False


EVERYBODY: Final = Audience(signed_in=False, of_team=False)
SIGNED_IN: Final = Audience(of_team=False)
MEMBER: Final = Audience()
MEMBER_OR_ADMIN: Final = Audience(administrators=True)
API_DEV: Final = Audience(roles=frozenset({Role.API_DEVELOPER}))
PUB: Final = Audience(roles=frozenset({Role.PUBLISHER}))
MAKER: Final = Audience(roles=frozenset({Role.API_DEVELOPER, Role.PUBLISHER}))
API_DEV_OF_ANY_TEAM: Final = Audience(roles=frozenset({Role.API_DEVELOPER}), of_team=False)
APP_DEV: Final = Audience(roles=frozenset({Role.APP_DEVELOPER}))
APP_DEV_OF_ANY_TEAM: Final = Audience(roles=frozenset({Role.APP_DEVELOPER}), of_team=False)
ADMIN: Final = Audience(roles=frozenset({Role.ADMINISTRATOR}), of_team=False)
OWNER: Final = Audience(nobody_here=True)
TURNED_OFF: Final = Audience(signed_in=False, nobody_here=True)  # until a setting turns it on


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One address: its audiences by method, the rows in it, what a POST carries."""

    get: Audience | None
    post: Audience | None
    rows: Mapping[str, str]
    body: Mapping[str, str] = field(default_factory=dict)
    fragment: bool = False

    @property
    def audience(self) -> Audience:
        """Who is let in before the method is looked at."""
        found = self.get or self.post
        assert found is not None
        return found


def page(
    get: Audience | None = None,
    post: Audience | None = None,
    *,
    body: Mapping[str, str] | None = None,
    fragment: bool = False,
    **rows: str,
) -> Page:
    """A line of the table; ``rows``: part of the address -> kind of row."""
    return Page(get=get, post=post, rows=rows, body=body or {}, fragment=fragment)


PAGES: Final[dict[str, Page]] = {
    # The portal and the account
    "start": page(EVERYBODY),
    "console": page(EVERYBODY),
    "reference": page(EVERYBODY, name="document"),
    "style": page(TURNED_OFF),
    "sign-in": page(EVERYBODY, EVERYBODY),
    "openid": page(TURNED_OFF),
    "openid-callback": page(TURNED_OFF),
    "sign-out": page(None, EVERYBODY),
    "account": page(SIGNED_IN),
    "account-tokens": page(SIGNED_IN, SIGNED_IN),
    "account-token-end": page(None, OWNER, pk="api_token"),
    "account-end-sessions": page(None, SIGNED_IN),
    "notifications": page(SIGNED_IN),
    "notifications-bell": page(EVERYBODY, fragment=True),
    "theme": page(None, EVERYBODY),
    # The store
    "store-home": page(EVERYBODY),
    "store-api": page(EVERYBODY, pk="version"),
    "store-reference": page(EVERYBODY, pk="version"),
    "store-guides": page(EVERYBODY, pk="version"),
    "store-guide": page(EVERYBODY, pk="version", document="guide"),
    "store-operation": page(EVERYBODY, pk="version", operation="operation"),
    "store-console": page(EVERYBODY, pk="version"),
    "try-api-token": page(None, APP_DEV_OF_ANY_TEAM, pk="version"),
    "store-plans": page(EVERYBODY, pk="version"),
    "try-token": page(None, APP_DEV, pk="version", operation="operation", body={"credential": "credential"}),
    "try-checks": page(None, APP_DEV_OF_ANY_TEAM, pk="version", operation="operation", body={"path": "/hours"}),
    "subscribe": page(APP_DEV_OF_ANY_TEAM, APP_DEV_OF_ANY_TEAM, pk="version"),
    "applications": page(SIGNED_IN),
    "application-new": page(APP_DEV, APP_DEV),
    "application": page(MEMBER, pk="application"),
    "application-settings": page(APP_DEV, APP_DEV, pk="application"),
    "application-delete": page(None, APP_DEV, pk="application"),
    "subscriptions": page(MEMBER, pk="application"),
    "credentials": page(MEMBER, pk="application"),
    "credential-new": page(APP_DEV, APP_DEV, pk="application", slug="key_manager"),
    "credential-existing": page(APP_DEV, APP_DEV, pk="application", slug="key_manager"),
    "credential": page(APP_DEV, APP_DEV, pk="credential"),
    "credential-card": page(MEMBER, pk="credential", fragment=True),
    "credential-retry": page(None, APP_DEV, pk="credential"),
    "credential-remove": page(APP_DEV, APP_DEV, pk="credential"),
    "credential-rotate": page(APP_DEV, APP_DEV, pk="credential"),
    "credential-drop-old": page(None, APP_DEV, pk="credential"),
    "credential-reveal": page(None, APP_DEV, pk="credential"),
    "credential-token": page(APP_DEV, APP_DEV, pk="credential"),
    "credential-token-revoke": page(None, APP_DEV, pk="credential"),
    "subscription-plan": page(APP_DEV, APP_DEV, pk="subscription", body={"plan": "gold"}),
    "unsubscribe": page(APP_DEV, APP_DEV, pk="subscription"),
    "refusals": page(SIGNED_IN),
    "explain": page(MEMBER_OR_ADMIN, reference="verdict"),
    "explain-piece": page(MEMBER_OR_ADMIN, reference="verdict", fragment=True),
    # The publisher
    "publisher": page(MAKER),
    "publisher-new": page(API_DEV, API_DEV),
    "publisher-create": page(API_DEV, API_DEV),
    "publisher-new-from": page(API_DEV_OF_ANY_TEAM, API_DEV_OF_ANY_TEAM, source="source"),
    "publisher-api": page(MAKER, pk="version"),
    "publisher-details": page(MAKER, API_DEV, pk="version"),
    "publisher-endpoints": page(MAKER, API_DEV, pk="version"),
    "publisher-policies": page(MAKER, API_DEV, pk="version"),
    "publisher-key-managers": page(MAKER, API_DEV, pk="version"),
    "publisher-plans": page(MAKER, API_DEV, pk="version"),
    "publisher-registrations": page(MAKER, pk="version", fragment=True),
    "publisher-registration": page(MAKER, pk="version", registration="resource"),
    "publisher-registration-retry": page(None, API_DEV, pk="version", registration="resource"),
    "publisher-subscriptions": page(MAKER, pk="version"),
    "publisher-block": page(None, PUB, pk="subscription"),
    "publisher-unblock": page(None, PUB, pk="subscription"),
    "publisher-lifecycle": page(MAKER, pk="version"),
    "publisher-move": page(None, PUB, pk="version", body={"action": "deprecate"}),
    "publisher-delete": page(None, API_DEV, pk="version"),
    "publisher-versions": page(MAKER, API_DEV, pk="version"),
    "publisher-test": page(MAKER, pk="version"),
    "publisher-history": page(MAKER, pk="version"),
    "publisher-design": page(MAKER, pk="version"),
    "publisher-operation": page(MAKER, API_DEV, pk="version", operation="operation"),
    "publisher-operation-new": page(MAKER, API_DEV, pk="version"),
    "publisher-operation-remove": page(None, API_DEV, pk="version", operation="operation"),
    "publisher-scope": page(MAKER, API_DEV, pk="version", scope="scope"),
    "publisher-definition": page(MAKER, pk="version"),
    "publisher-definition-file": page(MAKER, pk="version", fragment=True),
    "publisher-definition-save": page(API_DEV, API_DEV, pk="version"),
    "publisher-definition-replace": page(API_DEV, API_DEV, pk="version", source="source"),
    "publisher-documents": page(MAKER, pk="version"),
    "publisher-document-new": page(MAKER, MAKER, pk="version"),
    "publisher-document": page(MAKER, MAKER, pk="version", document="guide"),
    "publisher-document-delete": page(None, MAKER, pk="version", document="guide"),
    # Administration
    "administration": page(EVERYBODY, EVERYBODY),  # only leads to the first of these pages
    "key-managers": page(ADMIN),
    "key-manager-choose": page(ADMIN),
    "key-manager-new": page(ADMIN, ADMIN, slug="adapter"),
    "key-manager": page(ADMIN, slug="key_manager"),
    "key-manager-edit": page(ADMIN, ADMIN, slug="key_manager"),
    "key-manager-switch": page(None, ADMIN, slug="key_manager"),
    "key-manager-check": page(None, ADMIN, slug="key_manager"),
    "key-manager-delete": page(None, ADMIN, slug="key_manager"),
    "check-steps": page(ADMIN, pk="check", fragment=True),
    "queue": page(ADMIN),
    "retry-all-failed": page(None, ADMIN),
    "registration": page(ADMIN, pk="registration"),
    "registration-retry": page(None, ADMIN, pk="registration"),
    "plans": page(ADMIN, ADMIN),
    "plan": page(ADMIN, ADMIN, slug="plan"),
    "plan-delete": page(None, ADMIN, slug="plan"),
    "people": page(ADMIN),
    "person-new": page(ADMIN, ADMIN),
    "person": page(ADMIN, ADMIN, pk="person"),
    "person-switch": page(None, ADMIN, pk="person"),
    "person-end-sessions": page(None, ADMIN, pk="person"),
    "teams": page(ADMIN, ADMIN),
    "team": page(ADMIN, ADMIN, pk="team"),
    "team-member-add": page(ADMIN, ADMIN, pk="team"),
    "team-member-remove": page(None, ADMIN, pk="team", member="person"),
    "audit": page(ADMIN),
}


def addresses(patterns: list[Any] | None = None, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Route and name of every page of the URL configuration."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            name = pattern.name or route
            if route.split("/")[0] not in FOR_PROGRAMS or name in BUT_A_PAGE:
                yield route, name


def url_of(name: str, rows: Mapping[str, str]) -> str:
    """The address of a page, with rows in it."""
    return reverse(name, kwargs={part: rows[kind] for part, kind in PAGES[name].rows.items()})


def seed(world: World) -> dict[str, str]:
    """One row of each kind that an address can name, of the teams of the world's publisher and developer."""
    api = world.make_published()
    client = world.make_client()
    subscription = world.subscribe({"id": client["application"]}, api)
    RefusedCall.objects.create(
        reference="v-abc",
        at=timezone.now(),
        method="GET",
        path="/museum/1.0.0/hours",
        status=403,
        code="not_subscribed",
        steps=[],
        application_id=client["application"],
    )
    check = KeyManagerCheck.objects.create(key_manager=world.resident, finished_at=timezone.now())
    return {
        "adapter": "rfc",
        "api_token": str(ApiToken.objects.get(user=world.developer.user).pk),
        "application": client["application"],
        "check": str(check.pk),
        "credential": client["id"],
        "document": "errors",
        "guide": str(ApiDocument.objects.create(api_version_id=api["id"], title="Start", text="Hello", position=1).pk),
        "key_manager": world.resident.slug,
        "operation": str(Operation.objects.filter(api_version=api["id"])[0].pk),
        "person": str(world.developer.user.pk),
        "plan": "gold",
        "registration": str(Registration.objects.get(credential=client["id"]).pk),
        "resource": str(Registration.objects.get(subject=api["id"]).pk),
        "scope": str(Scope.objects.filter(api_version=api["id"])[0].pk),
        "source": "file",
        "subscription": subscription["id"],
        "team": str(create_team(name="Shared", members=[world.developer.user]).pk),
        "verdict": "v-abc",
        "version": api["id"],
    }


def unknown(rows: Mapping[str, str]) -> dict[str, str]:
    """The same kinds of rows, none of which exists."""
    return {kind: str(uuid.UUID(int=1)) if "-" in value[8:] else "nothing-here" for kind, value in rows.items()}
