from django.db import migrations


class Migration(migrations.Migration):
    """One refused sign-in of a mailbox asked for a person and stopped sending. It is tried again, and counted."""

    dependencies = [("connectors", "0014_refused_sign_ins")]

    operations = [
        migrations.RunSQL(
            """UPDATE connectors_connector SET needs_reconnect = false
               WHERE kind = 'email' AND needs_reconnect AND failing_side = 'in'""",
            migrations.RunSQL.noop,
        )
    ]
