-- Choices of the one member, and those of a cookie made while it was that member's.
with
choices as (
    select
        choice.member_key,
        choice.preference_at,
        choice.choice,
        choice.scope,
        choice.recipient_id
    from pseudo__desk_subject as subject
    inner join pseudo__preference__history as choice on choice.member_key = subject.member_key
    union all
    select
        link.member_key,
        choice.preference_at,
        choice.choice,
        choice.scope,
        choice.recipient_id
    from pseudo__desk_subject as subject
    inner join pseudo__login_link as link on link.member_key = subject.member_key
    inner join pseudo__preference__history as choice
        on
            choice.cookie_key = link.cookie_key
            and choice.preference_at >= link.valid_from
            and (link.valid_to is null or choice.preference_at < link.valid_to)
    where choice.member_key is null
)

select
    member_key as person_key,
    preference_at,
    choice,
    scope,
    recipient_id
from choices
order by preference_at, scope, choice, recipient_id
