-- The segments of the one member tonight, as advertisements and content are fitted by them.
select
    assignment.person_key,
    assignment.segment_id,
    assignment.valid_from,
    assignment.valid_to
from pseudo__desk_subject as subject
inner join p01__segment_assignment as assignment on assignment.person_key = subject.member_key
order by segment_id
