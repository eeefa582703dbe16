"""What a server loads: `app` by WSGI, `bridged` by granian's RSGI; `idp serve` takes the latter."""

import idp
from idp.foundation import logs, timekeeping
from idp.settings import load

settings = load(serving=True)
logs.setup(level=settings.log_level)
app = idp.create_app(settings)
timekeeping.begin(app, may_go_back=settings.clock_may_go_back)
timekeeping.watch(app)
bridged = idp.bridged(app, settings)
