from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("keymanager", "0005_claimed_issuers")]

    operations = [
        migrations.AddField("keymanager", "deletion_asked_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField(
            "keymanager",
            "when_disabled",
            models.CharField(choices=[("refuse", "refuse"), ("accept", "accept")], default="refuse", max_length=10),
        ),
        migrations.AddField("keymanagercheck", "sealed_trial", models.TextField(blank=True, default="")),
        migrations.AddConstraint(
            "keymanager",
            models.CheckConstraint(
                condition=models.Q(("when_disabled__in", ["refuse", "accept"])), name="when_disabled_is_known"
            ),
        ),
    ]
