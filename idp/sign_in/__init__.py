"""Sign-in: the only room that decides which page comes next.

Steps return here by redirect and know nothing of one another; a code is issued only on this room's verdict, asked
again in the transaction that issues it.
"""
