-- Instants of all versions that are held; a version that landed twice is one.
select distinct
    pseudonym_member(member.member_id) as person_key,
    member.updated_at
from vault__desk_request as request
inner join vault__member__history as member on member.member_id = request.member_id
order by updated_at
