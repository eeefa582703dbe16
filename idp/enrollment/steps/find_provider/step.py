"""The roster in force, inside the portal's filter and the coverage asked; who has enrolled never shows (ruling 9, EN-05)."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from flask_babel import LazyString
from flask_babel import lazy_gettext as _
from pydantic import Field
from sqlalchemy.orm import Session

from idp.directory import service as directory
from idp.directory.rules import DirectoryFilter, ProviderFacts
from idp.enrollment.claims import provider_target, registry_of
from idp.enrollment.step import At, Kept, Step, Wrong
from idp.enrollment.steps.find_provider import rules
from idp.enrollment.steps.find_provider.declared import DECLARED
from idp.enrollment.steps.find_provider.rules import LONGEST, PAGE, Reason
from idp.foundation.parsing import Form

COVERAGE = "coverage"
SEARCH_FIRST = _("Enter an NPI, or search for the provider by name.")
BAD_NPI = _("An NPI has 10 digits.")
CHOOSE = _("Choose a provider from the list.")
NOT_SERVED = _("This provider is not in the list of this portal. Please search again.")


class FindProviderForm(Form):
    """B3: `provider` is the card that was chosen."""

    npi: Annotated[str, Field(max_length=16)] = ""
    provider_name: Annotated[str, Field(max_length=LONGEST)] = ""
    provider: UUID | None = None


class FindProvider(Step):
    """B3."""

    declared = DECLARED
    questions = frozenset({"search", "next_results"})
    sentences = {"provider": CHOOSE}

    def form(self, at: At) -> type[Form]:
        return FindProviderForm

    def shown(self, tx: Session, at: At) -> Mapping[str, Any]:
        """The provider picked before, when somebody comes back to this page."""
        picked = at.kept.get(self.declared.name, {}).get("provider")
        record = _served(tx, UUID(picked), at) if picked else None
        return {} if record is None else {"found": [record], "chosen": picked}

    def answer(self, tx: Session, question: str, sent: Mapping[str, str], at: At) -> Mapping[str, Any]:
        """One page of what the magnifying glass finds; the page that follows begins where its button says."""
        text = sent.get("provider_name", "").strip() or sent.get("npi", "")
        after = rules.place_of(sent.get("next_results", "")) if question == "next_results" else None
        return _found(tx, text, at, after=after)

    def check(self, form: Any, at: At) -> Mapping[str, LazyString]:
        if form.provider is None and form.npi.strip() and not rules.is_npi(form.npi):
            return {"npi": BAD_NPI}
        return {} if form.provider or form.npi.strip() or form.provider_name.strip() else {"npi": SEARCH_FIRST}

    def settle(self, tx: Session, form: Any, prepared: Any, at: At) -> Kept | Wrong:
        if form.provider is not None:
            record = _served(tx, form.provider, at)
            if record is None:
                return Wrong(Reason.NOT_SERVED, problem=NOT_SERVED, audited=False)
            return _kept(record, at)
        text = form.npi.strip() or form.provider_name
        shown = _found(tx, text, at)
        if form.npi.strip() and len(shown["found"]) == 1:
            return _kept(shown["found"][0], at)
        problem = {"provider": CHOOSE} if shown["found"] else {}
        return Wrong(Reason.NOTHING_CHOSEN, errors=problem, show=shown, audited=False)


def _found(tx: Session, text: str, at: At, *, after: tuple[str, str] | None = None) -> dict[str, Any]:
    wanted = rules.searchable(text)
    if wanted is None:
        return {"found": [], "searched": text.strip()[:LONGEST], "chosen": None, "next": None}
    page = directory.search_providers(tx, registry_of(at), wanted, after, PAGE, now=at.now, within=_within(at))
    return {
        "found": list(page.providers),
        "searched": wanted,
        "chosen": None,
        "next": rules.place(page.after),
        "continued": after is not None,
    }


def _served(tx: Session, identity: UUID, at: At) -> ProviderFacts | None:
    return directory.provider_served(tx, identity, registry=registry_of(at), now=at.now, within=_within(at))


def _within(at: At) -> DirectoryFilter:
    served: DirectoryFilter = at.options.within()
    asked = at.kept.get(COVERAGE)
    return served if asked is None else served.covering(asked["program"], asked["state"])


def _kept(record: ProviderFacts, at: At) -> Kept:
    return Kept({"provider": str(record.id), "told": provider_target(record, at=at)["told"]})
