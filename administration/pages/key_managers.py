"""Key managers: which there are, how they are, and everything that can be done with one."""

import uuid
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.pages.kept_input import kept_input
from accounts.pages.polling import STOP_POLLING, delay_after, turn_of
from accounts.pages.views import attempt, own
from administration.pages.base import AdministrationPage
from administration.pages.changes import said
from administration.pages.config_forms import KeyManagerForm, as_initial, is_open_field
from common.errors import ArchwayError, InputError, RuleError
from keymanager.adapters.contract import Capability
from keymanager.adapters.registry import ADAPTERS, adapter_class
from keymanager.adapters.rfc.presets import PRESETS, with_preset
from keymanager.models import KeyManager, KeyManagerCheck
from keymanager.services import key_managers
from keymanager.services.adapters import adapter_for
from keymanager.services.configuration import shown_config
from keymanager.services.support_matrix import WORDS
from subscriptions.models import AuditEvent

_SHOWN: Final = (
    (Capability.CREATE_CLIENT, "register"),
    (Capability.UPDATE_CLIENT, "change"),
    (Capability.ROTATE_SECRET, "rotate"),
    (Capability.DELETE_CLIENT, "delete"),
    (Capability.SCOPES, "scopes"),
    (Capability.RESOURCES, "resources"),
    (Capability.INTROSPECT, "introspect"),
    (Capability.REVOKE_TOKEN, "revoke"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One key manager of the list. ``look``, ``words``: its health; ``marks``: word and whether it can do that."""

    row: KeyManager
    look: str
    words: str
    marks: tuple[tuple[str, bool], ...]
    fault: str = ""


def line_of(row: KeyManager) -> Line:
    """The line, from the database and the adapter's configuration alone."""
    look, words = health_of(row)
    try:
        capabilities = adapter_for(row).capabilities
    except InputError as error:
        return Line(row=row, look="bad", words=_("Misconfigured"), marks=(), fault=error.message)
    return Line(row=row, look=look, words=words, marks=tuple((word, one in capabilities) for one, word in _SHOWN))


def health_of(row: KeyManager) -> tuple[str, str]:
    """Colour and word of how a key manager is, by what it answered last."""
    if row.deletion_asked_at:
        return "wait", _("Being deleted")
    if not row.enabled:
        return "off", _("Off, tokens still accepted") if row.when_disabled == "accept" else _("Off")
    if row.circuit_open_until and row.circuit_open_until > timezone.now():
        return "bad", _("Not answering")
    if row.consecutive_failures:
        return "wait", _("Failing")
    return ("ok", _("Answering")) if row.last_success_at else ("off", _("Not called yet"))


class KeyManagersPage(AdministrationPage):
    """The list, and where a token is checked."""

    section = "key_managers"

    def get(self, request: HttpRequest) -> HttpResponse:
        """All of them."""
        lines = [line_of(row) for row in _counted().order_by("name")]
        changes = AuditEvent.objects.filter(object_type="keymanager").order_by("-id")[:6]
        return self.show("administration/key_managers.html", {"lines": lines, "changes": said(changes)})


class ChooseAdapterPage(AdministrationPage):
    """The first step of adding one: what kind of server it is, by its address or by choice."""

    section = "key_managers"

    def get(self, request: HttpRequest) -> HttpResponse:
        """The adapters, and what a server says of itself when an address is given."""
        context: dict[str, Any] = {
            "adapters": sorted((_(adapter.label), slug) for slug, adapter in ADAPTERS.items()),
            "presets": sorted(PRESETS),
        }
        url = request.GET.get("url", "").strip()
        if url:
            context["url"] = url
            try:
                context["discovered"] = key_managers.discover(url=url, adapter=request.GET.get("adapter") or "rfc")
            except ArchwayError as error:
                context["refused"] = error.message
        return self.show("administration/key_manager_choose.html", context)


class KeyManagerFormPage(AdministrationPage):
    """A page with the form of a key manager. What of it is secret, its adapter says: no name tells that."""

    section = "key_managers"

    def adapter_slug(self) -> str:
        """The adapter whose settings the form asks for; "" when it is not known."""
        raise NotImplementedError

    def is_secret(self, name: str) -> bool:
        """As the adapter describes the field."""
        return not is_open_field(self.adapter_slug(), name)


class NewKeyManagerPage(KeyManagerFormPage):
    """Add a key manager of one adapter."""

    def adapter_slug(self) -> str:
        """In the address."""
        return str(self.kwargs["slug"])

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """The form, begun with what discovery found (``?url=``), or with a preset of the adapter (``?preset=``)."""
        initial: dict[str, Any] = {"keep_secrets": True}
        url, preset, discovered = request.GET.get("url", ""), request.GET.get("preset", ""), None
        try:
            if url:
                discovered = key_managers.discover(url=url, adapter=slug, preset=preset)
                initial |= as_initial(discovered.filled)
            elif preset and slug == "rfc":
                initial |= as_initial(with_preset(preset, {}))
        except ArchwayError as error:
            messages.warning(request, error.message)
        kept = kept_input(request)
        found = discovered.announced if discovered else {}
        form = KeyManagerForm(slug, initial=kept.over(initial) if kept else initial, found=found)
        return self._page(slug, form, discovered=discovered)

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Save it, turned on or off."""
        form = KeyManagerForm(slug, request.POST)
        if form.is_valid():
            data = form.cleaned_data
            row = attempt(
                form,
                lambda: key_managers.create_key_manager(
                    actor=self.actor,
                    slug=data["slug"],
                    name=data["name"],
                    description=data["description"],
                    adapter=slug,
                    config=form.config(),
                    keep_secrets=data["keep_secrets"],
                    enabled="off" not in request.POST,
                ),
            )
            if row is not None:
                messages.success(request, _("%(name)s was added. Check the connection next.") % {"name": row.name})
                return redirect("key-manager", row.slug)
        return self._page(slug, form, status=422)

    def _page(self, slug: str, form: KeyManagerForm, *, discovered: Any = None, status: int = 200) -> HttpResponse:
        context = {"form": form, "adapter_label": _(adapter_class(slug).label), "discovered": discovered}
        return self.show("administration/key_manager_form.html", context, status=status)


class KeyManagerPage(AdministrationPage):
    """One key manager: health, check, who uses it."""

    section = "key_managers"

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """The page."""
        row = own(KeyManager.objects.all(), slug=slug)
        line = line_of(row)
        capabilities = adapter_for(row).capabilities if not line.fault else frozenset()
        context = {
            "line": line,
            "key_manager": row,
            "usage": key_managers.usage_of(row),
            "abilities": [(_(words), capability in capabilities) for capability, words in WORDS.items()],
            "check": row.checks.first(),
            "delay": delay_after(0),
            "round": 1,
            "issuers": row.claimed_issuers.order_by("issuer"),
            "changes": said(AuditEvent.objects.filter(object_id=str(row.pk)).order_by("-id")[:8]),
        }
        return self.show("administration/key_manager.html", context)


class EditKeyManagerPage(KeyManagerFormPage):
    """Change the settings; a secret left as its mask is kept."""

    def adapter_slug(self) -> str:
        """The row's."""
        return KeyManager.objects.filter(slug=self.kwargs["slug"]).values_list("adapter", flat=True).first() or ""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """The form with what is stored, secrets masked."""
        row = own(KeyManager.objects.all(), slug=slug)
        stored = {
            "name": row.name,
            "description": row.description,
            "keep_secrets": row.keep_secrets,
            **as_initial(shown_config(row)),
        }
        kept = kept_input(request)
        initial = kept.over(stored) if kept else stored
        return self._page(row, KeyManagerForm(row.adapter, existing=True, initial=initial))

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Save."""
        row = own(KeyManager.objects.all(), slug=slug)
        form = KeyManagerForm(row.adapter, request.POST, existing=True)
        if form.is_valid():
            data = form.cleaned_data
            changed = attempt(
                form,
                lambda: key_managers.update_key_manager(
                    actor=self.actor,
                    key_manager=row,
                    name=data["name"],
                    description=data["description"],
                    config=form.config(),
                    keep_secrets=data["keep_secrets"],
                ),
            )
            if changed is not None:
                messages.success(request, _("%(name)s was changed.") % {"name": changed.name})
                return redirect("key-manager", slug)
        return self._page(row, form, status=422)

    def _page(self, row: KeyManager, form: KeyManagerForm, *, status: int = 200) -> HttpResponse:
        context = {"form": form, "adapter_label": _(adapter_class(row.adapter).label), "key_manager": row}
        return self.show("administration/key_manager_form.html", context, status=status)


class SwitchKeyManager(AdministrationPage):
    """Turn it on, or off with or without its tokens."""

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """``to``: on, refuse or accept."""
        row = own(KeyManager.objects.all(), slug=slug)
        to = request.POST.get("to")
        try:
            if to == "on":
                key_managers.enable_key_manager(actor=self.actor, key_manager=row)
                messages.success(request, _("%(name)s is on.") % {"name": row.name})
            else:
                chosen = "accept" if to == "accept" else "refuse"
                key_managers.disable_key_manager(actor=self.actor, key_manager=row, when_disabled=chosen)
                messages.success(request, _("%(name)s is off.") % {"name": row.name})
        except (InputError, RuleError) as error:
            messages.error(request, error.message)
        return redirect("key-manager", slug)


class DeleteKeyManager(AdministrationPage):
    """Delete it: its clients are removed there, or left there and forgotten, as the administrator chose."""

    section = "key_managers"

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """``clients``: "", remove or forget; the short name has to be typed where something is hit."""
        row = own(KeyManager.objects.all(), slug=slug)
        clients = request.POST.get("clients", "")
        if clients and request.POST.get("confirm", "").strip() != row.slug:
            messages.error(request, _("Type the short name to confirm. Nothing was deleted."))
            return redirect("key-manager", slug)
        try:
            done = key_managers.delete_key_manager(actor=self.actor, key_manager=row, clients=clients)
        except RuleError as error:
            messages.error(request, " ".join([error.message, *error.unmet]))
            return redirect("key-manager", slug)
        if not done.deleted:
            messages.info(request, _("Its clients are being removed there. It is gone when the last one is."))
            return redirect("key-manager", slug)
        messages.success(request, _("%(name)s was deleted.") % {"name": row.name})
        if done.orphans:
            left = ", ".join(f"{orphan.kind} {orphan.name}" for orphan in done.orphans[:20])
            messages.warning(request, _("Left there, to be removed by hand: %(left)s") % {"left": left})
        return redirect("key-managers")


class CheckKeyManager(AdministrationPage):
    """Start the step-by-step check; a job does it."""

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """The page of the key manager shows each step as it is done."""
        row = own(KeyManager.objects.all(), slug=slug)
        key_managers.start_check(actor=self.actor, key_manager=row)
        return redirect("key-manager", slug)


class CheckSteps(AdministrationPage):
    """The steps of one check alone, for a page that watches them."""

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Status 286 ends the asking (htmx)."""
        check = own(KeyManagerCheck.objects.select_related("key_manager"), pk=pk)
        status = STOP_POLLING if check.finished_at else 200
        turn = turn_of(request)
        context = {"check": check, "delay": delay_after(turn), "round": turn + 1}
        return self.show("administration/check_steps.html", context, status=status)


def _counted() -> QuerySet[KeyManager]:
    live = Q(credentials__removed_at=None) & ~Q(credentials__client_id="")
    return KeyManager.objects.annotate(client_count=Count("credentials", filter=live))
