-- People of a campaign by how many of its impressions they saw, and where they stand. Impressions of nobody, or beyond the
-- bound, have no row. Who is named in no attribute is counted by itself: there, and only there, impressions of nobody lie.
with
contacts as (
    select
        campaign_id,
        person_n,
        count(*) as seen_n,
        bool_or(is_counted) as is_counted
    from seg__ad_event
    where event_type = 'impression' and person_n is not null
    group by campaign_id, person_n
),

placed as (
    select
        contact.campaign_id,
        contact.seen_n,
        contact.is_counted,
        coalesce(person.age_band, 'unknown') as age_band,
        coalesce(person.gender, 'unknown') as gender,
        coalesce(person.region, 'unknown') as region,
        coalesce(person.prefecture, 'unknown') as prefecture,
        coalesce(person.occupation, 'unknown') as occupation
    from contacts as contact
    left join seg__person_day as person on person.person_n = contact.person_n
)

select
    placed.campaign_id,
    placed.age_band,
    placed.gender,
    placed.region,
    placed.seen_n,
    count(*) as people_n,
    count(*) filter (where placed.is_counted) as people_counted_n,
    count(*) filter (
        where placed.age_band = 'unknown' and placed.gender = 'unknown' and placed.region = 'unknown'
        and placed.prefecture = 'unknown' and placed.occupation = 'unknown'
    ) as people_unnamed_n
from placed
group by placed.campaign_id, placed.age_band, placed.gender, placed.region, placed.seen_n
order by campaign_id, age_band, gender, region, seen_n
