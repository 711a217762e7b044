-- Who counts for a section, in all of its cells or in none, so that people who count add up wherever people do. Of one
-- network as many as the policy says: which ones is drawn by a hash of keyed pseudonyms, so that nobody can choose.
with
pairs as (
    select distinct
        person.person_n,
        person.person_key,
        person.network,
        event.section_id
    from seg__event as event
    inner join seg__seasoned as person on person.person_key = event.person_key
    where event.is_page_view and event.section_id is not null
),

crowded as (
    select
        pair.section_id,
        pair.network,
        max(rule.network_people) as most_n
    from pairs as pair
    cross join policy__who_counts as rule
    where pair.network is not null
    group by pair.section_id, pair.network
    having count(*) > max(rule.network_people)
),

drawn as (
    select
        pair.person_n,
        pair.section_id,
        crowded.most_n,
        row_number() over (
            partition by pair.section_id, pair.network
            order by sha256(pair.section_id || '|' || pair.person_key), pair.person_key
        ) as place_n
    from pairs as pair
    inner join crowded on crowded.section_id = pair.section_id and crowded.network = pair.network
),

beyond as (
    select
        person_n,
        section_id
    from drawn
    where place_n > most_n
)

select
    pair.person_n,
    pair.section_id
from pairs as pair
left join beyond on beyond.person_n = pair.person_n and beyond.section_id = pair.section_id
where beyond.person_n is null
