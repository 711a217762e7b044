-- Purchases of the one member; receipts and what partners bill stay behind: they are for billing.
select
    pseudonym_member(purchase.member_id) as person_key,
    purchase.transaction_date,
    purchase.partner_id,
    purchase.item_category,
    purchase.amount_micros
from vault__desk_request as request
inner join vault__partner_transaction__history as purchase on purchase.member_id = request.member_id
order by transaction_date, partner_id, item_category
