"""What a WSGI server loads; `idp serve` does so itself."""

from idp import create_app
from idp.settings import load

app = create_app(load(serving=True))
