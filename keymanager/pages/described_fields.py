"""Form fields made from what an adapter says of its settings or of its clients' members."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from accounts.pages.forms import LinesField
from keymanager.adapters.config import DescribedField
from keymanager.services.configuration import MASK


def form_field(item: DescribedField) -> forms.Field:
    """The form field of ``item``, in the portal's look."""
    field = _plain(item)
    if not isinstance(field, forms.BooleanField):
        field.widget.attrs["class"] = f"in {'mono' if item.kind != 'text' or item.choices else ''}".strip()
    return field


def _plain(item: DescribedField) -> forms.Field:
    about: dict[str, Any] = {
        "label": _(item.label),
        "help_text": _(item.help) if item.help else "",
        "required": item.required,
        "initial": list(item.default) if isinstance(item.default, tuple) else item.default,
    }
    if item.kind == "boolean":
        return forms.BooleanField(**{**about, "required": False})
    if item.kind == "integer":
        return forms.IntegerField(**about, min_value=0)
    if item.kind == "list":
        return LinesField(**about, widget=forms.Textarea(attrs={"rows": 2}))
    if item.choices:
        choices = [(choice, choice) for choice in item.choices]
        blank = [] if item.default or item.required else [("", "–")]
        return forms.ChoiceField(**about, choices=[*blank, *choices])
    if item.kind == "pem":
        return forms.CharField(**about, widget=forms.Textarea(attrs={"rows": 4}))
    if item.secret:
        widget = forms.PasswordInput(render_value=True, attrs={"autocomplete": "off"})
        return MaskedField(**about, strip=False, widget=widget)
    return forms.CharField(**about)


class MaskedField(forms.CharField):
    """A secret: what is stored is shown as a mask, and what was typed is never sent back."""

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Only the mask goes back into the page."""
        return MASK if data == MASK else ""
