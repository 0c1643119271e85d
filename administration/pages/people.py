"""Users and roles."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Role, RoleGrant, User
from accounts.pages.forms import PageForm
from accounts.pages.kept_input import kept_input
from accounts.pages.views import attempt, own, page_of
from accounts.queries import find_people
from administration.pages.base import AdministrationPage
from common.errors import RuleError
from subscriptions.services import people


class PeoplePage(AdministrationPage):
    """Everybody who can sign in, or once could."""

    section = "people"

    def get(self, request: HttpRequest) -> HttpResponse:
        """The list, searched by name and e-mail address."""
        found = find_people(request.GET.get("q", ""))
        return self.show("administration/people.html", {"page": page_of(request, found)})


class NewPersonForm(PageForm):
    """Somebody who signs in with a password of the portal."""

    username = forms.CharField(label=gettext_lazy("User name"), max_length=100)
    email = forms.CharField(label=gettext_lazy("E-mail address"), max_length=254, required=False)
    password = forms.CharField(
        label=gettext_lazy("Password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("Tell it the person by another way; nobody can read it here."),
    )
    roles = forms.MultipleChoiceField(
        label=gettext_lazy("Roles"), choices=Role.choices, required=False, widget=forms.CheckboxSelectMultiple
    )


class NewPersonPage(AdministrationPage):
    """Add somebody by hand."""

    section = "people"

    def get(self, request: HttpRequest) -> HttpResponse:
        """The form."""
        return self.show("administration/person_new.html", {"form": NewPersonForm(initial=kept_input(request))})

    def post(self, request: HttpRequest) -> HttpResponse:
        """Add them."""
        form = NewPersonForm(request.POST)
        if form.is_valid():
            given = {**form.cleaned_data, "roles": [Role(role) for role in form.cleaned_data["roles"]]}
            user = attempt(form, lambda: people.create_person(actor=self.actor, **given))
            if user is not None:
                messages.success(request, _("%(name)s was added.") % {"name": user.username})
                return redirect("person", pk=user.pk)
        return self.show("administration/person_new.html", {"form": form}, status=422)


class RolesForm(PageForm):
    """The roles that the portal gives; those of a login provider are shown beside it."""

    roles = forms.MultipleChoiceField(
        label=gettext_lazy("Roles that the portal gives"),
        choices=Role.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


class PersonPage(AdministrationPage):
    """One person: roles, teams, where they come from."""

    section = "people"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The page."""
        user = own(User.objects.all(), pk=pk)
        local = list(user.role_grants.filter(source="").values_list("role", flat=True))
        return self._page(user, RolesForm(initial=kept_input(request) or {"roles": local}))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Give and take roles."""
        user = own(User.objects.all(), pk=pk)
        form = RolesForm(request.POST)
        if form.is_valid():
            roles = [Role(role) for role in form.cleaned_data["roles"]]
            done = attempt(form, lambda: people.set_roles(actor=self.actor, user=user, roles=roles))
            if done is not None:
                messages.success(request, _("The roles of %(name)s were changed.") % {"name": user.username})
                return redirect("person", pk=user.pk)
        return self._page(user, form, status=422)

    def _page(self, user: User, form: RolesForm, *, status: int = 200) -> HttpResponse:
        provided = RoleGrant.objects.filter(user=user).exclude(source="").order_by("role")
        context: dict[str, Any] = {
            "person": user,
            "form": form,
            "provided": [(Role(grant.role).label, grant.source) for grant in provided],
            "memberships": user.memberships.select_related("team").order_by("team__name"),
            "identities": user.identities.order_by("issuer"),
        }
        return self.show("administration/person.html", context, status=status)


class SwitchPerson(AdministrationPage):
    """Shut a person out at once, or let them in again."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """``active`` is what they shall be."""
        user = own(User.objects.all(), pk=pk)
        active = request.POST.get("active") == "yes"
        try:
            people.set_active(actor=self.actor, user=user, active=active)
        except RuleError as error:
            messages.error(request, error.message)
            return redirect("person", pk=pk)
        said = _("%(name)s may sign in again.") if active else _("%(name)s is shut out: sessions and API tokens ended.")
        messages.success(request, said % {"name": user.username})
        return redirect("person", pk=pk)


class EndSessionsOfPerson(AdministrationPage):
    """End every session of a person."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """They may sign in again."""
        user = people.end_sessions(actor=self.actor, user=own(User.objects.all(), pk=pk))
        messages.success(request, _("Every session of %(name)s has ended.") % {"name": user.username})
        return redirect("person", pk=pk)
