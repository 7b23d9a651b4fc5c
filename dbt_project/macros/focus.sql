{# The service categories that FOCUS 1.2 allows. #}
{% macro focus_service_categories() -%}
    {{
        return(
            [
                "AI and Machine Learning",
                "Analytics",
                "Business Applications",
                "Compute",
                "Databases",
                "Developer Tools",
                "Identity",
                "Integration",
                "Internet of Things",
                "Management and Governance",
                "Media",
                "Migration",
                "Mobile",
                "Multicloud",
                "Networking",
                "Security",
                "Storage",
                "Web",
                "Other",
            ]
        )
    }}
{%- endmacro %}

{#
  The category of a service by its name, for bills that do not give one of FOCUS' (a CUR has AWS' product families in
  its place). What no line knows is Other, as FOCUS has it.
#}
{% macro focus_category_of_service(service_name) -%}
    case
        {%- for category, pattern in [
            (
                "AI and Machine Learning",
                "bedrock|sagemaker|rekognition|comprehend|textract|transcribe|translate|polly|openai|machine learning|vertex",
            ),
            (
                "Analytics",
                "athena|glue|opensearch|elasticsearch|kinesis|kafka|redshift|quicksight|elastic mapreduce|emr|lake formation|bigquery|databricks|snowflake",
            ),
            (
                "Databases",
                "relational database|rds|dynamodb|elasticache|memorydb|documentdb|neptune|keyspaces|timestream|database|cosmos|sql",
            ),
            (
                "Networking",
                "virtual private cloud|cloudfront|route ?53|load balancing|data transfer|direct connect|global accelerator|api ?gateway|vpn|transit gateway|bandwidth|network",
            ),
            (
                "Security",
                "guardduty|key management|security hub|inspector|macie|waf|shield|secrets manager|certificate|kms",
            ),
            ("Identity", "cognito|identity|directory service|iam"),
            (
                "Integration",
                "simple queue|simple notification|eventbridge|step functions|amazon mq|sqs|sns|appsync|pub/sub|service bus",
            ),
            (
                "Management and Governance",
                "cloudwatch|cloudtrail|config|systems manager|trusted advisor|cost explorer|grafana|prometheus|monitor|support|organizations",
            ),
            (
                "Developer Tools",
                "codebuild|codepipeline|codecommit|codeartifact|x-ray|xray|devops",
            ),
            ("Storage", "simple storage|s3|glacier|elastic file system|efs|fsx|backup|storage"),
            (
                "Compute",
                "elastic compute|ec2|lambda|kubernetes|eks|elastic container|ecs|fargate|lightsail|batch|compute|virtual machines|container",
            ),
            ("Migration", "migration|datasync|snowball|transfer family"),
            ("Media", "media|elastic transcoder"),
            ("Business Applications", "workspaces|workmail|connect|chime|simple email|pinpoint"),
            ("Internet of Things", "iot"),
        ] %}
            when regexp_matches(lower({{ service_name }}), '(^|[^a-z]|amazon|aws)({{ pattern }})')
            then '{{ category }}'
        {%- endfor %}
        else 'Other'
    end
{%- endmacro %}
