"""Teams: who shares APIs and applications with whom."""

import uuid

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Team, User
from accounts.pages.forms import PageForm
from accounts.pages.kept_input import kept_input
from accounts.pages.views import attempt, own, page_of
from administration.pages.base import AdministrationPage
from common.errors import InputError, RuleError
from subscriptions.services import teams


class TeamForm(PageForm):
    """What a team is called."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)


class MemberForm(PageForm):
    """Somebody who shall be in a team."""

    username = forms.CharField(label=gettext_lazy("User name"), max_length=150)


class TeamsPage(AdministrationPage):
    """Teams that people share, and a new one."""

    section = "teams"

    def get(self, request: HttpRequest) -> HttpResponse:
        """The list and the form."""
        return self._page(TeamForm(initial=kept_input(request)))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Add one."""
        form = TeamForm(request.POST)
        if form.is_valid():
            name = form.cleaned_data["name"]
            team = attempt(form, lambda: teams.create_team(actor=self.actor, name=name))
            if team is not None:
                messages.success(request, _("The team %(name)s was made. Add its members.") % {"name": team.name})
                return redirect("team", pk=team.pk)
        return self._page(form, status=422)

    def _page(self, form: TeamForm, *, status: int = 200) -> HttpResponse:
        rows = Team.objects.filter(personal_of=None).annotate(people=Count("memberships")).order_by("name")
        return self.show(
            "administration/teams.html", {"form": form, "page": page_of(self.request, rows)}, status=status
        )


class TeamPage(AdministrationPage):
    """One team: its name and its members."""

    section = "teams"

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """The page."""
        team = own(Team.objects.filter(personal_of=None), pk=pk)
        return self._page(team, TeamForm(initial=kept_input(request) or {"name": team.name}), MemberForm())

    def post(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Call it something else."""
        team = own(Team.objects.filter(personal_of=None), pk=pk)
        form = TeamForm(request.POST)
        if form.is_valid():
            name = form.cleaned_data["name"]
            if attempt(form, lambda: teams.rename_team(actor=self.actor, team=team, name=name)) is not None:
                messages.success(request, _("The team is called %(name)s now.") % {"name": team.name})
                return redirect("team", pk=pk)
        team.refresh_from_db()
        return self._page(team, form, MemberForm(), status=422)

    def _page(self, team: Team, form: TeamForm, member_form: MemberForm, *, status: int = 200) -> HttpResponse:
        members = team.memberships.select_related("user").order_by("user__username")
        context = {"team": team, "form": form, "member_form": member_form, "members": members}
        return self.show("administration/team.html", context, status=status)


class AddTeamMember(TeamPage):
    """Let somebody into a team."""

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """What was typed before the session ended, on the team's page."""
        team = own(Team.objects.filter(personal_of=None), pk=pk)
        return self._page(team, TeamForm(initial={"name": team.name}), MemberForm(initial=kept_input(request)))

    def post(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """By user name."""
        team = own(Team.objects.filter(personal_of=None), pk=pk)
        form = MemberForm(request.POST)
        if form.is_valid() and attempt(form, lambda: self._add(team, form.cleaned_data["username"])) is not None:
            messages.success(request, _("%(name)s is in the team.") % {"name": form.cleaned_data["username"]})
            return redirect("team", pk=pk)
        return self._page(team, TeamForm(initial={"name": team.name}), form, status=422)

    def _add(self, team: Team, username: str) -> Team:
        user = User.objects.filter(username=username.strip()).first()
        if user is None:
            raise InputError.of("username", _("There is nobody of this name."))
        return teams.add_member(actor=self.actor, team=team, user=user)


class RemoveTeamMember(AdministrationPage):
    """Take somebody out of a team."""

    def post(self, request: HttpRequest, pk: uuid.UUID, member: int) -> HttpResponse:
        """At once; what they made stays with the team."""
        team = own(Team.objects.filter(personal_of=None), pk=pk)
        user = own(User.objects.filter(memberships__team=team), pk=member)
        try:
            teams.remove_member(actor=self.actor, team=team, user=user)
            messages.success(request, _("%(name)s is no longer in the team.") % {"name": user.username})
        except RuleError as error:
            messages.error(request, error.message)
        return redirect("team", pk=pk)
