"""Published packages to where their recipients want them: checked, sent once, and entered in the ledger.

What belongs here: everything that speaks to a network. What does not: making or signing packages
(`quorum.release`), and deciding where they go: that is ``policy/recipients.yaml`` alone.
"""
