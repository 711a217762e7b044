-- Who is in which segment from tonight on, and who was until tonight. People are members, and cookies that are no
-- member's; no bots, and nobody who opted out: they have no row, not even one that ends.
with
people as (
    select candidate.person_key
    from (
        select person_key from seg__member
        union
        select person_key from seg__person_view
    ) as candidate
    left join seg__person_day as bot on bot.person_key = candidate.person_key and bot.is_bot
    left join pseudo__stop as stop on stop.person_key = candidate.person_key and stop.purpose = 'P-01'
    left join pseudo__login_link as link on link.cookie_key = candidate.person_key
    where bot.person_key is null and stop.person_key is null and link.cookie_key is null
),

traits as (
    select
        person_key,
        'age_band' as attribute,
        age_band as value,
        $night as known_on
    from seg__member
    union all
    select
        person_key,
        'gender' as attribute,
        gender as value,
        $night as known_on
    from seg__member
    union all
    select
        person_key,
        'region' as attribute,
        region as value,
        $night as known_on
    from seg__member
    union all
    select
        person_key,
        'prefecture' as attribute,
        prefecture as value,
        $night as known_on
    from seg__member
    union all
    select
        person_key,
        'occupation' as attribute,
        occupation as value,
        $night as known_on
    from seg__member
    union all
    select
        person_key,
        'section_id' as attribute,
        section_id as value,
        last_viewed_on as known_on
    from seg__person_view
    where section_id is not null
    union all
    select
        person_key,
        'device' as attribute,
        device as value,
        last_viewed_on as known_on
    from seg__person_view
    where device is not null
    union all
    select
        person_key,
        'hour_band' as attribute,
        hour_band as value,
        last_viewed_on as known_on
    from seg__person_view
    where hour_band is not null
    union all
    select
        member_key as person_key,
        'item_category' as attribute,
        item_category as value,
        transaction_date as known_on
    from pseudo__partner_item__history
    where transaction_date <= $night
),

met as (
    select
        people.person_key,
        condition.segment_id,
        count(distinct condition.condition_id) as condition_n
    from people
    inner join traits on traits.person_key = people.person_key
    inner join p01__segment_condition as condition
        on
            condition.attribute = traits.attribute
            and condition.value = traits.value
            and traits.known_on + condition.within_days > $night
    group by people.person_key, condition.segment_id
),

fitting as (
    select
        met.person_key,
        met.segment_id,
        rule.least_people_n,
        rule.policy_version,
        count(*) over (partition by met.segment_id) as people_n
    from met
    inner join p01__segment_rule as rule on rule.segment_id = met.segment_id and rule.condition_n = met.condition_n
),

-- A segment of fewer people than the policy allows is assigned to nobody.
assigned as (
    select
        person_key,
        segment_id,
        policy_version
    from fitting
    where people_n >= least_people_n
),

standing as (
    select
        previous.person_key,
        previous.segment_id,
        previous.valid_from,
        previous.policy_version
    from p01__segment_assignment__previous as previous
    left join pseudo__stop as stop on stop.person_key = previous.person_key and stop.purpose = 'P-01'
    where previous.valid_to is null and stop.person_key is null
),

assignments as (
    select
        assigned.person_key,
        assigned.segment_id,
        coalesce(standing.valid_from, $night) as valid_from,
        cast(null as date) as valid_to,
        assigned.policy_version
    from assigned
    left join standing on standing.person_key = assigned.person_key and standing.segment_id = assigned.segment_id
    union all
    select
        standing.person_key,
        standing.segment_id,
        standing.valid_from,
        $night as valid_to,
        standing.policy_version
    from standing
    left join assigned on assigned.person_key = standing.person_key and assigned.segment_id = standing.segment_id
    where assigned.person_key is null
)

select
    person_key,
    segment_id,
    valid_from,
    valid_to,
    policy_version
from assignments
order by segment_id, person_key
