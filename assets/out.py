"""The asset of published packages: attacked, certified, entered in the ledger, renamed into place.

What belongs here: the step, which comes after everything else of a night and ends it. What does not: the door itself
(`quorum.release.gate`).
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date

import dagster as dg

from assets.blueprint import Blueprint
from assets.redaction import redacted
from assets.told import package_links, packages_pages
from quorum.workspace import Workspace
from quorum.zones import Zone

PACKAGES = "out__package"
RELEASED = "released"


def assets(plan: Blueprint) -> list[dg.AssetsDefinition]:
    """Return the asset of the zone."""
    kept = [table.name for table in plan.catalog.tables.values() if not (table.in_memory or table.on_request)]

    @dg.asset(
        name=PACKAGES,
        group_name=Zone.OUT.value,
        description="Report packages as recipients get them, with certificate and chain.\n\nA row is one package.",
        owners=["team:data-platform"],
        kinds={"python"},
        tags={"purpose": "P-03", "sealed": "false"},
        deps=sorted(kept),
        partitions_def=plan.partitions,
        check_specs=[dg.AssetCheckSpec(RELEASED, asset=PACKAGES, description="No release was blocked")],
    )
    def publish(
        context: dg.AssetExecutionContext, workspace: dg.ResourceParam[Workspace]
    ) -> Iterator[dg.MaterializeResult[None]]:
        night = date.fromisoformat(context.partition_key)
        releases = redacted(lambda: workspace.publish(night))
        statuses = Counter(release.status for release in releases)
        check = dg.AssetCheckResult(
            check_name=RELEASED, passed=not statuses["blocked"], metadata={"blocked_n": statuses["blocked"]}
        )
        yield dg.MaterializeResult(
            metadata={
                "dagster/partition_row_count": len(releases),
                **{f"{status}_n": count for status, count in sorted(statuses.items())},
                "packages": dg.MetadataValue.md(package_links([release.as_record() for release in releases])),
                **packages_pages(workspace.home, night),
                "releases": [{**release.as_record(), "reasons": list(release.reasons)} for release in releases],
            },
            check_results=[check],
        )

    return [publish]
