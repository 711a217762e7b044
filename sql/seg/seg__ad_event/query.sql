-- Advertisement events by person. Bots, events without a person, and what exceeds the policy's bound on one person's
-- events of one kind, campaign and night are of no person and unknown in every category: a cell like any other, so that
-- cells sum to the total. Which events exceed it is drawn by their keyed identity: nobody can choose which ones count.
with
busy as (
    select
        event.person_key,
        event.campaign_id,
        event.event_type,
        max(bound.most_n) as most_n
    from seg__event as event
    inner join policy__contribution as bound on bound.event_type = event.event_type
    where event.person_key is not null
    group by event.person_key, event.campaign_id, event.event_type
    having count(*) > max(bound.most_n)
),

drawn as (
    select
        event.event_key,
        busy.most_n,
        row_number() over (
            partition by event.person_key, event.campaign_id, event.event_type order by event.event_key
        ) as place_n
    from seg__event as event
    inner join busy
        on
            busy.person_key = event.person_key
            and busy.campaign_id = event.campaign_id
            and busy.event_type = event.event_type
),

beyond as (
    select event_key
    from drawn
    where place_n > most_n
),

counted as (
    select
        case when beyond.event_key is null then person.person_n end as person_n,
        event.event_type,
        event.campaign_id,
        event.creative_id,
        event.placement,
        event.device,
        event.hour_band,
        event.value_micros,
        person.person_n is not null and beyond.event_key is not null as is_clipped,
        counting.person_n is not null and beyond.event_key is null as is_counted
    from seg__event as event
    left join seg__person_day as person on person.person_key = event.person_key and not person.is_bot
    left join beyond on beyond.event_key = event.event_key
    left join seg__campaign_person as counting
        on counting.person_n = person.person_n and counting.campaign_id = event.campaign_id
    where event.event_type <> 'request'
)

select
    person_n,
    event_type,
    campaign_id,
    case when person_n is null then 'unknown' else creative_id end as creative_id,
    case when person_n is null then 'unknown' else placement end as placement,
    case when person_n is null then 'unknown' else device end as device,
    case when person_n is null then 'unknown' else hour_band end as hour_band,
    value_micros,
    is_clipped,
    is_counted
from counted
