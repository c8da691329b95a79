"""Saved searches that notify: rpc → telling → store → mapping; rules are in `matching.domain.saved`."""
