"""Creates stacks in moto, an emulator of AWS, by a bare call of create-stack, and says what came of each.

Standard input: {"folder": a folder with template.json and zips, "stacks": [{"name", "parameters"}]}; standard output: JSON.
"""
import json
import os
import sys
import warnings
from pathlib import Path

warnings.simplefilter("ignore")
os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION="eu-west-1")
os.environ.pop("AWS_PROFILE", None)

import boto3
from moto import mock_aws
from moto.awslambda.models import LambdaVersion, lambda_backends
from moto.cloudformation.parsing import get_model_map
from moto.core.common_models import CloudFormationModel

# moto 5.2 makes aliases by Lambda's own API only, and has no !GetAtt of a version. Without them no mapping can name one.
if "AWS::Lambda::Alias" not in get_model_map():

    class Alias(CloudFormationModel):
        __module__ = "moto.awslambda.models"

        def __init__(self, arn):
            self.physical_resource_id = arn

        @staticmethod
        def cloudformation_name_type():
            return ""

        @staticmethod
        def cloudformation_type():
            return "AWS::Lambda::Alias"

        @classmethod
        def create_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name, **_):
            given = cloudformation_json["Properties"]
            backend = lambda_backends[account_id][region_name]
            alias = backend.create_alias(given["Name"], given["FunctionName"], given["FunctionVersion"], "", None)
            return cls(alias.arn)

    LambdaVersion.get_cfn_attribute = lambda version, name: str(version.version)
    get_model_map()["AWS::Lambda::Alias"] = Alias

BUCKET = "code"


@mock_aws
def create(folder, name, parameters):
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    for zip_file in folder.glob("*.zip"):
        s3.upload_file(str(zip_file), BUCKET, zip_file.name)
    stacks = boto3.client("cloudformation")
    stacks.create_stack(
        StackName=name,
        TemplateBody=(folder / "template.json").read_text(),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in {"CodeBucket": BUCKET, **parameters}.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    stack = stacks.describe_stacks(StackName=name)["Stacks"][0]
    sqs = boto3.client("sqs")
    functions = boto3.client("lambda")
    queues = sqs.list_queues().get("QueueUrls", [])
    return {
        "status": stack["StackStatus"],
        "outputs": {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])},
        "queues": {
            url.split("/")[-1]: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"] for url in queues
        },
        "functions": {
            found["FunctionName"]: {"variables": found["Environment"]["Variables"], "timeout": found["Timeout"]}
            for found in functions.list_functions()["Functions"]
        },
        "aliases": functions.list_aliases(FunctionName=f"{name}-enable-password")["Aliases"],
        "mappings": [
            {key: mapping.get(key) for key in ("EventSourceArn", "BatchSize", "FunctionResponseTypes")}
            for mapping in functions.list_event_source_mappings()["EventSourceMappings"]
        ],
    }


asked = json.load(sys.stdin)
answers = {}
for stack in asked["stacks"]:
    try:
        answers[stack["name"]] = create(Path(asked["folder"]), stack["name"], stack["parameters"])
    except Exception as error:
        answers[stack["name"]] = {"status": f"{type(error).__name__}: {error}"}
json.dump(answers, sys.stdout, default=str)
