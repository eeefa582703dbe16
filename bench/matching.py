"""What the matching rule costs: µs a record, in this process, without a database."""

import time
from datetime import date
from typing import Final
from uuid import UUID

from bench import report
from bench.report import Figure
from idp.directory.matching.rules import Candidate, PractitionerClaim, ProviderMatch, decide_provider, understand
from idp.directory.rules import PracticeFacts, ProviderFacts
from idp.vocabulary.identifiers import TinType

ROUNDS: Final = 5
TIMES: Final = 5_000
_DAY: Final = date(2026, 1, 1)
_PRACTICE: Final = PracticeFacts(UUID(int=7), "Juniper Ridge Clinic", "0001", TinType.EIN, b"")
_RECORD: Final = ProviderFacts(
    id=UUID(int=1), registry="ozark", provider_id="017631564", npi="1234567893", provider_type="practitioner",
    name="Nathaniel P. Thorne-Peña Jr.", practice_id=_PRACTICE.id, tin_last4="0001", tin_type=TinType.EIN,
    status="active", effective_date=date(2020, 1, 1), end_date=None, state="MO", programs="both",
)  # fmt: skip
_CANDIDATE: Final = Candidate(
    _RECORD, _PRACTICE, "Nathaniel", "Thorne-Peña Jr.", b"own", b"groups", ("65801", "65802-1234", "06002")
)
_CLAIM: Final = PractitionerClaim(
    first_name="NATHANIEL", last_name="thorne pena", tin="97-8456678", provider_id="017631564", npi="1234567893",
    zip_code="06002",
)  # fmt: skip


def rule_us() -> list[float]:
    """CPU of one claim understood and held against one record, round by round."""
    assert isinstance(_decide(), ProviderMatch)
    taken: list[float] = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        for _ in range(TIMES):
            _decide()
        taken.append((time.process_time() - begun) / TIMES * 1e6)
    return taken


def _decide() -> object:
    return decide_provider(understand(_CLAIM), [_CANDIDATE], tin=b"groups", on=_DAY)


def main() -> None:
    """Measure, print, keep."""
    report.tell("matching", [Figure("matching rule, a claim of six fields", "µs CPU", rule_us())])


if __name__ == "__main__":
    main()
