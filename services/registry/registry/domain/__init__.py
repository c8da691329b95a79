"""The rules of the register 成员库; pure."""
