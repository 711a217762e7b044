"""A night's shapes and released tables, made once for the tests of releases."""

from __future__ import annotations

import pyarrow as pa
import pytest
from release_night import NIGHT, cube_tables, pages_of, references, withhold

from quorum.policy import Policy
from quorum.release.shapes import package_shapes
from quorum.tables import PackageShape


@pytest.fixture(scope="session")
def shapes(policy: Policy) -> dict[str, PackageShape]:
    return {shape.report: shape for shape in package_shapes(policy, references(), NIGHT)}


@pytest.fixture(scope="session")
def campaign_cubes(shapes: dict[str, PackageShape], policy: Policy) -> dict[str, pa.Table]:
    return cube_tables(shapes["campaign"], policy, people=3_000)


@pytest.fixture(scope="session")
def campaign_tables(
    shapes: dict[str, PackageShape], policy: Policy, campaign_cubes: dict[str, pa.Table]
) -> dict[str, pa.Table]:
    return withhold(shapes["campaign"], campaign_cubes, policy, totals_only=True)


@pytest.fixture(scope="session")
def pages(shapes: dict[str, PackageShape], campaign_tables: dict[str, pa.Table], policy: Policy) -> dict[str, bytes]:
    return pages_of(shapes["campaign"], campaign_tables, policy)
