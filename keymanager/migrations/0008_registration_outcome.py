"""When a registration ended as it has: until now, the last change of the row stood for it."""

from typing import Any

from django.db import migrations, models
from django.db.models import F, Value
from django.db.models.functions import Concat


def take_over(apps: Any, _schema_editor: Any) -> None:
    """What has ended already was last changed then."""
    rows = apps.get_model("keymanager", "Registration").objects
    for state in ("active", "removed"):
        rows.filter(state=state).update(outcome=state, outcome_at=F("updated_at"))
    rows.filter(state="refused").update(
        outcome=Concat(Value("refused "), F("last_error_code")), outcome_at=F("updated_at")
    )


class Migration(migrations.Migration):
    dependencies = [("keymanager", "0007_credential_extra")]

    operations = [
        migrations.AddField(
            model_name="registration", name="outcome", field=models.CharField(blank=True, max_length=80)
        ),
        migrations.AddField(
            model_name="registration", name="outcome_at", field=models.DateTimeField(blank=True, null=True)
        ),
        migrations.RunPython(take_over, migrations.RunPython.noop),
    ]
