"""Guides to API versions."""

import django.db.models.deletion
import django.db.models.functions.text
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('subscriptions', '0004_users_in_validation'),
    ]

    operations = [
        migrations.CreateModel(
            name='ApiDocument',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('title', models.CharField(max_length=100)),
                ('position', models.PositiveIntegerField(default=1)),
                ('text', models.TextField()),
                ('visible', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('api_version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='documents', to='subscriptions.apiversion')),
            ],
            options={
                'ordering': ['position', 'created_at', 'id'],
                'constraints': [models.UniqueConstraint(models.F('api_version'), django.db.models.functions.text.Lower('title'), name='document_title_once_per_version')],
            },
        ),
    ]
