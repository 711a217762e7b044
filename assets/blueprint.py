"""What every asset is drawn from: the contracts, the suites, the days; and the words in which Dagster shows them.

What belongs here: specs, metadata and checks of a table, and making one or several tables in one step. What does not:
which step makes which table (one module per zone).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import dagster as dg

from assets.checks import Verdict, judge
from assets.data_docs import keep_result
from assets.redaction import redacted
from assets.suites import BLOCKING, WARNING, Suite
from assets.told import page_links, people_metric
from quorum.lineage.flows import Flows
from quorum.lineage.page import PAGE, column_lineage
from quorum.tables import Catalog, Table
from quorum.tables.catalog import Read
from quorum.workspace import Workspace
from quorum.zones import Zone

EXPECTATIONS = "expectations"
BY_TABLE = "by_table"
"""Of the facts of a step those that are about one of its tables: table to facts."""
_REPEATABLE = (Zone.VAULT, Zone.PSEUDO, Zone.SEG, Zone.CUBE)
"""Doing such a step again replaces what it wrote; where something is drawn or released, nothing is tried twice."""
_RETRIES = dg.RetryPolicy(max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL)
Facts = Mapping[str, Any]
Work = Callable[[Workspace, date], Facts]


@dataclass(frozen=True)
class Blueprint:
    """What assets are drawn from.

    Args:
        catalog: the contracts.
        suites: the suite of every kept table.
        partitions: the days in Asia/Tokyo.
        flows: what each column is made of.
    """

    catalog: Catalog
    suites: Mapping[str, Suite]
    partitions: dg.TimeWindowPartitionsDefinition
    flows: Flows

    def step(
        self, name: str, tables: Sequence[str], work: Work, *, description: str, after: Sequence[str] = ()
    ) -> dg.AssetsDefinition:
        """Return the assets of the tables that one step makes, each with its suite as checks.

        Args:
            name: the step's name.
            tables: kept tables of the catalogue, each after those that it reads.
            work: makes all of them for a night, and returns facts (counts only) for the metadata of each.
            description: what the step does, for a table whose contract does not say it.
            after: tables that must be there although no contract says so.
        """

        @dg.multi_asset(
            name=name,
            description=description,
            specs=[self._spec(self.catalog[table], (*after, *self._compared(table, tables))) for table in tables],
            check_specs=[_check_spec(self.suites[table]) for table in tables],
            partitions_def=self.partitions,
            retry_policy=_RETRIES if all(self.catalog[table].zone in _REPEATABLE for table in tables) else None,
        )
        def make(
            context: dg.AssetExecutionContext, workspace: dg.ResourceParam[Workspace]
        ) -> Iterator[dg.MaterializeResult[None]]:
            night = date.fromisoformat(context.partition_key)
            facts = redacted(lambda: work(workspace, night))
            for table in tables:
                yield self._result(workspace, night, table, facts)

        return make

    def _lineage(self, table: Table) -> dg.TableColumnLineage:
        """Return what each column's value comes from, of tables that are assets."""
        found = column_lineage(self.flows, table.name)
        return dg.TableColumnLineage(
            {
                column: [
                    dg.TableColumnDep(asset_key=parent, column_name=base)
                    for parent, base in bases
                    if not self.catalog[parent].in_memory
                ]
                for column, bases in found.items()
            }
        )

    def _result(self, workspace: Workspace, night: date, table: str, facts: Facts) -> dg.MaterializeResult[None]:
        suite, people = self.suites[table], people_metric(self.catalog[table])
        asked = ("row_n", *suite.metrics, *([people] if people else []))
        profile = redacted(lambda: workspace.profile(table, night, asked))
        verdict = redacted(lambda: judge(suite, profile))
        redacted(lambda: keep_result(workspace.home.docs, night, verdict, profile))
        return dg.MaterializeResult(
            asset_key=table,
            metadata={
                "dagster/partition_row_count": profile["row_n"],
                **({"people_n": profile[people]} if people else {}),
                **{name: told for name, told in facts.items() if name != BY_TABLE},
                **facts.get(BY_TABLE, {}).get(table, {}),
                **page_links(workspace.home, table, night),
            },
            check_results=[_check_result(verdict, profile)],
        )

    def _compared(self, table: str, together: Sequence[str]) -> list[str]:
        """Return the tables that the suite of a table looks into and that another step makes."""
        return [name for name in self.suites[table].compared_with if name not in together]

    def _spec(self, table: Table, after: Sequence[str]) -> dg.AssetSpec:
        own = [_dependency(table, read) for read in table.reads if not self.catalog[read.table].in_memory]
        return dg.AssetSpec(
            table.name,
            group_name=table.zone.value,
            description=f"{table.description}.\n\nA row is {table.grain}.",
            owners=[f"team:{table.owner}"],
            kinds={"duckdb" if table.query else "python", "parquet"},
            tags={"purpose": table.purpose, "sealed": str(table.zone.is_sealed).lower()},
            deps=[*own, *(name for name in dict.fromkeys(after) if name not in {read.table for read in table.reads})],
            metadata={
                "dagster/column_schema": _schema(table),
                "dagster/column_lineage": self._lineage(table),
                "lineage": dg.MetadataValue.text(f"docs/{PAGE}#{table.name}, in the home"),
                "retention": table.retention,
            },
        )


def built(plan: Blueprint, zone: Zone) -> list[dg.AssetsDefinition]:
    """Return an asset for each table of a zone that its own statement makes from stored tables."""
    return [_built(plan, table) for table in plan.catalog.in_zone(zone) if is_built(plan.catalog, table)]


def is_built(catalog: Catalog, table: Table) -> bool:
    """Say whether a statement makes a table from stored tables; what reads a table in memory is made at intake."""
    return table.query is not None and not any(catalog[read.table].in_memory for read in table.reads)


def _built(plan: Blueprint, table: Table) -> dg.AssetsDefinition:
    def build(workspace: Workspace, night: date) -> Facts:
        workspace.build(table.name, night)
        return {}

    return plan.step(table.name, [table.name], build, description=f"Runs sql/{table.zone}/{table.name}/query.sql")


def _dependency(table: Table, read: Read) -> dg.AssetDep:
    """Return a dependency; what reads earlier nights of a table reads the day before, as far as Dagster can say it."""
    if read.window == "previous" or read.table == table.name:
        return dg.AssetDep(read.table, partition_mapping=dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1))
    return dg.AssetDep(read.table)


def _schema(table: Table) -> dg.TableSchema:
    columns = [
        dg.TableColumn(c.name, c.type, description=f"{c.description} ({c.unit})", tags={"category": c.category})
        for c in table.columns
    ]
    return dg.TableSchema(columns=columns)


def _check_spec(suite: Suite) -> dg.AssetCheckSpec:
    told = [f"- {e.severity}: `{e.metric}`: {e.why}" for e in suite.expectations]
    return dg.AssetCheckSpec(EXPECTATIONS, asset=suite.table, description="\n".join(told), blocking=True)


def _check_result(verdict: Verdict, profile: Mapping[str, int]) -> dg.AssetCheckResult:
    """Return the verdict as Dagster understands it: of a blocking check, only a failure of severity ERROR blocks."""
    severity = dg.AssetCheckSeverity.WARN if verdict.passed(BLOCKING) else dg.AssetCheckSeverity.ERROR
    return dg.AssetCheckResult(
        asset_key=verdict.suite.table,
        check_name=EXPECTATIONS,
        passed=not verdict.failed,
        severity=severity,
        metadata={
            "expectation_n": len(verdict.suite.expectations),
            BLOCKING: [f"{e.metric}: {e.why}" for e in verdict.failed if e.severity == BLOCKING],
            WARNING: [f"{e.metric}: {e.why}" for e in verdict.failed if e.severity == WARNING],
            "counts": {e.metric: profile[e.metric] for e in verdict.failed},
        },
    )
