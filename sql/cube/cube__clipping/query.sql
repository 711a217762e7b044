-- How much of a campaign was beyond the bounds on what one person contributes, so that the share can be told in classes.
select
    campaign_id,
    count(*) as event_n,
    count(*) filter (where is_clipped) as clipped_n
from seg__ad_event
group by campaign_id
order by campaign_id
