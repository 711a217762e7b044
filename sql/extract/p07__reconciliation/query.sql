-- What the source says and what is billed of it, by partner. A partner is owed whole yen: its billed micro-yen and what
-- earlier nights carried over, rounded half up; what is left of that is carried over to its next night.
with
billed_before as (
    select
        partner_id,
        receipt_id
    from p07__receipt__history
    where judged_on < $night and outcome = 'billed'
),

-- All that p07__receipt reads of it: what was collected too early for one of these is in neither.
receipts as (
    select
        partner_id,
        receipt_id,
        item_category,
        billed_micros
    from vault__partner_transaction__history
    where transaction_date <= $night
),

source as (
    select
        receipts.partner_id,
        count(*) as receipt_n,
        sum(coalesce(receipts.billed_micros, 0)) as micros
    from receipts
    left join billed_before
        on billed_before.partner_id = receipts.partner_id and billed_before.receipt_id = receipts.receipt_id
    where billed_before.receipt_id is null
    group by receipts.partner_id
),

judged as (
    select
        partner_id,
        count(*) filter (where outcome = 'billed') as billed_receipt_n,
        count(*) filter (where outcome = 'no_member') as no_member_receipt_n,
        count(*) filter (where outcome = 'no_receipt') as no_receipt_receipt_n,
        count(*) filter (where outcome = 'no_amount') as no_amount_receipt_n,
        count(*) filter (where outcome = 'duplicate') as duplicate_receipt_n,
        coalesce(sum(billed_micros) filter (where outcome = 'billed'), 0) as billed_micros,
        coalesce(sum(billed_micros) filter (where outcome <> 'billed'), 0) as unbilled_micros
    from p07__receipt
    group by partner_id
),

carried as (
    select
        partner_id,
        carried_out_micros
    from p07__reconciliation__previous
    where carried_out_micros <> 0
),

partners as (
    select partner_id from source
    union
    select partner_id from judged
    union
    select partner_id from carried
),

sums as (
    select
        partners.partner_id,
        coalesce(source.receipt_n, 0) as source_receipt_n,
        coalesce(source.micros, 0) as source_micros,
        coalesce(judged.billed_receipt_n, 0) as billed_receipt_n,
        coalesce(judged.no_member_receipt_n, 0) as no_member_receipt_n,
        coalesce(judged.no_receipt_receipt_n, 0) as no_receipt_receipt_n,
        coalesce(judged.no_amount_receipt_n, 0) as no_amount_receipt_n,
        coalesce(judged.duplicate_receipt_n, 0) as duplicate_receipt_n,
        coalesce(judged.billed_micros, 0) as billed_micros,
        coalesce(judged.unbilled_micros, 0) as unbilled_micros,
        coalesce(carried.carried_out_micros, 0) as carried_in_micros
    from partners
    left join source on source.partner_id = partners.partner_id
    left join judged on judged.partner_id = partners.partner_id
    left join carried on carried.partner_id = partners.partner_id
)

select
    partner_id,
    source_receipt_n,
    cast(source_micros as bigint) as source_micros,
    billed_receipt_n,
    cast(billed_micros as bigint) as billed_micros,
    no_member_receipt_n,
    no_receipt_receipt_n,
    no_amount_receipt_n,
    duplicate_receipt_n,
    cast(unbilled_micros as bigint) as unbilled_micros,
    cast(source_micros - billed_micros - unbilled_micros as bigint) as difference_micros,
    carried_in_micros,
    cast((billed_micros + carried_in_micros + 500000) // 1000000 as bigint) as billed_yen,
    cast(
        billed_micros + carried_in_micros - (billed_micros + carried_in_micros + 500000) // 1000000 * 1000000 as bigint
    ) as carried_out_micros
from sums
order by partner_id
