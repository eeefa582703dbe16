"""Records of a TIN and of an NPI stand in their indexes by the payer's number: a page of them is read off in order."""

from alembic import op

revision = "roster_pages_in_order"
down_revision = "asserted_access"
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_provider_registry_tin_index": ["registry", "tin_index"],
    "ix_provider_npi_registry": ["npi", "registry"],
}


def upgrade() -> None:
    for name, columns in _INDEXES.items():
        op.drop_index(name, table_name="provider")
        op.create_index(name, "provider", [*columns, "provider_id"])
