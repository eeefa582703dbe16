"""Connections to providers of sign-in elsewhere: read them, try one and be told what is wrong, switch them off and on."""
