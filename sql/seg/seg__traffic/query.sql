-- Requests by kind. A request without a person is a bot's if its agent is on the list of crawlers.
with
requests as (
    select
        coalesce(person.is_bot, event.is_crawler) as is_bot,
        event.is_page_view,
        event.device
    from seg__event as event
    left join seg__person_day as person on person.person_key = event.person_key
    where event.event_type = 'request'
)

select
    is_bot,
    is_page_view,
    device,
    count(*) as request_n
from requests
group by is_bot, is_page_view, device
order by is_bot, is_page_view, device
