"""A person's own pages: who they are here, API tokens, the colour theme."""

import uuid
from datetime import timedelta
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Role, Team, User
from accounts.pages.forms import PageForm
from accounts.pages.kept_input import kept_input
from accounts.pages.views import PageView, attempt, own
from accounts.services import create_api_token, end_sessions, revoke_api_token

_A_YEAR = 365 * 24 * 3600
THEMES = ("auto", "light", "dark")


class AccountPage(PageView):
    """Profile, teams and roles."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The page."""
        user = cast(User, request.user)
        return self.show(
            "account/profile.html",
            {
                "teams": user.teams.order_by("name").prefetch_related("members"),
                "roles": [Role(role).label for role in sorted(self.actor.roles)],
            },
        )


class NewTokenForm(PageForm):
    """What a new API token shall be."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=100, help_text=gettext_lazy("What it is for, as “deployment pipeline”.")
    )
    team = forms.ModelChoiceField(
        label=gettext_lazy("Team"),
        queryset=Team.objects.none(),
        empty_label=None,
        help_text=gettext_lazy("What is made with the token belongs to this team."),
    )
    days = forms.IntegerField(
        label=gettext_lazy("Ends after days"), min_value=1, max_value=3650, required=False, initial=90
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast("forms.ModelChoiceField[Team]", self.fields["team"])
        field.queryset = user.teams.order_by("-personal_of", "name")
        field.initial = user.teams.filter(personal_of=user).first()


class TokensPage(PageView):
    """API tokens: list, make, end. A new one is shown once."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The list and the form."""
        return self._page(NewTokenForm(cast(User, request.user), initial=kept_input(request)))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Make a token."""
        user = cast(User, request.user)
        form = NewTokenForm(user, request.POST)
        if form.is_valid():
            days = form.cleaned_data["days"]
            new = attempt(
                form,
                lambda: create_api_token(
                    user=user,
                    name=form.cleaned_data["name"],
                    team=form.cleaned_data["team"],
                    expires_at=timezone.now() + timedelta(days=days) if days else None,
                ),
            )
            if new is not None:
                answer = self._page(NewTokenForm(user), new=new)
                answer["Cache-Control"] = "no-store"
                return answer
        return self._page(form, status=422)

    def _page(self, form: NewTokenForm, *, new: Any = None, status: int = 200) -> HttpResponse:
        rows = cast(User, self.request.user).api_tokens.select_related("team").order_by("revoked_at", "-created_at")
        context = {"form": form, "tokens": rows[:100], "new": new, "now": timezone.now()}
        return self.show("account/tokens.html", context, status=status)


class EndTokenPage(PageView):
    """End one API token."""

    def post(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Programs that use it are refused from now on."""
        token = revoke_api_token(token=own(cast(User, request.user).api_tokens.all(), pk=pk))
        messages.success(request, _("The token %(name)s has ended.") % {"name": token.name})
        return redirect("account-tokens")


class EndSessionsPage(PageView):
    """Sign out everywhere else: what to do after a session was left open on another machine."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Only this browser stays signed in."""
        user = cast(User, request.user)
        end_sessions(user=user)
        update_session_auth_hash(request, user)
        messages.success(request, _("You are signed out everywhere else."))
        return redirect("account")


class ThemePage(PageView):
    """The colour theme, kept in a cookie so that the first byte of every page has it."""

    roles = None

    def post(self, request: HttpRequest) -> HttpResponse:
        """Keep the choice, and go back."""
        back = request.headers.get("Referer", "/")
        safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
        answer = redirect(back if safe else "/")
        theme = request.POST.get("theme")
        if theme in THEMES:
            answer.set_cookie("theme", theme, max_age=_A_YEAR, samesite="Lax", secure=request.is_secure())
        return answer
