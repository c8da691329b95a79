"""Bookings 预约 of shared equipment (R46): rpc → store → mapping; rules are in `listings.domain.bookings`."""
