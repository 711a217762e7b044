-- Spans of one cookie as one member: the last state and tonight's logins, put in order again. The first and the last
-- login of each span are kept, so that a login that lands late takes only the time up to the next known login.
-- Where a span ends and none begins, its successor was erased: from then on the cookie is nobody's that is known.
with
logins as (
    select
        cookie_key,
        member_key,
        valid_from as login_at
    from pseudo__login_link__previous
    union all
    select
        cookie_key,
        member_key,
        last_login_at as login_at
    from pseudo__login_link__previous
    union all
    select
        cookie_key,
        member_key,
        login_at
    from pseudo__login
    union all
    select
        ended.cookie_key,
        cast(null as varchar) as member_key,
        ended.valid_to as login_at
    from pseudo__login_link__previous as ended
    left join pseudo__login_link__previous as begun
        on begun.cookie_key = ended.cookie_key and begun.valid_from = ended.valid_to
    where ended.valid_to is not null and begun.cookie_key is null
),

-- Two members at the same instant: a choice that depends on nothing else.
instants as (
    select
        cookie_key,
        login_at,
        max(member_key) as member_key
    from logins
    group by cookie_key, login_at
),

changes as (
    select
        cookie_key,
        login_at,
        member_key,
        case
            when lag(member_key) over (partition by cookie_key order by login_at) = member_key then 0 else 1
        end as is_change
    from instants
),

numbered as (
    select
        cookie_key,
        login_at,
        member_key,
        sum(is_change) over (
            partition by cookie_key order by login_at rows between unbounded preceding and current row
        ) as span_n
    from changes
),

spans as (
    select
        cookie_key,
        member_key,
        span_n,
        min(login_at) as valid_from,
        max(login_at) as last_login_at
    from numbered
    group by cookie_key, member_key, span_n
)

select
    cookie_key,
    member_key,
    valid_from,
    lead(valid_from) over (partition by cookie_key order by valid_from) as valid_to,
    last_login_at
from spans
qualify member_key is not null
order by cookie_key, valid_from
