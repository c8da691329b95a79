"""Between messages and rows of the register, a module a subject; what callers write is checked here, field by field."""
