"""A small estate in two accounts of a real AWS API server: what there is, and the ids that the API gave."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from typing import Any

import boto3

REGION = "eu-central-1"
OTHER_ACCOUNT = "222222222222"
ROLE = "inventory"


@dataclass(frozen=True)
class Ids:
    """Ids by a name of the test's own; `account` is the first account, `roles` the ARN of each one's role.

    `runner` is the environment of who runs the inventory: a user of the first account that may become both
    roles, and nothing else.
    """

    account: str
    roles: dict[str, str]
    runner: dict[str, str]
    ids: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.ids[name]


class Account:
    """Clients of one account on the server."""

    def __init__(self, endpoint: str, account: str | None = None) -> None:
        self.endpoint = endpoint
        self.keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        if account:
            answer = self.client("sts").assume_role(
                RoleArn=f"arn:aws:iam::{account}:role/any", RoleSessionName="estate"
            )["Credentials"]
            self.keys = {
                "aws_access_key_id": answer["AccessKeyId"],
                "aws_secret_access_key": answer["SecretAccessKey"],
                "aws_session_token": answer["SessionToken"],
            }

    def client(self, service: str, region: str = REGION) -> Any:
        return boto3.client(service, endpoint_url=self.endpoint, region_name=region, **self.keys)

    def role(self, policy: dict[str, Any]) -> str:
        """A role that whoever assumes it may do what the policy says, and nothing else."""
        iam = self.client("iam")
        trust = {"Version": "2012-10-17", "Statement": []}
        role = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        iam.put_role_policy(RoleName=ROLE, PolicyName="read", PolicyDocument=json.dumps(policy))
        return str(role)

    def runner(self, policy: dict[str, Any]) -> dict[str, str]:
        """A user that may do what the policy says; as environment variables."""
        iam = self.client("iam")
        iam.create_user(UserName="runner")
        iam.put_user_policy(UserName="runner", PolicyName="run", PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName="runner")["AccessKey"]
        return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


def tags(**values: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in values.items()]


def build_estate(endpoint: str, policy: dict[str, Any]) -> Ids:
    """Make the estate: nearly everything in the first account, a volume in the second.

    The statements of the policy are given to whom its page gives them.
    """
    first, second = Account(endpoint), Account(endpoint, OTHER_ACCOUNT)
    ids: dict[str, str] = {}
    _network_and_machines(first, ids)
    _services(first, ids)
    other = second.client("ec2").create_volume(AvailabilityZone=f"{REGION}a", Size=7)
    ids["other volume"] = other["VolumeId"]
    account = first.client("sts").get_caller_identity()["Account"]
    roles = {
        account: first.role(only(policy, "TakeInventory")),
        OTHER_ACCOUNT: second.role(only(policy, "TakeInventory")),
    }
    # The page names the roles of its example.
    become = json.dumps(only(policy, "BecomeTheRolesOfOtherAccounts")).replace("role/cost-*", f"role/{ROLE}")
    return Ids(account, roles, first.runner(json.loads(become)), ids)


def only(policy: dict[str, Any], statement: str) -> dict[str, Any]:
    """The policy with this of its statements, in the words of the server (it calls a service otherwise)."""
    kept = {**policy, "Statement": [one for one in policy["Statement"] if one["Sid"] == statement]}
    named: dict[str, Any] = json.loads(json.dumps(kept).replace("tag:GetResources", "tagging:GetResources"))
    return named


def _network_and_machines(account: Account, ids: dict[str, str]) -> None:
    ec2 = account.client("ec2")
    ids["vpc"] = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.create_tags(Resources=[ids["vpc"]], Tags=tags(team="network"))
    for number, name in enumerate(("subnet", "other subnet")):
        subnet = ec2.create_subnet(
            VpcId=ids["vpc"], CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{REGION}{'ab'[number]}"
        )
        ids[name] = subnet["Subnet"]["SubnetId"]
    started = ec2.run_instances(
        ImageId=ec2.describe_images()["Images"][0]["ImageId"],
        MinCount=1,
        MaxCount=1,
        InstanceType="m6i.large",
        SubnetId=ids["subnet"],
        TagSpecifications=[
            {
                "ResourceType": "instance",
                "Tags": [
                    *tags(Name="node-1", CostCenter="42"),
                    {"Key": "eks:cluster-name", "Value": "prod"},
                    {"Key": "eks:nodegroup-name", "Value": "general"},
                ],
            }
        ],
    )["Instances"][0]
    ids["instance"] = started["InstanceId"]
    described = ec2.describe_instances(InstanceIds=[ids["instance"]])["Reservations"][0]["Instances"][0]
    ids["root volume"] = described["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
    ids["interface"] = described["NetworkInterfaces"][0]["NetworkInterfaceId"]
    ids["nat"] = ec2.create_nat_gateway(SubnetId=ids["subnet"])["NatGateway"]["NatGatewayId"]


def _services(account: Account, ids: dict[str, str]) -> None:
    balancer = account.client("elbv2").create_load_balancer(
        Name="front", Subnets=[ids["subnet"], ids["other subnet"]], Tags=tags(team="web")
    )
    ids["balancer"] = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    classic = account.client("elb")
    classic.create_load_balancer(
        LoadBalancerName="old",
        Listeners=[{"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 80}],
        Subnets=[ids["subnet"]],
    )
    classic.register_instances_with_load_balancer(
        LoadBalancerName="old", Instances=[{"InstanceId": ids["instance"]}]
    )
    rds = account.client("rds")
    cluster = rds.create_db_cluster(
        DBClusterIdentifier="core",
        Engine="aurora-mysql",
        MasterUsername="admin",
        MasterUserPassword="not-a-secret",
    )["DBCluster"]
    ids["database cluster"] = cluster["DbClusterResourceId"]
    rds.create_db_instance(
        DBInstanceIdentifier="core-1",
        DBInstanceClass="db.r6g.large",
        Engine="aurora-mysql",
        DBClusterIdentifier="core",
        Tags=tags(team="data"),
    )
    iam = account.client("iam")
    role = iam.create_role(RoleName="runs-code", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("a.py", "")
    account.client("lambda").create_function(
        FunctionName="dispatch",
        Runtime="python3.12",
        Role=role,
        Handler="a.b",
        Code={"ZipFile": code.getvalue()},
        Tags={"team": "alerts"},
        VpcConfig={"SubnetIds": [ids["subnet"]], "SecurityGroupIds": []},
    )
    eks = account.client("eks")
    network = {"subnetIds": [ids["subnet"]]}
    eks.create_cluster(name="prod", roleArn=role, resourcesVpcConfig=network, tags={"team": "platform"})
    group = eks.create_nodegroup(
        clusterName="prod", nodegroupName="general", subnets=[ids["subnet"]], nodeRole=role
    )
    ids["nodegroup"] = group["nodegroup"]["nodegroupArn"]
    queue = account.client("sqs").create_queue(QueueName="jobs", tags={"team": "alerts"})["QueueUrl"]
    ids["queue"] = queue.rpartition("/")[2]
