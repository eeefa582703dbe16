"""Whatever is sealed under the vault's key can be brought under a new one, or is gone before it matters (ST-05)."""

from flask import Flask

from idp.keyring import resealing
from idp.migrations.tables import metadata

SHORT_LIVED = {"sign_in_transaction.set_up_sealed"}
"""An hour's life: `keys retire` waits for it."""


def test_every_sealed_column_is_resealed(app: Flask) -> None:
    columns = {
        f"{table.name}.{column.name}" for table in metadata().sorted_tables for column in table.columns
        if column.name.endswith("_sealed")
    }  # fmt: skip
    known = {f"{name}_sealed" for name in resealing._hooks}
    assert columns - SHORT_LIVED <= known
