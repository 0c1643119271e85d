"""What a person says about a subscription: which application, under which plan."""

import uuid
from typing import Any, cast

from django import forms
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.pages.forms import PageForm
from store.templatetags.plans import limit
from subscriptions.models import ApiVersion, Application, Plan
from subscriptions.queries.owned import applications_of_teams
from subscriptions.states import ApplicationState


class PlanField(forms.ModelChoiceField[Plan]):
    """Plans with their limits."""

    def label_from_instance(self, obj: Plan) -> str:
        """Its name, and below it what it allows and what it is for."""
        return format_html("{} <small>{}. {}</small>", obj.name, limit(obj), obj.description)


class PlanForm(PageForm):
    """One of the plans that the API offers."""

    plan = PlanField(
        label=gettext_lazy("Plan"),
        queryset=Plan.objects.none(),
        empty_label=None,
        to_field_name="slug",
        widget=forms.RadioSelect,
    )

    def __init__(self, version: ApiVersion, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plan = cast("forms.ModelChoiceField[Plan]", self.fields["plan"])
        plan.queryset = version.plans.order_by("created_at", "slug")
        plan.initial = plan.queryset.first()


class SubscribeForm(PlanForm):
    """One of the person's applications that are not subscribed yet, or the name of a new one."""

    one_of = ("application", "name")
    field_order = ("application", "name", "plan")

    application = forms.ModelChoiceField(
        label=gettext_lazy("Application"),
        queryset=Application.objects.none(),
        empty_label=gettext_lazy("Create a new application…"),
        required=False,
        help_text=gettext_lazy("Its credentials will also work for this API."),
    )
    name = forms.CharField(
        label=gettext_lazy("Name of the new application"),
        max_length=100,
        required=False,
        help_text=gettext_lazy(
            "It belongs to you. Where the API accepts one key manager alone, a client is registered there at once."
        ),
    )

    def __init__(self, version: ApiVersion, team_ids: frozenset[uuid.UUID], *args: Any, **kwargs: Any) -> None:
        super().__init__(version, *args, **kwargs)
        application = cast("forms.ModelChoiceField[Application]", self.fields["application"])
        application.queryset = (
            applications_of_teams(team_ids)
            .filter(state=ApplicationState.ACTIVE)
            .exclude(subscriptions__api_version=version)
        )
        application.initial = application.queryset.first()

    def clean(self) -> dict[str, Any]:
        """An application or a name, unless the application was refused itself."""
        cleaned = super().clean() or {}
        if not cleaned.get("application") and "application" not in self.errors and not cleaned.get("name"):
            self.add_error("name", _("Choose an application, or name a new one."))
        return cleaned
