"""A bill made by an outside generator: koku-nise's AWS report, in AWS' own layout with a manifest.

What belongs here: what it is told to make, and what has to be put right in what it makes. What does not: how
the bill lands, or what it has to come to.
"""

from __future__ import annotations

import csv
import gzip
import subprocess
import sys
from pathlib import Path

MONTH = "2026-06"
_LAST_DAY = f"{MONTH}-03"
_PLAN = """
  - {generator}:
      start_date: {month}-01
      end_date: {last_day}
      resource_id: {number}
      amount: 10.25
      rate: 0.0345
      product_sku: VEAJHRNAAAAA
      tags: {{"resourceTags/user:App": "{generator}", "resourceTags/user:app": "lower"}}
"""
_INSTANCE = """      region: us-east-1a
      processor_arch: 64-bit
      instance_type:
        {{inst_type: m5.large, physical_cores: 1, vcpu: '2', memory: '8 GiB', storage: EBS Only,
        family: General Purpose, cost: {cost}, rate: {cost}, saving: {saving}, negation: {negation}}}
"""


def write(bucket: Path) -> Path:
    """Have the bill made below the folder `bucket`; its data file, put right."""
    plain = ("EBSGenerator", "S3Generator", "DataTransferGenerator", "MarketplaceGenerator", "VPCGenerator")
    parts = [
        _PLAN.format(generator=generator, number=12345670 + place, month=MONTH, last_day=_LAST_DAY)
        for place, generator in enumerate((*plain, "Route53Generator"))
    ]
    options = (
        ("EC2Generator", "", "false"),
        ("EC2Generator", "0.6125", "false"),
        ("EC2Generator", "", "true"),
    )
    for place, (generator, saving, negation) in enumerate((*options, ("RDSGenerator", "", "false"))):
        part = _PLAN.format(generator=generator, number=55555550 + place, month=MONTH, last_day=_LAST_DAY)
        parts.append(
            part.rstrip("\n") + "\n" + _INSTANCE.format(cost="1.0625", saving=saving or 0, negation=negation)
        )
    bucket.mkdir(parents=True, exist_ok=True)
    plan = bucket.with_name(f"{bucket.name}.yml")
    plan.write_text(
        "generators:" + "".join(parts) + "accounts:\n  payer: 9999999999999\n  user:\n    - 9999999999991\n",
        encoding="utf-8",
    )
    options_of_report = {
        "--static-report-file": str(plan),
        "--aws-s3-bucket-name": str(bucket),
        "--aws-s3-report-name": "generated",
        "--aws-s3-report-prefix": "cur",
    }
    subprocess.run(
        [
            str(Path(sys.executable).with_name("nise")),
            "report",
            "aws",
            *(text for option in options_of_report.items() for text in option),
        ],
        check=True,
        capture_output=True,
        cwd=bucket,
    )
    (data,) = bucket.rglob("*.csv.gz")
    leave_absent_amounts_empty(data)
    return data


def leave_absent_amounts_empty(data: Path) -> None:
    """AWS leaves empty what is absent; the generator writes Python's word for it, `None`."""
    with gzip.open(data, "rt", newline="", encoding="utf-8") as lines:
        rows = [["" if value == "None" else value for value in row] for row in csv.reader(lines)]
    with gzip.open(data, "wt", newline="", encoding="utf-8") as target:
        csv.writer(target).writerows(rows)
