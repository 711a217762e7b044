-- The portal's first night: tonight's, unless an earlier night hands on its own. It is a public fact, and so is whether
-- everybody counts: as long as nobody can have been seen as long ago as the policy wants.
with
nights as (
    select cast($night as date) as first_night_on
    union all
    select before.first_night_on
    from seg__first_night__previous as before
)

select
    min(night.first_night_on) as first_night_on,
    min(night.first_night_on) + cast(max(rule.seasoned_days) as integer) > cast($night as date) as is_bootstrap
from nights as night
cross join policy__who_counts as rule
