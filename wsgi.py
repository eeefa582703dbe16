"""What a server loads: `app` by WSGI, `bridged` by granian's RSGI; `idp serve` takes the latter."""

from idp import create_app
from idp.foundation import logs
from idp.foundation.bridge import Bridge
from idp.settings import load

settings = load(serving=True)
logs.setup(level=settings.log_level)
app = create_app(settings)
bridged = Bridge(app, sign_ins=settings.kdf_concurrency + settings.kdf_queue)
