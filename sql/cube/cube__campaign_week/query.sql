-- On the last night of a week, its people by cell of the tables of the campaign report, each counted once; on other
-- nights no row. A person can be in two categories within a week, so cells and margins are counted one by one.
with
contacts as (
    select
        campaign_id,
        person_key,
        case when grouping(creative_id) = 1 then 'ALL' else creative_id end as creative_id,
        case when grouping(placement) = 1 then 'ALL' else placement end as placement,
        case when grouping(age_band) = 1 then 'ALL' else age_band end as age_band,
        case when grouping(gender) = 1 then 'ALL' else gender end as gender,
        case when grouping(region) = 1 then 'ALL' else region end as region,
        case when grouping(prefecture) = 1 then 'ALL' else prefecture end as prefecture,
        case when grouping(occupation) = 1 then 'ALL' else occupation end as occupation,
        case when grouping(device) = 1 then 'ALL' else device end as device,
        case when grouping(hour_band) = 1 then 'ALL' else hour_band end as hour_band,
        bool_or(has_impression) as has_impression,
        bool_or(has_click) as has_click,
        bool_or(has_conversion) as has_conversion,
        bool_or(is_counted) as is_counted
    from seg__ad_contact__history
    where
        date_diff('day', date '1970-01-04', cast($night as date)) % 7 = 0
        and seen_on + 6 >= cast($night as date)
    group by
        grouping sets (
            (campaign_id, person_key),
            (campaign_id, person_key, creative_id),
            (campaign_id, person_key, placement),
            (campaign_id, person_key, creative_id, placement),
            (campaign_id, person_key, age_band),
            (campaign_id, person_key, gender),
            (campaign_id, person_key, age_band, gender),
            (campaign_id, person_key, region),
            (campaign_id, person_key, region, prefecture),
            (campaign_id, person_key, occupation),
            (campaign_id, person_key, device),
            (campaign_id, person_key, hour_band),
            (campaign_id, person_key, device, hour_band)
        )
)

select
    campaign_id,
    creative_id,
    placement,
    age_band,
    gender,
    region,
    prefecture,
    occupation,
    device,
    hour_band,
    count(contact.person_key) filter (where contact.has_impression) as people_n,
    count(contact.person_key) filter (where contact.has_impression and contact.is_counted) as people_counted_n,
    count(contact.person_key) filter (where contact.has_click) as clicker_n,
    count(contact.person_key) filter (where contact.has_click and contact.is_counted) as clicker_counted_n,
    count(contact.person_key) filter (
        where contact.has_impression and not contact.has_click and contact.is_counted
    ) as clicker_rest_n,
    count(contact.person_key) filter (where contact.has_conversion) as converter_n,
    count(contact.person_key) filter (where contact.has_conversion and contact.is_counted) as converter_counted_n,
    count(contact.person_key) filter (
        where contact.has_impression and not contact.has_conversion and contact.is_counted
    ) as converter_rest_n
from contacts as contact
group by all
order by
    campaign_id, creative_id, placement, age_band, gender, region, prefecture, occupation, device, hour_band
