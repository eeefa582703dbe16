"""The registrar's one blueprint: who has to prove themselves afresh comes back to its list."""

from flask import Blueprint

bp = Blueprint("console_registrar", __name__, url_prefix="/console/registrants")
