-- People seen on a night. A bot is on the list of crawlers with any event, or views pages faster or more than the
-- policy's limits (what a page loads of itself does not count); it is judged as a person, so that one shared browser does not make bots of members.
with
minutes as (
    select
        person_key,
        person_kind,
        minute_n,
        count(*) filter (where event_type = 'request') as request_n,
        count(*) filter (where is_page_view) as page_view_n,
        bool_or(is_crawler) as is_crawler
    from seg__event
    where person_key is not null
    group by person_key, person_kind, minute_n
),

people as (
    select
        person_key,
        person_kind,
        cast(sum(request_n) as bigint) as request_n,
        cast(sum(page_view_n) as bigint) as page_view_n,
        max(page_view_n) as busiest_minute_n,
        bool_or(is_crawler) as is_crawler
    from minutes
    group by person_key, person_kind
),

limits as (
    select
        max(value) filter (where name = 'bot_page_views_per_minute') as per_minute_n,
        max(value) filter (where name = 'bot_page_views_per_night') as per_night_n
    from policy__limit
)

select
    row_number() over (order by person.person_key) as person_n,
    person.person_key,
    person.person_kind,
    coalesce(band.age_band, 'unknown') as age_band,
    coalesce(member.gender, 'unknown') as gender,
    coalesce(prefecture.region, 'unknown') as region,
    case when prefecture.region is null then 'unknown' else member.prefecture end as prefecture,
    coalesce(member.occupation, 'unknown') as occupation,
    person.request_n,
    person.is_crawler
    or person.busiest_minute_n > limits.per_minute_n
    or person.page_view_n > limits.per_night_n as is_bot,
    member.collected_at
from people as person
cross join limits
left join pseudo__member as member on person.person_kind = 'member' and member.member_key = person.person_key
left join policy__age_band as band on member.age_years >= band.first and member.age_years <= band.last
left join policy__prefecture as prefecture on prefecture.prefecture = member.prefecture
order by person_n
