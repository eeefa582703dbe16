"""Printing PIN letters for the registrants of a portal: what `idp pin-letters issue` does (D2, EN-02).

The order, so that no crash leaves a PIN that is good and that nobody can read:
1. the PINs are made and both files are written whole under names that end in `.part`, for their owner only, and synced;
   nothing in them is good yet;
2. one transaction makes all of them good, ends the letters that they replace and tells the audit, or does nothing;
3. the files get their names.
Killed before 2, the `.part` files hold PINs that are worth nothing; killed after it, they hold good ones, and the next run
in that folder says so. Nothing else ever holds a PIN: the database has digests, the output and the audit have neither.
"""
