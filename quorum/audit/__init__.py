"""The red team: what an outsider with a recipient's packages could find out, tried before they leave.

What belongs here: reading packages as files, rebuilding every equation between their cells, the attacks, their records.
What does not: protecting anything. The attacker shares nothing with the defender (`quorum.disclosure`) but the parsed
package, so that one's mistake is not the other's; dates, rules, canaries and truth are arguments.
"""
