-- One row a cell and person, margins included, then people are counted: a person can be in several cells of a margin.
with
visits as (
    select
        section_id,
        person_n,
        case when grouping(hour_band) = 1 then 'ALL' else hour_band end as hour_band,
        count(*) as view_n,
        bool_or(is_counted) as is_counted
    from seg__page_view
    group by
        grouping sets (
            (section_id, person_n),
            (section_id, person_n, hour_band)
        )
)

select
    section_id,
    hour_band,
    cast(sum(visit.view_n) as bigint) as view_n,
    count(visit.person_n) as viewer_n,
    count(visit.person_n) filter (where visit.is_counted) as viewer_counted_n
from visits as visit
group by section_id, hour_band
order by section_id, hour_band
