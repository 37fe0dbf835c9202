"""The first tables."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Queue and renewals, as they were in version 0.1."""

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
    ]
