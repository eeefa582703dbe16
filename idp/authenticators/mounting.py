"""The pages of every way to prove who one is, and of what comes when one is lost."""

from typing import Final

from idp.authenticators.alerts import views as alerts
from idp.authenticators.codes import views as codes
from idp.authenticators.factors import views as factors
from idp.authenticators.lost_factors import views as lost_factors
from idp.authenticators.password import views as password
from idp.authenticators.push import desk_views, phone_views
from idp.authenticators.recovery import views as recovery
from idp.authenticators.recovery_codes import views as recovery_codes
from idp.authenticators.totp import views as totp
from idp.authenticators.webauthn import views as webauthn

rooms: Final = (
    password, recovery, alerts, factors, totp, codes, recovery_codes, webauthn, desk_views, phone_views, lost_factors,
)  # fmt: skip
