-- What people viewed, and when last, each thing by itself: tonight's, and what is carried from the night before for as
-- many days as the policy's limit says. Bots view nothing; a daily browser key is nobody tomorrow.
with
views as (
    select
        event.person_key,
        event.person_kind,
        event.section_id,
        cast(null as varchar) as campaign_id,
        event.device,
        event.hour_band,
        date '1970-01-01' + cast((event.minute_n + 540) // 1440 as integer) as last_viewed_on
    from seg__event as event
    inner join seg__person_day as person on person.person_key = event.person_key and not person.is_bot
    where event.person_kind in ('member', 'cookie') and event.is_page_view
    union all
    select
        event.person_key,
        event.person_kind,
        cast(null as varchar) as section_id,
        event.campaign_id,
        cast(null as varchar) as device,
        cast(null as varchar) as hour_band,
        date '1970-01-01' + cast((event.minute_n + 540) // 1440 as integer) as last_viewed_on
    from seg__event as event
    inner join seg__person_day as person on person.person_key = event.person_key and not person.is_bot
    where event.person_kind in ('member', 'cookie') and event.event_type = 'impression'
    union all
    select
        before.person_key,
        before.person_kind,
        before.section_id,
        before.campaign_id,
        before.device,
        before.hour_band,
        before.last_viewed_on
    from seg__person_view__previous as before
    inner join policy__limit as kept on kept.name = 'viewed_days'
    where before.last_viewed_on + cast(kept.value as integer) > $night
)

select
    person_key,
    person_kind,
    section_id,
    campaign_id,
    device,
    hour_band,
    max(last_viewed_on) as last_viewed_on
from views
group by
    grouping sets (
        (person_key, person_kind, section_id),
        (person_key, person_kind, campaign_id),
        (person_key, person_kind, device),
        (person_key, person_kind, hour_band)
    )
having coalesce(section_id, campaign_id, device, hour_band) is not null
