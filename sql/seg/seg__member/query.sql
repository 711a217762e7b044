-- Members as they stand on the night, whether they were seen or not: what segments and survey samples are drawn from.
-- A member who was seen is as that night's people have them, a bot included.
select
    member.member_key as person_key,
    coalesce(band.age_band, 'unknown') as age_band,
    member.gender,
    coalesce(prefecture.region, 'unknown') as region,
    case when prefecture.region is null then 'unknown' else member.prefecture end as prefecture,
    member.occupation,
    person.person_key is not null as is_seen,
    coalesce(person.is_bot, false) as is_bot,
    member.collected_at
from pseudo__member as member
left join policy__age_band as band on member.age_years >= band.first and member.age_years <= band.last
left join policy__prefecture as prefecture on prefecture.prefecture = member.prefecture
left join seg__person_day as person on person.person_key = member.member_key and person.person_kind = 'member'
