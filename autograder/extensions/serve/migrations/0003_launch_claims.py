"""Accounts that came in by a number of the registry."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Which account of a learning system came in as whom."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("serve", "0002_launches")]
    operations: ClassVar[list[object]] = [
        migrations.CreateModel(
            name="LaunchClaim",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("person", models.CharField(max_length=200, db_index=True)),
                ("subject", models.CharField(max_length=255, db_index=True)),
                ("name", models.CharField(max_length=200)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=["person", "subject"], name="one_claim")],
            },
        ),
    ]
