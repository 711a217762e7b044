"""Releases: which packages are owed, the safe zone's only writer, the files, the certificate, the one door, the verifier.

What belongs here: everything between released cells and a published folder, and the proof that goes with it. What does
not: deciding what may be released (`quorum.disclosure`), breaking it (`quorum.audit`), or pages for people (`quorum.report`).
"""
