"""Serves `bench.bare` by the product's own server."""

from idp.foundation import serve
from idp.settings import load

if __name__ == "__main__":
    serve.serve(load(serving=True), target="bench.bare:bridged")
