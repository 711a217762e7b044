"""Pages for people: what an advertiser opens in the morning, in Japanese and English.

What belongs here: words, layout, ratios of released counts. What does not: any number that is not in the safe tables.
"""
