-- One invoice for each person with a line tonight. Where nothing is to be paid, nobody's name and account are needed. Of a
-- card the last four digits are shown, and none of a number too short to be one.
with
versions as (
    select
        pseudonym_member(member_id) as person_key,
        name,
        address,
        bank_account,
        regexp_replace(card_number, '[^0-9]', '', 'g') as card_digits
    from vault__member__history
    qualify
        row_number() over (
            partition by member_id order by updated_at desc nulls last, file_n desc nulls last, line_n desc nulls last
        ) = 1
),

invoices as (
    select
        invoice_id,
        person_key,
        count(*) as line_n,
        sum(billed_yen) as total_yen
    from p07__invoice_line
    group by invoice_id, person_key
)

select
    invoices.invoice_id,
    invoices.person_key,
    $night as billed_on,
    invoices.line_n,
    cast(invoices.total_yen as bigint) as total_yen,
    payer.name,
    payer.address,
    payer.bank_account,
    case when length(payer.card_digits) >= 12 then right(payer.card_digits, 4) end as card_last4
from invoices
left join versions as payer on payer.person_key = invoices.person_key and invoices.total_yen > 0
order by invoices.invoice_id
