-- A row of seg__buyer is one person of a provider and category, with one value of each attribute: the people of a margin
-- are those of its cells.
select
    buyer.recipient_id,
    buyer.item_category,
    case when grouping(buyer.region) = 1 then 'ALL' else buyer.region end as region,
    case when grouping(buyer.prefecture) = 1 then 'ALL' else buyer.prefecture end as prefecture,
    count(buyer.person_key) as buyer_n,
    count(buyer.person_key) filter (where buyer.is_counted) as buyer_counted_n
from seg__buyer as buyer
group by
    grouping sets (
        (buyer.recipient_id, buyer.item_category),
        (buyer.recipient_id, buyer.item_category, buyer.region),
        (buyer.recipient_id, buyer.item_category, buyer.region, buyer.prefecture)
    )
order by recipient_id, item_category, region, prefecture
