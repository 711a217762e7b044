-- The least that any answer costs: each landed line of a night parsed once, exactly, and events and people counted,
-- exactly, by campaign (the site's own requests without one) and segment, age band by gender. No pseudonym, no check of
-- a field, no rejected line kept, no bot left out, nothing written. A person is the member whose login on the cookie is
-- the latest before the event, else the cookie, else the address with the agent.
with
access_line as (
    select line
    from read_csv(
        getvariable('access'),
        columns = {'line': 'VARCHAR'},
        delim = '\x01', quote = '', escape = '', header = false, auto_detect = false, max_line_size = 4194304
    )
),

ncsa as (
    select
        regexp_extract(
            line,
            '^(\S+) (\S+) (\S+) \[([^\]]+)\] "([^"]*)" (\d{3}) (\d+|-)(?: "([^"]*)" "([^"]*)")?'
            || '(?: "([^"]*)")?(?: "([^"]*)")?$',
            ['ip', 'ident', 'login', 'at', 'request', 'status', 'size', 'referrer', 'agent', 'cookie', 'forwarded']
        ) as field
    from access_line
    where line[1] <> '{'
),

object as (
    select
        from_json(
            line,
            '{"ip": "VARCHAR", "time": "VARCHAR", "request": "VARCHAR", "status": "INTEGER", "bytes": "BIGINT",
              "referrer": "VARCHAR", "user_agent": "VARCHAR", "cookie": "VARCHAR"}'
        ) as field
    from access_line
    where line[1] = '{'
),

request as (
    select
        try_strptime(field.at, '%d/%b/%Y:%H:%M:%S %z') as seen_at,
        coalesce(nullif(split_part(field.forwarded, ',', 1), ''), field.ip) as ip,
        field.agent as agent,
        nullif(regexp_extract(field.cookie, 'quid=([^;]*)', 1), '') as cookie
    from ncsa
    union all
    select
        try_cast(field.time as timestamptz) as seen_at,
        field.ip,
        field.user_agent as agent,
        nullif(regexp_extract(field.cookie, 'quid=([^;]*)', 1), '') as cookie
    from object
),

ad as (
    select ts as seen_at, type, campaign_id, cookie_id as cookie, cast(null as varchar) as ip, user_agent as agent
    from read_parquet(getvariable('ads_parquet'))
    union all
    select cast(ts as timestamptz) as seen_at, type, campaign_id, cookie_id as cookie, ip, user_agent as agent
    from read_json(
        getvariable('ads_json'),
        format = 'newline_delimited',
        columns = {
            'event_id': 'VARCHAR', 'ts': 'VARCHAR', 'type': 'VARCHAR', 'campaign_id': 'VARCHAR',
            'creative_id': 'VARCHAR', 'placement': 'VARCHAR', 'cookie_id': 'VARCHAR', 'value_micros': 'BIGINT',
            'ip': 'VARCHAR', 'user_agent': 'VARCHAR'
        }
    )
),

beacon as (
    select cast(ts as timestamptz) as seen_at, cookie_id as cookie, ip, user_agent as agent
    from read_json(
        getvariable('beacon'),
        format = 'newline_delimited',
        columns = {
            'event_id': 'VARCHAR', 'ts': 'VARCHAR', 'ip': 'VARCHAR', 'user_agent': 'VARCHAR', 'cookie_id': 'VARCHAR',
            'page_url': 'VARCHAR'
        }
    )
),

event as (
    select 'ads' as source, type, campaign_id, seen_at, cookie, ip, agent from ad
    union all
    select 'access' as source, 'request' as type, null as campaign_id, seen_at, cookie, ip, agent from request
    union all
    select 'beacon' as source, 'beacon' as type, null as campaign_id, seen_at, cookie, ip, agent from beacon
),

login as (
    select cookie_id as cookie, member_id, cast(ts as timestamptz) as seen_at
    from read_json(
        getvariable('logins'),
        format = 'newline_delimited',
        columns = {'event_id': 'VARCHAR', 'ts': 'VARCHAR', 'cookie_id': 'VARCHAR', 'member_id': 'VARCHAR'}
    )
),

member as (
    select member_id, birth_date, gender
    from read_json(
        getvariable('members_json'),
        format = 'newline_delimited',
        columns = {'member_id': 'VARCHAR', 'birth_date': 'VARCHAR', 'gender': 'VARCHAR'}
    )
    union all
    select member_id, birth_date, gender
    from read_csv(getvariable('members_csv'), all_varchar = true, header = true)
),

segment as (
    select
        member_id,
        case
            when age < 20 then 'u20'
            when age < 70 then age // 10 || '0s'
            when age < 130 then '70+'
            else 'unknown'
        end as age_band,
        case
            when gender in ('female', 'f', '女', '女性') then 'female'
            when gender in ('male', 'm', '男', '男性') then 'male'
            else 'unknown'
        end as gender
    from (
        select
            member_id,
            lower(trim(gender)) as gender,
            date_diff('year', try_cast(birth_date as date), $night)
            - cast(strftime($night, '%m%d') < strftime(try_cast(birth_date as date), '%m%d') as integer) as age
        from member
    )
),

person as (
    select
        event.source,
        event.type,
        event.campaign_id,
        cast(timezone('Asia/Tokyo', event.seen_at) as date) <= $night as is_due,
        login.member_id,
        coalesce(login.member_id, event.cookie, event.ip || '|' || event.agent) as person
    from event
    asof left join login on login.cookie = event.cookie and login.seen_at <= event.seen_at
)

select
    person.source,
    person.type,
    person.campaign_id,
    coalesce(segment.age_band, 'unknown') as age_band,
    coalesce(segment.gender, 'unknown') as gender,
    person.is_due,
    count(*) as event_n,
    count(distinct person.person) as people_n
from person
left join segment on segment.member_id = person.member_id
group by all
order by all
