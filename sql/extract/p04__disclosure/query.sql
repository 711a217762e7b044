-- The register's records of the one member, but those that the officer decided not to show.
select
    record.member_key as person_key,
    record.disclosed_on,
    record.recipient_id,
    record.recipient_name,
    record.basis,
    record.items,
    record.source
from vault__desk_request as request
inner join vault__disclosure__history as record on record.member_key = pseudonym_member(request.member_id)
where record.is_told
order by disclosed_on, recipient_id, basis, items
