-- What was bought, by whom and when; amounts and receipts stay in the vault.
select
    pseudonym_member(member_id) as member_key,
    partner_id,
    item_category,
    transaction_date
from vault__partner_transaction
