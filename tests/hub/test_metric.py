from laneway.hub.metric import LABELS, Counter, Histogram, Metric, resident_bytes


def test_a_counter_adds_by_label() -> None:
    counter = Counter("x_total", "Help.", "rule")
    counter.add(2, "a")
    counter.add(1, "a")
    counter.add(1, "b")
    assert counter.total == 4
    assert list(counter.lines())[2:] == ['x_total{rule="a"} 3', 'x_total{rule="b"} 1']


def test_a_label_cannot_break_out_of_its_quotes() -> None:
    counter = Counter("x_total", "Help.", "rule")
    counter.add(1, 'a"} 9\nfake_total 1\\')
    assert list(counter.lines())[2:] == ['x_total{rule="a\\"} 9\\nfake_total 1\\\\"} 1']


def test_labels_do_not_grow_without_end() -> None:
    counter = Counter("x_total", "Help.", "field")
    for number in range(5000):
        counter.add(1, str(number))
    assert counter.total == 5000
    assert len(counter.values) == LABELS + 1
    assert counter.values[("other",)] == 5000 - LABELS


def test_histogram_buckets_are_cumulative_and_end_in_the_count() -> None:
    histogram = Histogram("t", "Help.", (0.1, 1.0))
    for value in (0.05, 0.1, 0.5, 9.0):
        histogram.observe(value)
    assert list(histogram.lines())[2:] == [
        't_bucket{le="0.1"} 2',
        't_bucket{le="1.0"} 3',
        't_bucket{le="+Inf"} 4',
        "t_sum 9.650000",
        "t_count 4",
    ]


def test_the_page_has_every_counter_and_gauge_once_with_its_type() -> None:
    metric = Metric()
    metric.accepted.add(3)
    page = metric.render({"laneway_viewers": ("Viewers.", 2)}, {"github-token": 1})
    assert "laneway_events_accepted_total 3\n" in page
    assert 'laneway_redactions_total{rule="github-token"} 1\n' in page
    assert "# TYPE laneway_viewers gauge\nlaneway_viewers 2\n" in page
    types = [line for line in page.splitlines() if line.startswith("# TYPE")]
    assert len(types) == len(set(types))


def test_memory_in_use_is_told() -> None:
    assert resident_bytes() > 1_000_000
