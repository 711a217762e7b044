"""Extracts: what each purpose makes about persons; one purpose, one door, one entry in the ledger.

What belongs here: building, checking, serving and writing out the tables ``pNN__*``, and what a purpose decides beyond
its statements (`quorum.extract.p01` and others). What does not: statements (``sql/extract/``), rights and disclosures.
"""
