-- The version that stands, of the one member whose request it is. Whose a row is, the row itself says.
select
    pseudonym_member(member.member_id) as person_key,
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
    right(member.bank_account, 3) as bank_account_end,
    right(member.card_number, 4) as card_number_end,
    member.updated_at
from vault__desk_request as request
inner join vault__member__history as member on member.member_id = request.member_id
qualify
    row_number() over (
        partition by member.member_id
        order by member.updated_at desc nulls last, member.file_n desc nulls last, member.line_n desc nulls last
    ) = 1
