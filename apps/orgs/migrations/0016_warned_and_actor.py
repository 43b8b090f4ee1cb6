"""When administrators were told that a key expires; what one person did is found without reading all entries."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orgs", "0015_console")]
    operations = [
        migrations.AddField(
            model_name="apikey",
            name="warned_at",
            field=models.DateTimeField(help_text="When administrators were told that it expires soon.", null=True),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["actor", "-id"], name="audit_by_actor"),
        ),
    ]
