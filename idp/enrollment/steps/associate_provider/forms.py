"""Both types' fields stand on the page; only those of the type that was chosen count."""

from functools import cache
from typing import Annotated, Any, Literal

from pydantic import Field, create_model

from idp.enrollment.steps.associate_provider.declared import Options, field_name
from idp.foundation.parsing import Form


def associate_form(options: Options) -> type[Form]:
    """The form of a portal's own fields."""
    return _form(tuple(options.asked().items()))


@cache
def _form(asked: tuple[tuple[str, tuple[str, ...]], ...]) -> type[Form]:
    kinds = tuple(kind for kind, _names in asked)
    typed: Any = (Annotated[str, Field(max_length=200, repr=False)], "")
    members: dict[str, Any] = {field_name(kind, name): typed for kind, names in asked for name in names}
    members["provider_type"] = (Literal[kinds], ...)
    members["send_request"] = (Literal["", "yes"], "")
    return create_model(
        "AssociateForm",
        __base__=Form,
        choice=(Annotated[str, Field(max_length=36)], ""),
        request_reason=(Annotated[str, Field(max_length=1000)], ""),
        **members,
    )
