"""``manage.py makemessages``: Django's own, which also finds what adapters and refusals say.

Adapters know no Django, so what they say of their settings is translated where it is shown. Needs the gettext tools
(Debian: ``gettext``); only who adds or renews a translation needs them.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.commands import makemessages

from common import errors
from keymanager.adapters.config import describe_config
from keymanager.adapters.registry import SHIPPED
from keymanager.services.configuration import config_fields
from keymanager.services.support_matrix import WORDS

# Classes of refusals: their sentences are translated where a page shows them.
_REFUSALS: Final = ["--keyword=RuleError", "--keyword=NotAllowed", "--keyword=InputError", "--keyword=of:2"]


class Command(makemessages.Command):
    """Extract every text for people."""

    xgettext_options = [*makemessages.Command.xgettext_options, *_REFUSALS]

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the adapters' texts where the extraction finds them, and take them away again."""
        catalogues = Path(settings.LOCALE_PATHS[0])
        catalogues.mkdir(exist_ok=True)
        written = catalogues.parent / "adapter_texts.py"  # not below: nothing is extracted from a folder "locale"
        written.write_text("".join(f"gettext({json.dumps(text)})\n" for text in sorted(set(_adapter_texts()))))
        try:
            super().handle(*args, **options)
        finally:
            written.unlink()


def _adapter_texts() -> Iterator[str]:
    """What adapters say of themselves and of their settings, and what errors are called."""
    for slug, adapter in SHIPPED.items():
        yield adapter.label
        own = describe_config(adapter.ClientFields) if adapter.ClientFields else ()
        for item in (*config_fields(slug), *own):
            yield from filter(None, (item.label, item.help))
    yield from WORDS.values()
    yield from (kind.title for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "title"))
