"""An issuer and its aliases belong to one enabled key manager, by the database's own word."""

from typing import Any, ClassVar

import django.db.models.deletion
from django.db import migrations, models


def claim_present(apps: Any, schema_editor: Any) -> None:
    """What enabled key managers have as issuer was unique before."""
    claimed = apps.get_model("keymanager", "ClaimedIssuer")
    rows = apps.get_model("keymanager", "KeyManager").objects.filter(enabled=True).exclude(issuer="")
    claimed.objects.bulk_create([claimed(issuer=row.issuer, key_manager=row) for row in rows])


class Migration(migrations.Migration):
    dependencies: ClassVar = [("keymanager", "0004_credential_secrets_and_mapping")]

    operations: ClassVar = [
        migrations.RemoveConstraint(model_name="keymanager", name="issuer_once_among_enabled"),
        migrations.CreateModel(
            name="ClaimedIssuer",
            fields=[
                ("issuer", models.CharField(max_length=500, primary_key=True, serialize=False)),
                (
                    "key_manager",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="claimed_issuers",
                        to="keymanager.keymanager",
                    ),
                ),
            ],
        ),
        migrations.RunPython(claim_present, migrations.RunPython.noop),
    ]
