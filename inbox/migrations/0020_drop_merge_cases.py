from django.db import migrations


class Migration(migrations.Migration):
    """`Merge.cases` and `Merge.before` say it now."""

    dependencies = [("inbox", "0019_merge_journal")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.RemoveField("merge", "surviving_case"),
        migrations.RemoveField("merge", "absorbed_case"),
        migrations.RemoveField("merge", "absorbed_case_was"),
    ]
