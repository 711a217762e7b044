-- The transactions of each person in scope.
select
    scope.person_n,
    purchase.transaction_date,
    purchase.item_category,
    purchase.amount_micros
from vault__partner_transaction__history as purchase
inner join vault__disclosure_scope as scope on scope.member_key = pseudonym_member(purchase.member_id)
