-- One row a campaign and person, then cells of three attributes with all their margins: a person has one value of each
-- attribute, so that the people of a margin are those of its cells.
with
contacts as (
    select
        campaign_id,
        person_n,
        count(*) filter (where event_type = 'impression') as impression_n,
        count(*) filter (where event_type = 'click') as click_n,
        count(*) filter (where event_type = 'conversion') as conversion_n,
        sum(value_micros) as value_micros,
        bool_or(is_counted) as is_counted
    from seg__ad_event
    group by campaign_id, person_n
),

placed as (
    select
        contact.*,
        coalesce(person.age_band, 'unknown') as age_band,
        coalesce(person.gender, 'unknown') as gender,
        coalesce(person.region, 'unknown') as region
    from contacts as contact
    left join seg__person_day as person on person.person_n = contact.person_n
)

select
    placed.campaign_id,
    case when grouping(placed.age_band) = 1 then 'ALL' else placed.age_band end as age_band,
    case when grouping(placed.gender) = 1 then 'ALL' else placed.gender end as gender,
    case when grouping(placed.region) = 1 then 'ALL' else placed.region end as region,
    cast(sum(placed.impression_n) as bigint) as impression_n,
    count(placed.person_n) filter (where placed.impression_n > 0) as people_n,
    count(placed.person_n) filter (where placed.impression_n > 0 and placed.is_counted) as people_counted_n,
    cast(sum(placed.click_n) as bigint) as click_n,
    count(placed.person_n) filter (where placed.click_n > 0) as clicker_n,
    count(placed.person_n) filter (where placed.click_n > 0 and placed.is_counted) as clicker_counted_n,
    count(placed.person_n) filter (
        where placed.impression_n > 0 and placed.click_n = 0 and placed.is_counted
    ) as clicker_rest_n,
    cast(sum(placed.conversion_n) as bigint) as conversion_n,
    count(placed.person_n) filter (where placed.conversion_n > 0) as converter_n,
    count(placed.person_n) filter (where placed.conversion_n > 0 and placed.is_counted) as converter_counted_n,
    count(placed.person_n) filter (
        where placed.impression_n > 0 and placed.conversion_n = 0 and placed.is_counted
    ) as converter_rest_n,
    cast(sum(placed.value_micros) as bigint) as value_micros
from placed
group by
    grouping sets (
        (placed.campaign_id),
        (placed.campaign_id, placed.age_band),
        (placed.campaign_id, placed.gender),
        (placed.campaign_id, placed.region),
        (placed.campaign_id, placed.age_band, placed.gender),
        (placed.campaign_id, placed.age_band, placed.region),
        (placed.campaign_id, placed.gender, placed.region),
        (placed.campaign_id, placed.age_band, placed.gender, placed.region)
    )
order by campaign_id, age_band, gender, region
