"""What a client shall be, asked of a person."""

from typing import Any, ClassVar, Final, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.pages.forms import LinesField, PageForm
from keymanager.adapters.config import describe_config
from keymanager.adapters.contract import TOKEN_EXCHANGE
from keymanager.models import Credential, KeyManager
from keymanager.pages.described_fields import form_field
from keymanager.services.adapters import adapter_for
from keymanager.services.offered_grants import offered_grant_types

_GRANTS: Final = {
    "client_credentials": _("Client credentials: a machine acts for itself"),
    "authorization_code": _("Authorization code with PKCE: a person signs in"),
    "refresh_token": _("Refresh token: stay signed in"),
    "password": _("Password: only for old programs"),
    TOKEN_EXCHANGE: _("Token exchange: a service calls on for whoever called it"),
}
_EXTRA: Final = "extra__"
_METHODS: Final = (
    ("client_secret_basic", _("Secret in the Authorization header (client_secret_basic)")),
    ("client_secret_post", _("Secret in the body (client_secret_post)")),
    ("none", _("No secret: a browser or phone app (none)")),
)


class ClientForm(PageForm):
    """Grants, callback URLs, scopes, and the members that only this kind of key manager has."""

    takes_extra: ClassVar[bool] = True

    grant_types = forms.MultipleChoiceField(
        label=_("Grants"), widget=forms.CheckboxSelectMultiple, initial=["client_credentials"]
    )
    redirect_uris = LinesField(
        label=_("Callback URLs"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "class": "mono"}),
        help_text=_("One a line. Needed where a person signs in; https, or http on this machine."),
    )
    scopes = LinesField(
        label=_("Scopes"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "class": "mono"}),
        help_text=_("One a line. Empty: those of all APIs that the application is subscribed to."),
    )

    def __init__(self, key_manager: KeyManager, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = offered_grant_types(key_manager)
        grants = cast("forms.MultipleChoiceField", self.fields["grant_types"])
        grants.choices = [(value, words) for value, words in _GRANTS.items() if value in offered]
        own = adapter_for(key_manager).ClientFields
        self._own = describe_config(own) if own is not None and self.takes_extra else ()
        for item in self._own:
            self.fields[_EXTRA + item.name] = form_field(item)

    def wanted(self) -> dict[str, Any]:
        """What was typed, as the services take it: members that only this key manager has are ``extra``."""
        typed = {name: value for name, value in self.cleaned_data.items() if not name.startswith(_EXTRA)}
        if self.takes_extra:
            values = {item.name: self.cleaned_data[_EXTRA + item.name] for item in self._own}
            # What is left empty is the server's own default.
            typed["extra"] = {name: value for name, value in values.items() if value not in ("", [], None)}
        return typed


class NewClientForm(ClientForm):
    """A client to register, in one environment."""

    environment = forms.ChoiceField(
        label=_("Environment"), choices=(("production", _("Production")), ("sandbox", _("Sandbox")))
    )
    token_endpoint_auth_method = forms.ChoiceField(label=_("How it authenticates"), choices=_METHODS)


class ExistingClientForm(NewClientForm):
    """A client that was made elsewhere, at which nothing is set."""

    takes_extra = False

    client_id = forms.CharField(label=_("Client ID"), max_length=255)
    client_secret = forms.CharField(
        label=_("Client secret"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("It is checked at the key manager where that can be done, and kept sealed."),
    )
    field_order = ("client_id", "client_secret", "environment", "grant_types")


def as_typed(row: Credential) -> dict[str, Any]:
    """The credential as the form's first content."""
    own = {_EXTRA + name: value for name, value in row.extra.items()}
    return {"grant_types": row.grant_types, "redirect_uris": row.redirect_uris, "scopes": row.scopes, **own}
