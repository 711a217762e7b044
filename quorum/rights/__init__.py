"""The rights of people over what is stored about them, and how long anything is stored at all.

What belongs here: erasure and retention. What does not: access and correction (`quorum.extract`), and refusing at the
door whoever was erased (`quorum.intake.erased`).
"""
