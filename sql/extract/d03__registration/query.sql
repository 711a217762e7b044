-- The last version of each person in scope.
select
    scope.person_n,
    member.name,
    member.email,
    member.birth_date,
    member.gender,
    member.postal_code,
    member.address,
    member.phone,
    member.occupation,
    member.industry,
    member.interests,
    member.nickname,
    member.payment_method,
    member.bank_account,
    member.card_number
from vault__member__history as member
inner join vault__disclosure_scope as scope on scope.member_key = pseudonym_member(member.member_id)
qualify
    row_number() over (
        partition by member.member_id
        order by member.updated_at desc nulls last, member.file_n desc nulls last, member.line_n desc nulls last
    ) = 1
order by person_n
