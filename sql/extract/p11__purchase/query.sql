-- Only the service that the one enquiry names; an enquiry that names none opens no purchases.
select
    pseudonym_member(purchase.member_id) as person_key,
    purchase.transaction_date,
    purchase.partner_id as service,
    purchase.item_category,
    purchase.amount_micros
from vault__desk_request as request
inner join vault__enquiry__history as enquiry on enquiry.request_id = request.request_id
inner join vault__partner_transaction__history as purchase
    on purchase.member_id = request.member_id and purchase.partner_id = enquiry.service
order by transaction_date, item_category
