-- The one enquiry, how to reach who asks, and what they are counted as; a member or not.
with
latest as (
    select
        member.member_id,
        member.email,
        member.phone
    from vault__member__history as member
    qualify
        row_number() over (
            partition by member.member_id
            order by member.updated_at desc nulls last, member.file_n desc nulls last, member.line_n desc nulls last
        ) = 1
)

select
    pseudonym_member(enquiry.member_id) as person_key,
    enquiry.requested_on,
    enquiry.topic,
    enquiry.service,
    enquiry.enquiry_text,
    coalesce(enquiry.reply_to, latest.email) as reply_to,
    latest.phone,
    attribute.age_years,
    attribute.gender,
    attribute.prefecture,
    attribute.occupation
from vault__desk_request as request
inner join vault__enquiry__history as enquiry on enquiry.request_id = request.request_id
left join latest on latest.member_id = enquiry.member_id
left join pseudo__member as attribute on attribute.member_key = pseudonym_member(enquiry.member_id)
