"""Reviews of matches by a person (PIPL art. 24): rpc → store → mapping; rules are in `matching.domain.reviews`."""
