from django.db import migrations, models

FILL = """
UPDATE inbox_merge m SET
    newest_entry = coalesce((SELECT id FROM inbox_entry WHERE created_at <= m.at ORDER BY id DESC LIMIT 1), 0),
    newest_case = coalesce((SELECT id FROM inbox_case WHERE created_at <= m.at ORDER BY id DESC LIMIT 1), 0),
    cases = coalesce((
        SELECT jsonb_agg(c.id) FROM inbox_case c WHERE c.customer_id = m.absorbed_id
        OR (c.id = m.absorbed_case_id AND (m.absorbed_case_was->>'customer')::bigint = m.absorbed_id)
        OR (c.id = m.surviving_case_id AND (m.absorbed_case_was->>'survivor')::bigint = m.absorbed_id)), '[]')
"""


class Migration(migrations.Migration):
    """What was whose before a join, for both sides: it can be taken back at any time and in any order."""

    dependencies = [("inbox", "0018_entry_touched_at")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.AddField("merge", "cases", models.JSONField(default=list)),
        migrations.AddField("merge", "newest_entry", models.BigIntegerField(default=0)),
        migrations.AddField("merge", "newest_case", models.BigIntegerField(default=0)),
        migrations.AddField("merge", "before", models.JSONField(default=dict)),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
