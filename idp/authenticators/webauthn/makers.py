"""The makers of security keys whom the operator trusts: certificates that an attestation must lead to (MODEL §8)."""

import re
from dataclasses import dataclass
from typing import Final, Self

from idp.settings import Settings

_CERTIFICATE: Final = re.compile(rb"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?")


@dataclass(frozen=True, slots=True)
class Makers:
    """One piece of the house, read when the application starts."""

    roots: tuple[bytes, ...] = ()
    """PEM, one certificate each; none: every key is a passkey as any other."""

    @classmethod
    def by(cls, settings: Settings) -> Self:
        """`ValueError` for a file without a certificate: an operator who names one means some."""
        if settings.attestation_ca_file is None:
            return cls()
        roots = tuple(_CERTIFICATE.findall(settings.attestation_ca_file.read_bytes()))
        if not roots:
            raise ValueError(f"{settings.attestation_ca_file} holds no certificate")
        return cls(roots)
