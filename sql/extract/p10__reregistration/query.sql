-- Members registered under the name and the postal address of somebody on the list, spaces and case aside: for a person to
-- look at. Nobody is refused for it.
with
versions as (
    select
        pseudonym_member(member_id) as person_key,
        lower(regexp_replace(name, '[ 　]', '', 'g')) as name_spelt,
        lower(regexp_replace(address, '[ 　]', '', 'g')) as address_spelt
    from vault__member__history
    qualify
        row_number() over (
            partition by member_id order by updated_at desc nulls last, file_n desc nulls last, line_n desc nulls last
        ) = 1
),

listed as (
    select distinct person_key
    from p10__refusal_list
)

select
    other.person_key,
    listed.person_key as listed_person_key
from listed
inner join versions as refused on refused.person_key = listed.person_key
inner join versions as other
    on other.name_spelt = refused.name_spelt and other.address_spelt = refused.address_spelt
left join listed as known on known.person_key = other.person_key
where refused.name_spelt <> '' and refused.address_spelt <> '' and known.person_key is null
order by other.person_key, listed.person_key
