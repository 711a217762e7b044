-- Advertisement events by person. Bots and events without a person are unknown in every category: a cell like any
-- other, so that cells sum to the total.
select
    person.person_n,
    event.event_type,
    event.campaign_id,
    case when person.person_n is null then 'unknown' else event.creative_id end as creative_id,
    case when person.person_n is null then 'unknown' else event.placement end as placement,
    case when person.person_n is null then 'unknown' else event.device end as device,
    case when person.person_n is null then 'unknown' else event.hour_band end as hour_band,
    event.value_micros
from seg__event as event
left join seg__person_day as person on person.person_key = event.person_key and not person.is_bot
where event.event_type <> 'request'
