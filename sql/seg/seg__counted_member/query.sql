-- Members who may count without being seen that night (rule 5). In the portal's first days every registered one does.
select member.person_key
from seg__member as member
cross join policy__who_counts as rule
cross join seg__first_night as portal
left join seg__person_seen as seen on seen.person_key = member.person_key and seen.person_kind = 'member'
where
    not member.is_bot
    and (
        portal.is_bootstrap
        or (
            seen.first_seen_on + cast(rule.seasoned_days as integer) <= cast($night as date)
            and seen.active_night_n >= rule.active_nights
        )
    )
order by person_key
