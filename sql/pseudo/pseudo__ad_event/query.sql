-- Advertisement events under keyed pseudonyms.
with
events as (
    select
        *,
        truncate_network(ip) as network
    from vault__ad_event
)

select
    event.file_n,
    event.line_n,
    pseudonym_event(event.event_id) as event_key,
    event.event_at,
    event.event_date,
    event.event_hour,
    event.event_type,
    event.campaign_id,
    event.creative_id,
    event.placement,
    pseudonym_cookie(event.cookie_id) as cookie_key,
    pseudonym_browser(event.event_date, event.network, event.user_agent) as browser_key,
    event.network,
    coalesce(agent.device, 'unknown') as device,
    coalesce(agent.is_crawler, false) as is_crawler,
    case when event.event_type = 'conversion' then event.value_micros end as value_micros
from events as event
left join vault__agent as agent on agent.user_agent = event.user_agent
