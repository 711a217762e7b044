-- Receipts that no earlier night has billed, and what becomes of each tonight. One that cannot be billed yet (its member
-- has not landed) stands again every night until it can.
with
billed_before as (
    select
        partner_id,
        receipt_id
    from p07__receipt__history
    where judged_on < $night and outcome = 'billed'
),

members as (
    select distinct member_id
    from vault__member__history
),

landed as (
    select
        file_n,
        line_n,
        partner_id,
        case when trim(receipt_id) <> '' then receipt_id end as receipt_id,
        member_id,
        item_category,
        billed_micros
    from vault__partner_transaction__history
    where transaction_date <= $night
),

receipts as (
    select
        *,
        row_number() over (partition by partner_id, receipt_id order by file_n, line_n) as copy_n
    from landed
),

standing as (
    select
        receipts.partner_id,
        receipts.receipt_id,
        pseudonym_member(receipts.member_id) as person_key,
        receipts.item_category,
        receipts.billed_micros,
        receipts.copy_n,
        members.member_id as known_member_id
    from receipts
    left join billed_before
        on billed_before.partner_id = receipts.partner_id and billed_before.receipt_id = receipts.receipt_id
    left join members on members.member_id = receipts.member_id
    where billed_before.receipt_id is null
),

judged as (
    select
        *,
        'no_receipt' as outcome
    from standing
    where receipt_id is null
    union all
    select
        *,
        'no_amount' as outcome
    from standing
    where receipt_id is not null and coalesce(billed_micros, -1) < 0
    union all
    select
        *,
        'duplicate' as outcome
    from standing
    where receipt_id is not null and billed_micros >= 0 and copy_n > 1
    union all
    select
        *,
        'no_member' as outcome
    from standing
    where receipt_id is not null and billed_micros >= 0 and copy_n = 1 and known_member_id is null
    union all
    select
        *,
        'billed' as outcome
    from standing
    where receipt_id is not null and billed_micros >= 0 and copy_n = 1 and known_member_id is not null
)

select
    partner_id,
    receipt_id,
    copy_n,
    person_key,
    item_category,
    billed_micros,
    $night as judged_on,
    outcome
from judged
order by partner_id, receipt_id, copy_n
