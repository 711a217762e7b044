-- Every event of a night with its person. A cookie is a member only from the login onward (never back-dated).
with
cookie_devices as (
    select
        cookie_key,
        device,
        count(*) as request_n
    from pseudo__access
    where cookie_key is not null and device <> 'unknown'
    group by cookie_key, device
),

cookie_device as (
    select
        cookie_key,
        device
    from cookie_devices
    qualify row_number() over (partition by cookie_key order by request_n desc, device) = 1
),

events as (
    select
        'request' as event_type,
        access_at as event_at,
        access_hour as event_hour,
        cookie_key,
        browser_key,
        network,
        is_crawler,
        device,
        is_page_view,
        section_id,
        cast(null as varchar) as campaign_id,
        cast(null as varchar) as creative_id,
        cast(null as varchar) as placement,
        cast(0 as bigint) as value_micros,
        cast(null as varchar) as event_key
    from pseudo__access
    union all
    select
        event.event_type,
        event.event_at,
        event.event_hour,
        event.cookie_key,
        event.browser_key,
        event.network,
        event.is_crawler,
        case
            when event.device = 'unknown' then coalesce(cookie_device.device, 'unknown') else event.device
        end as device,
        false as is_page_view,
        cast(null as varchar) as section_id,
        event.campaign_id,
        -- ALL marks a margin: a creative or a placement that calls itself so is an undeclared one
        case
            when event.creative_id = 'ALL' then 'unknown' else coalesce(event.creative_id, 'unknown')
        end as creative_id,
        case when event.placement = 'ALL' then 'other' else coalesce(event.placement, 'unknown') end as placement,
        case when event.event_type = 'conversion' then coalesce(event.value_micros, 0) else 0 end as value_micros,
        event.event_key
    from pseudo__ad_event as event
    left join cookie_device on cookie_device.cookie_key = event.cookie_key
)

select
    event.event_type,
    cast(floor(epoch(event.event_at)) as bigint) // 60 as minute_n,
    coalesce(link.member_key, event.cookie_key, event.browser_key) as person_key,
    case
        when link.member_key is not null then 'member'
        when event.cookie_key is not null then 'cookie'
        when event.browser_key is not null then 'browser'
    end as person_kind,
    event.is_crawler,
    event.device,
    coalesce(band.hour_band, 'unknown') as hour_band,
    event.is_page_view,
    event.section_id,
    event.campaign_id,
    event.creative_id,
    event.placement,
    event.value_micros,
    event.event_key,
    event.network
from events as event
left join pseudo__login_link as link
    on
        link.cookie_key = event.cookie_key
        and event.event_at >= link.valid_from
        and (link.valid_to is null or event.event_at < link.valid_to)
left join policy__hour_band as band on band.hour = event.event_hour
