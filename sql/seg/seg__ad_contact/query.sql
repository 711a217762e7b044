-- What people did with the campaigns that run, under the pseudonym that is theirs on other nights too: a longer period
-- counts a person once. Categories are those of the night, and what the key sets of the night do not list is folded as
-- the packages of the day fold it. Events are put together by the number of the person, before the person is looked up.
with
contacts as (
    select
        event.campaign_id,
        event.person_n,
        coalesce(creative.creative_id, 'unknown') as creative_id,
        coalesce(listed.placement, 'other') as placement,
        event.device,
        event.hour_band,
        bool_or(event.event_type = 'impression') as has_impression,
        bool_or(event.event_type = 'click') as has_click,
        bool_or(event.event_type = 'conversion') as has_conversion,
        bool_or(event.is_counted) as is_counted
    from seg__ad_event as event
    inner join pseudo__campaign as campaign
        on
            campaign.campaign_id = event.campaign_id
            and campaign.starts_on <= cast($night as date)
            and campaign.ends_on >= cast($night as date)
    left join pseudo__creative as creative
        on creative.campaign_id = event.campaign_id and creative.creative_id = event.creative_id
    left join policy__placement as listed on listed.placement = event.placement
    where event.person_n is not null
    group by all
)

select
    cast($night as date) as seen_on,
    contact.campaign_id,
    person.person_key,
    person.age_band,
    person.gender,
    person.region,
    person.prefecture,
    person.occupation,
    contact.creative_id,
    contact.placement,
    contact.device,
    contact.hour_band,
    contact.has_impression,
    contact.has_click,
    contact.has_conversion,
    contact.is_counted
from contacts as contact
inner join seg__person_day as person on person.person_n = contact.person_n
