"""The rows of an answer as files and commands print them: whole words, a masked number, never a TIN."""

from collections.abc import Mapping
from typing import Any

from idp.affiliations.standing.service import Asked, Line


def about(asked: Asked) -> dict[str, Any]:
    """What was asked."""
    return {
        "tin": asked.practices[0].masked_tin,
        "day": asked.date.isoformat(),
        "until": asked.day.ends.isoformat(),
        "practices": [
            {"id": str(each.id), "name": each.name, "retired_at": each.retired_at and each.retired_at.isoformat()}
            for each in asked.practices
        ],
    }


def line(each: Line, *, names: Mapping[str, str]) -> dict[str, Any]:
    """One person's access to one target."""
    record, found = each.record, each.could
    return {
        "subject_id": each.subject.id,
        "name": each.subject.name,
        "user_id": each.subject.user_id,
        "registry": record.registry,
        "target": {
            "kind": record.kind.value,
            "id": str(record.target_id),
            "name": each.target_name,
            "number": each.target_number,
        },
        "through": each.engagement.source if each.engagement is not None else None,
        "assigned_by": _who(each.assigned_by, names),
        "account_manager": record.account_manager,
        "since": record.activated_at and record.activated_at.isoformat(),
        "until": found.until and found.until.isoformat(),
        "last_used": found.used_at and found.used_at.isoformat(),
        "access": {
            lets.portal: [{"level": level, "granted_by": _who(by, names)} for level, by in lets.levels]
            for lets in found.at
        },
        "proof": [
            {"kind": proof.kind.value, "portal": proof.portal, "at": proof.at.isoformat(), "by": _who(proof.by, names)}
            for proof in record.proofs
        ],
    }


def _who(by: str | None, names: Mapping[str, str]) -> dict[str, str | None] | None:
    return None if by is None else {"id": by, "name": names.get(by)}
