-- Choices under keyed pseudonyms. Which of them stands on a night is for its reader: it compares instants.
select
    coalesce(pseudonym_member(member_id), pseudonym_cookie(cookie_id)) as person_key,
    pseudonym_member(member_id) as member_key,
    pseudonym_cookie(cookie_id) as cookie_key,
    choice,
    scope,
    recipient_id,
    preference_at,
    preference_date
from vault__preference
