"""What the audit says of a provider record that changed, whichever way the change came in."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.directory.imports.run import Run


def record_changed(
    tx: Session, run: Run, identity: UUID, *, registry: str, number: str, changed: Sequence[str], **told: str
) -> None:
    """Which parts of it have changed, and of public ones from what to what."""
    audit.append(
        tx,
        Event.PROVIDER_CHANGED,
        now=run.now,
        actor=run.actor,
        origin=run.origin,
        target_kind="provider",
        target_id=identity,
        details={"registry": registry, "number": number, "changed": list(changed), **told},
    )
