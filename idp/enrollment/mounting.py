"""The pages of the ceremonies, and of evidence that is brought again."""

from typing import Final

from idp.enrollment import link_views
from idp.enrollment.again import views as again

rooms: Final = (link_views, again)
