from django.db import migrations

FILL = """UPDATE connectors_mailfolder f SET since = c.created_at FROM connectors_connector c
    WHERE c.id = f.connector_id AND f.uidvalidity IS NOT NULL AND c.options ->> 'start' IS DISTINCT FROM 'all'"""


class Migration(migrations.Migration):
    dependencies = [("connectors", "0007_mail_folder_since")]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
