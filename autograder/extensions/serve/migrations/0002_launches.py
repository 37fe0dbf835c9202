"""Launches of learning systems."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Secrets that were used, and the services that launches named."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("serve", "0001_initial")]
    operations: ClassVar[list[object]] = [
        migrations.CreateModel(
            name="UsedNonce",
            fields=[
                ("nonce", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("used", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="LaunchedLink",
            fields=[
                ("assignment", models.CharField(max_length=200, primary_key=True, serialize=False)),
                ("line_item", models.TextField()),
                ("memberships", models.TextField()),
            ],
        ),
    ]
