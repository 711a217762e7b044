"""The register of disclosures: who may be given data about persons, on which basis, and what was given.

What belongs here: default deny, the entry before the first byte, the file (clauses D-01 to D-06, S-03). What does not:
packages of statistics (`quorum.release`), and what a purpose of the portal's own makes (`quorum.extract`).
"""
