"""Whoever verifies a registrant of the demo, where the journey is about the registrant."""

from sqlalchemy import select

from idp import create_app
from idp.affiliations import service as affiliations
from idp.affiliations.models import Affiliation, AffiliationEvidence
from idp.demo.cli import overrides
from idp.foundation import clock
from idp.foundation.database import db, see_as, writing
from idp.foundation.origin import Origin
from idp.settings import load
from idp.subjects import service as subjects
from idp.subjects.rules import login_key
from idp.vocabulary.affiliation import AffiliationStatus
from idp.vocabulary.evidence import Evidence
from tests.journeys.demo import Demo


def verify_at(demo: Demo, email: str, *, registry: str, portal: str) -> None:
    """The payer's registrar makes the waiting affiliation active (E1)."""
    with create_app(load(overrides=overrides(demo.base, demo.data_dir))).app_context():
        with writing() as tx:
            see_as(tx, everything=True)
            subject = subjects.find_by_login(tx, key=login_key(email))
            assert subject is not None
            query = select(Affiliation.id).where(
                Affiliation.subject_id == subject.id, Affiliation.registry_name == registry
            )
            affiliation_id = tx.execute(query).scalar_one()
            done = affiliations.change_status(
                tx,
                affiliation_id=affiliation_id,
                status=AffiliationStatus.ACTIVE,
                now=clock.now(),
                actor="payer",
                origin=Origin.local("test"),
            )
            assert done
            proof = {"kind": Evidence.PAYER.value, "portal": portal, "at": clock.now(), "by": "payer"}
            tx.add(AffiliationEvidence(affiliation_id=affiliation_id, **proof))
        db.engine.dispose()
