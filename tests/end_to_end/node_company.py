"""A company that runs on Kubernetes: three days of nodes' hours, and how a cent of them is divided.

What belongs here: its files, and the division worked out in plain Python. What does not: the SQL under test.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from tests.end_to_end import small_company

MONTH, DAYS, HOURS = "2026-05", (1, 2, 3), tuple(range(0, 24, 2))
HOURLY, DAILY, SPLIT, BARE = "i-0aaa1", "i-0bbb2", "i-0ccc3", "i-0ddd4"
UNIT = Decimal("0.000000000001")
COSTS = ("lineItem/UnblendedCost", "pricing/publicOnDemandCost")

CONTEXTS = {
    **small_company.CONTEXTS,
    "dimensions/feature.yml": """\
dimension: feature
description: What it serves
rules:
  - element: Idle nodes
    when: {k8s: namespace, equals: __idle__}
  - from: {k8s: label app}
  - from: {k8s: namespace}
  - from: {first_of: [{resource: tag Team}, {related: attached_to, tag: team}]}
  - from: {account: tag Team}
""",
}


@dataclass
class Line:
    """One line of the bill."""

    line_id: str
    resource: str
    day: int
    start: str
    end: str
    values: dict[str, str] = field(default_factory=dict)

    def cost(self, column: str) -> Decimal:
        return Decimal(self.values.get(column, "0"))


def moment(day: int, hour: int) -> str:
    return f"{MONTH}-{day + hour // 24:02d}T{hour % 24:02d}:00:00Z"


def bill(random: Random) -> list[Line]:
    """Node hours over two purchase options, whole node days, a volume, and a node that the bill splits."""
    lines: list[Line] = []

    def add(resource: str, day: int, start: str, end: str, **values: str) -> Line:
        amounts = {column: str(random.randrange(-(10**9), 10**13) * UNIT) for column in COSTS}
        line = Line(f"line-{len(lines)}", resource, day, start, end, {**amounts, **values})
        lines.append(line)
        return line

    for day in DAYS:
        for hour in HOURS:
            for node in (HOURLY, HOURLY, SPLIT, BARE):
                add(node, day, moment(day, hour), moment(day, hour + 1))
            pod = add(
                f"arn:aws:eks:eu:1:pod/{SPLIT}/ns/pod/uid", day, moment(day, hour), moment(day, hour + 1)
            )
            pod.values |= {
                "splitLineItem/ParentResourceId": SPLIT,
                "splitLineItem/SplitCost": "0.000000000001",
                "lineItem/Operation": "EKSPod-EC2",
                "lineItem/UsageType": "EKS-EC2-vCPU-Hours",
                "resourceTags/user:app": "split-pod",
            }
        add(DAILY, day, moment(day, 0), moment(day, 24))
        # What a node transfers is not its running hours, and stays whole.
        add(HOURLY, day, moment(day, 0), moment(day, 1), **{"lineItem/UsageType": "DataTransfer-Out-Bytes"})
        add("vol-1", day, moment(day, 10), moment(day, 11), **{"lineItem/UsageType": "EBS:VolumeUsage"})
    return lines


def write_bill(folder: Path, lines: list[Line]) -> None:
    names = sorted(
        {name for line in lines for name in line.values} - {"lineItem/UsageType", "lineItem/Operation"}
    )
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "bill.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        header = ["identity/LineItemId", "bill/PayerAccountId", "bill/BillingPeriodStartDate"]
        header += ["bill/BillingPeriodEndDate", "lineItem/UsageAccountId", "lineItem/LineItemType"]
        header += ["lineItem/UsageStartDate", "lineItem/UsageEndDate", "lineItem/ProductCode"]
        header += ["lineItem/UsageType", "lineItem/Operation", "lineItem/ResourceId"]
        writer.writerow([*header, "lineItem/UsageAmount", "lineItem/CurrencyCode", *names])
        for line in lines:
            known = [line.line_id, small_company.ACCOUNT, f"{MONTH}-01T00:00:00Z", "2026-06-01T00:00:00Z"]
            known += [small_company.ACCOUNT, "Usage", line.start, line.end, "AmazonEC2"]
            known += [line.values.get("lineItem/UsageType", "BoxUsage:m6i.large")]
            known += [line.values.get("lineItem/Operation", "RunInstances"), line.resource, "1", "USD"]
            writer.writerow([*known, *(line.values.get(name, "") for name in names)])


@dataclass(frozen=True)
class Share:
    """What OpenCost says of a pod, or of what was idle (no pod), on an instance in a window."""

    instance: str
    start: str
    end: str
    pod: str
    cost: Decimal


def shares(random: Random) -> list[Share]:
    """Windows of hours for one node, of days for the other, and for the one that the bill splits itself."""
    made: list[Share] = []
    for day in DAYS:
        windows = [(HOURLY, moment(day, hour), moment(day, hour + 1)) for hour in range(24)]
        windows += [(node, moment(day, 0), moment(day, 24)) for node in (DAILY, SPLIT)]
        # Overlapping the hours: the shorter window counts.
        windows += [(HOURLY, moment(day, 0), moment(day, 24))]
        for instance, start, end in windows:
            for pod in ("", "web-1", "web-2", "jobs-1"):
                cost = random.randrange(0, 99999) * Decimal("0.00001")
                made.append(Share(instance, start, end, pod, Decimal(0) if random.random() < 0.1 else cost))
    return made


def write_opencost(folder: Path, made: list[Share]) -> None:
    """The hours as the API answers, the days as a table."""
    folder.mkdir(parents=True, exist_ok=True)
    windows: dict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
    daily = []
    for share in made:
        node = f"node-of-{share.instance}"
        if share.instance == DAILY:
            daily.append(
                [share.start, share.end, "prod", node, f"aws:///eu-central-1a/{DAILY}", *pod_of(share)]
            )
            continue
        properties = {"cluster": "prod", "node": node, "providerID": share.instance}
        if share.pod:
            app, _ = share.pod.split("-")
            properties |= {"namespace": app, "controllerKind": "deployment", "controller": app}
            properties |= {"pod": share.pod, "labels": {"app.kubernetes.io/name": app}}
        else:
            properties["providerID"] = node  # as versions of OpenCost before 2025 do
        name = f"prod/{node}/{share.pod or '__idle__'}"
        windows[(share.start, share.end)][name] = {
            "name": name,
            "properties": properties,
            "window": {"start": share.start, "end": share.end},
            "start": share.start,
            "end": share.end,
            "cpuCost": float(share.cost),
            "cpuCostAdjustment": 0,
            "ramCost": 0,
            "gpuCost": 0,
            "pvCost": 7,
            "totalCost": float(share.cost) + 7,
        }
    (folder / "hours.json").write_text(json.dumps({"code": 200, "data": list(windows.values())}, indent=1))
    with (folder / "days.csv").open("w", newline="") as file:
        names = ["start", "end", "cluster", "node", "providerID", "name", "namespace", "controllerKind"]
        writer = csv.writer(file)
        writer.writerow([*names, "controller", "pod", "labels", "cpuCost", "ramCost"])
        writer.writerows(daily)


def pod_of(share: Share) -> list[str]:
    app = share.pod.partition("-")[0]
    kind = "deployment" if share.pod else ""
    labels = json.dumps({"app": f"labelled-{app}"}) if share.pod else ""
    return [share.pod or "prod/__idle__", app, kind, app, share.pod, labels, "0", str(share.cost)]


def parts_of(cost: int, weights: dict[str, int]) -> dict[str, int]:
    """The parts of a cost by pod ('' is idle), in units of the twelfth digit; without a share, no part."""
    total = sum(weights.values())
    # Most first; of equal ones pods before what is idle, by their names.
    order = sorted(weights, key=lambda pod: (-weights[pod], pod == "", pod))
    # Shares are cut at the twelfth digit, and closed to 1 by the largest; then what has run up is cut.
    shares = {pod: weights[pod] * 10**12 // total for pod in order}
    shares[order[0]] += 10**12 - sum(shares.values())
    sign = 1 if cost > 0 else -1
    parts: dict[str, int] = {}
    share_before = cost_before = 0
    for pod in (pod for pod in order if shares[pod]):
        share_before += shares[pod]
        cost_until = sign * (abs(cost) * share_before // 10**12)
        parts[pod] = cost_until - cost_before
        cost_before = cost_until
    return parts


def divided(line: Line, made: list[Share]) -> dict[str, dict[str, Decimal]]:
    """A charge's parts by pod ('' is idle) and cost column, worked out by hand; empty: it stays whole."""
    running = "lineItem/UsageType" not in line.values
    windows = {(share.start, share.end) for share in made if share.instance == line.resource}
    holding = [one for one in windows if one[0] <= line.start and one[1] >= line.end]
    if line.resource not in (HOURLY, DAILY) or not running or not holding:
        return {}
    shortest = min(holding, key=lambda one: (one[1] > line.end, one[0] < line.start))
    weights = {
        share.pod: int(share.cost * 10**9)
        for share in made
        if share.instance == line.resource and (share.start, share.end) == shortest and share.cost > 0
    }
    if not weights:
        return {}
    parts: dict[str, dict[str, Decimal]] = defaultdict(dict)
    for column in COSTS:
        for pod, units in parts_of(int(line.cost(column) / UNIT), weights).items():
            parts[pod][column] = units * UNIT
    return parts
