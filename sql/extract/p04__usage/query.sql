-- Page views of the cookies that were the one member's at the instant of the view.
select
    link.member_key as person_key,
    access.access_date,
    access.section_id,
    coalesce(band.hour_band, 'unknown') as hour_band,
    access.device,
    access.system,
    access.browser,
    count(*) as view_n
from pseudo__desk_subject as subject
inner join pseudo__login_link as link on link.member_key = subject.member_key
inner join pseudo__access__history as access
    on
        access.cookie_key = link.cookie_key
        and access.access_at >= link.valid_from
        and (link.valid_to is null or access.access_at < link.valid_to)
left join policy__hour_band as band on band.hour = access.access_hour
where access.is_page_view
group by
    link.member_key,
    access.access_date,
    access.section_id,
    coalesce(band.hour_band, 'unknown'),
    access.device,
    access.system,
    access.browser
order by access_date, section_id, hour_band, device, system, browser
