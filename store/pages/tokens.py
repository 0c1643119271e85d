"""A token for a person who tries an application's client: shown once, kept nowhere."""

import base64
import binascii
import json
import uuid
from typing import Any, Final, cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from accounts.models import Role
from accounts.pages.forms import PageForm
from accounts.pages.kept_input import kept_input
from accounts.pages.views import PageView, attempt, own
from common.errors import InputError, KeyManagerRejected, RuleError
from keymanager.front_door.own_revocation import revoke_own_token
from keymanager.models import Credential
from store import services
from store.queries import credentials_of_teams
from store.reference.model import OperationReference
from store.reference.samples import Sample, samples_of
from subscriptions.models import Scope, Subscription

_JWT_PARTS: Final = 3


class TokenForm(PageForm):
    """Which scopes the token shall carry; only those of subscribed APIs can be chosen."""

    scopes = forms.MultipleChoiceField(label=_("Scopes"), required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, row: Credential, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = Scope.objects.filter(api_version__subscriptions__application=row.application_id)
        apis: dict[str, list[str]] = {}
        for key, name in found.order_by("key").values_list("key", "api_version__api__name"):
            apis.setdefault(key, []).append(name)
        field = cast("forms.MultipleChoiceField", self.fields["scopes"])
        field.choices = [(key, f"{key} ({', '.join(sorted(set(names)))})") for key, names in apis.items()]
        field.initial = list(apis)


class TokenPage(PageView):
    """Issue a token."""

    roles = (Role.APP_DEVELOPER,)

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """The scopes to choose from, all of them chosen."""
        row = self._row(pk)
        return self._page(row, TokenForm(row, initial=kept_input(self.request) or {}))

    def post(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """The token, once."""
        row = self._row(pk)
        form = TokenForm(row, request.POST)
        issued = None
        if form.is_valid():
            issued = attempt(form, lambda: self._issued(row, form.cleaned_data["scopes"]))
        answer = self._page(row, form, issued=issued, status=200 if issued else 422)
        answer["Cache-Control"] = "no-store"
        return answer

    def _row(self, pk: uuid.UUID) -> Credential:
        return own(credentials_of_teams(self.actor.team_ids).filter(removed_at=None), pk=pk)

    def _issued(self, row: Credential, scopes: list[str]) -> Any:
        try:
            return services.issue_token(actor=self.actor, credential=row, scopes=scopes)
        except KeyManagerRejected as error:
            if error.remote_code == "invalid_scope":
                raise InputError.of("scopes", error.message) from error
            raise RuleError(error.message) from error

    def _page(self, row: Credential, form: TokenForm, *, issued: Any = None, status: int = 200) -> HttpResponse:
        context = {
            "credential": row,
            "form": form,
            "issued": issued,
            "minutes": (issued.expires_in or 0) // 60 if issued else 0,
            "samples": self._samples(row),
            "claims": claims_of(issued.access_token) if issued else "",
        }
        return self.show("store/token.html", context, status=status)

    def _samples(self, row: Credential) -> list[tuple[Sample, str]]:
        """The first reading operation of the first subscribed API, in the languages of the reference."""
        subscriptions = Subscription.objects.filter(application=row.application_id)
        first = subscriptions.select_related("api_version__api").order_by("created_at").first()
        operation = first.api_version.operations.filter(method="GET").first() if first else None
        prefix = first.api_version.path_prefix if first else ""
        read = OperationReference(method="GET", path=operation.path if operation else "/…")
        samples = samples_of(read, base_url=f"{settings.ARCHWAY_GATEWAY_URL}{prefix}", token=True)
        return [(sample, mark_safe(sample.html)) for sample in samples[:3]]  # noqa: S308 - made by Pygments


class RevokeToken(PageView):
    """End a token that was just shown; it comes from the form and is stored nowhere."""

    roles = (Role.APP_DEVELOPER,)

    def post(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Refused at the gateway at once; what its key manager said is told."""
        row = own(credentials_of_teams(self.actor.team_ids).filter(removed_at=None), pk=pk)
        token = request.POST.get("token", "").strip()
        if not token:
            messages.error(request, _now("There is no token in the form."))
            return redirect("credential-token", pk)
        try:
            told = revoke_own_token(actor=self.actor, credential=row, token=token)
        except InputError:
            messages.error(request, _now("This is not a token of this client that is still good."))
        else:
            words = _now("The token is refused from now on.")
            more = "" if told else _now("%(name)s was not told, or did not take it; only the gateway refuses it.")
            messages.success(request, f"{words} {more}".strip() % {"name": row.key_manager.name})
        return redirect("credential-token", pk)


def claims_of(token: str) -> str:
    """The claims of a JWT (RFC 7519) as JSON text, not verified; "" for any other token."""
    parts = token.split(".")
    if len(parts) != _JWT_PARTS:
        return ""
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return ""
    return json.dumps(claims, indent=2, ensure_ascii=False) if isinstance(claims, dict) else ""
