"""What a server loads: `app` by WSGI, `bridged` by granian's RSGI; `idp serve` takes the latter."""

import idp
from idp.foundation import logs
from idp.settings import load

settings = load(serving=True)
logs.setup(level=settings.log_level)
app = idp.create_app(settings)
bridged = idp.bridged(app, settings)
