"""People who sign in, and the one-time links that let a new person in."""

import hashlib
import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.crypto import salted_hmac


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """Identified by e-mail. What a user may do comes from memberships, never from flags here."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(auto_now_add=True)
    muted = ArrayField(
        models.CharField(max_length=24),
        default=list,
        db_default=[],
        blank=True,
        help_text="Kinds of mail that the person does not want.",
    )

    session_epoch = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Sessions begun in an earlier one are at their end."
    )

    objects: ClassVar[UserManager] = UserManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.email

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """As Django's, and of the epoch: a new one ends every session at once, wherever sessions are stored."""
        known: str = super()._get_session_auth_hash(secret)  # type: ignore[misc]
        if not self.session_epoch:
            return known
        return salted_hmac("accounts.session_epoch", f"{known}:{self.session_epoch}", secret=secret).hexdigest()

    @property
    def initials(self) -> str:
        words = (self.name or self.email.split("@")[0].replace(".", " ")).split()
        return "".join(word[0] for word in words[:2]).upper()


class SignInPlace(models.Model):
    """A network from which a person signed in: a sign-in from a new one is told to them."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="places")
    network = models.CharField(max_length=80)
    first_at = models.DateTimeField(auto_now_add=True)
    last_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "network"], name="sign_in_place_once")]

    def __str__(self) -> str:
        return f"{self.network} of {self.user_id}"


class SignInLink(models.Model):
    """A link that signs one person in, once, before it expires. Only the token's hash is stored."""

    user = models.ForeignKey(User, on_delete=models.CASCADE)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"sign-in link of {self.user_id}"

    @staticmethod
    def hash_of(token: str) -> str:
        return hashlib.sha256(token.encode()).hexdigest()
