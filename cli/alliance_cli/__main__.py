"""`python -m alliance_cli`."""

from alliance_cli.main import app

app()
