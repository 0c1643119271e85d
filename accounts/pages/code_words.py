"""What pages say for the code words that rows and adapters have."""

from typing import Any, Final

from django.utils.translation import gettext_lazy as _

CODE_WORDS: Final[dict[str, Any]] = {
    # kinds of registrations
    "client": _("client"),
    "resource": _("resource"),
    "scope": _("scope"),
    # environments
    "production": _("production"),
    "sandbox": _("sandbox"),
    # states of registrations
    "requested": _("requested"),
    "sending": _("sending"),
    "active": _("active"),
    "waiting": _("waiting"),
    "refused": _("refused"),
    "unknown": _("unknown"),
    "held": _("held"),
    "removing": _("removing"),
    "removed": _("removed"),
    "not_kept": _("not kept there"),
    # states of API versions
    "created": _("draft"),
    "prototyped": _("prototype"),
    "published": _("published"),
    "blocked": _("blocked"),
    "deprecated": _("deprecated"),
    "retired": _("retired"),
    # calls of a registration, and how they end
    "create": _("create"),
    "find": _("find"),
    "update": _("update"),
    "rotate_secret": _("replace the secret"),
    "drop_old_secret": _("end the old secret"),
    "verify": _("verify"),
    "delete": _("delete"),
    "find_and_delete": _("find and delete"),
    "succeeded": _("succeeded"),
    "lost": _("lost"),
    "crashed": _("crashed"),
    "superseded": _("superseded"),
    # how a check of a call ended
    "passed": _("passed"),
    "failed": _("failed"),
    "skipped": _("skipped"),
    # what a key manager can do, as the list of key managers has it
    "register": _("register"),
    "change": _("change"),
    "rotate": _("rotate"),
    "scopes": _("scopes"),
    "resources": _("resources"),
    "introspect": _("introspect"),
    "revoke": _("revoke"),
}
