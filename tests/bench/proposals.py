"""Who may be the same person: how often that is right and how much is found, and what a message costs among many."""

from __future__ import annotations

from tests.bench.figures import Report, at_least, at_most
from tests.bench.helper import Helper
from tests.bench.run import Run
from tests.bench.stack import MAIN
from tests.pairs import SEED

HALVES = (SEED, SEED + 1)  # one world for each processor


def measure(run: Run, report: Report) -> None:
    _pairs(run, report, 40 if run.quick else 1_000)
    _cost(run, report, 20_000 if run.quick else 1_000_000 if _is_alone(run) else 250_000)


def _is_alone(run: Run) -> bool:
    """A million people take minutes to write down: only where no other section waits (`--only proposals`)."""
    return len(run.sizes) == 1


def _pairs(run: Run, report: Report, number: int) -> None:
    stack, found = run.stack, []
    names = [f"bench_pairs_{seed}" for seed in HALVES]
    for name in names:
        stack.copy(MAIN, name)
    first, second = (Helper("pairing", stack.environment_of(name), run.log(name)) for name in names)
    with first, second:
        for helper, seed in zip((first, second), HALVES, strict=True):
            helper.tell("play", number=number, seed=seed)
        found = [helper.answer() for helper in (first, second)]
    total = {key: sum(each[key] for each in found) for key in found[0]}
    words = (
        f"{total['pairs']:,} labelled pairs, {total['same']:,} of them one person, as {total['receipts']:,} receipts "
        f"through the whole intake in {max(each['seconds'] for each in found):.0f} s; {total['proposed']:,} proposed"
    )
    report.add("linked by itself, and wrong", [total["links"]], "links", due=at_most(0), note=words)
    report.add("precision of proposals", [total["right"] / max(1, total["proposed"])], "", due=at_least(0.95))
    report.add("recall of proposals", [total["right"] / max(1, total["same"])], "", due=at_least(0.80))


def _cost(run: Run, report: Report, people: int) -> None:
    name = "bench_people"
    run.stack.copy(MAIN, name)
    with Helper("pairing", run.stack.environment_of(name), run.log(name)) as helper:
        seconds = helper.ask("fill", number=people)
        spent = helper.ask("look", times=60 if run.quick else 300)
    words = f"{people:,} people on record, {people * 3:,} traces, written in {seconds:.0f} s"
    report.add("message looked at for proposals, median", [spent["median"]], "ms", due=at_most(50), note=words)
    report.add("message looked at for proposals, p95", [spent["p95"]], "ms", due=at_most(50))
