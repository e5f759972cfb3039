from django.db import migrations

FILL = """UPDATE inbox_case SET team_ids = teams.ids
    FROM (SELECT case_id, array_agg(team_id ORDER BY id) AS ids FROM inbox_caseteam GROUP BY case_id) teams
    WHERE teams.case_id = inbox_case.id"""


class Migration(migrations.Migration):
    dependencies = [("inbox", "0006_case_team_ids")]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
