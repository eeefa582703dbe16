"""The grant types of the token endpoint, one file each; `idp.oidc.authlib_adapter` wires them."""
