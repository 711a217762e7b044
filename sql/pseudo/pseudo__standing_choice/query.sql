-- The choice that stands at the end of the night. A refusal (opt_out, withdraw) counts for those it is linked with too:
-- made with a cookie, for every member of that cookie; made by a member, for the cookies that are the member's that
-- night. A consent or an opt_in counts for exactly who gave it. Of choices at one instant the refusal stands.
with
choices as (
    select
        person_key,
        member_key,
        cookie_key,
        choice,
        scope,
        recipient_id,
        preference_at as chosen_at,
        case when choice in ('opt_out', 'withdraw') then 1 else 0 end as is_refusal
    from pseudo__preference__history
    where preference_date <= $night
),

-- A night in Tokyo ends at 15:00 in UTC; text compares as the hour does.
cookie_members as (
    select
        cookie_key,
        member_key,
        max(
            case when coalesce(strftime(valid_to, '%Y%m%d%H'), '9') >= strftime($night, '%Y%m%d') || '15' then 1 else 0 end
        ) as is_current
    from pseudo__login_link
    where strftime(valid_from, '%Y%m%d%H') < strftime($night, '%Y%m%d') || '15'
    group by cookie_key, member_key
),

counting as (
    select
        person_key,
        choice,
        scope,
        recipient_id,
        chosen_at,
        is_refusal
    from choices
    union all
    select
        link.member_key as person_key,
        choices.choice,
        choices.scope,
        choices.recipient_id,
        choices.chosen_at,
        choices.is_refusal
    from choices
    inner join cookie_members as link on link.cookie_key = choices.cookie_key
    where choices.is_refusal = 1
    union all
    select
        link.cookie_key as person_key,
        choices.choice,
        choices.scope,
        choices.recipient_id,
        choices.chosen_at,
        choices.is_refusal
    from choices
    inner join cookie_members as link on link.member_key = choices.member_key
    where choices.is_refusal = 1 and link.is_current = 1
),

latest as (
    select
        person_key,
        choice,
        scope,
        recipient_id,
        chosen_at,
        is_refusal
    from counting
    qualify
        row_number() over (
            partition by person_key, scope, recipient_id order by chosen_at desc, is_refusal desc, choice desc
        ) = 1
),

purposes as (
    select count(distinct purpose) as purpose_n
    from policy__scope_stop
),

scope_reach as (
    select
        scope.scope,
        count(stop.purpose) as purpose_n
    from policy__scope as scope
    left join policy__scope_stop as stop on stop.scope = scope.scope
    group by scope.scope
),

-- A refusal of a scope that stops whatever can be stopped, or of one that nobody knows, is about every scope.
refusals as (
    select
        counting.person_key,
        counting.choice,
        counting.scope,
        counting.recipient_id,
        counting.chosen_at,
        case when coalesce(reach.purpose_n, purposes.purpose_n) = purposes.purpose_n then 1 else 0 end as is_of_all
    from counting
    cross join purposes
    left join scope_reach as reach on reach.scope = counting.scope
    where counting.is_refusal = 1
)

select
    latest.person_key,
    latest.scope,
    latest.recipient_id,
    coalesce(refusal.choice, latest.choice) as choice,
    coalesce(refusal.chosen_at, latest.chosen_at) as chosen_at
from latest
left join refusals as refusal
    on
        latest.is_refusal = 0
        and refusal.person_key = latest.person_key
        and refusal.chosen_at >= latest.chosen_at
        and (refusal.scope = latest.scope or refusal.is_of_all = 1)
        and (refusal.recipient_id is null or refusal.recipient_id = latest.recipient_id)
qualify
    row_number() over (
        partition by latest.person_key, latest.scope, latest.recipient_id
        order by refusal.chosen_at desc nulls last, refusal.choice desc
    ) = 1
order by person_key, scope, recipient_id
