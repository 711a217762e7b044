-- A row of seg__buyer is one person of a provider and category, with one value of each attribute: the people of a margin
-- are those of its cells.
select
    buyer.recipient_id,
    buyer.item_category,
    case when grouping(buyer.age_band) = 1 then 'ALL' else buyer.age_band end as age_band,
    case when grouping(buyer.gender) = 1 then 'ALL' else buyer.gender end as gender,
    count(buyer.person_key) as buyer_n,
    count(buyer.person_key) filter (where buyer.is_counted) as buyer_counted_n
from seg__buyer as buyer
group by
    grouping sets (
        (buyer.recipient_id, buyer.item_category),
        (buyer.recipient_id, buyer.item_category, buyer.age_band),
        (buyer.recipient_id, buyer.item_category, buyer.gender),
        (buyer.recipient_id, buyer.item_category, buyer.age_band, buyer.gender)
    )
order by recipient_id, item_category, age_band, gender
