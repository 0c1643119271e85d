"""APIs, applications, plans, subscriptions; the audit log and the change feed.

This package knows no identity provider and no HTTP. What must always hold is a constraint here.
"""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from accounts.models import Team, User
from subscriptions.states import ApiState, ApplicationState, Environment, OperationAuth, SubscriptionState


def _choices(
    states: type[ApiState | ApplicationState | Environment | OperationAuth | SubscriptionState],
) -> list[tuple[str, str]]:
    return [(state.value, state.value.replace("_", " ")) for state in states]


class Api(models.Model):
    """What a team publishes. ``context`` is the first part of its gateway path and starts with ``/``."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="apis")
    name = models.CharField(max_length=60)
    context = models.CharField(max_length=232)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("name"), name="api_name_once"),
            models.UniqueConstraint(Lower("context"), name="api_context_once"),
            models.CheckConstraint(condition=Q(context__startswith="/"), name="api_context_starts_with_slash"),
        ]

    def __str__(self) -> str:
        return self.name


class Plan(models.Model):
    """A subscription tier: at most ``requests`` calls in ``per_seconds`` seconds; both null means no limit."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=500, blank=True)
    requests = models.PositiveIntegerField(null=True, blank=True)
    per_seconds = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(requests__isnull=True, per_seconds__isnull=True) | Q(requests__gt=0, per_seconds__gt=0),
                name="plan_limit_is_whole",
            )
        ]

    def __str__(self) -> str:
        return self.slug


class ApiVersion(models.Model):
    """One version of an API: its definition, its upstreams and its lifecycle state.

    ``revision`` grows with every change and is the entity tag. ``definition`` is the stored OpenAPI document, or null
    when the operations were given by hand. ``forward_token``: the backend sees the caller's token.
    ``user_claims``: names in the backend JWT to names of claims of the user.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    api = models.ForeignKey(Api, on_delete=models.PROTECT, related_name="versions")
    version = models.CharField(max_length=30)
    state = models.CharField(max_length=12, choices=_choices(ApiState), default=ApiState.CREATED)
    description = models.TextField(blank=True)
    tags = models.JSONField(default=list, blank=True)
    definition = models.JSONField(null=True, blank=True)
    production_url = models.CharField(max_length=500, blank=True)
    sandbox_url = models.CharField(max_length=500, blank=True)
    public = models.BooleanField(default=True)
    forward_token = models.BooleanField(default=False)
    backend_jwt = models.BooleanField(default=False)
    audiences = models.JSONField(default=list, blank=True)
    user_claims = models.JSONField(default=dict, blank=True)
    plans = models.ManyToManyField(Plan, related_name="api_versions", blank=True)
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["api", "version"], name="api_version_once"),
            models.CheckConstraint(condition=Q(state__in=[s.value for s in ApiState]), name="api_state_is_known"),
        ]
        indexes: ClassVar = [models.Index(fields=["state", "-created_at"])]

    def __str__(self) -> str:
        return f"{self.api.name} {self.version}"

    @property
    def path_prefix(self) -> str:
        """Where the gateway serves it: ``context/version``."""
        return f"{self.api.context}/{self.version}"


class Scope(models.Model):
    """A scope of one API version; ``key`` is the OAuth scope token (RFC 6749 section 3.3).

    ``roles``: of these a user needs one for the token to carry the scope; empty: none is needed.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    api_version = models.ForeignKey(ApiVersion, on_delete=models.CASCADE, related_name="scopes")
    key = models.CharField(max_length=200, db_index=True)
    description = models.CharField(max_length=1000, blank=True)
    roles = models.JSONField(default=list, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["api_version", "key"], name="scope_once_per_version"),
        ]

    def __str__(self) -> str:
        return self.key


class Operation(models.Model):
    """One method and path template of an API version; a token needs at least one of ``scopes``, if there are any."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    api_version = models.ForeignKey(ApiVersion, on_delete=models.CASCADE, related_name="operations")
    position = models.PositiveIntegerField()
    method = models.CharField(max_length=10)
    path = models.CharField(max_length=500)
    operation_id = models.CharField(max_length=200, blank=True)
    summary = models.CharField(max_length=500, blank=True)
    auth = models.CharField(max_length=10, choices=_choices(OperationAuth), default=OperationAuth.REQUIRED)
    scopes = models.ManyToManyField(Scope, related_name="operations", blank=True)

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["api_version", "method", "path"], name="operation_once_per_version"),
            models.CheckConstraint(condition=Q(path__startswith="/"), name="operation_path_starts_with_slash"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class ApiDocument(models.Model):
    """A guide to one API version, in Markdown. The store shows those that are ``visible``, by ``position``."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    api_version = models.ForeignKey(ApiVersion, on_delete=models.CASCADE, related_name="documents")
    title = models.CharField(max_length=100)
    position = models.PositiveIntegerField(default=1)
    text = models.TextField()
    visible = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["position", "created_at", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(F("api_version"), Lower("title"), name="document_title_once_per_version"),
        ]

    def __str__(self) -> str:
        return self.title


class Application(models.Model):
    """What an app developer creates and subscribes with. It is not an OAuth client; it has credentials.

    ``software_id``: what a program gave at ``/register`` (RFC 7591 section 2), so that a repeat finds the same one.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="applications")
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=512, blank=True)
    software_id = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=10, choices=_choices(ApplicationState), default=ApplicationState.ACTIVE)
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                F("team"), Lower("name"), name="application_name_once_per_team", condition=Q(state="active")
            ),
            models.UniqueConstraint(
                fields=["team", "software_id"],
                name="software_id_once_per_team",
                condition=Q(state="active") & ~Q(software_id=""),
            ),
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in ApplicationState]), name="application_state_is_known"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["team", "state", "-created_at"])]

    def __str__(self) -> str:
        return self.name


class Subscription(models.Model):
    """One application may call one API version under one plan."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="subscriptions")
    api_version = models.ForeignKey(ApiVersion, on_delete=models.PROTECT, related_name="subscriptions")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="subscriptions")
    state = models.CharField(max_length=20, choices=_choices(SubscriptionState), default=SubscriptionState.UNBLOCKED)
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["application", "api_version"], name="subscribed_once"),
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in SubscriptionState]), name="subscription_state_is_known"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["api_version", "-created_at"]),
            # The newest ones of a team that has most of them.
            models.Index(fields=["-created_at", "id"], name="subscriptions_newest_first"),
        ]

    def __str__(self) -> str:
        return f"{self.application} -> {self.api_version}"


class AuditEvent(models.Model):
    """Who did what to which object. ``detail`` never holds a secret."""

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    actor = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    actor_name = models.CharField(max_length=150)
    team = models.ForeignKey(Team, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    action = models.CharField(max_length=60)
    object_type = models.CharField(max_length=40)
    object_id = models.CharField(max_length=64, db_index=True)
    object_name = models.CharField(max_length=200, blank=True)
    detail = models.JSONField(default=dict, blank=True)
    correlation_id = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [models.Index(fields=["object_type", "-id"], name="audit_newest_of_type")]

    def __str__(self) -> str:
        return f"{self.action} {self.object_type} {self.object_id}"


class ChangeKind(models.TextChoices):
    """What a change event points to; a follower reloads that object."""

    API_VERSION = "api_version"
    PLAN = "plan"
    APPLICATION = "application"
    SUBSCRIPTION = "subscription"
    CREDENTIAL = "credential"
    KEY_MANAGER = "key_manager"
    TOKEN = "token"  # noqa: S105 - object_id is the SHA-256 of a revoked token
    SIGNING_KEY = "signing_key"
    PERSON = "person"


class ChangeEvent(models.Model):
    """One row per change that can alter a decision at the gateway, written in the change's own transaction."""

    kind = models.CharField(max_length=20, choices=ChangeKind.choices)
    object_id = models.CharField(max_length=64)
    at = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self) -> str:
        return f"{self.id} {self.kind} {self.object_id}"
