"""A request after `ActorMiddleware`: it knows who asks, what they may enter, and in which organisation they are."""

from apps.accounts.public import User
from apps.common.pages import PageRequest
from apps.orgs.actor import Actor
from apps.orgs.models import Organisation


class ActorRequest(PageRequest):
    user: User
    actor: Actor
    organisations: list[Organisation]


class OrgRequest(ActorRequest):
    """A request under `/o/<org>/` of someone who is signed in."""

    org: Organisation
