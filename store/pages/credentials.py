"""The clients of one application: a card for each key manager, and what can be done with them."""

import uuid
from dataclasses import dataclass
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts.models import Role
from accounts.pages.htmx import go_to, layout_for
from accounts.pages.kept_input import kept_input
from accounts.pages.polling import STOP_POLLING, delay_after, turn_of
from accounts.pages.views import PageView, attempt, own
from common.errors import NotSupported, RuleError
from keymanager.adapters.contract import Capability
from keymanager.models import Credential, KeyManager
from keymanager.pages.registration_look import RegistrationLook, look_of
from keymanager.registrations.states import RegistrationState
from keymanager.services import credentials, old_secrets
from keymanager.services.adapters import adapter_for
from keymanager.services.outside_changes import outside_warnings
from store import services
from store.pages.applications import application_head, own_subscriptions
from store.pages.credential_forms import ClientForm, ExistingClientForm, NewClientForm, as_typed
from store.queries import applications_with_credentials, credentials_of_teams
from subscriptions.states import Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One client as its card shows it. ``delay``: seconds until the card asks again, 0 when nothing will change."""

    credential: Credential
    look: RegistrationLook
    capabilities: frozenset[Capability]
    token_endpoint: str
    two_secrets: bool
    warnings: list[str]
    delay: int = 0
    round: int = 0

    @property
    def secret_kept(self) -> bool:
        """Whether the portal can show the secret."""
        row = self.credential
        return bool(row.sealed_secret) and (row.key_manager.keep_secrets or row.secret_unseen)

    @property
    def keeps_old_secret(self) -> bool:
        """Whether the old secret goes on beside a new one."""
        return Capability.OVERLAPPING_SECRETS in self.capabilities

    @property
    def may_rotate(self) -> bool:
        """Whether the key manager can replace the secret of this client."""
        row = self.credential
        return Capability.ROTATE_SECRET in self.capabilities and not row.mapped and bool(row.secret_sha256)


def card_of(row: Credential, *, turn: int = 0) -> Card:
    """The card; ``turn``: how often it has asked already."""
    look = look_of(row.registration)
    # The registration may have ended between the reading of the two rows.
    complete = look.settled and not (look.state == RegistrationState.ACTIVE and not row.client_id)
    return Card(
        credential=row,
        look=look,
        capabilities=adapter_for(row.key_manager).capabilities,
        token_endpoint=f"{settings.ARCHWAY_PUBLIC_URL}/token",
        two_secrets=old_secrets.has_two_secrets(row),
        warnings=old_secrets.secret_warnings(row) + outside_warnings(row),
        delay=0 if complete else delay_after(turn),
        round=turn + 1,
    )


class CredentialsPage(PageView):
    """Every key manager, with the application's client there or the way to one."""

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """One environment at a time."""
        application = own(applications_with_credentials(self.actor.team_ids), pk=pk)
        sandbox = request.GET.get("environment") == Environment.SANDBOX
        environment = Environment.SANDBOX if sandbox else Environment.PRODUCTION
        rows = [
            row
            for row in application.credentials.all()
            if row.removed_at is None and row.environment == environment.value
        ]
        taken = {row.key_manager_id for row in rows}
        context = {
            **application_head(application, section="credentials"),
            "environment": environment.value,
            "cards": [card_of(row) for row in sorted(rows, key=lambda row: row.key_manager.name)],
            "others": KeyManager.objects.filter(enabled=True).exclude(pk__in=taken).order_by("name"),
            "subscriptions": own_subscriptions(application, self.actor.team_ids)[:12],
        }
        return self.show("store/credentials.html", context)


class CredentialCard(PageView):
    """One card alone, for a page that watches it."""

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Status 286 ends the asking (htmx)."""
        row = own(credentials_of_teams(self.actor.team_ids), pk=pk)
        card = card_of(row, turn=turn_of(request))
        status = 200 if card.delay else STOP_POLLING
        return self.show("store/credential_card.html", {"card": card}, status=status)


class NewCredentialPage(PageView):
    """Register a client at a key manager, or use one that exists there."""

    roles = (Role.APP_DEVELOPER,)
    existing: ClassVar[bool] = False

    def get(self, request: HttpRequest, pk: uuid.UUID, slug: str) -> HttpResponse:
        """The form."""
        environment = request.GET.get("environment", Environment.PRODUCTION.value)
        initial = kept_input(request) or {"environment": environment, "grant_types": ["client_credentials"]}
        return self._page(pk, self._form(slug, initial=initial))

    def post(self, request: HttpRequest, pk: uuid.UUID, slug: str) -> HttpResponse:
        """Save the wish; the card shows how it goes on."""
        application = own(applications_with_credentials(self.actor.team_ids), pk=pk)
        form = self._form(slug, request.POST)
        if form.is_valid():
            new = services.NewCredential(key_manager=slug, **form.wanted())
            made = attempt(form, lambda: services.add_credential(actor=self.actor, application=application, new=new))
            if made is not None:
                return redirect_to_credentials(made)
        return self._page(pk, form, status=422)

    def _form(self, slug: str, *args: Any, **kwargs: Any) -> NewClientForm:
        key_manager = own(KeyManager.objects.filter(enabled=True), slug=slug)
        self.key_manager = key_manager
        form = ExistingClientForm if self.existing else NewClientForm
        return form(key_manager, *args, **kwargs)

    def _page(self, pk: uuid.UUID, form: NewClientForm, *, status: int = 200) -> HttpResponse:
        application = own(applications_with_credentials(self.actor.team_ids), pk=pk)
        context = {
            **application_head(application, section="credentials"),
            "form": form,
            "key_manager": self.key_manager,
            "existing": self.existing,
            "may_create": Capability.CREATE_CLIENT in adapter_for(self.key_manager).capabilities,
        }
        return self.show("store/credential_new.html", context, status=status)


class CredentialPage(PageView):
    """One client: what it may do, and how its registration went, attempt by attempt."""

    roles = (Role.APP_DEVELOPER,)

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """The form with what it is now."""
        row = self._row(pk)
        return self._page(row, ClientForm(row.key_manager, initial=kept_input(request) or as_typed(row)))

    def post(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Wish for other metadata; a job tells the key manager."""
        row = self._row(pk)
        form = ClientForm(row.key_manager, request.POST)
        if form.is_valid():
            wanted = form.wanted()
            changed = attempt(form, lambda: services.change_credential(actor=self.actor, credential=row, **wanted))
            if changed is not None:
                messages.success(request, _("Saved. The key manager is told now."))
                return redirect_to_credentials(row)
        return self._page(row, form, status=422)

    def _row(self, pk: uuid.UUID) -> Credential:
        return own(credentials_of_teams(self.actor.team_ids).filter(removed_at=None), pk=pk)

    def _page(self, row: Credential, form: ClientForm, *, status: int = 200) -> HttpResponse:
        application = own(applications_with_credentials(self.actor.team_ids), pk=row.application_id)
        context = {
            **application_head(application, section="credentials"),
            "form": form,
            "card": card_of(row),
            "attempts": row.registration.attempt_rows.all()[:20],
        }
        return self.show("store/credential.html", context, status=status)


class CredentialAction(PageView):
    """One button of a card. ``call``: the service; ``done``: what the page says afterwards."""

    roles = (Role.APP_DEVELOPER,)

    def act(self, row: Credential) -> str:
        """Do it. Returns what the page says afterwards."""
        raise NotImplementedError

    def ask(self, pk: uuid.UUID, *, title: str, template: str, button: str) -> HttpResponse:
        """What will happen, as a dialog over the cards or as a page, before it does."""
        row = own(credentials_of_teams(self.actor.team_ids).filter(removed_at=None), pk=pk)
        application = own(applications_with_credentials(self.actor.team_ids), pk=row.application_id)
        context = {
            **application_head(application, section="credentials"),
            "credential": row,
            "card": card_of(row),
            "layout": layout_for(self.request),
            "head": "store/application_head.html",
            "title": title % {"name": row.key_manager.name},
            "button": button,
            "back": redirect_to_credentials(row)["Location"],
        }
        return self.show(template, context)

    def post(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Do it and go back to the cards; a refusal is said there."""
        row = own(credentials_of_teams(self.actor.team_ids), pk=pk)
        try:
            messages.success(request, self.act(row))
        except (RuleError, NotSupported) as error:
            messages.error(request, error.message)
        return go_to(request, redirect_to_credentials(row)["Location"])


class RetryCredential(CredentialAction):
    """Try the registration again now."""

    def act(self, row: Credential) -> str:
        """With fresh attempts."""
        credentials.retry(actor=self.actor, registration=row.registration)
        return _("It is tried again now.")


class RemoveCredential(CredentialAction):
    """Remove the client."""

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """What ends with it."""
        title = _("Remove the client at %(name)s")
        return self.ask(pk, title=title, template="store/credential_remove.html", button="danger")

    def act(self, row: Credential) -> str:
        """Its tokens are refused at once."""
        credentials.remove_credential(actor=self.actor, credential=row)
        return _("Its tokens are refused from now on, and the client is removed at %(name)s.") % {
            "name": row.key_manager.name
        }


class RotateSecret(CredentialAction):
    """Replace the secret."""

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """What becomes of the old one."""
        title = _("Rotate the secret at %(name)s")
        return self.ask(pk, title=title, template="store/credential_rotate.html", button="primary")

    def act(self, row: Credential) -> str:
        """A job asks for it."""
        credentials.rotate_secret(actor=self.actor, credential=row)
        return _("%(name)s is asked for a new secret.") % {"name": row.key_manager.name}


class DropOldSecret(CredentialAction):
    """End the older of two secrets."""

    def act(self, row: Credential) -> str:
        """A job asks for it."""
        old_secrets.drop_old_secret(actor=self.actor, credential=row)
        return _("The old secret is being ended.")


class RevealSecret(PageView):
    """Show the secret, to the owning team; every reading is in the audit log."""

    roles = (Role.APP_DEVELOPER,)

    def post(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """A page of its own, which no cache keeps."""
        row = own(credentials_of_teams(self.actor.team_ids), pk=pk)
        try:
            revealed = credentials.reveal_secret(actor=self.actor, credential=row)
        except RuleError as error:
            messages.error(request, error.message)
            return redirect_to_credentials(row)
        context = {"credential": row, "revealed": revealed, "kept": row.key_manager.keep_secrets}
        answer = self.show("store/secret.html", context)
        answer["Cache-Control"] = "no-store"
        return answer


def redirect_to_credentials(row: Credential) -> HttpResponse:
    """The cards of the credential's application and environment."""
    answer = redirect("credentials", row.application_id)
    if row.environment == Environment.SANDBOX:
        answer["Location"] += "?environment=sandbox"
    return answer
