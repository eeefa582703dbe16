"""Letters of one provider: the newest is the only good one, however they came in (EN-02).

Invariant: a PIN is kept as its digest alone; whoever issues or imports a letter voids the older ones in that transaction.
"""
