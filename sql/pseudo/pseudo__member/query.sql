-- Members as they stand on the night, reduced to attributes: the last version of each, categories from the policy.
with
versions as (
    select
        member_id,
        completed_years(birth_date, $night) as age_years,
        lower(trim(gender)) as gender_term,
        lower(trim(occupation)) as occupation_term,
        regexp_replace(postal_code, '[^0-9]', '', 'g') as postal_digits,
        updated_at
    from vault__member__history
    qualify
        row_number() over (
            partition by member_id order by updated_at desc nulls last, file_n desc nulls last, line_n desc nulls last
        ) = 1
),

postal_codes as (
    select distinct postal_digits
    from versions
    where length(postal_digits) = 7
),

lengths as (
    select distinct length(prefix) as prefix_length
    from policy__postal
),

postal_prefectures as (
    select
        postal_codes.postal_digits,
        postal.prefecture
    from postal_codes
    cross join lengths
    inner join policy__postal as postal
        on
            length(postal.prefix) = lengths.prefix_length
            and postal.prefix = left(postal_codes.postal_digits, lengths.prefix_length)
    qualify row_number() over (partition by postal_codes.postal_digits order by lengths.prefix_length desc) = 1
)

select
    pseudonym_member(version.member_id) as member_key,
    version.age_years,
    coalesce(gender.gender, 'unknown') as gender,
    coalesce(postal_prefecture.prefecture, 'unknown') as prefecture,
    coalesce(occupation.occupation, 'unknown') as occupation,
    version.updated_at as collected_at
from versions as version
left join policy__gender_term as gender on gender.term = version.gender_term
left join policy__occupation_term as occupation on occupation.term = version.occupation_term
left join postal_prefectures as postal_prefecture on postal_prefecture.postal_digits = version.postal_digits
