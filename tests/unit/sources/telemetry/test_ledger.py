"""What arrivals mean for the ledger, without any file."""

from datetime import datetime

from orchestration.sources.telemetry.ledger import Arrival, Batch, plan_load, settlement


def batch(content: str, place: str, status: str = "loaded", sequence: int = 1, settled: bool = True) -> Batch:
    at = datetime(2026, 8, 5)  # the ledger's times are UTC without zone
    return Batch(content, place, "v1", at, "load1", sequence, 1, 0, (), status, at, settled)


def arrive(*pairs: str) -> list[Arrival]:
    return [Arrival(pair[0], "v2", datetime(2026, 8, 6), pair[1]) for pair in pairs]


def fates(lines) -> list[str]:
    return [
        f"{line.batch_location}{line.batch_id} {line.status}{'' if line.settled else ' unsettled'}"
        for line in lines
    ]


def test_new_content_is_landed_once_and_repeated_elsewhere():
    plan = plan_load([], arrive("pA", "qA", "rB"))
    assert [arrival.batch_location for arrival in plan.to_land] == ["p", "r"]
    assert [arrival.batch_location for arrival in plan.repeats] == ["q"]


def test_two_places_that_swap_their_contents_land_nothing():
    plan = plan_load([batch("A", "p"), batch("B", "q", sequence=2)], arrive("pB", "qA"))
    assert (plan.to_land, plan.repeats) == ((), ())
    assert fates(plan.ledger) == [
        "pA superseded unsettled",
        "qB superseded unsettled",
        "pB loaded unsettled",
        "qA loaded unsettled",
    ]
    todo = settlement(plan.ledger)
    assert not todo.removed
    assert {key: line.batch_location for key, line in todo.relocated.items()} == {
        ("load1", "B"): "p",
        ("load1", "A"): "q",
    }


def test_a_repeated_place_inherits_what_the_first_gives_up():
    plan = plan_load([batch("A", "p"), batch("A", "q", "repeated")], arrive("pB"))
    assert fates(plan.ledger) == ["pA superseded unsettled", "qA loaded unsettled"]
    assert [arrival.batch_id for arrival in plan.to_land] == ["B"]


def test_a_repeated_place_that_changes_takes_nothing_with_it():
    plan = plan_load([batch("A", "p"), batch("A", "q", "repeated")], arrive("qB"))
    assert fates(plan.ledger) == ["pA loaded", "qA superseded"]
    assert settlement(plan.ledger).empty


def test_a_place_that_still_holds_its_content_is_unchanged():
    plan = plan_load([batch("A", "p")], arrive("pA"))
    assert (plan.unchanged, plan.to_land, plan.superseded) == (1, (), ())
    assert plan.ledger[0].object_version == "v2"


def test_what_was_superseded_before_does_not_speak_for_its_place():
    plan = plan_load([batch("A", "p", "superseded"), batch("B", "p", sequence=2)], arrive("pA"))
    assert fates(plan.ledger) == ["pA superseded", "pB superseded unsettled"]
    assert [arrival.batch_id for arrival in plan.to_land] == ["A"]
