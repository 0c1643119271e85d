"""Key managers, credentials, registrations and what is needed to validate calls.

Every secret column holds a ``common.secretbox`` token (algorithm and key id recorded), never the secret itself.
"""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.models import Team
from keymanager.registrations.states import RegistrationKind, RegistrationState, Wish
from subscriptions.models import ApiVersion, Application
from subscriptions.states import Environment

LONGEST_ISSUER = 500


def _in(column: str, states: type[RegistrationState | RegistrationKind | Wish | Environment]) -> Q:
    return Q(**{f"{column}__in": [state.value for state in states]})


class WhenDisabled(models.TextChoices):
    """What becomes of a disabled key manager's tokens."""

    REFUSE = "refuse", "refuse"
    ACCEPT = "accept", "accept"


class KeyManager(models.Model):
    """One configured identity provider: an adapter plus its configuration.

    ``config``: the adapter's fields without secrets. ``sealed_config``: its secret fields, sealed together.
    ``when_disabled``: whether tokens are refused or still accepted while it is not ``enabled``. ``deletion_asked_at``:
    its clients are being removed there, and then it is deleted.
    ``keep_secrets``: client secrets are kept (sealed), else they are shown once. ``circuit_open_until``: while in the
    future, nothing is sent for registrations and they are ``held``. ``changes_cursor``: up to where its feed of what
    others changed was read.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=100, unique=True)
    description = models.CharField(max_length=256, blank=True)
    adapter = models.CharField(max_length=40)
    config = models.JSONField(default=dict, blank=True)
    sealed_config = models.TextField(blank=True)
    issuer = models.CharField(max_length=LONGEST_ISSUER, blank=True)
    enabled = models.BooleanField(default=True)
    when_disabled = models.CharField(max_length=10, choices=WhenDisabled.choices, default=WhenDisabled.REFUSE)
    deletion_asked_at = models.DateTimeField(null=True, blank=True)
    keep_secrets = models.BooleanField(default=True)
    consecutive_failures = models.PositiveIntegerField(default=0)
    circuit_open_until = models.DateTimeField(null=True, blank=True)
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_failure_at = models.DateTimeField(null=True, blank=True)
    last_failure = models.CharField(max_length=500, blank=True)
    changes_cursor = models.TextField(blank=True)
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(when_disabled__in=WhenDisabled.values), name="when_disabled_is_known"),
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def takes_tokens(self) -> bool:
        """Whether calls with its tokens are let through."""
        return self.enabled or self.when_disabled == WhenDisabled.ACCEPT


class ClaimedIssuer(models.Model):
    """One value of ``iss`` in the tokens of an enabled key manager: its issuer and its aliases. Nobody else has it."""

    issuer = models.CharField(max_length=LONGEST_ISSUER, primary_key=True)
    key_manager = models.ForeignKey(KeyManager, on_delete=models.CASCADE, related_name="claimed_issuers")

    def __str__(self) -> str:
        return self.issuer


class AcceptedKeyManagers(models.Model):
    """Which key managers' tokens an API version accepts: all enabled ones, or a list."""

    api_version = models.OneToOneField(ApiVersion, on_delete=models.CASCADE, related_name="accepted_key_managers")
    accepts_all = models.BooleanField(default=True)
    key_managers = models.ManyToManyField(KeyManager, related_name="accepted_by", blank=True)

    def __str__(self) -> str:
        return f"{self.api_version}: {'all' if self.accepts_all else 'listed'}"


class Credential(models.Model):
    """One client of one application at one key manager in one environment.

    ``client_id`` is "" until the key manager has given one. Its id is the marker that the client carries at the key
    manager. ``secret_sha256``: keyed digest of the secret (HMAC-SHA-256), to authenticate the client at our endpoints
    even where the secret is not kept. ``old_secret_sha256``: the same of the secret before it while both are good,
    ``old_secret_until``: when that ends by itself, if it does. ``client_secret_expires_at``: epoch seconds, 0 means
    never, or not known (RFC 7591 section 3.2.1). ``extra``: members that only this kind of key manager has.

    ``mapped``: made elsewhere, never changed or deleted by us. Until the key manager was asked, such a client is only
    claimed: ``mapped_client_id`` and ``sealed_mapped_secret`` are what the team said, ``client_id`` is still "".
    ``verification``: what the key manager answered last.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="credentials")
    key_manager = models.ForeignKey(KeyManager, on_delete=models.PROTECT, related_name="credentials")
    environment = models.CharField(max_length=10, choices=[(e.value, e.value) for e in Environment])
    grant_types = models.JSONField(default=list)
    redirect_uris = models.JSONField(default=list, blank=True)
    scopes = models.JSONField(default=list, blank=True)
    token_endpoint_auth_method = models.CharField(max_length=40, default="client_secret_basic")
    extra = models.JSONField(default=dict, blank=True)
    mapped = models.BooleanField(default=False)
    mapped_client_id = models.CharField(max_length=255, blank=True)
    sealed_mapped_secret = models.TextField(blank=True)
    verification = models.JSONField(null=True, blank=True)
    client_id = models.CharField(max_length=255, blank=True, db_index=True)
    remote_id = models.CharField(max_length=255, blank=True)
    registration_client_uri = models.CharField(max_length=1000, blank=True)
    sealed_secret = models.TextField(blank=True)
    sealed_registration_access_token = models.TextField(blank=True)
    secret_sha256 = models.CharField(max_length=64, blank=True)
    secret_id = models.CharField(max_length=255, blank=True)
    secret_unseen = models.BooleanField(default=False)
    client_secret_expires_at = models.PositiveBigIntegerField(default=0)
    old_secret_sha256 = models.CharField(max_length=64, blank=True)
    old_secret_until = models.DateTimeField(null=True, blank=True)
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["application", "key_manager", "environment"],
                name="credential_once_per_environment",
                condition=Q(removed_at=None),
            ),
            models.UniqueConstraint(
                fields=["key_manager", "client_id"],
                name="client_id_once_per_key_manager",
                condition=Q(removed_at=None) & ~Q(client_id=""),
            ),
            models.UniqueConstraint(
                fields=["key_manager", "mapped_client_id"],
                name="client_mapped_once_per_key_manager",
                condition=Q(removed_at=None) & ~Q(mapped_client_id=""),
            ),
            models.CheckConstraint(condition=_in("environment", Environment), name="environment_is_known"),
        ]
        # A key manager's page names the first hundred of its clients.
        indexes: ClassVar = [
            models.Index(
                fields=["key_manager", "created_at", "id"], name="credential_first_made", condition=Q(removed_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"{self.application} at {self.key_manager} ({self.environment})"


class Registration(models.Model):
    """The durable wish that a client, resource or scope exists (or not) at a key manager, and where it stands.

    ``wanted_version`` grows with every change of the wish, ``applied_version`` the one last carried out: latest wins.
    ``wants_rotation``: the next successful update must also replace the secret. ``wants_old_secret_dropped``: the
    overlap of two secrets shall end. ``lease_until``: whoever moved the row
    to ``sending`` (or works on a removal) owns it until then. ``in_doubt``: a call was begun its answer is not known.
    ``dispatched_until``: a job has been asked for, the sweep need not ask again before.
    ``outcome``: how it ended last, ``outcome_at``: since when; a later wish that comes to the same end moves neither.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key_manager = models.ForeignKey(KeyManager, on_delete=models.PROTECT, related_name="registrations")
    kind = models.CharField(max_length=10, choices=[(k.value, k.value) for k in RegistrationKind])
    credential = models.OneToOneField(
        Credential, on_delete=models.CASCADE, null=True, blank=True, related_name="registration"
    )
    api_version = models.ForeignKey(
        ApiVersion, on_delete=models.SET_NULL, null=True, blank=True, related_name="resource_registrations"
    )
    subject = models.CharField(max_length=300)
    wish = models.CharField(max_length=8, choices=[(w.value, w.value) for w in Wish], default=Wish.PRESENT)
    state = models.CharField(
        max_length=10, choices=[(s.value, s.value) for s in RegistrationState], default=RegistrationState.REQUESTED
    )
    wanted = models.JSONField(default=dict, blank=True)
    wanted_version = models.PositiveIntegerField(default=1)
    applied = models.JSONField(null=True, blank=True)
    applied_version = models.PositiveIntegerField(default=0)
    observed = models.JSONField(null=True, blank=True)
    remote_id = models.CharField(max_length=255, blank=True)
    wants_rotation = models.BooleanField(default=False)
    wants_old_secret_dropped = models.BooleanField(default=False)
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_holder = models.CharField(max_length=64, blank=True)
    in_doubt = models.BooleanField(default=False)
    dispatched_until = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=80, blank=True)
    outcome_at = models.DateTimeField(null=True, blank=True)
    last_error_code = models.CharField(max_length=60, blank=True)
    last_error = models.CharField(max_length=1000, blank=True)
    actor_name = models.CharField(max_length=150, blank=True)
    correlation_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["key_manager", "kind", "subject"],
                name="registration_once_per_subject",
            ),
            models.CheckConstraint(condition=_in("state", RegistrationState), name="registration_state_is_known"),
            models.CheckConstraint(condition=_in("kind", RegistrationKind), name="registration_kind_is_known"),
            models.CheckConstraint(condition=_in("wish", Wish), name="registration_wish_is_known"),
            models.CheckConstraint(
                condition=~Q(kind=RegistrationKind.CLIENT.value) | Q(credential__isnull=False),
                name="client_registration_has_credential",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["state", "next_try_at"]),
            # The queue and the notifications show the newest 25 of ten thousand.
            models.Index(fields=["-updated_at", "id"], name="registration_newest"),
            models.Index(
                fields=["-outcome_at", "-id"], name="registration_ended_newest", condition=Q(outcome_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject} at {self.key_manager}"


class RegistrationAttempt(models.Model):
    """One attempt of one registration: what was sent and answered, secrets removed."""

    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, related_name="attempt_rows")
    number = models.PositiveIntegerField()
    operation = models.CharField(max_length=20)
    started_at = models.DateTimeField(auto_now_add=True)
    milliseconds = models.PositiveIntegerField(null=True, blank=True)
    outcome = models.CharField(max_length=20, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    error = models.CharField(max_length=1000, blank=True)
    exchanges = models.JSONField(default=list, blank=True)
    actor_name = models.CharField(max_length=150, blank=True)
    correlation_id = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.registration} #{self.number}"


class KeyManagerCheck(models.Model):
    """One run of a key manager's connection check; ``steps`` grow while it runs.

    ``sealed_trial``: what is known of its throw-away client until that is gone; the next check removes what is left.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key_manager = models.ForeignKey(KeyManager, on_delete=models.CASCADE, related_name="checks")
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    steps = models.JSONField(default=list, blank=True)
    sealed_trial = models.TextField(blank=True, default="")

    class Meta:
        ordering: ClassVar = ["-started_at"]

    def __str__(self) -> str:
        return f"{self.key_manager} {self.started_at}"


class SigningKey(models.Model):
    """An RSA key that signs the backend JWT: the newest without ``retired_at`` does.

    It is in the JWKS until ``retired_at``, which is set when another takes over.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kid = models.CharField(max_length=64, unique=True)
    public_jwk = models.JSONField()
    sealed_private_pem = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.kid


class RevokedToken(models.Model):
    """SHA-256 of a token that was revoked through us, kept until it would have expired anyway."""

    token_sha256 = models.CharField(max_length=64, primary_key=True)
    revoked_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.token_sha256[:12]


class RefusedCall(models.Model):
    """The verdict behind one refused call, found by its reference. Neither the token nor the query is kept."""

    reference = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField(db_index=True)
    method = models.CharField(max_length=10)
    path = models.CharField(max_length=500)
    status = models.PositiveSmallIntegerField()
    code = models.CharField(max_length=60)
    steps = models.JSONField()
    application_id = models.UUIDField(null=True, blank=True, db_index=True)
    api_version_id = models.UUIDField(null=True, blank=True)
    key_manager_slug = models.CharField(max_length=60, blank=True)

    def __str__(self) -> str:
        return f"{self.reference} {self.code}"


class FrontDoorClient(models.Model):
    """A client that a program registered at the portal's own ``/register`` (RFC 7591), for as long as it exists.

    ``registration_access_token_sha256``: of the token that manages it at ``/register/<client_id>`` (RFC 7592), "" until
    the first answer. ``remarks``: members that are only said back. ``fingerprint``: SHA-256 of the registration
    document; with ``idempotency_key`` it tells a repeat from another registration.
    """

    credential = models.OneToOneField(Credential, on_delete=models.CASCADE, related_name="front_door_client")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="+")
    idempotency_key = models.CharField(max_length=200, blank=True)
    fingerprint = models.CharField(max_length=64)
    remarks = models.JSONField(default=dict, blank=True)
    registration_access_token_sha256 = models.CharField(max_length=64, blank=True, db_index=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["team", "idempotency_key"],
                name="front_door_idempotency_key_once",
                condition=~Q(idempotency_key=""),
            )
        ]
        indexes: ClassVar = [models.Index(fields=["team", "fingerprint"])]

    def __str__(self) -> str:
        return f"{self.credential}"
