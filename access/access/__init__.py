"""Who may see and do what 权限: the register's facts that every service decides by.

Start with `visibility` (the predicate), then `register` (the facts), `authority` (the decision), `listeners` (how the
facts arrive) and `schema` (where they are kept).
"""
