"""Who may call an API and how fast: accepted key managers and offered plans."""

from typing import Any, cast

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import InputError
from keymanager.models import AcceptedKeyManagers, KeyManager
from keymanager.services.acceptance import ALL
from publisher.pages.facts import FactsForm, FactsPage
from publisher.pages.registrations import table_of
from subscriptions.models import ApiVersion, Plan
from subscriptions.services.apis import VersionFacts


class KeyManagersField(forms.ModelMultipleChoiceField[KeyManager]):
    """Key managers by name, as boxes to tick."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(KeyManager.objects.none(), *args, to_field_name="slug", **kwargs)

    def label_from_instance(self, obj: KeyManager) -> str:
        """Its name."""
        return obj.name if obj.enabled else _("%(name)s (switched off)") % {"name": obj.name}


class KeyManagersForm(FactsForm):
    """Whose tokens are accepted."""

    accepts = forms.ChoiceField(
        label=gettext_lazy("Tokens are accepted from"),
        choices=[
            (ALL, gettext_lazy("All key managers, those that come later too")),
            ("listed", gettext_lazy("Only the ones chosen here")),
        ],
        widget=forms.RadioSelect,
    )
    listed = KeyManagersField(label=gettext_lazy("Key managers"), required=False)

    def __init__(self, version: ApiVersion, *args: Any, **kwargs: Any) -> None:
        super().__init__(version, *args, **kwargs)
        listed = cast("forms.ModelMultipleChoiceField[KeyManager]", self.fields["listed"])
        listed.queryset = KeyManager.objects.filter(deletion_asked_at=None).order_by("name")

    @classmethod
    def present(cls, version: ApiVersion) -> dict[str, Any]:
        """As stored."""
        row = AcceptedKeyManagers.objects.filter(api_version=version).first()
        if row is None or row.accepts_all:
            return {"accepts": ALL, "listed": []}
        return {"accepts": "listed", "listed": list(row.key_managers.values_list("slug", flat=True))}

    def key_managers(self) -> str | list[str]:
        """All or slugs. Raises ``InputError`` when none is chosen."""
        if self.cleaned_data["accepts"] == ALL:
            return ALL
        slugs = [key_manager.slug for key_manager in self.cleaned_data["listed"]]
        if not slugs:
            raise InputError.of("listed", "Choose at least one, or accept all.")
        return slugs


class KeyManagersPage(FactsPage):
    """Accepted key managers, and where the API stands at each."""

    section = "key-managers"
    form = KeyManagersForm
    heading = gettext_lazy("Key managers")
    lead = gettext_lazy("Whose tokens the API accepts. Its resource and scopes are registered at each of them.")
    template = "publisher/key_managers.html"

    def beside(self, version: ApiVersion) -> dict[str, Any]:
        """The registration table."""
        return table_of(version)


class PlansField(forms.ModelMultipleChoiceField[Plan]):
    """Plans with their limits, as boxes to tick."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(Plan.objects.none(), *args, to_field_name="slug", **kwargs)

    def label_from_instance(self, obj: Plan) -> str:
        """The plan with its limit."""
        if not obj.requests:
            return _("%(name)s: no limit") % {"name": obj.name}
        return _("%(name)s: %(requests)s calls in %(seconds)s seconds") % {
            "name": obj.name,
            "requests": f"{obj.requests:,}",
            "seconds": f"{obj.per_seconds:,}",
        }


class PlansForm(FactsForm):
    """Which plans are offered."""

    plans = PlansField(label=gettext_lazy("Plans offered"), required=False)

    def __init__(self, version: ApiVersion, *args: Any, **kwargs: Any) -> None:
        super().__init__(version, *args, **kwargs)
        plans = cast("forms.ModelMultipleChoiceField[Plan]", self.fields["plans"])
        plans.queryset = Plan.objects.order_by("created_at", "slug")

    @classmethod
    def present(cls, version: ApiVersion) -> dict[str, Any]:
        """As stored."""
        return {"plans": [plan.slug for plan in version.plans.all()]}

    def facts(self) -> VersionFacts:
        """The chosen ones."""
        return VersionFacts(plans=list(self.cleaned_data["plans"]))


class PlansPage(FactsPage):
    """Plans offered; one that subscriptions use cannot go."""

    section = "plans"
    form = PlansForm
    heading = gettext_lazy("Plans")
    lead = gettext_lazy("How fast a subscriber may call. Without a plan, publishing is blocked.")
