"""Why a sign-in at a provider did not work, in words: (what happened, what to do). The only texts its page shows."""

from collections.abc import Mapping

PROBLEMS: Mapping[str, tuple[str, str]] = {
    "cancelled": ("You did not sign in", "You pressed cancel at your provider. Try again, or sign in another way."),
    "expired": (
        "This sign-in has expired",
        "It took longer than ten minutes, was begun in another browser, or was used already. Begin again.",
    ),
    "failed": (
        "Your provider's answer was refused",
        (
            "It was not signed by your provider, not meant for this site, or not for this sign-in. Begin again; if it "
            "stays, show this page to your administrator."
        ),
    ),
    "inactive": ("Your account is deactivated", "An administrator of your organisation can activate it again."),
    "known": (
        "There is an account with this address already",
        (
            "So that nobody takes over an account by a provider alone, sign in the way you always did, then connect "
            "this provider under Profile, Connected accounts."
        ),
    ),
    "no-address": ("Your provider told us no e-mail address", "Ask your administrator to share the claim “email”."),
    "no-role": (
        "Your organisation's directory gives you no role here",
        "You may have left a group that gave you one. Your administrator can put you into a group that does.",
    ),
    "off": ("This provider is switched off", "Sign in another way, or ask your administrator."),
    "only-provider": (
        "Your organisation signs in at its own provider",
        "Passwords do not work for its addresses. Choose “Sign in with your organisation”.",
    ),
    "other-address": (
        "That account has another e-mail address",
        "Only an account with the address that you have here can be connected.",
    ),
    "other-domain": (
        "That address is not one of your organisation's",
        "Your provider may speak for the domains that were confirmed as your organisation's, and for no others.",
    ),
    "staff": ("Staff sign in elsewhere", "People with a role of the platform's staff sign in at /staff/."),
    "too-many-groups": (
        "You are in more groups than your provider tells",
        (
            "Nothing was changed. Your administrator can send only the groups that are assigned to this application, "
            "or use app roles."
        ),
    ),
    "uninvited": ("There is no account with this address", "Accounts are by invitation: ask your administrator."),
    "unreachable": (
        "Your provider does not answer",
        "It may be down or slow, or set up with a wrong address. Try again in a few minutes, or sign in another way.",
    ),
    "unverified": (
        "Your provider has not verified your e-mail address",
        "Confirm the address there first, then sign in again.",
    ),
}
