"""Releases: the packages a night owes, the safe zone's only writer, files, certificate, the one door, the verifier.

What belongs here: all between released cells and a published folder, and the proof that goes with it. What does not:
deciding what may be released (`quorum.disclosure`), breaking it (`quorum.audit`), pages for people (`quorum.report`).
"""
