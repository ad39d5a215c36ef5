"""The benchmark of a long history runs, small, and gives its figures."""

from app.testing.bench.history import measure_history


def test_bench_history_gives_its_figures() -> None:
    figures = measure_history(2000)
    assert figures["rows"] == 2000
    assert 0 < figures["gigabytes"] < 0.1
    for side in ("without", "behind"):
        for duty in ("claim", "beat"):
            assert 0 < figures[side][duty]["p50"] <= figures[side][duty]["p95"]
    assert figures["ratio_p50"] > 0
