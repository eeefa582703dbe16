"""Constant statements, compiled once for a database and a set of parameters, and then handed straight to the driver.

Core reads the same from the same connection in the same transaction, but makes a cache key, an execution context and a
result with its metadata for every statement: most of what one costs (docs/performance.md).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from sqlalchemy import Connection, Delete, Dialect, Insert, Row, Update
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.exc import MultipleResultsFound, NoResultFound, StatementError
from sqlalchemy.sql import Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.selectable import SelectBase

_KEPT: Final = "credence_plans"

Process = Callable[[Any], Any]
Statement = TypeVar("Statement", bound=Executable)


def prepared(statement: Statement) -> Statement:
    """The statement, for `execute` alone: what is built upon it (`where`, a subquery) is built upon the original.

    It gives a `Found` in the place of a `Result`, with what our callers use of one. Whatever is out of the ordinary
    (options, many rows at once, somebody who listens, an expanding `IN`, a default that Python makes) Core does as ever.
    """
    if not isinstance(statement, (SelectBase, Insert, Update, Delete)) or statement._propagate_attrs:
        raise TypeError("only statements of Core over tables are prepared")
    return cast(Statement, Prepared(statement))


class Found:
    """What a statement gave: all its rows, read, and how many it changed."""

    __slots__ = ("_made", "_rows", "rowcount")

    def __init__(self, rows: Sequence[Any], made: "_Made | None", rowcount: int) -> None:
        self._rows, self._made, self.rowcount = rows, made, rowcount

    def all(self) -> list[Row[Any]]:
        return [self._row(row) for row in self._rows]

    def __iter__(self) -> Iterator[Row[Any]]:
        return iter(self.all())

    def first(self) -> Row[Any] | None:
        return self._row(self._rows[0]) if self._rows else None

    def one_or_none(self) -> Row[Any] | None:
        if len(self._rows) > 1:
            raise MultipleResultsFound("Multiple rows were found when one or none was required")
        return self.first()

    def one(self) -> Row[Any]:
        if not self._rows:
            raise NoResultFound("No row was found when one was required")
        if len(self._rows) > 1:
            raise MultipleResultsFound("Multiple rows were found when exactly one was required")
        return self._row(self._rows[0])

    def scalars(self) -> list[Any]:
        return [row[0] for row in self]

    def scalar(self) -> Any:
        row = self.first()
        return None if row is None else row[0]

    def scalar_one_or_none(self) -> Any:
        row = self.one_or_none()
        return None if row is None else row[0]

    def scalar_one(self) -> Any:
        return self.one()[0]

    def _row(self, row: Any) -> Row[Any]:
        made = self._made
        if made is None:
            raise StatementError("this statement gives no rows", None, None, None)
        return Row(made.metadata, made.processes, made.indexes, row)


@dataclass(frozen=True, slots=True)
class _Made:
    """How a row of the driver becomes one of ours."""

    metadata: SimpleResultMetaData
    processes: Sequence[Any] | None
    indexes: dict[Any, int]


class _Plan:
    """The statement's text for one database and one set of parameters, and how both sides are converted."""

    __slots__ = ("_compiled", "_constants", "_made", "_named", "_slots", "sql")

    def __init__(self, compiled: SQLCompiler, constants: Mapping[str, Any], slots: Sequence[tuple[str, str]]) -> None:
        processes = compiled._bind_processors
        self._constants = constants
        self._slots = tuple((told, key, cast(Process | None, processes.get(told))) for told, key in slots)
        self._named: bool = not compiled.positional
        self._compiled, self.sql = compiled, compiled.string
        self._made: _Made | None = None

    def parameters(self, given: Mapping[str, Any]) -> Any:
        values = {**self._constants, **given} if self._constants else given
        if self._named:
            escaped = self._compiled.escaped_bind_names
            return {
                escaped.get(told, told): values[key] if process is None else process(values[key])
                for told, key, process in self._slots
            }
        return tuple([values[key] if process is None else process(values[key]) for _, key, process in self._slots])

    def found(self, cursor: DBAPICursor) -> Found:
        came: Sequence[Any] | None = cursor.description
        if came is None:
            return Found((), None, cursor.rowcount)
        made = self._made
        if made is None:
            made = self._made = _made(self._compiled, came)
        return Found(cursor.fetchall(), made, cursor.rowcount)


class Prepared:
    """A statement that Core asks to execute itself (`_execute_on_connection`), as it asks every statement of its own."""

    _propagate_attrs: Final[Mapping[str, Any]] = {}
    is_clause_element: Final = False
    """Where SQLAlchemy wants an element it is to take `__clause_element__`."""

    def __init__(self, statement: SelectBase | Insert | Update | Delete) -> None:
        self.statement = statement

    def __clause_element__(self) -> SelectBase | Insert | Update | Delete:
        return self.statement

    def __getattr__(self, name: str) -> Any:
        return getattr(self.statement, name)

    def _execute_on_connection(
        self, connection: Connection, parameters: Sequence[Mapping[str, Any]], options: Mapping[str, Any]
    ) -> Any:
        given = parameters[0] if parameters else {}
        plan = None
        if len(parameters) < 2 and not options and _is_usual(connection):
            plan = self._plan(connection.dialect, given)
        if plan is not None:
            try:
                bound = plan.parameters(given)
            except Exception:
                plan = None  # nothing was sent yet: Core refuses it in its own words
        if plan is None:
            return self.statement._execute_on_connection(connection, parameters, options)
        return _run(connection, plan, bound)

    def _plan(self, dialect: Dialect, given: Mapping[str, Any]) -> _Plan | None:
        """Kept with the dialect, as SQLAlchemy keeps what it knows of types: they go together."""
        plans: dict[tuple[Prepared, tuple[str, ...]], _Plan | None]
        plans = dialect.__dict__.get(_KEPT) or dialect.__dict__.setdefault(_KEPT, {})
        asked = self, tuple(given)
        if asked not in plans:
            plans[asked] = _planned(self.statement, dialect, asked[1])
        return plans[asked]


def _is_usual(connection: Connection) -> bool:
    """Nobody listens and nothing is amiss with the connection's transactions; else Core knows what is to be done."""
    root, inner, block = connection._transaction, connection._nested_transaction, connection._trans_context_manager
    return (
        not (connection._has_events or connection.engine._has_events or connection._echo)
        and (root is None or root.is_active)
        and (inner is None or inner.is_active)
        and (block is None or block._transaction_is_active())
    )


def _run(connection: Connection, plan: _Plan, bound: Any) -> Found:
    """As `Connection._exec_single_context`: same cursor, same beginning, same wrapping of errors."""
    driver = connection.connection
    if connection._transaction is None:
        connection._autobegin()
    cursor = driver.cursor()
    try:
        cursor.execute(plan.sql, bound)
        found = plan.found(cursor)
        cursor.close()
    except BaseException as error:
        # Without a context of Core's a statement's text makes it wrap every error; it wraps none but the driver's.
        wraps = isinstance(error, connection.dialect.loaded_dbapi.Error)
        connection._handle_dbapi_exception(error, plan.sql if wraps else None, bound, cursor, None)
    return found


def _planned(statement: SelectBase | Insert | Update | Delete, dialect: Dialect, keys: tuple[str, ...]) -> _Plan | None:
    """`None`: this is for Core alone."""
    compiled = statement.compile(dialect=dialect, column_keys=sorted(keys))
    assert isinstance(compiled, SQLCompiler)
    constants, sources = {}, {}
    for parameter, name in compiled.bind_names.items():
        if parameter.key in keys or name in keys:
            sources[name] = parameter.key if parameter.key in keys else name
        elif parameter.required or parameter.callable:
            return None
        else:
            constants[name], sources[name] = parameter.value, name
    told = compiled.positiontup if compiled.positional else list(sources)
    columns = [each.keyname for each in compiled._result_columns]
    if (
        told is None
        or constants.keys() & set(keys)
        or compiled.literal_execute_params
        or compiled.post_compile_params
        or compiled.insert_prefetch
        or compiled.update_prefetch
        or compiled.has_out_parameters
        or not compiled._ordered_columns
        or compiled._textual_ordered_columns
        or len(set(columns)) < len(columns)
    ):
        return None
    return _Plan(compiled, constants, [(name, sources[name]) for name in told])


def _made(compiled: SQLCompiler, description: Sequence[Sequence[Any]]) -> _Made:
    """The conversions that SQLAlchemy has for the columns asked, which may depend on the types that came."""
    columns = compiled._result_columns
    assert len(columns) == len(description), "a row has the columns that were asked"
    processes = [
        column.type._cached_result_processor(compiled.dialect, came[1])
        for column, came in zip(columns, description, strict=True)
    ]
    metadata = SimpleResultMetaData([column.keyname for column in columns])
    return _Made(metadata, processes if any(processes) else None, metadata._key_to_index)
