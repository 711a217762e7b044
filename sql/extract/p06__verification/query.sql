-- A claim and the member's registration, both spelt alike beforehand: what the method asks for must agree. What is
-- missing on either side agrees with nothing.
with
registered as (
    select
        member.member_id,
        member.name,
        member.address,
        member.birth_date,
        member.bank_account,
        right(member.card_number, 4) as card_end
    from vault__member__history as member
    qualify
        row_number() over (
            partition by member.member_id
            order by member.updated_at desc nulls last, member.file_n desc nulls last, member.line_n desc nulls last
        ) = 1
)

select
    pseudonym_event(claim.request_id) as request_key,
    pseudonym_member(claim.member_id) as person_key,
    claim.method,
    case
        when claim.claimed_name is null or claim.claimed_name <> registered.name then 'failed'
        when
            claim.method = 'registered_mail'
            and claim.claimed_address = registered.address
            and claim.mail_result = 'delivered'
            then 'passed'
        when
            claim.method = 'document'
            and claim.claimed_birth_date = registered.birth_date
            and (claim.claimed_address is null or claim.claimed_address = registered.address)
            then 'passed'
        when claim.method = 'bank' and claim.claimed_bank_account = registered.bank_account then 'passed'
        when claim.method = 'card' and claim.claimed_card_last4 = registered.card_end then 'passed'
        else 'failed'
    end as result,
    claim.requested_at as verified_at
from vault__desk_request as request
inner join vault__verification_claim__history as claim on claim.request_id = request.request_id
left join registered on registered.member_id = claim.member_id
