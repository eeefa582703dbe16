"""What the pages of *Clerk Maintenance* post, without the two lists of roles (`idp.manage.picker`)."""

from pydantic import Field

from idp.authenticators.password.rules import LONGEST_TYPED
from idp.foundation.parsing import Form
from idp.subjects.rules import LOGIN_MAX, NAME_MAX, PHONE_MAX


class NewClerk(Form):
    """D6: a person who has no account yet."""

    user_id: str = Field(min_length=1, max_length=LOGIN_MAX)
    first_name: str = Field(min_length=1, max_length=NAME_MAX)
    last_name: str = Field(min_length=1, max_length=NAME_MAX)
    phone: str = Field(min_length=1, max_length=PHONE_MAX)
    email: str = Field(min_length=1, max_length=LOGIN_MAX)
    confirm_email: str = Field(min_length=1, max_length=LOGIN_MAX)
    password: str = Field(min_length=1, max_length=LONGEST_TYPED, repr=False)
    confirm_password: str = Field(min_length=1, max_length=LONGEST_TYPED, repr=False)


class Search(Form):
    """D7: what is looked for; any of the three will do."""

    user_name: str = Field(default="", max_length=LOGIN_MAX)
    first_name: str = Field(default="", max_length=NAME_MAX)
    last_name: str = Field(default="", max_length=NAME_MAX)


class Chosen(Form):
    """D7: the row that was picked, a colleague by their key, somebody else by what was typed."""

    person: str = Field(default="", max_length=32)
    user_name: str = Field(default="", max_length=LOGIN_MAX)
    last_name: str = Field(default="", max_length=NAME_MAX)
