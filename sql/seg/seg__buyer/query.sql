-- Who bought what from whom, once each, however many receipts there are. Whoever is not registered is a buyer of unknown
-- attributes and does not count: a partner can write any member number. A receipt tells no network, so none bounds them.
with
bought as (
    select distinct
        item.member_key as person_key,
        provider.recipient_id,
        coalesce(term.item_category, 'other') as item_category
    from pseudo__partner_item as item
    inner join pseudo__recipient as provider
        on provider.recipient_id = item.partner_id and provider.kind = 'service_provider'
    left join policy__item_term as term on term.term = lower(trim(item.item_category))
)

select
    bought.recipient_id,
    bought.item_category,
    bought.person_key,
    coalesce(member.age_band, 'unknown') as age_band,
    coalesce(member.gender, 'unknown') as gender,
    coalesce(member.region, 'unknown') as region,
    coalesce(member.prefecture, 'unknown') as prefecture,
    counting.person_key is not null as is_counted
from bought
left join seg__member as member on member.person_key = bought.person_key
left join seg__counted_member as counting on counting.person_key = bought.person_key
order by recipient_id, item_category, person_key
