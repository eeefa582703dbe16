"""Relying parties of Credence: separate programs, which import nothing of `idp`.

`manifests/` and `connections/` are data for the provider; `demo/` is invented data; `relying_party/` is what any
relying party needs; `portal/` and `partner/` are two that use it.
"""
