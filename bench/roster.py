"""A payer's roster as large as the country, made by the database itself out of the NPI records that stand there: no import is
measured here.

Each named NPI record becomes one record of the registry `bench` with the same name, words and state; numbers are given in
the order of NPIs. Four of them share a practice, and one practice has `LARGEST`. Nothing is drawn by chance.
"""

from collections.abc import Callable
from typing import Final

import psycopg

from idp.directory.models import Practice, ProviderWord
from idp.vocabulary.identifiers import Tin

REGISTRY: Final = "bench"
LARGEST: Final = 20_000
"""So many records share the practice of the first."""
TINS: Final = {f"{900_000_010 + n}": LARGEST // 4 + 9_000 * n for n in range(20)}
"""Numbers that are asked for, and whose practices' they are; the first is the largest's."""
SELECTIVE: Final = "michael"
"""Of all who have this word in their name, one in a thousand is in Medicare; no other question has it."""
_BUILDING: Final = (
    "SET session_replication_role = replica",
    "SET maintenance_work_mem = '1GB'",
    "SET synchronous_commit = off",
)


def fill(url: str, rows: int) -> None:
    """By the superuser's `url`, since foreign keys that hold by the way it is made are not asked, and the indexes of words
    come after the words. A roster that is there is left."""
    with psycopg.connect(url, autocommit=True) as connection:
        if _one(connection, "SELECT count(*) FROM (SELECT FROM provider_word WHERE registry = 'bench' LIMIT 1) one"):
            return
        for setting in _BUILDING:
            connection.execute(setting)
        with connection.transaction():
            connection.execute("TRUNCATE practice, provider, provider_word CASCADE")
            connection.execute(_NUMBERED, {"largest": LARGEST, "rows": rows})
            connection.execute(_PRACTICES)
            connection.execute(_PROVIDERS)
            indexes = _taken_off(connection)
            connection.execute(_WORDS)
            for index in indexes:
                connection.execute(index)
            connection.execute(_VOCABULARY)
        for table in (Practice.__tablename__, "provider", ProviderWord.__tablename__, "name_word"):
            connection.execute(f"VACUUM ANALYZE {table}")


def number_of(n: int) -> str:
    """The payer's number of the n-th record."""
    return str(100_000_000 + n)


def give_tins(url: str, index_of: Callable[[Tin], bytes]) -> None:
    """The blind indexes of `TINS`, which each installation's key makes anew, for the practice and one record in it."""
    with psycopg.connect(url) as connection:
        for tin, practice in TINS.items():
            key = {"tin": index_of(Tin(tin)), "practice": f"{practice:032x}"}
            connection.execute("UPDATE practice SET tin_index = %(tin)s WHERE id = %(practice)s::uuid", key)
            connection.execute(
                "UPDATE provider SET tin_index = %(tin)s WHERE id ="
                " (SELECT id FROM provider WHERE practice_id = %(practice)s::uuid ORDER BY provider_id LIMIT 1)",
                key,
            )


def make_selective(url: str) -> None:
    """A program that hardly anybody of a common name has, by the records' numbers; their words know it."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement, table in ((_SELECTIVE, "provider"), (_SELECTIVE_WORDS, ProviderWord.__tablename__)):
            if connection.execute(statement, {"word": SELECTIVE}).rowcount:
                connection.execute(f"VACUUM ANALYZE {table}")


def _taken_off(connection: psycopg.Connection) -> list[str]:
    """Drops what is faster built at once; says how to make it again."""
    made = connection.execute(
        "SELECT indexdef FROM pg_indexes WHERE tablename = 'provider_word' AND indexname LIKE 'ix_%'"
    ).fetchall()
    key = _one(connection, "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'pk_provider_word'")
    for (definition,) in made:
        connection.execute(f"DROP INDEX {definition.split()[2]}")
    connection.execute("ALTER TABLE provider_word DROP CONSTRAINT pk_provider_word")
    return [f"ALTER TABLE provider_word ADD CONSTRAINT pk_provider_word {key}", *(each for (each,) in made)]


def _one(connection: psycopg.Connection, query: str, *values: object) -> object:
    row = connection.execute(query, values or None).fetchone()
    return row[0] if row else None


_NUMBERED: Final = """
    CREATE TEMPORARY TABLE numbered ON COMMIT DROP AS
    SELECT npi, n, 100000000 + n AS number, ('f' || lpad(to_hex(n), 31, '0'))::uuid AS id,
        lpad(to_hex(greatest(n, %(largest)s) / 4), 32, '0')::uuid AS practice_id
    FROM (SELECT npi, row_number() OVER (ORDER BY npi) AS n FROM npi_record
          WHERE source = 'nppes' AND name_key <> '' ORDER BY npi LIMIT %(rows)s) every
"""
_PRACTICES: Final = """
    INSERT INTO practice (id, tin_sealed, tin_index, tin_type, tin_last4, name, created_at)
    SELECT DISTINCT practice_id, '\\x00'::bytea, sha256(practice_id::text::bytea), 'EIN', '0001', 'Bench', '2026-01-01'::timestamptz
    FROM numbered
"""
_PROVIDERS: Final = """
    INSERT INTO provider (id, registry, provider_id, provider_type, npi, practice_id, tin_sealed, tin_index, tin_type,
        legal_name, first_name, last_name, name_key, zip_codes, state, programs, status, effective_date, end_date, updated_at)
    SELECT id, 'bench', number, CASE entity WHEN 'individual' THEN 'practitioner' ELSE 'group' END, npi, practice_id,
        '\\x00', sha256(npi::bytea), 'EIN', name, split_part(name, ' ', 1), split_part(name, ' ', -1), name_key,
        jsonb_build_array(zip_code), state,
        CASE WHEN n % 10 < 6 THEN 'both' WHEN n % 10 < 9 THEN 'medicaid' ELSE 'medicare' END,
        CASE n % 50 WHEN 7 THEN 'terminated' ELSE 'active' END, '2020-01-01',
        CASE n % 50 WHEN 7 THEN '2024-12-31'::date END, '2026-01-01'
    FROM numbered JOIN npi_record USING (npi) WHERE source = 'nppes' ORDER BY n
"""
_SELECTIVE: Final = """
    UPDATE provider SET programs = meant.programs
    FROM (SELECT provider_id AS id, CASE WHEN number::bigint %% 1000 = 0 THEN 'both' ELSE 'medicaid' END AS programs
          FROM provider_word WHERE registry = 'bench' AND word = %(word)s) meant
    WHERE provider.id = meant.id AND provider.programs <> meant.programs
"""
_SELECTIVE_WORDS: Final = """
    UPDATE provider_word SET program = meant.program
    FROM (SELECT provider_id AS id, CASE WHEN number::bigint %% 1000 = 0 THEN 1 ELSE 0 END AS program
          FROM provider_word WHERE registry = 'bench' AND word = %(word)s) meant
    WHERE provider_word.provider_id = meant.id AND provider_word.program <> meant.program
"""
_WORDS: Final = """
    INSERT INTO provider_word (registry, word, provider_id, name_key, number, state, program)
    SELECT 'bench', word, id, name_key, number, state,
        CASE WHEN n % 10 < 6 THEN 1 WHEN n % 10 < 9 THEN 0 ELSE 2 END
    FROM numbered JOIN npi_word USING (npi) WHERE source = 'nppes'
"""
_VOCABULARY: Final = """
    INSERT INTO name_word (scope, word) SELECT 'bench', word FROM name_word WHERE scope = '*' ON CONFLICT DO NOTHING
"""
