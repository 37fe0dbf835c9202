"""The first tables."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """All tables of version 0.1: nobody has tables of an earlier one."""

    initial = True
    dependencies: ClassVar[list[tuple[str, str]]] = []
    operations: ClassVar[list[object]] = [
        migrations.CreateModel(
            name="Job",
            fields=[
                ("number", models.BigAutoField(primary_key=True, serialize=False)),
                ("receipt", models.CharField(max_length=32, unique=True)),
                ("kind", models.CharField(max_length=10)),
                ("state", models.CharField(db_index=True, default="waiting", max_length=10)),
                ("student", models.CharField(db_index=True, max_length=200)),
                ("assignment", models.CharField(max_length=200)),
                ("by", models.CharField(max_length=200)),
                ("file", models.CharField(max_length=255)),
                ("title", models.CharField(max_length=200)),
                ("sha256", models.CharField(max_length=64)),
                ("size", models.BigIntegerField(default=0)),
                ("tries", models.IntegerField(default=0)),
                ("question", models.CharField(max_length=200)),
                ("text", models.TextField()),
                ("note", models.TextField()),
                ("detail", models.TextField()),
                ("whose", models.CharField(max_length=10)),
                ("next_try", models.DateTimeField(null=True)),
                ("score", models.FloatField(null=True)),
                ("max_score", models.FloatField(null=True)),
                ("received", models.DateTimeField()),
                ("begun", models.DateTimeField(null=True)),
                ("lent", models.DateTimeField(null=True)),
                ("executed", models.DateTimeField(null=True)),
                ("examined", models.DateTimeField(null=True)),
                ("published", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Renewal",
            fields=[
                ("person", models.CharField(max_length=200, primary_key=True, serialize=False)),
                ("count", models.IntegerField(default=0)),
            ],
        ),
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
