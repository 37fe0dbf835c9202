"""Four states of a hand-in: graded, for a person, refused, and not graded yet."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import migrations, models


def divide(apps: Any, _: object) -> None:
    """Divide what was not graded: a refused file was deleted, and all else is for a person."""
    ended = apps.get_model("serve", "Job").objects.filter(state="not graded")
    ended.filter(kind="hand-in", file="").update(state="refused")
    ended.filter(kind__in=("hand-in", "again")).update(state="for person")
    ended.filter(kind__in=("ask", "answer")).update(state="refused")
    ended.update(state="failed")


class Migration(migrations.Migration):
    """Whose fault it is that a row waits, and until when."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("serve", "0003_launch_claims")]
    operations: ClassVar[list[object]] = [
        migrations.AddField("job", "whose", models.CharField(max_length=10, default=""), preserve_default=False),
        migrations.AddField("job", "next_try", models.DateTimeField(null=True)),
        migrations.RunPython(divide, migrations.RunPython.noop),
    ]
