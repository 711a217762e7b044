-- One row a section and person, then cells with their margins: a person has one value of each attribute, so that
-- the people of a margin are those of its cells.
with
visits as (
    select
        section_id,
        person_n,
        count(*) as view_n,
        bool_or(is_counted) as is_counted
    from seg__page_view
    group by section_id, person_n
),

placed as (
    select
        visit.*,
        coalesce(person.age_band, 'unknown') as age_band,
        coalesce(person.gender, 'unknown') as gender
    from visits as visit
    left join seg__person_day as person on person.person_n = visit.person_n
)

select
    placed.section_id,
    case when grouping(placed.age_band) = 1 then 'ALL' else placed.age_band end as age_band,
    case when grouping(placed.gender) = 1 then 'ALL' else placed.gender end as gender,
    cast(sum(placed.view_n) as bigint) as view_n,
    count(placed.person_n) as viewer_n,
    count(placed.person_n) filter (where placed.is_counted) as viewer_counted_n
from placed
group by
    grouping sets (
        (placed.section_id),
        (placed.section_id, placed.age_band),
        (placed.section_id, placed.gender),
        (placed.section_id, placed.age_band, placed.gender)
    )
order by section_id, age_band, gender
