"""Registrations of clients (RFC 7591, RFC 7592)."""

from django.utils import timezone

from accounts.actor import SYSTEM
from common.errors import KeyManagerProtocolError, NotSupported
from keymanager.adapters.contract import Capability, ClientHandle, KeyManagerAdapter, RegisteredClient
from keymanager.models import Credential, Registration
from keymanager.registrations.client_facts import (
    forget_old_secret,
    forget_secrets,
    handle_of,
    keep_old_secret,
    metadata_of,
    store_handle,
)
from keymanager.registrations.mapped_clients import keep_claim, verify_claim
from keymanager.registrations.plan import Facts, Operation, Settled, plan_client
from keymanager.registrations.rules import PUBLIC
from keymanager.registrations.states import Wish
from keymanager.registrations.work import Answer, Work
from subscriptions.models import Application, ChangeKind
from subscriptions.recording import announce, audit
from subscriptions.services.applications import finish_removal
from subscriptions.states import ApplicationState


class ClientWork(Work):
    """The client of one credential."""

    def __init__(self, row: Registration, adapter: KeyManagerAdapter) -> None:
        super().__init__(row, adapter)
        if row.credential is None:
            raise TypeError("a client registration has a credential")
        self.credential: Credential = row.credential

    def plan(self) -> Operation | Settled:
        """By what we know of the client."""
        row = self.row
        return plan_client(
            Facts(
                wish=Wish(row.wish),
                exists=bool(self.credential.client_id),
                in_doubt=row.in_doubt,
                as_applied=row.applied == row.wanted,
                wants_rotation=row.wants_rotation,
                wants_old_secret_dropped=row.wants_old_secret_dropped,
                mapped=self.credential.mapped,
                capabilities=self.adapter.capabilities,
            )
        )

    def run(self, operation: Operation) -> Answer:
        """Make the call with the newest wish."""
        if operation == Operation.VERIFY:
            return verify_claim(self.credential, self.adapter)
        metadata = metadata_of(self.credential, self.row.wanted)
        if operation == Operation.CREATE:
            return self._answered(self.adapter.create_client(metadata))
        if operation == Operation.FIND:
            return self._adopt()
        if operation == Operation.FIND_AND_DELETE:
            found = self.adapter.find_client(metadata.marker)
            if found is not None:
                self.adapter.delete_client(found.handle)
            return Answer(found=False)
        handle = handle_of(self.credential)
        if operation == Operation.UPDATE:
            return self._answered(self.adapter.update_client(handle, metadata))
        if operation == Operation.ROTATE:
            return self._rotate(handle)
        if operation == Operation.DROP_OLD_SECRET:
            self.adapter.drop_old_secret(handle)
            return Answer()
        self.adapter.delete_client(handle)
        return Answer(found=False)

    def _rotate(self, handle: ClientHandle) -> Answer:
        answer = self.adapter.rotate_secret(handle, metadata_of(self.credential, self.row.wanted))
        if not answer.handle.client_secret or answer.handle.client_secret == handle.client_secret:
            raise KeyManagerProtocolError("The key manager gave no new client secret")
        return self._answered(answer)

    def _answered(self, answer: RegisteredClient) -> Answer:
        # Where scopes have an interface of their own, a failure there must not lose the client, and can be mended.
        mendable = "scope" in answer.ignored and Capability.SCOPES in self.adapter.capabilities
        return Answer(
            handle=answer.handle,
            observed=answer.observed,
            ignored=answer.ignored,
            incomplete=mendable,
            secret_expires_at=answer.client_secret_expires_at,
            old_secret_expires_at=answer.old_secret_expires_at,
        )

    def _adopt(self) -> Answer:
        """Take over the client whose creation was not answered; its secret was lost with the answer."""
        metadata = metadata_of(self.credential, self.row.wanted)
        found = self.adapter.find_client(metadata.marker)
        if found is None:
            return Answer(found=False)
        if found.handle.client_secret or metadata.token_endpoint_auth_method == PUBLIC:
            return Answer(handle=found.handle, observed=found.observed)
        if Capability.ROTATE_SECRET in self.adapter.capabilities:
            rotated = self.adapter.rotate_secret(found.handle, metadata)
            return Answer(
                handle=rotated.handle,
                observed=found.observed or rotated.observed,
                secret_expires_at=rotated.client_secret_expires_at,
            )
        if Capability.DELETE_CLIENT in self.adapter.capabilities:
            self.adapter.delete_client(found.handle)
            return Answer(found=False)
        raise NotSupported(
            f"The client {found.handle.client_id} was made, its secret was lost with the answer, and the key manager "
            "can neither replace the secret nor delete the client."
        )

    def lock(self) -> None:
        """Application, then credential: the order in which the services lock."""
        application_id = self.credential.application_id
        if self.row.wish == Wish.ABSENT:
            Application.objects.select_for_update().get(pk=application_id)
        rows = Credential.objects.select_for_update(of=("self",)).select_related("key_manager")
        self.credential = rows.get(pk=self.credential.pk)

    def keep(self, row: Registration, operation: Operation, answer: Answer) -> None:
        """Client id, tokens and secret, in the transaction of the success."""
        if operation == Operation.DROP_OLD_SECRET:
            forget_old_secret(self.credential)
            row.wants_old_secret_dropped = False
            return
        known = self.credential.client_id
        if operation == Operation.VERIFY:
            if not keep_claim(self.credential, answer, now=timezone.now().timestamp()):
                return
            row.applied, row.applied_version = self.row.wanted, self.row.wanted_version
        elif answer.handle is not None:
            self._keep_handle(row, operation, answer, answer.handle)
        if self.credential.client_id != known:
            # Nobody could use it until now; from now on its tokens count.
            announce(ChangeKind.CREDENTIAL, self.credential.pk)
            detail = {"client_id": self.credential.client_id, "adopted": operation == Operation.FIND}
            self._audit("credential.mapped" if self.credential.mapped else "credential.registered", detail)

    def _keep_handle(self, row: Registration, operation: Operation, answer: Answer, handle: ClientHandle) -> None:
        credential, had_secret = self.credential, self.credential.secret_sha256
        replaced = store_handle(credential, handle)
        if answer.secret_expires_at:
            credential.client_secret_expires_at = answer.secret_expires_at
            credential.save(update_fields=["client_secret_expires_at"])
        row.observed = dict(answer.observed) or row.observed
        if operation in (Operation.CREATE, Operation.UPDATE) and not answer.incomplete:
            row.applied, row.applied_version = self.row.wanted, self.row.wanted_version
        if operation == Operation.ROTATE:
            row.applied_version = self.row.wanted_version
            overlapping = Capability.OVERLAPPING_SECRETS in self.adapter.capabilities
            if replaced and had_secret and overlapping:
                keep_old_secret(credential, had_secret, expires_at=answer.old_secret_expires_at)
            elif replaced:
                row.wants_old_secret_dropped = False
        if row.wanted_version == self.row.wanted_version and replaced and operation != Operation.FIND:
            row.wants_rotation = False

    def removed(self, row: Registration) -> None:
        """The credential ends, and with the last one an application that is being removed."""
        super().removed(row)
        self.credential.removed_at = timezone.now()
        forget_secrets(self.credential)
        announce(ChangeKind.CREDENTIAL, self.credential.pk)
        self._audit("credential.removed", {"client_id": self.credential.client_id})
        application = self.credential.application
        left = application.credentials.filter(removed_at=None).exists()
        if application.state == ApplicationState.REMOVING and not left:
            finish_removal(actor=SYSTEM, application=application)

    def _audit(self, action: str, detail: dict[str, object]) -> None:
        audit(SYSTEM, action, self.credential, team_id=self.credential.application.team_id, detail=detail)
