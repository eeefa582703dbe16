"""People whom a manager adds by name instead of by mail, and their yes at the next sign-in (D6, D7; ruling 10).

Found is only who works in the practice already, or whose exact user name and last name the manager knows. Nobody acts
for anybody without having said yes.
"""
