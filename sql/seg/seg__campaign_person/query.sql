-- Who counts for a campaign, in all of its cells or in none, so that people who count add up wherever people do. Of one
-- network as many as the policy says: which ones is drawn by a hash of keyed pseudonyms, so that nobody can choose.
with
pairs as (
    select distinct
        person.person_n,
        person.person_key,
        person.network,
        event.campaign_id
    from seg__event as event
    inner join seg__seasoned as person on person.person_key = event.person_key
    where event.event_type <> 'request' and event.campaign_id is not null
),

crowded as (
    select
        pair.campaign_id,
        pair.network,
        max(rule.network_people) as most_n
    from pairs as pair
    cross join policy__who_counts as rule
    where pair.network is not null
    group by pair.campaign_id, pair.network
    having count(*) > max(rule.network_people)
),

drawn as (
    select
        pair.person_n,
        pair.campaign_id,
        crowded.most_n,
        row_number() over (
            partition by pair.campaign_id, pair.network
            order by sha256(pair.campaign_id || '|' || pair.person_key), pair.person_key
        ) as place_n
    from pairs as pair
    inner join crowded on crowded.campaign_id = pair.campaign_id and crowded.network = pair.network
),

beyond as (
    select
        person_n,
        campaign_id
    from drawn
    where place_n > most_n
)

select
    pair.person_n,
    pair.campaign_id
from pairs as pair
left join beyond on beyond.person_n = pair.person_n and beyond.campaign_id = pair.campaign_id
where beyond.person_n is null
