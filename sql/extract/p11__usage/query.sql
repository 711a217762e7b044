-- Page views of that service only, of the cookies that were the one member's at the instant of the view.
select
    link.member_key as person_key,
    access.access_date,
    subject.service,
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
        and access.section_id = subject.service
where access.is_page_view
group by link.member_key, access.access_date, subject.service, access.device, access.system, access.browser
order by access_date, device, system, browser
