-- Page views by person. Without a person they keep section, device and hour; bots are not page views.
select
    person.person_n,
    event.section_id,
    event.device,
    event.hour_band,
    counting.person_n is not null as is_counted
from seg__event as event
left join seg__person_day as person on person.person_key = event.person_key
left join seg__section_person as counting
    on counting.person_n = person.person_n and counting.section_id = event.section_id
where event.is_page_view and not coalesce(person.is_bot, event.is_crawler)
