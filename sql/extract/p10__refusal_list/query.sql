-- Every refusal that was asked for up to the night, the newest last. Which of them stands is judged row by row: a
-- decision of a person, with evidence, until its review.
select
    pseudonym_member(member_id) as person_key,
    reason_code,
    evidence_ref,
    decided_by,
    review_on,
    arrears_micros
from vault__refusal__history
where requested_on <= $night
order by requested_at, file_n, line_n
