-- Page views of people, bots left out. A cell of fewer people than the portal's own reports may show tells nothing.
with
cells as (
    select
        event.section_id,
        person.age_band,
        person.gender,
        count(*) as view_n,
        count(distinct person.person_n) as viewer_n
    from seg__event as event
    inner join seg__person_day as person on person.person_key = event.person_key and not person.is_bot
    where event.is_page_view
    group by event.section_id, person.age_band, person.gender
)

select
    cells.section_id,
    cells.age_band,
    cells.gender,
    case when cells.viewer_n >= least.least_n then cells.view_n end as view_n,
    case when cells.viewer_n >= least.least_n then cells.viewer_n end as viewer_n
from cells
inner join policy__heads as least on least.rule_set = 'site' and least.family = 'views'
order by cells.section_id, cells.age_band, cells.gender
