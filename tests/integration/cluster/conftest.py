"""A cluster of three nodes, to be mistreated."""

from collections.abc import Iterator

import pytest

from memlane.testing.servers import PrivateRabbitCluster
from tests.support.left_behind import SHARED


@pytest.fixture(scope="module")
def shared_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateRabbitCluster]:
    """See `cluster`."""
    with PrivateRabbitCluster(tmp_path_factory.mktemp("cluster")) as cluster:
        SHARED.add(cluster.data_dir)
        yield cluster


@pytest.fixture
def cluster(shared_cluster: PrivateRabbitCluster) -> PrivateRabbitCluster:
    """All of its nodes run, whatever the test before did to them."""
    return shared_cluster.start()
