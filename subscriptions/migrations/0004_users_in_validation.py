"""Scopes bound to roles, and claims of the user for the backend."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("subscriptions", "0003_newest_subscriptions")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="apiversion", name="user_claims", field=models.JSONField(blank=True, default=dict)
        ),
        migrations.AddField(model_name="scope", name="roles", field=models.JSONField(blank=True, default=list)),
    ]
