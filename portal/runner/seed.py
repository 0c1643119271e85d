"""What a fresh demo contains: three people, plans, the resident key manager and one published API."""

import secrets
from dataclasses import dataclass, field

from accounts.actor import actor_of
from accounts.models import Role, User
from accounts.queries import personal_team_of
from accounts.services import create_user
from keymanager.services.key_managers import ensure_resident, resident_was_deleted
from portal.runner.sample_api import SAMPLE_CONTEXT, SAMPLE_DEFINITION, SAMPLE_NAME, SAMPLE_VERSION
from publisher.definitions import parse_definition
from publisher.services import NewApi, create_api, move_api
from subscriptions.models import Api, Plan
from subscriptions.services.apis import VersionFacts
from subscriptions.states import LifecycleAction

PEOPLE: dict[str, tuple[Role, ...]] = {
    "api-developer": (Role.API_DEVELOPER, Role.PUBLISHER),
    "app-developer": (Role.APP_DEVELOPER,),
    "admin": (Role.ADMINISTRATOR,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPerson:
    """A person who was just made; the password cannot be read again."""

    username: str
    password: str = field(repr=False)


def seed(*, backend_url: str) -> list[NewPerson]:
    """Make what is missing; returns the people that were made now. Repeating it changes nothing."""
    if not resident_was_deleted():
        ensure_resident()
    made = [_person(username, roles) for username, roles in PEOPLE.items()]
    if not Api.objects.filter(name=SAMPLE_NAME).exists():
        _publish_sample(backend_url)
    return [person for person in made if person]


def _person(username: str, roles: tuple[Role, ...]) -> NewPerson | None:
    if User.objects.filter(username=username).exists():
        return None
    password = secrets.token_urlsafe(12)
    create_user(username=username, password=password, roles=roles)
    return NewPerson(username=username, password=password)


def _publish_sample(backend_url: str) -> None:
    user = User.objects.get(username="api-developer")
    actor = actor_of(user)
    new = NewApi(
        name=SAMPLE_NAME,
        version=SAMPLE_VERSION,
        context=SAMPLE_CONTEXT,
        definition=parse_definition(SAMPLE_DEFINITION),
        facts=VersionFacts(
            description="A small shop, to try the portal with.",
            tags=["sample"],
            production_url=backend_url,
            sandbox_url=backend_url,
            plans=list(Plan.objects.filter(slug__in=["unlimited", "gold", "silver", "bronze"])),
        ),
    )
    row = create_api(actor=actor, team_id=personal_team_of(user).pk, new=new)
    move_api(actor=actor, api_version=row, action=LifecycleAction.PUBLISH)
