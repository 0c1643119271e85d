"""People and what they may do: users, teams, roles, API tokens.

Rights come from team membership plus role. Nothing that a team owns points to a user.
"""

import uuid
from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """What a person may do in the teams they belong to."""

    API_DEVELOPER = "api_developer", _("API developer")
    PUBLISHER = "publisher", _("Publisher")
    APP_DEVELOPER = "app_developer", _("App developer")
    ADMINISTRATOR = "administrator", _("Administrator")


class User(AbstractUser):
    """A person. ``username`` is what local sign-in uses; who comes from elsewhere has an ``ExternalIdentity``.

    ``session_generation``: raised to end every session of the person.
    """

    session_generation = models.PositiveIntegerField(default=0)

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        # Django's own looks at the password alone, and people who sign in elsewhere have none here.
        value = f"{self.session_generation}:{self.password}"
        return salted_hmac("accounts.User.session", value, secret=secret, algorithm="sha256").hexdigest()

    def __str__(self) -> str:
        return self.username


class ExternalIdentity(models.Model):
    """A person as a login provider or directory knows them: ``subject`` is unique and never reused at ``issuer``.

    It is the only thing by which somebody who signs in there is recognised; names and e-mail addresses change hands.
    ``username``: the name there as of the last sign-in, for tokens that say no more than a name; "" when it is not
    known, or another person there has it by now.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="identities")
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    username = models.CharField(max_length=255, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["issuer", "subject"], name="identity_once")]
        indexes: ClassVar = [models.Index(fields=["issuer", "username"], name="identity_by_name")]

    def __str__(self) -> str:
        return f"{self.subject} at {self.issuer}"


class NotificationsSeen(models.Model):
    """When a person last looked at the notifications; what happened later is new to them."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="notifications_seen")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.user}: {self.at}"


class RoleGrant(models.Model):
    """One role of one user. ``source``: issuer of the login provider that gave it; "" for a person in the portal.

    At each sign-in a provider takes away what it gave and no longer says. What the portal gave is not its business.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="role_grants")
    role = models.CharField(max_length=20, choices=Role.choices)
    source = models.CharField(max_length=255, blank=True, default="")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "role"], name="role_once_per_user"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="role_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.role}"


class Team(models.Model):
    """The owner of APIs and applications. ``personal_of`` is set for the team that every user has."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100)
    personal_of = models.OneToOneField(
        User, on_delete=models.CASCADE, null=True, blank=True, related_name="personal_team"
    )
    members = models.ManyToManyField(User, through="Membership", related_name="teams")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(Lower("name"), name="team_name_once")]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """One user in one team. ``source``: as in ``RoleGrant``."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    source = models.CharField(max_length=255, blank=True, default="")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["team", "user"], name="member_once_per_team")]

    def __str__(self) -> str:
        return f"{self.user} in {self.team}"


class ApiToken(models.Model):
    """A bearer token for the portal's own REST API. Only its SHA-256 is stored.

    ``team``: the team that things created with it belong to. ``may_introspect``: may ask about any token at
    ``/introspect``.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    sha256 = models.CharField(max_length=64, unique=True, editable=False)
    may_introspect = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class IdempotentAnswer(models.Model):
    """The answer to a create that carried an ``Idempotency-Key``, so that a repeat gets the same.

    ``fingerprint``: SHA-256 of the request body; the same key with another body is refused. ``status`` 0 means that
    the first request is still being worked on.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    path = models.CharField(max_length=300)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    body = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "key", "path"], name="idempotency_key_once")]

    def __str__(self) -> str:
        return f"{self.path} {self.key}"
