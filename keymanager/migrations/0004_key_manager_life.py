# The constraint now also covers key managers that are disabled and whose tokens are still accepted.
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("keymanager", "0003_registration_doubt")]

    operations = [
        migrations.AddField("keymanager", "deletion_asked_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField(
            "keymanager",
            "when_disabled",
            models.CharField(choices=[("refuse", "refuse"), ("accept", "accept")], default="refuse", max_length=10),
        ),
        migrations.AddField("keymanagercheck", "sealed_trial", models.TextField(blank=True, default="")),
        migrations.RemoveConstraint("keymanager", "issuer_once_among_enabled"),
        migrations.AddConstraint(
            "keymanager",
            models.UniqueConstraint(
                condition=models.Q(("enabled", True), ("when_disabled", "accept"), _connector="OR")
                & ~models.Q(("issuer", "")),
                fields=("issuer",),
                name="issuer_once_among_enabled",
            ),
        ),
        migrations.AddConstraint(
            "keymanager",
            models.CheckConstraint(
                condition=models.Q(("when_disabled__in", ["refuse", "accept"])), name="when_disabled_is_known"
            ),
        ),
    ]
