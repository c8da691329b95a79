"""Which demand and which supply belong together, why, and what may become of a match 匹配规则.

Start with `facts` (what is known of a listing) and `text` (its words), then `pairs` (the rules as data), `score` (the
verdict on one pair), `plan` (which proposals follow from a change) and `life` (the steps of a match).
"""
