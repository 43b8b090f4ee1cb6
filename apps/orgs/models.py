"""Organisations (the tenants), who belongs to them, and the audit trail. All of it lives in the public schema,
under row-level security (see `migrations/0002_row_level_security.py`)."""

import re
import secrets
import uuid
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.functional import cached_property
from django_tenants.models import DomainMixin, TenantMixin
from waffle.models import AbstractUserFlag

from apps.common.money import is_currency
from apps.orgs.permissions import Role

SLUG = re.compile(r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")
DOMAIN = re.compile(r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]\Z")
TEMPLATE_SCHEMA = "tenant_template"
# The flag that says which data an organisation's pages show; see `generated`.
GENERATED_DATA = "generated_data"


class Kind(models.TextChoices):
    AGENCY = "agency", "Agency"
    ADVERTISER = "advertiser", "Advertiser"
    DATA_OWNER = "data_owner", "Data owner"
    PUBLISHER = "publisher", "Publisher"
    MEASUREMENT_PARTNER = "measurement_partner", "Measurement partner"
    PLATFORM = "platform", "Platform"


class Tier(models.TextChoices):
    STANDARD = "standard", "Standard"
    ENTERPRISE = "enterprise", "Enterprise"


class Status(models.TextChoices):
    ACTIVE = "active", "Active"
    SUSPENDED = "suspended", "Suspended"
    ARCHIVED = "archived", "Archived"


# A year, and a day of leap years: longer needs a contract and a change here.
LONGEST_RAW_EVENTS = 366
OWNER_KINDS = frozenset({Kind.DATA_OWNER, Kind.PUBLISHER})
# Short names that stand, or may come to stand, for something else in addresses and files.
RESERVED_SLUGS = frozenset(
    {
        "account", "accounts", "admin", "administrator", "all", "api", "archive", "assets", "auth", "billing",
        "console", "docs", "export", "health", "healthz", "help", "home", "invitation", "invitations", "login",
        "logout", "mail", "media", "metrics", "new", "none", "null", "oauth", "org", "organisation",
        "organisations", "orgs", "people", "profile", "public", "root", "search", "security", "settings",
        "sign-in", "signin", "signup", "sso", "staff", "static", "status", "support", "system", "tenant",
        "tenant-template", "undefined", "user", "users", "webhooks", "www",
    }
)  # fmt: skip


def check_slug(value: str) -> None:
    if not SLUG.match(value) or len(value) > 48:
        raise ValidationError(
            f"{value[:60]!r} is not a usable short name: use lower-case letters, digits and single hyphens, "
            "start with a letter, 48 characters at most (for example omd-east)."
        )
    if value in RESERVED_SLUGS:
        raise ValidationError(f"{value!r} is reserved; choose a short name of the organisation's own.")


def check_domain(value: str) -> None:
    if not DOMAIN.match(value):
        raise ValidationError(
            f"{value[:60]!r} is not a domain: write it as in e-mail addresses, in lower case and ASCII (omd.example)."
        )


def check_advertiser(value: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", value):
        raise ValidationError(
            f"{value[:60]!r} is not an advertiser id of The Trade Desk: 40 letters and digits at most (as in x1y2z3a)."
        )


def check_salesforce_account(value: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9]{15}([A-Za-z0-9]{3})?", value):
        raise ValidationError(f"{value[:60]!r} is not an account id of Salesforce: 15 or 18 letters and digits.")


def check_accent(value: str) -> None:
    if not re.fullmatch(r"#[0-9a-f]{6}", value):
        raise ValidationError(f"{value[:60]!r} is not a colour: write it as #2f5bea.")


def check_time_zone(value: str) -> None:
    if value not in available_timezones():
        raise ValidationError(f"{value!r} is not a time zone; use a name such as America/New_York.")


def check_currency(value: str) -> None:
    if not is_currency(value):
        raise ValidationError(f"{value!r} is not a currency; use an ISO 4217 code such as USD.")


def new_identity_key() -> bytes:
    return secrets.token_bytes(32)


class Organisation(TenantMixin):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=48, unique=True, validators=[check_slug])
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=24, choices=Kind.choices)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.ACTIVE)
    currency = models.CharField(max_length=3, default="USD", validators=[check_currency])
    time_zone = models.CharField(max_length=64, default="UTC", validators=[check_time_zone])
    contributor_id = models.CharField(
        max_length=120, null=True, blank=True, unique=True, help_text="The name events give this data owner."
    )
    identity_key = models.BinaryField(default=new_identity_key, editable=False, help_text="Hashes IP addresses.")
    tier = models.CharField(max_length=12, choices=Tier.choices, default=Tier.STANDARD)
    events_per_second = models.PositiveIntegerField(default=1000, help_text="The most that its API keys may send.")
    raw_event_days = models.PositiveSmallIntegerField(
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_RAW_EVENTS)],
        help_text="How long single events are kept after their arrival; sums are kept for two years.",
    )
    domain = models.CharField(
        max_length=253,
        null=True,
        blank=True,
        unique=True,
        validators=[check_domain],
        help_text="Of its e-mail addresses.",
    )
    ttd_advertiser_id = models.CharField(
        max_length=40, null=True, blank=True, unique=True, validators=[check_advertiser], help_text="At The Trade Desk."
    )
    salesforce_account_id = models.CharField(
        max_length=18, blank=True, default="", db_default="", validators=[check_salesforce_account]
    )
    requires_second_step = models.BooleanField(
        default=False, db_default=False, help_text="Whether its people must sign in with a second step to enter."
    )
    accent = models.CharField(
        max_length=7,
        blank=True,
        default="",
        db_default="",
        validators=[check_accent],
        help_text="The colour of its pages; empty: ours.",
    )
    logo_digest = models.CharField(
        max_length=16, blank=True, default="", db_default="", help_text="Names the logo's bytes; empty: none."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    # The schema is cloned from the template by `actions.create_organisation`, never by save().
    auto_create_schema = False

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=Kind.values), name="organisation_kind_known"),
            models.CheckConstraint(condition=models.Q(status__in=Status.values), name="organisation_status_known"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def sells_data(self) -> bool:
        return self.kind in OWNER_KINDS

    @cached_property
    def shows_generated(self) -> bool:
        """Whether its pages show generated data; asked once per object, hence per request.

        Straight from the database: waffle's own cache would keep what row-level security let one reader see.
        """
        for_us = models.Q(everyone=True) | models.Q(everyone=None, organisations=self)
        return bool(Flag.objects.filter(for_us, name=GENERATED_DATA).exists())

    def forget_flags(self) -> None:
        self.__dict__.pop("shows_generated", None)


class Flag(AbstractUserFlag):
    """A feature flag of django-waffle's, switched by organisation."""

    organisations = models.ManyToManyField(Organisation, through="FlaggedOrganisation", related_name="flags")


class FlaggedOrganisation(models.Model):
    flag = models.ForeignKey(Flag, on_delete=models.CASCADE, related_name="+")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["flag", "organisation"], name="flagged_once")]

    def __str__(self) -> str:
        return f"flag {self.flag_id} for {self.organisation_id}"


class Logo(models.Model):
    """The picture of an organisation as its pages show it: drawn anew from what was uploaded."""

    org = models.OneToOneField(Organisation, on_delete=models.CASCADE, primary_key=True, related_name="logo")
    content = models.BinaryField(help_text="PNG.")
    created_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"logo of {self.org_id}"


class Export(models.Model):
    """All that is kept of an organisation, as one ZIP file that super admins fetch; made by a worker."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        READY = "ready", "Ready"
        FAILED = "failed", "Failed"
        GONE = "gone", "Removed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    org = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="exports")
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    asked_by = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    size = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True, default="", help_text="SHA-256 of the file.")
    error = models.CharField(max_length=400, blank=True, default="")

    def __str__(self) -> str:
        return f"export {self.pk} of {self.org_id}"


class Domain(DomainMixin):
    """Demanded by django-tenants; organisations are found by path, so it stays empty."""


class Membership(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    org = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=24, choices=[(role.value, role.value.replace("_", " ")) for role in Role])
    created_at = models.DateTimeField(auto_now_add=True)
    is_active = models.BooleanField(
        default=True, db_default=True, help_text="False: the person is known here, but may not enter."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "org", "role"], name="membership_once"),
            models.CheckConstraint(condition=models.Q(role__in=list(Role)), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} is {self.role} of {self.org_id}"


class Invitation(models.Model):
    """A person asked to join with a role. Whoever has the link's token may, once, before it expires."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    org = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=24, choices=[(role.value, role.value.replace("_", " ")) for role in Role])
    token_hash = models.BinaryField(max_length=32, unique=True, help_text="SHA-256 of the token.")
    invited_by = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["org", "email"],
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="invitation_open_once",
            ),
        ]

    def __str__(self) -> str:
        return f"invitation of {self.email} to {self.org_id}"


class AuditEntry(models.Model):
    """What was done, by whom, from where, to which organisation: added, never changed; a partition a year.

    A person stands here by id, a client by its network: what outlives a person's data names nobody.
    """

    org = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, related_name="audit_entries")
    actor = models.CharField(max_length=120)
    action = models.CharField(max_length=80)
    target = models.CharField(max_length=160, blank=True, default="")
    origin = models.CharField(max_length=80, blank=True, default="")
    detail = models.JSONField(default=dict)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["org", "-id"], name="audit_by_org"),
            models.Index(fields=["actor", "-id"], name="audit_by_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor} {self.action}"


class AuditSeal(models.Model):
    """A link of the chain over all entries: `digest` is the SHA-256 of the digest before it and `content`.

    Written by the database's `seal_audit` only.
    """

    id = models.BigIntegerField(primary_key=True)
    entry_id = models.BigIntegerField(unique=True)
    entry_at = models.DateTimeField()
    content = models.BinaryField()
    digest = models.BinaryField()

    def __str__(self) -> str:
        return f"seal {self.pk} of entry {self.entry_id}"


class Edit(models.Model):
    """A value that was changed in place, with what it was before: what undoing needs, for 90 days. The audit trail has
    an entry of its own for each."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    org = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="edits")
    actor = models.CharField(max_length=120)
    field = models.CharField(max_length=80, help_text="As declared in `editing.fields`.")
    row_id = models.UUIDField()
    before = models.TextField()
    after = models.TextField()
    undoes = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="+")
    undone_at = models.DateTimeField(null=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["org", "actor", "-at"], name="edit_by_actor")]

    def __str__(self) -> str:
        return f"{self.field} of {self.row_id}: {self.before!r} to {self.after!r}"


class IdentityProvider(models.Model):
    """An organisation's own OpenID Connect provider: its people sign in there, and its groups say what they may do."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    org = models.OneToOneField(Organisation, on_delete=models.CASCADE, related_name="identity_provider")
    name = models.CharField(max_length=40, help_text="What its button is called.")
    issuer = models.CharField(max_length=300)
    client_id = models.CharField(max_length=191)
    client_secret = models.BinaryField(help_text="Encrypted; see `sign_in.providers`.")
    domains = ArrayField(models.CharField(max_length=253), help_text="Whose e-mail addresses it speaks for.")
    confirmed_at = models.DateTimeField(null=True, help_text="When platform staff found the domains to be theirs.")
    groups_claim = models.CharField(max_length=120, default="groups")
    role_groups = models.JSONField(default=dict, help_text="Role to the groups that give it.")
    everyone = models.CharField(max_length=24, blank=True, help_text="The role of people without any of these groups.")
    is_on = models.BooleanField(default=True)
    is_only = models.BooleanField(default=False, help_text="Passwords of these addresses do not work.")
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.name}: {self.issuer}"

    @property
    def key(self) -> str:
        """How addresses and connected accounts name it."""
        return f"org-{self.pk}"


class ApiKey(models.Model):
    """A machine's way in, for one organisation. The key itself is shown once; its digest is all that is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    org = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=16, help_text="The key's first characters, to tell it from others.")
    digest = models.BinaryField(max_length=32, unique=True, help_text="SHA-256 of the key.")
    scopes = ArrayField(models.CharField(max_length=40))
    created_by = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True, help_text="To five minutes.")
    networks = ArrayField(
        models.CharField(max_length=49),
        default=list,
        db_default=[],
        help_text="Address ranges from which it works; none: from everywhere.",
    )
    replaces = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        related_name="replaced_by",
        help_text="The key in whose stead it was made.",
    )
    warned_at = models.DateTimeField(null=True, help_text="When administrators were told that it expires soon.")

    class Meta:
        indexes = [models.Index(fields=["org", "-created_at"], name="api_key_by_org")]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class ApiKeyUse(models.Model):
    """How often a key was used on a day."""

    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="uses")
    org = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")
    day = models.DateField(help_text="In UTC.")
    requests = models.BigIntegerField(default=0, help_text="Of the general API.")
    deliveries = models.BigIntegerField(default=0, help_text="Requests at the doors for events.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "day"], name="api_key_use_by_day")]

    def __str__(self) -> str:
        return f"{self.requests} requests, {self.deliveries} deliveries of {self.key_id} on {self.day}"
