-- The fields that the one instruction names, of the member who gave it; every other field is null.
with
asked as (
    select
        request.request_id,
        request.member_id,
        instruction.form_id,
        instruction.transfer_to,
        bool_or(instruction.field = 'name') as has_name,
        bool_or(instruction.field = 'email') as has_email,
        bool_or(instruction.field = 'address') as has_address,
        bool_or(instruction.field = 'phone') as has_phone,
        bool_or(instruction.field = 'birth_date') as has_birth_date,
        bool_or(instruction.field = 'gender') as has_gender,
        bool_or(instruction.field = 'postal_code') as has_postal_code,
        bool_or(instruction.field = 'occupation') as has_occupation,
        bool_or(instruction.field = 'payment_method') as has_payment_method
    from vault__desk_request as request
    inner join vault__prefill_instruction__history as instruction
        on instruction.request_id = request.request_id and instruction.member_id = request.member_id
    group by request.request_id, request.member_id, instruction.form_id, instruction.transfer_to
),

latest as (
    select member.*
    from vault__member__history as member
    qualify
        row_number() over (
            partition by member.member_id
            order by member.updated_at desc nulls last, member.file_n desc nulls last, member.line_n desc nulls last
        ) = 1
)

select
    pseudonym_event(asked.request_id) as request_key,
    pseudonym_member(member.member_id) as person_key,
    asked.form_id,
    asked.transfer_to,
    case when asked.has_name then member.name end as name,
    case when asked.has_email then member.email end as email,
    case when asked.has_address then member.address end as address,
    case when asked.has_phone then member.phone end as phone,
    case when asked.has_birth_date then member.birth_date end as birth_date,
    case when asked.has_gender then member.gender end as gender,
    case when asked.has_postal_code then member.postal_code end as postal_code,
    case when asked.has_occupation then member.occupation end as occupation,
    case when asked.has_payment_method then member.payment_method end as payment_method
from asked
inner join latest as member on member.member_id = asked.member_id
