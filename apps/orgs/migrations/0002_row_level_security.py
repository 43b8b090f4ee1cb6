"""Row-level security of the public schema, and what the application role may do.

One function decides for every table, one policy per table uses it, and the policy binds the owner too.
`app.*` is set per transaction by `apps.orgs.actor`; without it nothing is visible.
"""

from django.conf import settings
from django.db import migrations

FUNCTION = """
CREATE FUNCTION public.check_row_access(row_org uuid) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE current_setting('app.user_role', true)
        WHEN 'super_admin' THEN true
        WHEN 'service' THEN true
        ELSE coalesce(
            row_org = ANY (string_to_array(nullif(current_setting('app.user_org_ids', true), ''), ',')::uuid[]),
            false)
    END
$$;
"""

# A data owner may learn what its buyers are called, and nothing else of them.
NAMES = """
CREATE FUNCTION public.buyer_names(ids uuid[]) RETURNS TABLE (id uuid, name text)
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    held text := current_setting('app.user_role', true);
BEGIN
    PERFORM set_config('app.user_role', 'service', true);
    RETURN QUERY SELECT o.id, o.name::text FROM public.orgs_organisation AS o WHERE o.id = ANY (ids);
    PERFORM set_config('app.user_role', coalesce(held, ''), true);
END
$$;
"""

POLICIES = """
ALTER TABLE public.orgs_organisation ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.orgs_organisation FORCE ROW LEVEL SECURITY;
CREATE POLICY access_policy ON public.orgs_organisation USING (public.check_row_access(id));

ALTER TABLE public.orgs_membership ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.orgs_membership FORCE ROW LEVEL SECURITY;
CREATE POLICY access_policy ON public.orgs_membership
    USING (public.check_row_access(org_id)
           OR user_id::text = current_setting('app.user_id', true))
    WITH CHECK (public.check_row_access(org_id));

ALTER TABLE public.orgs_auditentry ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.orgs_auditentry FORCE ROW LEVEL SECURITY;
CREATE POLICY access_policy ON public.orgs_auditentry USING (public.check_row_access(org_id));
"""


def grant_to_application(apps, schema_editor):
    """Default privileges: what the owner makes from now on, the application role may use but not alter."""
    role = schema_editor.quote_name(settings.DATABASES["default"]["USER"])
    schema_editor.execute(f"""
        GRANT USAGE ON SCHEMA public TO {role};
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role};
        ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO {role};
        ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role};
        ALTER DEFAULT PRIVILEGES GRANT USAGE ON SEQUENCES TO {role};
        REVOKE UPDATE, DELETE, TRUNCATE ON public.orgs_auditentry FROM {role};
    """)


class Migration(migrations.Migration):
    dependencies = [("orgs", "0001_initial")]
    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION public.check_row_access(uuid)"),
        migrations.RunSQL(NAMES, "DROP FUNCTION public.buyer_names(uuid[])"),
        migrations.RunSQL(POLICIES, migrations.RunSQL.noop),
        migrations.RunPython(grant_to_application, migrations.RunPython.noop),
    ]
