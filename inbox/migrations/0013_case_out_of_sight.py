from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    """What is not live is resolved or merged: from now on no case can be in no view. Existing rows: the next one."""

    dependencies = [("inbox", "0012_attachment_may_go")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        AddConstraintNotValid(
            "case",
            models.CheckConstraint(
                condition=models.Q(
                    ("is_live", True), ("status", "resolved"), ("merged_into__isnull", False), _connector="OR"
                ),
                name="a_case_that_is_not_live_is_resolved_or_merged",
            ),
        ),
    ]
