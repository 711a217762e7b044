-- Advertisement events of the cookies that were the one member's at the instant of the event.
select
    link.member_key as person_key,
    event.event_date,
    event.campaign_id,
    event.event_type,
    count(*) as event_n
from pseudo__desk_subject as subject
inner join pseudo__login_link as link on link.member_key = subject.member_key
inner join pseudo__ad_event__history as event
    on
        event.cookie_key = link.cookie_key
        and event.event_at >= link.valid_from
        and (link.valid_to is null or event.event_at < link.valid_to)
group by link.member_key, event.event_date, event.campaign_id, event.event_type
order by event_date, campaign_id, event_type
