"""Who acts: the one value that services receive for rights and for the audit log."""

import uuid
from dataclasses import dataclass

from accounts.models import ApiToken, Role, Team, User
from accounts.queries import personal_team_of, roles_of, team_ids_of
from common.errors import NotAllowed


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person (through a session or an API token), or the system itself when ``user_id`` is ``None``.

    ``team_id``: the team that new things belong to.
    """

    name: str
    user_id: int | None = None
    team_id: uuid.UUID | None = None
    team_ids: frozenset[uuid.UUID] = frozenset()
    roles: frozenset[Role] = frozenset()

    @property
    def is_administrator(self) -> bool:
        """True for administrators."""
        return Role.ADMINISTRATOR in self.roles

    def require_role(self, *roles: Role) -> None:
        """Raise ``NotAllowed`` unless the actor has one of ``roles`` or is an administrator."""
        if not self.roles.intersection(roles) and not self.is_administrator:
            labels = " or ".join(str(role.label) for role in roles)
            raise NotAllowed(f"This needs the role {labels}.")


SYSTEM = Actor(name="archway")


def actor_of(user: User, token: ApiToken | None = None) -> Actor:
    """The actor behind an authenticated request; a token restricts it to the token's team."""
    if token is not None:
        # A token outlives the membership that it was made with, its rights do not.
        team_ids = frozenset({token.team_id}) & team_ids_of(user)
        team_id = token.team_id if team_ids else None
        return Actor(name=user.username, user_id=user.pk, team_id=team_id, team_ids=team_ids, roles=roles_of(user))
    team: Team = personal_team_of(user)
    return Actor(name=user.username, user_id=user.pk, team_id=team.pk, team_ids=team_ids_of(user), roles=roles_of(user))
