-- The samples of effect surveys: people who saw a campaign, and people who used the portal and did not, member by member.
-- Those that are in the field are carried on without whoever opted out since; the next one is drawn. Everybody has a place
-- in an order made from seed and key; a stratum is drawn once, on the first night on which it has people enough, from
-- those who were not drawn for any survey lately, that night's included.
with
next_survey as (
    select
        survey_id,
        seed,
        per_stratum_n,
        least_people_n,
        rest_days,
        is_by_age_band,
        is_by_gender,
        is_by_region,
        is_by_prefecture,
        is_by_occupation,
        campaign_id,
        seen_within_days
    from p03__survey
    where is_next
),

standing as (
    select
        previous.survey_id,
        previous.person_key,
        previous.stratum,
        previous.seed,
        previous.sampled_on
    from p03__effect_sample__previous as previous
    inner join p03__survey as survey on survey.survey_id = previous.survey_id
    left join pseudo__stop as stop on stop.person_key = previous.person_key and stop.purpose = 'P-03'
    where stop.person_key is null
),

-- Who used the portal, and whether an advertisement of the campaign was shown to them.
viewers as (
    select
        viewed.person_key,
        case when count_if(viewed.campaign_id = survey.campaign_id) > 0 then 'exposed' else 'not_exposed' end as exposure
    from seg__person_view as viewed
    inner join next_survey as survey on viewed.last_viewed_on + survey.seen_within_days > $night
    where viewed.person_kind = 'member'
    group by viewed.person_key
),

people as (
    select
        survey.survey_id,
        survey.seed,
        survey.per_stratum_n,
        survey.least_people_n,
        survey.rest_days,
        member.person_key,
        stratum.stratum,
        count(*) over (partition by stratum.stratum) as people_n
    from seg__member as member
    cross join next_survey as survey
    inner join viewers on viewers.person_key = member.person_key
    inner join p03__survey_stratum as stratum
        on
            stratum.survey_id = survey.survey_id
            and stratum.age_band = case when survey.is_by_age_band then member.age_band else '' end
            and stratum.gender = case when survey.is_by_gender then member.gender else '' end
            and stratum.region = case when survey.is_by_region then member.region else '' end
            and stratum.prefecture = case when survey.is_by_prefecture then member.prefecture else '' end
            and stratum.occupation = case when survey.is_by_occupation then member.occupation else '' end
            and stratum.exposure = viewers.exposure
    left join pseudo__stop as stop on stop.person_key = member.person_key and stop.purpose = 'P-03'
    where stop.person_key is null and not member.is_bot
),

drawn_strata as (
    select distinct
        survey_id,
        stratum
    from p03__contact
),

resting as (
    select distinct contact.person_key
    from p03__contact as contact
    cross join next_survey as survey
    where contact.sampled_on + survey.rest_days > $night
),

ranked as (
    select
        people.survey_id,
        people.person_key,
        people.stratum,
        people.seed,
        people.per_stratum_n,
        row_number() over (
            partition by people.stratum order by sha256(people.seed || '|' || people.person_key), people.person_key
        ) as place
    from people
    left join resting on resting.person_key = people.person_key
    left join drawn_strata
        on drawn_strata.survey_id = people.survey_id and drawn_strata.stratum = people.stratum
    where resting.person_key is null and drawn_strata.stratum is null and people.people_n >= people.least_people_n
),

drawn as (
    select
        survey_id,
        person_key,
        stratum,
        seed,
        $night as sampled_on
    from ranked
    where place <= per_stratum_n
),

samples as (
    select
        survey_id,
        person_key,
        stratum,
        seed,
        sampled_on
    from standing
    union all
    select
        survey_id,
        person_key,
        stratum,
        seed,
        sampled_on
    from drawn
)

select
    survey_id,
    person_key,
    stratum,
    seed,
    sampled_on
from samples
order by survey_id, stratum, person_key
