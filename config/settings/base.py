"""Settings shared by every way of running Precise. Values that differ come from `config.env`."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from config import env, logs
from config.settings.sign_in import *  # noqa: F403

BASE_DIR = env.BASE_DIR
VAR_DIR = env.var_dir()

SECRET_KEY = env.text("SECRET_KEY")
DEBUG = env.flag("DEBUG")
# Loopback is always among them: the launcher and containers ask for /healthz there.
ALLOWED_HOSTS = [*env.words("ALLOWED_HOSTS"), "localhost", "127.0.0.1", "[::1]"]
BASE_URL = env.text("BASE_URL", "http://localhost:8000")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")

SHARED_APPS = [
    "django_tenants",
    "apps.orgs",
    "apps.accounts",
    "apps.events.log",
    "apps.warehouse",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "social_django",
    "waffle",
    "apps.common",
    "apps.omg",
    "apps.earnings",
    "apps.console",
    "config",
]
TENANT_APPS = ["apps.events", "apps.measurement"]
INSTALLED_APPS = [*SHARED_APPS, *TENANT_APPS]

TENANT_MODEL = "orgs.Organisation"
# Organisations are found by path (`/o/<org>/`), never by host; django-tenants insists on a domain model all the same.
TENANT_DOMAIN_MODEL = "orgs.Domain"
TENANT_LIMIT_SET_CALLS = True
WAFFLE_FLAG_MODEL = "orgs.Flag"
AUTH_USER_MODEL = "accounts.User"
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter", "config.routers.OneDatabaseRouter"]
# django-tenants migrates and clones schemas under the owner role; requests and tasks never use it.
TENANT_DB_ALIAS = "provisioning"

DATABASES: dict[str, dict[str, Any]] = {
    # The application's own role: no superuser, no owner, bound by row-level security.
    "default": env.postgres("DATABASE_URL"),
    # The owner of the schema. Used by migrations and by making an organisation, by nothing else.
    "provisioning": env.postgres("DATABASE_ADMIN_URL"),
}
DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 2, "max_size": 16, "timeout": 10}

CLICKHOUSE_URL = env.text("CLICKHOUSE_URL")
REDIS_URL = env.text("REDIS_URL")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "apps.common.csp.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "apps.orgs.middleware.ActorMiddleware",
    "apps.orgs.sign_in.staff.DirectoryProblemMiddleware",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.shell.shell",
            ],
        },
    }
]

AUTHENTICATION_BACKENDS = [
    "allauth.account.auth_backends.AuthenticationBackend",
    "apps.orgs.sign_in.staff.Entra",
    "apps.orgs.sign_in.staff.Okta",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_RATE_LIMITS = {"login_failed": "5/5m/key,20/5m/ip", "single_sign_on": "30/5m/ip"}
ACCOUNT_ADAPTER = "apps.orgs.sign_in.adapter.SignInAdapter"
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if BASE_URL.startswith("https://") else "http"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Precise"

EMAIL_BACKEND = env.text("EMAIL_BACKEND", "django.core.mail.backends.filebased.EmailBackend")
EMAIL_FILE_PATH = VAR_DIR / "mail"
EMAIL_HOST, EMAIL_PORT = env.text("EMAIL_HOST", "localhost"), int(env.text("EMAIL_PORT", "25"))
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_USER", ""), env.text("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS")
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Precise <no-reply@localhost>")
# While mail goes to files on a machine of one's own, a page of the console shows it.
IS_LOCAL = urlsplit(BASE_URL).hostname in {"localhost", "127.0.0.1"}
MAIL_CATCHER = env.flag("MAIL_CATCHER", IS_LOCAL) and EMAIL_BACKEND.endswith(".filebased.EmailBackend")

# Behind a proxy that sets these headers itself; without one they must not be believed.
if env.flag("BEHIND_PROXY"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    ALLAUTH_TRUSTED_PROXY_COUNT = 1
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BASE_URL.startswith("https://")
SESSION_COOKIE_HTTPONLY = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if SESSION_COOKIE_SECURE else 0
X_FRAME_OPTIONS = "DENY"

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TIME_LIMIT = 600
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# What may take an hour stands in a queue of its own, so that what must be done by the minute never waits behind it. A
# worker that names no queue works on both.
CELERY_TASK_QUEUES = {name: {"routing_key": name} for name in ("celery", "imports")}
CELERY_TASK_ROUTES = {
    "apps.events.tasks.import_upload": {"queue": "imports"},
    "apps.events.tasks.look_at_watched_source": {"queue": "imports"},
    "apps.events.tasks.make_generated_sample": {"queue": "imports"},
    "apps.orgs.tasks.make_export": {"queue": "imports"},
}
# What waited until its next turn is dropped: a worker that was away finds one of each.
CELERY_BEAT_SCHEDULE = {
    "tend-ingest-log": {
        "task": "apps.events.tasks.tend_ingest_log",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
    "purge-events": {"task": "apps.events.tasks.purge_events", "schedule": 86400.0},
    "purge-arrival-minutes": {
        "task": "apps.events.tasks.purge_arrival_minutes",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "seal-audit": {"task": "apps.orgs.tasks.seal_audit", "schedule": 10.0, "options": {"expires": 10}},
    "keep-audit-partitions": {"task": "apps.orgs.tasks.keep_audit_partitions", "schedule": 86400.0},
    "resume-uploads": {"task": "apps.events.tasks.resume_uploads", "schedule": 60.0, "options": {"expires": 55}},
    "purge-uploads": {
        "task": "apps.events.tasks.purge_uploads",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "bring-api-key-uses": {
        "task": "apps.orgs.tasks.bring_api_key_uses",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "purge-edits": {"task": "apps.orgs.tasks.purge_edits", "schedule": 86400.0},
    "warn-of-keys": {"task": "apps.orgs.tasks.warn_of_keys", "schedule": 3600.0, "options": {"expires": 3600}},
    "forget-failed-tasks": {"task": "apps.console.tasks.forget_failed_tasks", "schedule": 86400.0},
    "remove-old-exports": {"task": "apps.orgs.tasks.remove_old_exports", "schedule": 86400.0},
    "look-at-watched": {
        "task": "apps.events.tasks.look_at_watched_sources",
        "schedule": 60.0,
        "options": {"expires": 55},
    },
    "purge-sign-in": {"task": "apps.accounts.tasks.purge_sign_in", "schedule": 86400.0},
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.orgs.api.authentication.KeyAuthentication",
        "apps.orgs.api.authentication.PersonAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["apps.orgs.api.scopes.HasScope"],
    "DEFAULT_PARSER_CLASSES": ["apps.common.api.bodies.JsonParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "apps.common.api.bodies.OnlyJson",
    "DEFAULT_SCHEMA_CLASS": "apps.common.api.describing.Described",
    "EXCEPTION_HANDLER": "apps.common.api.problems.handle",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Precise API",
    "DESCRIPTION": "Send events and figures, and read what became of them. Errors are problem documents (RFC 9457).",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "AUTHENTICATION_WHITELIST": [],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "apps.events.api.doors.add_doors",
        "config.openapi.finish",
    ],
}

# Where received events wait for the ingestor: `postgres:`, or kafka://host:9092/topic for a fleet.
EVENT_LOG_URL = env.text("EVENT_LOG_URL", "postgres:")
# The log's hours are dropped once all in them is done and so old: until then the warehouse can be filled again from it.
EVENT_LOG_KEEP_HOURS = int(env.text("EVENT_LOG_KEEP_HOURS", "720"))
# What was turned away, and the record of imports and of sources' hours, is forgotten after so many days.
EVENTS_KEEP_DAYS = int(env.text("EVENTS_KEEP_DAYS", "30"))
# When more events wait for the ingestor, the edge answers 503 with Retry-After.
EVENTS_MOST_WAITING = int(env.text("EVENTS_MOST_WAITING", "5000000"))
# Files that people upload: where they wait for their import, and how large one may be.
UPLOAD_DIR = Path(env.text("UPLOAD_DIR", str(VAR_DIR / "uploads")))
UPLOAD_MOST_BYTES = int(env.text("UPLOAD_MOST_BYTES", "100000000"))
# Where exports of whole organisations lie for a month; web and workers must share it.
EXPORT_DIR = Path(env.text("EXPORT_DIR", str(VAR_DIR / "exports")))
# Watched folders. Local folders only below these; S3 at this endpoint only, with the worker's own credentials only for
# these prefixes. `{org}` stands for the organisation's short name: without it, a place is every organisation's.
WATCH_ROOTS = env.words("WATCH_ROOTS")
WATCH_BUCKETS = env.words("WATCH_BUCKETS")
WATCH_S3_ENDPOINT = env.text("WATCH_S3_ENDPOINT", "")
WATCH_S3_REGION = env.text("WATCH_S3_REGION", "")
# Encrypts access keys of watched buckets. When it changes, they must be entered again.
CREDENTIALS_KEY = env.text("CREDENTIALS_KEY", SECRET_KEY)
# Who has it reads /metrics; without one, only this machine does.
METRICS_TOKEN = env.text("METRICS_TOKEN", "")

LOG_LEVEL = env.text("LOG_LEVEL", "WARNING").upper()
logs.configure(LOG_LEVEL)
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
}
