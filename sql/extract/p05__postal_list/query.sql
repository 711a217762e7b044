-- The postal address that stands of everybody whom a message of the night addresses by post and has reached in no way yet.
with
versions as (
    select
        member_id,
        trim(address) as address
    from vault__member__history
    qualify
        row_number() over (
            partition by member_id order by updated_at desc nulls last, file_n desc nulls last, line_n desc nulls last
        ) = 1
),

addresses as (
    select
        pseudonym_member(member_id) as person_key,
        address
    from versions
    where address <> ''
),

reached as (
    select
        message_id,
        person_key
    from p05__mailing_list__history
    union
    select
        message_id,
        person_key
    from p05__postal_list__history
    where listed_on < $night
)

select distinct
    addressee.message_id,
    addressee.person_key,
    addresses.address,
    $night as listed_on
from p05__addressee as addressee
inner join addresses on addresses.person_key = addressee.person_key
left join reached on reached.message_id = addressee.message_id and reached.person_key = addressee.person_key
where addressee.outcome = 'addressed' and addressee.channel = 'post' and reached.message_id is null
order by message_id, person_key
