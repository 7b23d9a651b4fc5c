"""S3 as a Dagster resource.

Wraps the resource of dagster-aws, which imports Dagster's test tools and takes more than a second in every
process that opens the project. It is imported when a location on S3 is first read.
"""

# No postponed annotations: Dagster evaluates them when the class is created.
import dagster as dg

from orchestration.settings import Settings
from orchestration.sources.locations import S3Client

S3_KEY = "s3"


class S3(dg.ConfigurableResource[S3Client]):
    """S3 or a compatible service; credentials come from boto3's usual chain."""

    endpoint_url: str | None = None
    region_name: str | None = None

    def get_client(self) -> S3Client:
        """A new boto3 client, created by dagster-aws."""
        from dagster_aws.s3 import S3Resource

        return S3Resource(endpoint_url=self.endpoint_url, region_name=self.region_name).get_client()


def s3_resource(settings: Settings) -> S3:
    """S3 with the configured settings."""
    return S3(endpoint_url=settings.s3.endpoint_url, region_name=settings.s3.region_name)
