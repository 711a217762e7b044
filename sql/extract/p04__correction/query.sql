-- The journal of corrections of the one member; it holds no values.
select
    journal.member_key as person_key,
    journal.corrected_on,
    journal.field
from vault__desk_request as request
inner join vault__correction_journal__history as journal on journal.member_key = pseudonym_member(request.member_id)
order by corrected_on, field
