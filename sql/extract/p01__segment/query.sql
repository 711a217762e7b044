-- The catalogue of segments with their sizes. Of a segment that is too small to be assigned, the size is not told.
with
sizes as (
    select
        segment_id,
        count(*) as people_n
    from p01__segment_assignment
    where valid_to is null
    group by segment_id
)

select
    rule.segment_id,
    rule.rule,
    sizes.people_n,
    sizes.people_n is not null as is_assigned
from p01__segment_rule as rule
left join sizes on sizes.segment_id = rule.segment_id
order by rule.segment_id
