"""A bench that measures nothing: ``python -m tests.bench.fake_bench``."""

from bench.table import show, sized, tell


def main() -> None:
    tell("append.p50_us", sized(24.0, 6.0), runs=3, peer="a pen", peer_value=12.0)
    show("Pens", [{"pen": "blue", "µs": 6.0}])


if __name__ == "__main__":
    main()
