-- The categories that statistics count the one person in.
select
    member.member_key as person_key,
    member.age_years,
    member.gender,
    member.prefecture,
    member.occupation
from pseudo__desk_subject as subject
inner join pseudo__member as member on member.member_key = subject.member_key
