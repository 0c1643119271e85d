"""A token for a person who tries an application's client: shown once, kept nowhere."""

import uuid
from typing import Any, cast

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from accounts.models import Role
from accounts.pages.forms import PageForm
from accounts.pages.views import PageView, attempt, own
from common.errors import InputError, KeyManagerRejected, RuleError
from keymanager.models import Credential
from store import services
from store.queries import credentials_of_teams
from store.reference.samples import highlighted
from subscriptions.models import Scope, Subscription


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
        return self._page(row, TokenForm(row))

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
        subscriptions = Subscription.objects.filter(application=row.application_id)
        first = subscriptions.select_related("api_version__api").order_by("created_at").first()
        operation = first.api_version.operations.filter(method="GET").first() if first else None
        path = f"{first.api_version.path_prefix}{operation.path}" if first and operation else "/…"
        curl = f'curl -H "Authorization: Bearer $TOKEN" {settings.ARCHWAY_GATEWAY_URL}{path}'
        context = {
            "credential": row,
            "form": form,
            "issued": issued,
            "curl": curl,
            "curl_html": highlighted(curl, "bash"),
        }
        return self.show("store/token.html", context, status=status)
