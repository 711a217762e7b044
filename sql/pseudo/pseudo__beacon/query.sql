-- Beacons of the portal's own pages under keyed pseudonyms. Sections are looked up once for each distinct path.
with
paths as (
    select distinct path
    from vault__beacon
),

lengths as (
    select distinct length(path_prefix) as prefix_length
    from pseudo__section
),

path_sections as (
    select
        paths.path,
        section.section_id
    from paths
    cross join lengths
    inner join pseudo__section as section
        on
            length(section.path_prefix) = lengths.prefix_length
            and section.path_prefix = left(paths.path, lengths.prefix_length)
    qualify row_number() over (partition by paths.path order by lengths.prefix_length desc, section.section_id) = 1
),

beacons as (
    select
        *,
        truncate_network(ip) as network
    from vault__beacon
)

select
    beacon.file_n,
    beacon.line_n,
    pseudonym_event(beacon.event_id) as event_key,
    beacon.event_at,
    beacon.event_date,
    beacon.event_hour,
    pseudonym_cookie(beacon.cookie_id) as cookie_key,
    pseudonym_browser(beacon.event_date, beacon.network, beacon.user_agent) as browser_key,
    beacon.network,
    coalesce(path_section.section_id, 'other') as section_id,
    coalesce(agent.device, 'unknown') as device,
    coalesce(agent.system, 'unknown') as system,
    coalesce(agent.browser, 'unknown') as browser,
    coalesce(agent.is_crawler, false) as is_crawler
from beacons as beacon
left join path_sections as path_section on path_section.path = beacon.path
left join vault__agent as agent on agent.user_agent = beacon.user_agent
