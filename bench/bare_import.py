"""The bare path of an import: the same rows of NPPES parsed by the same rules, then PostgreSQL's COPY and nothing else.

No row is compared with what is there, no vocabulary is kept, nothing is audited: what the database and the parsing cost.
`python -m bench.nppes 400000 | python -m bench.bare_import`, with `IDP_DATABASE_URL` naming an empty, migrated database.
"""

import itertools
import os
import sys
from datetime import UTC, datetime

import psycopg

from idp.directory.imports.npi.formats import Nppes
from idp.directory.imports.npi.rules import NpiRow
from idp.directory.rules import key_words

BATCH = 1000
_RECORDS = (
    "COPY npi_record (npi, source, entity, name, name_key, state, zip_code, status, enumerated_on, updated_on,"
    " deactivated_on, reactivated_on, digest, imported_at) FROM STDIN"
)
_WORDS = "COPY npi_word (word, name_key, npi, source, state) FROM STDIN"


def main() -> None:
    """Take standard input in, a thousand rows a transaction."""
    kind, now = Nppes(), datetime.now(UTC)
    parsed = (kind.parse(line.cells) for line in kind.read(sys.stdin.buffer, name="stdin"))
    rows = (row for row in parsed if isinstance(row, NpiRow))
    with psycopg.connect(os.environ["IDP_DATABASE_URL"]) as connection:
        while batch := list(itertools.islice(rows, BATCH)):
            with connection.transaction(), connection.cursor() as cursor:
                with cursor.copy(_RECORDS) as copy:
                    for row in batch:
                        copy.write_row(
                            (
                                row.npi, "nppes", row.entity, row.name, row.name_key, row.state, row.zip_code,
                                row.status.value, row.enumerated_on, row.updated_on, row.deactivated_on,
                                row.reactivated_on, row.digest, now,
                            )
                        )  # fmt: skip
                with cursor.copy(_WORDS) as copy:
                    for row in batch:
                        for word in key_words(row.name_key):
                            copy.write_row((word, row.name_key, row.npi, "nppes", row.state))


if __name__ == "__main__":
    main()
