-- Whom the notices of the night address: members that they name, people in the segment that they name, or the members
-- among these that are in the segment. A notice counts in the night in which it lands, one dated later on its day.
with
notices as (
    select
        member_id,
        message_id,
        channel,
        segment_id
    from vault__notice
    where requested_on <= $night
    union
    select
        member_id,
        message_id,
        channel,
        segment_id
    from vault__notice__history
    where requested_on = $night
),

named as (
    select
        pseudonym_member(member_id) as person_key,
        message_id,
        channel,
        segment_id
    from notices
    where member_id is not null
),

-- The segment's id comes in, and nothing of what the segment is about.
assigned as (
    select
        person_key,
        segment_id
    from p01__segment_assignment
    where valid_to is null
),

addressed as (
    select
        message_id,
        channel,
        person_key,
        segment_id
    from named
    where segment_id is null
    union
    select
        named.message_id,
        named.channel,
        named.person_key,
        named.segment_id
    from named
    inner join assigned on assigned.person_key = named.person_key and assigned.segment_id = named.segment_id
    union
    select
        notices.message_id,
        notices.channel,
        assigned.person_key,
        notices.segment_id
    from notices
    inner join assigned on assigned.segment_id = notices.segment_id
    where notices.member_id is null
),

stops as (
    select person_key
    from pseudo__stop
    where purpose = 'P-05'
),

judged as (
    select
        notices.message_id,
        notices.channel,
        cast(null as varchar) as person_key,
        notices.segment_id,
        'no_addressee' as outcome
    from notices
    left join assigned on assigned.segment_id = notices.segment_id
    where notices.member_id is null and assigned.segment_id is null
    union all
    select
        named.message_id,
        named.channel,
        named.person_key,
        named.segment_id,
        'not_in_segment' as outcome
    from named
    left join assigned on assigned.person_key = named.person_key and assigned.segment_id = named.segment_id
    where named.segment_id is not null and assigned.person_key is null
    union all
    select
        addressed.*,
        'no_message' as outcome
    from addressed
    where coalesce(trim(addressed.message_id), '') = ''
    union all
    select
        addressed.*,
        'no_channel' as outcome
    from addressed
    where trim(addressed.message_id) <> '' and coalesce(addressed.channel, '') not in ('email', 'post')
    union all
    select
        addressed.*,
        'stopped' as outcome
    from addressed
    inner join stops on stops.person_key = addressed.person_key
    where trim(addressed.message_id) <> '' and addressed.channel in ('email', 'post')
    union all
    select
        addressed.*,
        'addressed' as outcome
    from addressed
    left join stops on stops.person_key = addressed.person_key
    where
        trim(addressed.message_id) <> ''
        and addressed.channel in ('email', 'post')
        and stops.person_key is null
)

select
    message_id,
    channel,
    person_key,
    segment_id,
    outcome
from judged
order by message_id, channel, person_key, segment_id
