-- One line for each receipt that is billed tonight. Whole yen by largest remainder, partner by partner: each line is
-- rounded down, then the lines with the largest remainders get one yen more, until they sum to what the partner is owed.
with
lines as (
    select
        person_key,
        partner_id,
        receipt_id,
        item_category,
        billed_micros,
        billed_micros // 1000000 as whole_yen,
        row_number() over (partition by partner_id order by billed_micros % 1000000 desc, receipt_id) as remainder_rank
    from p07__receipt
    where outcome = 'billed'
),

floors as (
    select
        partner_id,
        sum(whole_yen) as whole_yen
    from lines
    group by partner_id
),

rests as (
    select
        owed.partner_id,
        owed.billed_yen - floors.whole_yen as rest_n
    from p07__reconciliation as owed
    inner join floors on floors.partner_id = owed.partner_id
),

rounded as (
    select
        lines.*,
        lines.whole_yen + 1 as billed_yen
    from lines
    inner join rests on rests.partner_id = lines.partner_id and rests.rest_n >= lines.remainder_rank
    union all
    select
        lines.*,
        lines.whole_yen as billed_yen
    from lines
    inner join rests on rests.partner_id = lines.partner_id and rests.rest_n < lines.remainder_rank
)

select
    pseudonym_event('invoice|' || strftime($night, '%Y%m%d') || '|' || person_key) as invoice_id,
    person_key,
    partner_id,
    receipt_id,
    item_category,
    billed_micros,
    billed_yen
from rounded
order by person_key, partner_id, receipt_id
