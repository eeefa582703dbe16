"""What the roster's changes do to affiliations, in the transaction of the import (MODEL §10): `suspended` is read, its tokens die."""
