-- Logins under keyed pseudonyms.
select
    pseudonym_cookie(cookie_id) as cookie_key,
    pseudonym_member(member_id) as member_key,
    login_at,
    login_date
from vault__login
