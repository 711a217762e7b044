-- Beacons of the cookies that were the one member's at the instant of the beacon; they are not counted as views.
select
    link.member_key as person_key,
    beacon.event_date,
    beacon.section_id,
    beacon.device,
    count(*) as beacon_n
from pseudo__desk_subject as subject
inner join pseudo__login_link as link on link.member_key = subject.member_key
inner join pseudo__beacon__history as beacon
    on
        beacon.cookie_key = link.cookie_key
        and beacon.event_at >= link.valid_from
        and (link.valid_to is null or beacon.event_at < link.valid_to)
group by link.member_key, beacon.event_date, beacon.section_id, beacon.device
order by event_date, section_id, device
