"""Forms in the portal's look: one template for a field, one for the summary of errors."""

from typing import Any, ClassVar

from django import forms
from django.forms.renderers import TemplatesSetting

from accounts.pages.kept_input import KeptInput


class PortalRenderer(TemplatesSetting):
    """Renders every form and field by ``templates/components/``."""

    form_template_name = "components/form.html"
    field_template_name = "components/field.html"


class PageForm(forms.Form):
    """A form of the portal. Widgets get the classes of the stylesheet; labels carry no colon.

    ``one_of``: fields of which one has to be filled; none of them is called optional.
    """

    one_of: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            widget = field.widget
            if not isinstance(widget, forms.CheckboxInput | forms.CheckboxSelectMultiple | forms.RadioSelect):
                widget.attrs["class"] = " ".join(filter(None, ["in", widget.attrs.get("class", "")]))

    def get_initial_for_field(self, field: forms.Field, field_name: str) -> Any:
        """As Django's; a box that was clear when the session ended is clear, whatever it begins with."""
        if isinstance(self.initial, KeptInput) and field_name not in self.initial.sent:
            if isinstance(field, forms.BooleanField):
                return False
            if isinstance(field, forms.MultipleChoiceField | forms.ModelMultipleChoiceField):
                return []
        return super().get_initial_for_field(field, field_name)

    @property
    def prefers_upload(self) -> bool:
        """Whether the form has to be sent as ``multipart/form-data``."""
        return self.is_multipart()


class LinesField(forms.CharField):
    """One value a line; empty lines do not count."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        """A list is shown one a line."""
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        """The list of values."""
        text = super().to_python(value) or ""
        return [line.strip() for line in text.splitlines() if line.strip()]
