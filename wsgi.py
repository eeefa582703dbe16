"""What a WSGI server loads; `idp serve` does so itself."""

from idp import create_app
from idp.foundation import logs
from idp.settings import load

settings = load(serving=True)
logs.setup(level=settings.log_level)
app = create_app(settings)
