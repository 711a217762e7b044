-- The e-mail address that stands of everybody whom a message of the night addresses and has not reached on an earlier one.
with
versions as (
    select
        member_id,
        trim(email) as email
    from vault__member__history
    qualify
        row_number() over (
            partition by member_id order by updated_at desc nulls last, file_n desc nulls last, line_n desc nulls last
        ) = 1
),

addresses as (
    select
        pseudonym_member(member_id) as person_key,
        email
    from versions
    where email <> ''
),

reached as (
    select distinct
        message_id,
        person_key
    from p05__mailing_list__history
    where listed_on < $night
)

select distinct
    addressee.message_id,
    addressee.person_key,
    addresses.email as address,
    $night as listed_on
from p05__addressee as addressee
inner join addresses on addresses.person_key = addressee.person_key
left join reached on reached.message_id = addressee.message_id and reached.person_key = addressee.person_key
where addressee.outcome = 'addressed' and addressee.channel = 'email' and reached.message_id is null
order by message_id, person_key
