-- Who is out of which purpose: whoever refuses a scope, out of what it stops; of a scope that nobody knows, out of all
-- that any scope stops. A refusal about one recipient stops the purpose too: its output is not made by recipient.
with
refusals as (
    select
        person_key,
        scope
    from pseudo__standing_choice
    where choice in ('opt_out', 'withdraw')
),

stops as (
    select
        refusals.person_key,
        stop.purpose
    from refusals
    inner join policy__scope_stop as stop on stop.scope = refusals.scope
    union all
    select
        refusals.person_key,
        stop.purpose
    from refusals
    left join policy__scope as scope on scope.scope = refusals.scope
    cross join policy__scope_stop as stop
    where scope.scope is null
)

select
    person_key,
    purpose
from stops
group by person_key, purpose
order by person_key, purpose
