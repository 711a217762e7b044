-- The nickname that stands of each member, under an id that leads to no other. Whether it may be shown is judged row by
-- row: what names the member is refused.
with
versions as (
    select
        member_id,
        nickname
    from vault__member__history
    qualify
        row_number() over (
            partition by member_id order by updated_at desc nulls last, file_n desc nulls last, line_n desc nulls last
        ) = 1
)

select
    pseudonym_public(member_id) as public_id,
    nickname
from versions
where nickname is not null
order by public_id
