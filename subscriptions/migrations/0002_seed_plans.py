"""The four plans that every installation starts with."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

PLANS = (
    ("unlimited", "Unlimited", None, None),
    ("gold", "Gold", 5000, 60),
    ("silver", "Silver", 2000, 60),
    ("bronze", "Bronze", 1000, 60),
)


def seed_plans(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    plan_model = apps.get_model("subscriptions", "Plan")
    for slug, name, requests, per_seconds in PLANS:
        plan_model.objects.get_or_create(
            slug=slug, defaults={"name": name, "requests": requests, "per_seconds": per_seconds}
        )


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0001_initial")]

    operations = [migrations.RunPython(seed_plans, migrations.RunPython.noop)]
