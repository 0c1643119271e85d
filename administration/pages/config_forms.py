"""The form of a key manager, made from what its adapter says of its settings: no adapter has a form of its own."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.pages.forms import PageForm
from keymanager.adapters.registry import ADAPTERS
from keymanager.pages.described_fields import form_field
from keymanager.services.configuration import config_fields

CONFIG_PREFIX: Final = "config__"


class KeyManagerForm(PageForm):
    """Name, what it is for, and the settings of ``adapter``. A secret that is left as its mask is kept.

    ``found``: what the server's own description says of settings; the page says so beside them. What is read there
    again and again is not filled in, and stands in the empty input.
    """

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("App developers see it."))
    slug = forms.SlugField(
        label=_("Short name"), max_length=60, help_text=_("In addresses and commands. It cannot be changed later.")
    )
    description = forms.CharField(
        label=_("What it is for"), max_length=256, required=False, help_text=_("As “for APIs used by partners”.")
    )
    keep_secrets = forms.BooleanField(
        label=_("Keep client secrets"),
        required=False,
        initial=True,
        help_text=_("Sealed, and shown to their team on request. Otherwise each is shown once."),
    )

    def __init__(
        self,
        adapter: str,
        *args: Any,
        existing: bool = False,
        found: Mapping[str, Any] = MappingProxyType({}),
        **kwargs: Any,
    ) -> None:
        self._described = config_fields(adapter)
        super().__init__(*args, **kwargs)
        self.found = frozenset(CONFIG_PREFIX + name for name in found)
        if existing:
            del self.fields["slug"]
        for item in self._described:
            field = self.fields[CONFIG_PREFIX + item.name] = form_field(item)
            if isinstance(found.get(item.name), str):
                field.widget.attrs["placeholder"] = found[item.name]

    @property
    def own_fields(self) -> list[forms.BoundField]:
        """What Archway asks."""
        return [field for field in self if not field.name.startswith(CONFIG_PREFIX)]

    @property
    def needed_settings(self) -> list[forms.BoundField]:
        """The settings of the adapter that have to be given, and those that are wrong."""
        return [field for field in self._settings() if field.field.required or field.errors]

    @property
    def further_settings(self) -> list[forms.BoundField]:
        """The others."""
        return [field for field in self._settings() if not field.field.required and not field.errors]

    def config(self) -> dict[str, Any]:
        """The settings as the service takes them; a value that is the default is not stored."""
        values: dict[str, Any] = {}
        for item in self._described:
            value = self.cleaned_data[CONFIG_PREFIX + item.name]
            if item.kind == "integer" and value is None:
                value = item.default
            values[item.name] = value
        return values

    def _settings(self) -> list[forms.BoundField]:
        return [field for field in self if field.name.startswith(CONFIG_PREFIX)]


def is_open_field(adapter: str, name: str) -> bool:
    """Whether the input ``name`` is none of the adapter's secrets; nothing is open for an unknown adapter."""
    if adapter not in ADAPTERS:
        return False
    secret = {CONFIG_PREFIX + item.name for item in config_fields(adapter) if item.secret}
    return name not in secret


def as_initial(config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration as the form's first content."""
    return {CONFIG_PREFIX + name: value for name, value in config.items()}
