from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orgs", "0009_flags")]
    operations = [
        migrations.AddField(
            model_name="apikey",
            name="last_used_at",
            field=models.DateTimeField(help_text="To five minutes.", null=True),
        ),
    ]
