-- Logins of the one member, by day.
select
    login.member_key as person_key,
    login.login_date,
    count(*) as login_n
from pseudo__desk_subject as subject
inner join pseudo__login__history as login on login.member_key = subject.member_key
group by login.member_key, login.login_date
order by login_date
