-- Since when and on how many nights a member or a cookie was seen: tonight's people, and what is carried from the night
-- before for as many days as the policy's limit says. A night as a bot is none; a daily browser key is nobody tomorrow.
with
nights as (
    select
        person_key,
        person_kind,
        cast($night as date) as first_seen_on,
        cast($night as date) as last_seen_on,
        cast(1 as bigint) as active_night_n
    from seg__person_day
    where person_kind in ('member', 'cookie') and not is_bot
    union all
    select
        before.person_key,
        before.person_kind,
        before.first_seen_on,
        before.last_seen_on,
        before.active_night_n
    from seg__person_seen__previous as before
    inner join policy__limit as kept on kept.name = 'seen_days'
    where before.last_seen_on + cast(kept.value as integer) > $night
)

select
    person_key,
    person_kind,
    min(first_seen_on) as first_seen_on,
    max(last_seen_on) as last_seen_on,
    cast(sum(active_night_n) as bigint) as active_night_n
from nights
group by person_key, person_kind
order by person_key
