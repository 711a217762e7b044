-- People by how many impressions of a campaign they saw. Events without a person, or beyond the bound, have no frequency: they
-- are in the total alone, whose people are those of the cells.
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
        band.frequency
    from contacts as contact
    left join policy__frequency as band
        on band.impression_n = contact.impression_n and contact.person_n is not null
),

cells as (
    select
        placed.*,
        'ALL' as cell
    from placed
    union all
    select
        placed.*,
        placed.frequency as cell
    from placed
    where placed.frequency is not null
)

select
    cell.campaign_id,
    cell.cell as frequency,
    cast(sum(cell.impression_n) as bigint) as impression_n,
    count(cell.person_n) filter (where cell.impression_n > 0) as people_n,
    count(cell.person_n) filter (where cell.impression_n > 0 and cell.is_counted) as people_counted_n,
    cast(sum(cell.click_n) as bigint) as click_n,
    count(cell.person_n) filter (where cell.click_n > 0) as clicker_n,
    count(cell.person_n) filter (where cell.click_n > 0 and cell.is_counted) as clicker_counted_n,
    count(cell.person_n) filter (
        where cell.impression_n > 0 and cell.click_n = 0 and cell.is_counted
    ) as clicker_rest_n,
    cast(sum(cell.conversion_n) as bigint) as conversion_n,
    count(cell.person_n) filter (where cell.conversion_n > 0) as converter_n,
    count(cell.person_n) filter (where cell.conversion_n > 0 and cell.is_counted) as converter_counted_n,
    count(cell.person_n) filter (
        where cell.impression_n > 0 and cell.conversion_n = 0 and cell.is_counted
    ) as converter_rest_n,
    cast(sum(cell.value_micros) as bigint) as value_micros
from cells as cell
group by cell.campaign_id, cell.cell
order by campaign_id, frequency
