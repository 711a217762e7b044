-- People who may count: first seen as many days ago, and on as many nights, as the policy says. A person without a cookie
-- is nobody tomorrow, so nobody can have seen them before: they are let off, and so is everybody in the portal's first days.
with
networks as (
    select
        person_key,
        network,
        count(*) as event_n
    from seg__event
    where person_key is not null and network is not null
    group by person_key, network
),

network_of as (
    select
        person_key,
        network
    from networks
    qualify row_number() over (partition by person_key order by event_n desc, network) = 1
)

select
    person.person_n,
    person.person_key,
    network_of.network
from seg__person_day as person
cross join policy__who_counts as rule
cross join seg__first_night as portal
left join seg__person_seen as seen
    on seen.person_key = person.person_key and seen.person_kind = person.person_kind
left join network_of on network_of.person_key = person.person_key
where
    not person.is_bot
    and (
        portal.is_bootstrap
        or person.person_kind = 'browser'
        or (
            seen.first_seen_on + cast(rule.seasoned_days as integer) <= cast($night as date)
            and seen.active_night_n >= rule.active_nights
        )
    )
order by person_n
