-- One row a cell and person, margins included, then people are counted: a person can be in several cells of a margin.
with
contacts as (
    select
        campaign_id,
        person_n,
        case when grouping(device) = 1 then 'ALL' else device end as device,
        case when grouping(hour_band) = 1 then 'ALL' else hour_band end as hour_band,
        count(*) filter (where event_type = 'impression') as impression_n,
        count(*) filter (where event_type = 'click') as click_n,
        count(*) filter (where event_type = 'conversion') as conversion_n,
        sum(value_micros) as value_micros,
        bool_or(is_counted) as is_counted
    from seg__ad_event
    group by
        grouping sets (
            (campaign_id, person_n),
            (campaign_id, person_n, device),
            (campaign_id, person_n, hour_band),
            (campaign_id, person_n, device, hour_band)
        )
)

select
    campaign_id,
    device,
    hour_band,
    cast(sum(contact.impression_n) as bigint) as impression_n,
    count(contact.person_n) filter (where contact.impression_n > 0) as people_n,
    count(contact.person_n) filter (where contact.impression_n > 0 and contact.is_counted) as people_counted_n,
    cast(sum(contact.click_n) as bigint) as click_n,
    count(contact.person_n) filter (where contact.click_n > 0) as clicker_n,
    count(contact.person_n) filter (where contact.click_n > 0 and contact.is_counted) as clicker_counted_n,
    count(contact.person_n) filter (
        where contact.impression_n > 0 and contact.click_n = 0 and contact.is_counted
    ) as clicker_rest_n,
    cast(sum(contact.conversion_n) as bigint) as conversion_n,
    count(contact.person_n) filter (where contact.conversion_n > 0) as converter_n,
    count(contact.person_n) filter (where contact.conversion_n > 0 and contact.is_counted) as converter_counted_n,
    count(contact.person_n) filter (
        where contact.impression_n > 0 and contact.conversion_n = 0 and contact.is_counted
    ) as converter_rest_n,
    cast(sum(contact.value_micros) as bigint) as value_micros
from contacts as contact
group by campaign_id, device, hour_band
order by campaign_id, device, hour_band
