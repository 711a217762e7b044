-- Page views by person. Without a person they keep section, device and hour; bots are not page views.
select
    person.person_n,
    event.section_id,
    event.device,
    event.hour_band
from seg__event as event
left join seg__person_day as person on person.person_key = event.person_key
where event.is_page_view and not coalesce(person.is_bot, event.is_crawler)
