"""Words for what the audit trail keeps as codes."""

from collections.abc import Callable

Translate = Callable[..., str]

PURPOSES = ("quality", "complaint", "training", "fault", "legal", "other")

ACTIONS = (
    "recording.open",
    "account.create",
    "account.update",
    "account.disable",
    "account.enable",
    "account.password",
    "station.create",
    "station.code",
    "station.revoke",
    "station_enrolled",
    "signed_in",
    "sign_in_failed",
    "sign_in_refused",
    "signed_out",
)


def purpose_words(t: Translate, purpose: str) -> str:
    """``complaint: 2026-118`` in the page's language; a purpose that is none of ours stays as it is."""
    code, colon, details = purpose.partition(": ")
    if code not in PURPOSES:
        return purpose
    return t(f"manager.purpose.{code}") + (t("manager.joint") + details if colon else "")


def action_words(t: Translate, action: str) -> str:
    """The sentence for an action; one that another part of the service named stands for itself."""
    return t(f"manager.action.{action}") if action in ACTIONS else action
