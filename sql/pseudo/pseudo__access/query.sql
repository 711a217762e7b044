-- Requests under keyed pseudonyms. Sections are looked up once for each distinct path.
with
paths as (
    select distinct path
    from vault__access
    where path is not null
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

requests as (
    select
        *,
        truncate_network(ip) as network
    from vault__access
)

select
    request.file_n,
    request.line_n,
    request.access_at,
    request.access_date,
    request.access_hour,
    pseudonym_cookie(request.cookie_id) as cookie_key,
    pseudonym_browser(request.access_date, request.network, request.user_agent) as browser_key,
    request.network,
    coalesce(path_section.section_id, 'other') as section_id,
    coalesce(
        request.method = 'GET'
        and (request.status between 200 and 299 or request.status = 304)
        and not regexp_matches(
            lower(request.path),
            '[.](css|js|mjs|map|png|jpe?g|gif|svg|ico|webp|avif|bmp|woff2?|ttf|otf|eot|mp[34]|m4[av]|webm|og[gv]|wav)$'
        )
        and not regexp_matches(lower(request.path), '(^|/)(robots[.]txt|sitemap[^/]*[.]xml([.]gz)?)$'),
        false
    ) as is_page_view,
    coalesce(agent.device, 'unknown') as device,
    coalesce(agent.system, 'unknown') as system,
    coalesce(agent.browser, 'unknown') as browser,
    coalesce(agent.is_crawler, false) as is_crawler
from requests as request
left join path_sections as path_section on path_section.path = request.path
left join vault__agent as agent on agent.user_agent = request.user_agent
